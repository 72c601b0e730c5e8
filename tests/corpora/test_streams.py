"""A corpus as one stream of tokens: text is text, and as many documents as there are, so many ends."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from mtp_explore.corpora import corpus as module
from mtp_explore.corpora import load_corpus
from mtp_explore.corpora.corpus import Corpus, stream
from mtp_explore.corpora.tokenizer import END, fingerprint, train_tokenizer
from mtp_explore.train.evaluate import document_nats

TEXTS = ["the cat sat on the mat and counted 12 and 120 mats"] * 50
TOKENIZER = train_tokenizer(TEXTS, 300)
PARTS = st.sampled_from([END, "<|endoftext", "|>", "the cat", " ", "\n", "</s>", "é"])


def unigram() -> PreTrainedTokenizerFast:
    """A vocabulary in which the end of text is an ordinary word too."""
    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>")
    core.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>", bos_token="<s>", unk_token="<unk>")


def ends(tokens, tokenizer) -> int:
    return int((tokens == tokenizer.eos_token_id).sum())


# The name of a special token in a text is text: the stream has one end for every document, and what is between two of
# them decodes to the document, letter by letter.
@given(st.lists(st.lists(PARTS, max_size=6).map("".join), min_size=1, max_size=4))
def test_special_tokens_in_a_text_are_letters(documents):
    tokens = stream(documents, TOKENIZER).tolist()
    found, row = [], []
    for token in tokens:
        if token == TOKENIZER.eos_token_id:
            found.append(TOKENIZER.decode(row))
            row = []
        else:
            row.append(token)
    assert found == documents and not row


@pytest.mark.parametrize("text", ["the</s>cat", "</s>", "the cat <s> sat </s></s>"])
def test_an_end_that_is_an_ordinary_word_ends_nothing(text):
    tokenizer = unigram()
    assert ends(stream([text] * 3, tokenizer), tokenizer) == 3


# Files, stories and whatever else is a corpus are read so; so is the document whose nats are measured.
def test_every_kind_of_corpus(tmp_path):
    class Own(Corpus):
        name = "own"

        def documents(self, split):
            return iter([f"the {END} cat"] * 4)

    (tmp_path / "a.txt").write_text(f"the {END} cat\n\n" * 60)
    (tmp_path / "a.jsonl").write_text('{"text": "the <|endoftext|> cat"}\n' * 30)
    for corpus in (Own(), load_corpus(tmp_path / "a.txt"), load_corpus(tmp_path / "a.jsonl")):
        for split in ("train", "validation", "test"):
            many = len(list(corpus.documents(split)))
            assert ends(corpus.tokens(split, TOKENIZER), TOKENIZER) == many

    def model(input_ids, use_cache):
        assert ends(input_ids, TOKENIZER) == 1  # the one before the document
        return type("Out", (), {"logits": torch.zeros(*input_ids.shape, 300)})

    document_nats(model, TOKENIZER, f"the {END} cat")


# Reading a corpus changes nothing about the tokenizer: in a prompt the name of the end still is the end.
def test_the_tokenizer_stays_as_it_was():
    before = fingerprint(TOKENIZER)
    stream([f"a{END}"], TOKENIZER)
    assert fingerprint(TOKENIZER) == before and not TOKENIZER._tokenizer.encode_special_tokens
    assert TOKENIZER(f"a{END}")["input_ids"][-1] == TOKENIZER.eos_token_id


# Text without such names is read as ever.
def test_other_text_is_read_as_ever():
    texts = ["the cat sat.\n 120 <mats>", "é\u2028x"]
    rows = TOKENIZER(texts, add_special_tokens=False)["input_ids"]
    assert stream(texts, TOKENIZER).tolist() == [i for row in rows for i in [*row, 0]]


# Options and tokenizers that cannot be are refused by name, before a document is read.
@pytest.mark.parametrize(
    "name, value", [("limit", 0), ("limit", 1.5), ("limit", "9"), ("tokenizer", 5), ("tokenizer", "x")]
)
def test_refusals(name, value):
    def documents():
        pytest.fail("read a document")
        yield

    with pytest.raises((ValueError, TypeError), match=f"^{name}="):
        stream(documents(), **{"tokenizer": TOKENIZER, name: value})


# A bar counts the tokens that were read, only where one was asked for.
def test_progress(monkeypatch):
    made, silent, honest = [], [], module.bar

    def watched(*args):
        made.append(honest(*args))
        silent.append(made[-1].disable)
        return made[-1]

    monkeypatch.setattr(module, "bar", watched)
    for progress in (False, True):
        assert len(load_corpus("stories").tokens("validation", TOKENIZER, limit=2000, progress=progress)) == 2000
    assert silent == [True, False]
    assert (made[1].n, made[1].total) == (2000, 2000) and "stories, validation" in made[1].desc
