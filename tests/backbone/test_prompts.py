"""Prompts as people have them: what tokenizers and chat templates return; and the text of a trace."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, processors
from toys import build, toy
from transformers import GPT2Config, PreTrainedTokenizerFast

from mtp_explore.backbone.load import Backbone
from mtp_explore.corpora.tokenizer import train_tokenizer
from mtp_explore.decode.generate import generate

TEXT = "to be or not to be"
CHAT = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}"


def small(tokenizer) -> Backbone:
    size = dict(n_embd=32, n_layer=2, n_head=4, n_positions=64, eos_token_id=None)
    return Backbone(build(GPT2Config(vocab_size=len(tokenizer), **size)).model, tokenizer, "small")


def sentencepiece(add_bos: bool = False):
    """A tokenizer in the manner of Llama 2: pieces carry their space in front, and the decoder drops the first."""
    words = ["<s>", "<unk>", *(f"<0x{i:02X}>" for i in range(256)), "▁", "a", "▁a", "▁Once", "▁upon", "n", "o"]
    made = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, [], unk_token="<unk>", byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    strip = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    made.decoder = decoders.Sequence(strip)
    if add_bos:
        made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", unk_token="<unk>")


# What a tokenizer returns is a prompt: one text or a batch, lists or tensors, padded or not.
def test_what_a_tokenizer_returns():
    tokenizer = train_tokenizer([TEXT], 270)
    tokenizer.pad_token = tokenizer.eos_token
    backbone, texts = small(tokenizer), [TEXT, "be"]
    ids = [tokenizer(t)["input_ids"] for t in texts]
    assert backbone.encode(tokenizer(TEXT)) == [ids[0]]
    assert backbone.encode(tokenizer(texts)) == backbone.encode(tokenizer(texts, padding=True)) == ids
    for side in ("left", "right"):
        tokenizer.padding_side = side
        assert backbone.encode(tokenizer(texts, padding=True, return_tensors="pt")) == ids
    assert backbone.encode({"input_ids": ids[0]}) == [ids[0]]
    one, batch = generate(backbone, None, tokenizer(TEXT), 4), generate(backbone, None, tokenizer(texts), 4)
    assert one.prompt == ids[0] and [t.prompt for t in batch] == ids and one.tokens == batch[0].tokens
    with pytest.raises(TypeError, match="prompt=.*a mapping needs input_ids"):
        backbone.encode({"attention_mask": [1]})


# A chat template's text begins with the sign of the beginning; a tokenizer that adds one does not add a second. Ids
# and mappings from the template are taken as they are, and messages themselves are answered with the remedy.
def test_chats_begin_once():
    tokenizer = sentencepiece(add_bos=True)
    tokenizer.chat_template = CHAT
    backbone, messages = small(tokenizer), [{"role": "user", "content": "a"}]
    ids = tokenizer.apply_chat_template(messages)
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    plain = backbone.encode("a")[0]
    assert backbone.encode(text)[0][:2] != [0, 0] and backbone.encode(text)[0][0] == plain[0] == 0
    assert backbone.encode(ids) == [list(ids["input_ids"])]
    for wrong in (messages, [messages]):
        with pytest.raises(TypeError, match="apply_chat_template"):
            backbone.encode(wrong)


# The prompt's text and the trace's are together the text of all tokens, also where the decoder drops a first space,
# and where a character begins in the prompt and ends after it.
def test_texts_join():
    backbone = small(sentencepiece())
    name = backbone.tokenizer.convert_tokens_to_ids
    prompt, new = [name(t) for t in ("▁Once", "▁upon")], [name("▁a"), name("▁a")]
    assert backbone.continued(prompt, new) == ("Once upon", " a a")
    half, rest = [name("▁a"), name("<0xC3>")], [name("<0xA9>"), name("a")]
    assert backbone.continued(half, rest) == ("a", "éa")
    with torch.no_grad():
        trace = generate(backbone, None, prompt, 12, seed=2)
    assert trace.prompt_text + trace.text == backbone.decode(prompt + trace.tokens)


def test_byte_level_texts_join():
    tokenizer = train_tokenizer([TEXT], 258)
    backbone = small(tokenizer)
    ids = tokenizer("né")["input_ids"]
    before, after = backbone.continued(ids[:-1], ids[-1:])
    assert before + after == "né" and "\ufffd" not in before + after


# Text that no tokenizer reads is answered by name.
def test_unreadable_text():
    with pytest.raises(ValueError, match="prompt=.*tokenizer cannot read it"):
        small(train_tokenizer([TEXT], 258)).encode("a\ud800")


# A context ends where it ends: asking for a million tokens costs what the context has room for.
def test_sizes_by_what_can_come(monkeypatch):
    from mtp_explore.decode import generate as module

    backbone, asked = toy("llama"), []
    make = module.make_tape
    monkeypatch.setattr(module, "make_tape", lambda *a: asked.append(a[4]) or make(*a))
    many = generate(backbone, None, [[1, 2, 3], [4]], 10**12, eos=False, seed=5)
    exact = generate(backbone, None, [[1, 2, 3], [4]], backbone.context - 1, eos=False, seed=5)
    assert [t.tokens for t in many] == [t.tokens for t in exact] and asked == [backbone.context - 1] * 2
    assert {t.finish for t in many} == {"context"}
    made = module.sample(backbone, None, [1, 2, 3], 10**12, eos=False)
    assert made.tokens.shape == (1, backbone.context - 3)
