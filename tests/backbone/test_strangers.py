"""Models from strangers: their code never runs, what they say of themselves is checked, names lead where they say."""

import io
import json
import shutil
import sys
import time
from pathlib import Path

import pytest
import torch
import transformers as tf
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from toys import CONTEXT, toy

from mtp_explore.backbone import files, load
from mtp_explore.backbone.card import read_card, write_card
from mtp_explore.backbone.load import Backbone, load_backbone
from mtp_explore.backbone.seal import METADATA, SEAL, check_seal, header, seal

CODE = """
from pathlib import Path
Path({mark!r}).touch()
from transformers import LlamaConfig as C, LlamaForCausalLM as M, PreTrainedTokenizerFast as T
"""


@pytest.fixture
def shipped(saved, tmp_path, monkeypatch):
    """A data directory with the backbone "stories" and its card."""
    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    directory = shutil.copytree(saved, tmp_path / "models" / "stories" / "backbone")
    write_card(directory, "stories", "A toy.", {"loss": 1.0})
    return directory


def change(path: Path, **settings) -> None:
    """Settings of a JSON file changed; None removes one."""
    found = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({k: v for k, v in found.items() if v is not None}))


# A stranger's code is never run, whatever stands on the terminal: for config, model and tokenizer, from a directory
# that names its own classes, the refusal says so and does not advise to trust it.
@pytest.mark.parametrize("part", ["config", "model", "tokenizer", "all"])
def test_strangers_code_is_never_run(part, mine, tmp_path, monkeypatch):
    mark = tmp_path / "it ran"
    (mine / "evil.py").write_text(CODE.format(mark=str(mark)))
    if part in ("config", "all"):
        change(mine / "config.json", model_type="evil", auto_map={"AutoConfig": "evil.C"})
    if part in ("model", "all"):
        there = json.loads((mine / "config.json").read_text()).get("auto_map", {})
        change(mine / "config.json", auto_map=there | {"AutoModelForCausalLM": "evil.M"})
    if part in ("tokenizer", "all"):
        auto_map = {"AutoTokenizer": [None, "evil.T"]}
        change(mine / "tokenizer_config.json", auto_map=auto_map, tokenizer_class="EvilTokenizer")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))
    if part == "model":  # a Llama: transformers' own class serves, as it does for many models of the Hub
        assert type(load_backbone(mine, device="cpu").model) is tf.LlamaForCausalLM
    else:
        with pytest.raises(ValueError, match="mine' could not be loaded: .*brings code of its own, which is never run"):
            load_backbone(mine, device="cpu")
    assert not mark.exists() and sys.stdin.read() == "y\n" * 9  # nothing was asked either


# The same for a generation method that a model brings along.
def test_strangers_generate_is_never_run(mine, tmp_path, monkeypatch):
    (mine / "custom_generate").mkdir()
    (mine / "custom_generate" / "generate.py").write_text(CODE.format(mark=str(tmp_path / "it ran")))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))
    load_backbone(mine, device="cpu")
    assert not (tmp_path / "it ran").exists() and sys.stdin.read() == "y\n" * 9


# What we save carries the SHA-256 of its tensors in the file itself: a flipped bit anywhere in them is found without
# any card, as are another name, shape or order; metadata of others stay, and the file is an ordinary one.
def test_seal(tmp_path):
    file = tmp_path / "x.safetensors"
    tensors = {"b": torch.arange(6.0).view(2, 3), "a": torch.ones(5, dtype=torch.int8), "none": torch.zeros(0)}
    save_file(tensors, file, metadata={"format": "pt"})
    check_seal(file)  # no seal, no check
    seal(file)
    check_seal(file)
    with safe_open(file, "pt") as read:
        assert read.metadata().keys() == {"format", SEAL}
    assert all(torch.equal(load_file(file)[k], v) for k, v in tensors.items())
    once = file.read_bytes()
    seal(file)
    assert file.read_bytes() == once and header(file)[1] % 8 == 0
    start = header(file)[1]
    for place in range(start, len(once)):
        file.write_bytes(once[:place] + bytes([once[place] ^ 16]) + once[place + 1 :])
        with pytest.raises(ValueError, match="x.safetensors' is damaged or was changed"):
            check_seal(file)
    for old, new in ((b'"a"', b'"c"'), (b"[2,3]", b"[3,2]"), (b"I8", b"U8")):
        file.write_bytes(once.replace(old, new))
        assert file.read_bytes() != once
        with pytest.raises(ValueError, match="damaged or was changed"):
            check_seal(file)
    for bad in (b"", b"\1", b"\2\0\0\0\0\0\0\0[]", b"\xff" * 40, (9).to_bytes(8, "little") + b"[" * 9):
        file.write_bytes(bad)
        with pytest.raises(ValueError, match="x.safetensors' is damaged"):
            check_seal(file)


# A backbone that we saved is sealed, and loading looks at it: no card is needed to find a flipped bit.
def test_flipped_bit_without_a_card(mine):
    weights = mine / "model.safetensors"
    assert SEAL in header(weights)[0][METADATA]
    raw = bytearray(weights.read_bytes())
    raw[-3] ^= 1
    weights.write_bytes(raw)
    with pytest.raises(ValueError, match="mine' could not be loaded.*model.safetensors' is damaged or was changed"):
        load_backbone(mine, device="cpu")


# A card speaks of every file that changes the text: a swapped tokenizer, another config, other ends of text are found.
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"])
def test_card_speaks_of_every_file(name, shipped):
    load_backbone("stories", device="cpu")
    assert read_card(shipped)["files"].keys() >= {"config.json", "tokenizer.json"}
    (shipped / name).write_text((shipped / name).read_text() + " ")
    with pytest.raises(ValueError, match=f"{name}' is damaged or was changed"):
        load_backbone("stories", device="cpu")
    (shipped / name).unlink()
    with pytest.raises((FileNotFoundError, ValueError), match=name if name != "config.json" else "no shipped backbone"):
        load_backbone("stories", device="cpu")


# Under data/models the check cannot be switched off: no card, a card that is a directory or a link to nowhere, one with
# nothing in it.
@pytest.mark.parametrize("kind", ["none", "directory", "link", "empty", "number", "list"])
def test_card_is_required_of_what_ships(kind, shipped):
    card = shipped / "card.json"
    text = card.read_text()
    card.unlink()
    if kind == "directory":
        card.mkdir()
    elif kind == "link":
        card.symlink_to("nowhere.json")
    elif kind != "none":
        card.write_text({"empty": "{}", "number": '{"sha256": 5}', "list": '{"sha256": "", "files": [1]}'}[kind])
    for name in ("stories", shipped):
        with pytest.raises(ValueError, match="card.json"):
            load_backbone(name, device="cpu")
    if kind == "directory":
        card.rmdir()
    else:
        card.unlink(missing_ok=True)
    card.write_text(text)
    assert load_backbone(shipped, device="cpu").context == CONTEXT


# Elsewhere a card may be missing, but not be something else than a file.
def test_card_elsewhere(mine):
    load_backbone(mine, device="cpu")
    (mine / "card.json").symlink_to("nowhere.json")
    with pytest.raises(ValueError, match="card.json' is damaged: it is no file"):
        load_backbone(mine, device="cpu")


NONSENSE = [
    *[("num_hidden_layers", n) for n in (-1, 0, 1, 3, 2000, 10**12, "2", 2.5, None)],
    *[("rms_norm_eps", x) for x in (1.5, 0, -1e-6, 0.1, "x", 1e400)],
    *[("rope_parameters", {"rope_type": "default", "rope_theta": x}) for x in (0, -1e4, float("nan"))],
    *[("num_attention_heads", n) for n in (0, -4, 3, 10**12)],
    *[("num_key_value_heads", n) for n in (0, 3, 10**12)],
    *[(name, n) for name in ("hidden_size", "vocab_size", "intermediate_size") for n in (0, -1, 16, 10**12)],
    *[("head_dim", 0), ("head_dim", 10**12), ("max_position_embeddings", 0), ("max_position_embeddings", -5)],
]


# Numbers that no model can have, or that do not fit the file, are refused and not decoded with: layers left out or
# wished for, widths, heads, norms. It is told from the files, before a model is built.
@pytest.mark.parametrize("key, value", NONSENSE)
def test_nonsense_in_the_config(key, value, mine):
    change(mine / "config.json", **{key: value})
    if value is None:  # transformers' own default, 32 layers
        value = "32"
    before = time.process_time()
    with pytest.raises(ValueError, match="mine' could not be loaded: .+"):
        load_backbone(mine, device="cpu")
    assert time.process_time() - before < 20  # 2,000 layers took twice as long to build


# What is no JSON however deep is said of the file.
@pytest.mark.parametrize("name", ["config.json", "card.json"])
@pytest.mark.parametrize("text", ["[" * 50_000, '{"a":' * 50_000, "{", "7"])
def test_json_without_end(name, text, mine):
    (mine / name).write_text(text)
    with pytest.raises(ValueError, match=f"{name}' is damaged"):
        load_backbone(mine, device="cpu")


# What is no name of a model is told what would be one; a model of transformers is told how it becomes a backbone.
def test_no_names(mine):
    for name in (None, 5, b"stories", ["stories"], object(), toy("llama").model, toy("llama")):
        with pytest.raises(TypeError, match=r"name=.*pass the name of a shipped model.*Backbone\(model, tokenizer\)"):
            load_backbone(name)
    for name in ("", "  ", "a\0b", "x" * 5000, "x" * 300 + "/y", "/no/such/place", "a/b/c", "../x", "~nobody-here/x"):
        with pytest.raises(ValueError, match="name="):
            load_backbone(name)


# "~" is the home directory, and an old Hub id without its owner gets it.
def test_home_and_owners(mine, monkeypatch):
    monkeypatch.setenv("HOME", str(mine.parent))
    assert load_backbone("~/mine", device="cpu").context == CONTEXT
    asked = []

    def hub(source, *args):
        asked.append(source)
        raise OSError("We could not connect.")

    monkeypatch.setattr(load, "read_model", hub)
    for name in ("gpt2", "distilgpt2", "openai-gpt", "someone/model"):
        with pytest.raises(
            ValueError, match=f"name='{name}' could not be loaded: We could not connect. Give .* Hub id"
        ):
            load_backbone(name)
    owners = ["openai-community/gpt2", "distilbert/distilgpt2", "openai-community/openai-gpt", "someone/model"]
    assert asked == owners


# Directories of other things are named: an adapter, whether or not a model lies beside it, and a drafter.
def test_other_kinds_of_directories(mine, tmp_path):
    (mine / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    for directory in (mine, tmp_path / "adapter"):
        with pytest.raises(ValueError, match="name=.*holds a peft adapter.*GatedLoRA.from_peft"):
            load_backbone(directory)
    (mine / "adapter_config.json").unlink()
    change(mine / "config.json", made_for={})
    with pytest.raises(ValueError, match="holds a drafter: use load_drafter"):
        load_backbone(mine)


# Where nothing ships (an installed wheel) the message says what would help.
def test_nothing_ships(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    with pytest.raises(ValueError, match="name='stories' is no shipped backbone .*MTP_EXPLORE_DATA"):
        load_backbone("stories")


# A device that is not there, or has no float64, is refused before any file is read; so is a dtype that is no float.
def test_devices_and_dtypes(mine, monkeypatch):
    for device in ("mps", torch.device("mps")):
        with pytest.raises(ValueError, match="device='mps' has no float64.*use 'cpu'"):
            load_backbone("no such model", device=device)
    for device in ("tpu", "cuda:99", "meta", "", "cpu:x", [], 1.5, object()):
        with pytest.raises(ValueError, match="device=.*: it cannot be used here .*; use 'cpu'"):
            load_backbone("no such model", device=device)
    for dtype in ("int8", torch.int64, "half", "", "float", 32, float, torch.complex64):
        with pytest.raises(ValueError, match="dtype=.*use one of 'float32', 'bfloat16'"):
            load_backbone("no such model", dtype=dtype)
    for dtype in ("bfloat16", torch.bfloat16):
        assert load_backbone(mine, device="cpu", dtype=dtype).dtype == torch.bfloat16
    assert load_backbone(mine, device="cpu", dtype="auto").dtype == torch.float32
    model = toy("llama").model
    monkeypatch.setattr(type(model), "device", property(lambda self: torch.device("mps")))
    with pytest.raises(ValueError, match="device='mps' has no float64"):
        Backbone(model)
