"""Loading a backbone: what is whole comes back as it was, what is not is refused by name, prompts are checked."""

import json
import pickle
import shutil

import pytest
import torch
import transformers as tf
from toys import CONTEXT, SLOT_DRAFTERS, VOCABULARY, build, on_every_architecture, on_every_device, ragged, toy

from mtp_explore.backbone import files
from mtp_explore.backbone.card import write_card
from mtp_explore.backbone.files import checksum
from mtp_explore.backbone.load import load_backbone
from mtp_explore.decode.generate import sample


# What is saved is loaded: the same logits to the bit, the same fingerprint, config.json and safetensors, no pickle.
@on_every_device
def test_round_trip(saved, device):
    names = {f.name for f in saved.iterdir()}
    assert {"config.json", "model.safetensors"} <= names and not [
        n for n in names if n.endswith((".bin", ".pt", ".pkl"))
    ]
    loaded, first = load_backbone(saved, device=device, dtype=torch.float32), toy("llama", device)
    ids = torch.tensor([[1, 5, 3]], device=device)
    with torch.inference_mode():
        assert torch.equal(loaded.model(ids).logits, first.model(ids).logits)
    assert loaded.fingerprint == first.fingerprint
    assert loaded.encode("w3 w1") == [[3, 1]] and loaded.decode([3, 1]) == "w3 w1"
    assert loaded.eos == [0] and loaded.device.type == device


# A backbone saved without a tokenizer comes back without one, and says so when it is given text.
def test_without_a_tokenizer(tmp_path):
    toy("gpt2").save_pretrained(tmp_path)
    loaded = load_backbone(tmp_path, device="cpu")
    assert loaded.tokenizer is None and loaded.decode([3, 1]) == "3 1"
    with pytest.raises(ValueError, match="prompt='hello'.*no tokenizer: pass token ids"):
        loaded.encode("hello")


# The fingerprint follows the weights, not the precision they are held in, nor the object.
def test_fingerprint():
    first = toy("llama").fingerprint
    assert build(toy("llama").config).fingerprint == first
    assert build(toy("llama").config, seed=1).fingerprint != first
    other = build(toy("llama").config)
    other.to(torch.bfloat16)
    assert other.fingerprint == first
    one = build(toy("llama").config)
    with torch.no_grad():
        one.model.model.layers[1].mlp.up_proj.weight += 1e-2
    assert one.fingerprint != first


# An unknown name is told the known ones nearest to it.
def test_unknown_name(saved, tmp_path, monkeypatch):
    shipped = shutil.copytree(saved, tmp_path / "models" / "stories" / "backbone")
    write_card(shipped, "stories", "A toy.", {})
    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    assert load_backbone("stories", device="cpu").vocabulary == VOCABULARY
    with pytest.raises(ValueError, match="name='storys'.*'stories'"):
        load_backbone("storys")
    for name in ("/no/such/directory", "no/such-model", "../models/stories"):
        with pytest.raises(ValueError, match=f"name='{name}'.*[Hh]ub id"):
            load_backbone(name)


# Pickle is refused unread: the file here would create another one if it were ever loaded.
def test_pickle_is_refused(mine, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "gone off"), "w"))

    (mine / "model.safetensors").unlink()
    (mine / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="pytorch_model.bin.*refused.*model.safetensors"):
        load_backbone(mine)
    assert not (tmp_path / "gone off").exists()


# One flipped byte is found by the checksum of the card, and the file is named.
def test_damaged(mine):
    weights = mine / "model.safetensors"
    (mine / "card.json").write_text(json.dumps({"sha256": checksum(weights)}))
    load_backbone(mine, device="cpu")
    raw = bytearray(weights.read_bytes())
    raw[-3] ^= 1
    weights.write_bytes(raw)
    with pytest.raises(ValueError, match="model.safetensors' is damaged.*SHA-256"):
        load_backbone(mine)


# A file cut short is refused with a ValueError that names it, with no card to help.
@pytest.mark.parametrize("left", [0, 5, 2000])
def test_truncated(mine, left):
    weights = mine / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:left])
    with pytest.raises(ValueError, match="name='.*mine' could not be loaded"):
        load_backbone(mine, device="cpu")


# Weights that do not fill the model of config.json are an error; nothing is left at its random start.
@pytest.mark.parametrize("key, value", [("num_hidden_layers", 3), ("hidden_size", 64), ("model_type", "no-such-type")])
def test_config_and_weights_disagree(mine, key, value):
    config = json.loads((mine / "config.json").read_text())
    (mine / "config.json").write_text(json.dumps({**config, key: value}))
    with pytest.raises(ValueError, match="name='.*mine' could not be loaded"):
        load_backbone(mine, device="cpu")


# A directory that holds no model says what is missing.
def test_empty_directory(tmp_path):
    with pytest.raises(ValueError, match="no config.json"):
        load_backbone(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="no weights.*model.safetensors"):
        load_backbone(tmp_path)


SMALL = dict(vocab_size=VOCABULARY, hidden_size=32, bos_token_id=0, eos_token_id=0)
STRANGE = {
    "positions by column (MPT)": lambda: tf.MptConfig(vocab_size=VOCABULARY, d_model=32, n_layers=2, n_heads=4),
    "positions by column (Bloom)": lambda: tf.BloomConfig(**SMALL, n_layer=2, n_head=4),
    "positions by column (Falcon)": lambda: tf.FalconConfig(
        **SMALL, num_hidden_layers=2, num_attention_heads=4, alibi=True
    ),
    "a window by column (GPT-Neo)": lambda: tf.GPTNeoConfig(
        **SMALL, num_layers=2, attention_types=[[["global", "local"], 1]], num_heads=4
    ),
    "a recurrent state (Mamba)": lambda: tf.MambaConfig(**SMALL, num_hidden_layers=2, state_size=4),
    "a recurrent state (Mamba-2)": lambda: tf.Mamba2Config(
        **SMALL, num_hidden_layers=2, state_size=4, num_heads=4, head_dim=16, n_groups=1
    ),
    "chunks (Llama 4)": lambda: tf.Llama4TextConfig(
        **SMALL, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        intermediate_size=48, intermediate_size_mlp=48, num_local_experts=2, pad_token_id=0,
    ),
}  # fmt: skip


# Models that would decode wrongly without a word (they read columns where the loop speaks of positions, or carry a
# state that cannot be rolled back) are refused when they are wrapped.
@pytest.mark.parametrize("kind", STRANGE)
def test_what_the_loop_cannot_serve_is_refused(kind):
    with pytest.raises(ValueError, match="model type '.*'.*full or sliding-window attention"):
        build(STRANGE[kind]())


# LongRoPE rotates a whole call by its longest row, cached keys not: the context ends where the short factors do, and up
# to there `match` is ordinary decoding, slots or not.
def test_long_rope():
    rope = dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1.0] * 4, long_factor=[3.0] * 4)
    size = dict(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
    ends = dict(bos_token_id=0, eos_token_id=0, pad_token_id=0, initializer_range=0.35)
    reach = dict(original_max_position_embeddings=24, max_position_embeddings=64)
    backbone = build(tf.Phi3Config(**size, **ends, **reach, rope_parameters=rope))
    assert backbone.context == 24
    wanted = sample(backbone, None, ragged(), 30, seed=3, eos=False)
    assert wanted.length.tolist() == [24 - len(p) for p in ragged()]
    for kind in SLOT_DRAFTERS.values():
        found = sample(backbone, kind(backbone), ragged(), 30, seed=3, rule="match", eos=False)
        assert torch.equal(found.tokens, wanted.tokens)


# Prompts: a string, ids, a batch of either, or a tensor; what cannot be one is told what it is and what would do.
def test_prompts(saved):
    backbone = load_backbone(saved, device="cpu")
    assert backbone.encode("w3 w1") == backbone.encode([3, 1]) == backbone.encode(torch.tensor([3, 1])) == [[3, 1]]
    assert backbone.encode(["w3", "w1 w2"]) == backbone.encode([[3], [1, 2]]) == [[3], [1, 2]]
    assert backbone.encode(torch.tensor([[3], [1]])) == [[3], [1]]
    for prompt in ([], [[]], "", [[1], []]):
        with pytest.raises(ValueError, match="prompt is (empty|an empty list)"):
            backbone.encode(prompt)
    for token in (-1, VOCABULARY):
        with pytest.raises(ValueError, match=f"token id {token}, outside the vocabulary 0..{VOCABULARY - 1}"):
            backbone.encode([3, token])
    with pytest.raises(ValueError, match=f"prompt has {CONTEXT} tokens.*at most {CONTEXT - 1}"):
        backbone.encode([1] * CONTEXT)
    assert len(backbone.encode([1] * (CONTEXT - 1))[0]) == CONTEXT - 1
    for prompt in (None, 3, [1.5], [[1.5]], [["w1"]], {"a": 1}):
        with pytest.raises((TypeError, ValueError), match="prompt"):
            backbone.encode(prompt)


# `logits` of a final state is what the model itself says there, with its scales and caps.
@on_every_device
@on_every_architecture
def test_logits_of_a_state(architecture, device):
    backbone = toy(architecture, device)
    ids = torch.tensor([[1, 5, 3, 2]], device=device)
    with torch.inference_mode():
        out = backbone.model(ids, output_hidden_states=True)
        assert torch.allclose(backbone.logits(out.hidden_states[-1]), out.logits, atol=1e-5)
        assert torch.equal(backbone.model(inputs_embeds=backbone.embed(ids)).logits, out.logits)


# End-of-text ids are those that transformers' own generate stops at.
def test_ends_are_those_of_generate():
    config = toy("gpt2").config.__class__(**{**toy("gpt2").config.to_dict(), "eos_token_id": 3})
    backbone = build(config)
    assert backbone.eos == [3]
    backbone.model.generation_config.eos_token_id = [3, 5]
    assert backbone.eos == [3, 5]
