"""Saving and loading drafters: what is whole comes back as it was, everything else is refused by name."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as tf
from toys import ARCHITECTURES, build, on_every_device, toy

from mtp_explore.backbone import files
from mtp_explore.backbone.card import write_card
from mtp_explore.drafters import base, load_drafter, make_drafter

WEIGHTS, CONFIG = "model.safetensors", "config.json"


def made(seed: int = 0, backbone=None, **options):
    """A small drafter with random weights everywhere."""
    torch.manual_seed(seed)
    drafter = make_drafter("independent", backbone or toy("llama"), **{"horizon": 3, "hidden": 6, **options})
    for w in drafter.parameters():
        w.data.normal_(0, 0.4)
    return drafter


def same(a, b) -> bool:
    one, other = a.state_dict(), b.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A data directory with models/toy/backbone, models/toy/independent and their cards."""
    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    toy("llama").save_pretrained(tmp_path / "models/toy/backbone")
    write_card(tmp_path / "models/toy/backbone", "toy", "A toy.", {})
    made().save_pretrained(tmp_path / "models/toy/independent")
    write_card(tmp_path / "models/toy/independent", "toy/independent", "A toy.", {})
    return tmp_path / "models/toy/independent"


# Two files, config.json and safetensors, bring back the same class, options and weights, ready to use.
@on_every_device
@pytest.mark.parametrize("options", [{"depth": 0}, {"depth": 2, "horizon": 5, "hidden": 3}])
def test_round_trip(options, device, tmp_path):
    backbone = toy("llama", device)
    drafter = made(backbone=backbone, **options)
    drafter.save_pretrained(tmp_path / "new" / "place")
    assert sorted(f.name for f in (tmp_path / "new" / "place").iterdir()) == [CONFIG, WEIGHTS]
    loaded = load_drafter(tmp_path / "new" / "place", backbone)
    assert type(loaded) is type(drafter) and loaded.options == drafter.options and loaded.made_for == drafter.made_for
    assert same(loaded, drafter) and not loaded.training and loaded.weights[0].device.type == device


# Options may be numpy's numbers: they are kept as plain ones.
def test_numbers_of_numpy(tmp_path):
    options = dict(alpha=np.float32(0.5), beta=np.float32(0.25), temperature=np.float32(0.75))
    make_drafter("ptp", toy("llama"), horizon=2, **options).save_pretrained(tmp_path)
    assert options.items() <= load_drafter(tmp_path, toy("llama")).options.items()


# A drafter without weights comes back too; an oracle, made for one answer, says that it cannot be kept.
def test_drafters_without_weights(tmp_path):
    make_drafter("lookup", toy("llama"), horizon=5, ngram=2).save_pretrained(tmp_path)
    loaded = load_drafter(tmp_path, toy("llama"))
    assert (loaded.name, loaded.horizon, loaded.ngram) == ("lookup", 5, 2)
    with pytest.raises(ValueError, match="'oracle' has nothing to save"):
        make_drafter("oracle", toy("llama"), answer=[1, 2]).save_pretrained(tmp_path / "oracle")
    assert not (tmp_path / "oracle").exists()


# A file in bfloat16 is loaded as the numbers it holds, in the backbone's precision.
def test_rounded_file(tmp_path):
    drafter = made()
    rounded = [w.detach().bfloat16().float() for w in drafter.parameters()]
    assert any(not torch.equal(r, w) for r, w in zip(rounded, drafter.parameters(), strict=True))
    drafter.to(torch.bfloat16).save_pretrained(tmp_path)
    for found, w in zip(load_drafter(tmp_path, toy("llama")).parameters(), rounded, strict=True):
        assert found.dtype == torch.float32 and torch.equal(found, w)


# A shipped drafter is found by its name with the backbone beside it, or by its directory.
def test_names_and_directories(shipped):
    assert same(load_drafter("toy/independent"), made())
    assert load_drafter("toy/independent").backbone.fingerprint == toy("llama").fingerprint
    assert same(load_drafter(shipped), made()) and same(load_drafter(f"{shipped}/"), made())
    alone = shutil.copytree(shipped, shipped.parents[2] / "alone" / "drafter")
    assert same(load_drafter(alone, toy("llama")), made())
    with pytest.raises(ValueError, match="alone/drafter' has no backbone beside it.*backbone="):
        load_drafter(alone)


# An unknown name is told the known one nearest to it; no name leads out of the data directory.
def test_unknown_names(shipped):
    for name in ("toy/independant", "toy/indep", "independent"):
        with pytest.raises(ValueError, match=f"name='{name}' is no shipped drafter.*did you mean 'toy/independent'"):
            load_drafter(name, toy("llama"))
    shutil.copytree(shipped, shipped.parents[2] / "secret")
    for name in ("../secret", "toy/../../secret", "toy/../toy/independent", ".."):
        with pytest.raises(ValueError):
            load_drafter(name, toy("llama"))
        assert files.shipped_directory(name) is None
    with pytest.raises(ValueError, match="'toy/backbone'.*is it a backbone"):
        load_drafter("toy/backbone")
    with pytest.raises(ValueError, match="has no config.json, so it holds no drafter"):
        load_drafter(shipped.parent)


# A truncated file is refused, with a card and without one; so is a changed byte where a card speaks of the file, and
# a card or a config that is no JSON.
def test_damaged_files(shipped):
    path, whole = shipped / WEIGHTS, (shipped / WEIGHTS).read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match=f"{WEIGHTS}' is damaged or was changed: SHA-256.*the card says"):
        load_drafter("toy/independent")
    for size in (0, 5, 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="damaged"):
            load_drafter("toy/independent")
    card = (shipped / "card.json").read_text()
    elsewhere = shutil.copytree(shipped, shipped.parents[2] / "elsewhere")
    (elsewhere / "card.json").unlink()
    for size in (0, 5, 100, len(whole) - 1):
        (elsewhere / WEIGHTS).write_bytes(whole[:size])
        with pytest.raises(ValueError, match=f"{WEIGHTS}' cannot be read as drafter 'independent'.*damaged"):
            load_drafter(elsewhere, toy("llama"))
    path.write_bytes(whole)
    for name, text in [("card.json", card[:-3]), ("card.json", "[]"), (CONFIG, "{"), (CONFIG, '"independent"')]:
        kept = (shipped / name).read_text() if name == CONFIG else None
        (shipped / name).write_text(text)
        with pytest.raises(ValueError, match=f"{name}' is damaged"):
            load_drafter("toy/independent")
        (shipped / name).write_text(card if kept is None else kept)
    assert same(load_drafter("toy/independent"), made())


# Weights of another shape or name are refused as such.
def test_foreign_weights(tmp_path):
    made(hidden=6).save_pretrained(tmp_path)
    for other in ({"hidden": 7}, {"depth": 0}):
        made(**other).save_pretrained(tmp_path / "other")
        shutil.copy(tmp_path / "other" / WEIGHTS, tmp_path / WEIGHTS)
        with pytest.raises(ValueError, match="cannot be read as drafter 'independent'.*another drafter"):
            load_drafter(tmp_path, toy("llama"))


class Trap:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


# A directory with pickled weights only is refused; the pickle is never opened.
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.ckpt"])
def test_pickles_are_refused(name, tmp_path):
    made().save_pretrained(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    torch.save(Trap(tmp_path / "mark"), tmp_path / name)
    with pytest.raises(ValueError, match=f"only pickle files.*{name}.*refused"):
        load_drafter(tmp_path, toy("llama"))
    assert not (tmp_path / "mark").exists()
    torch.load(tmp_path / name, weights_only=False)
    assert (tmp_path / "mark").exists()  # the trap works


# A drafter for another backbone is refused before its weights are read, with what it was made for and what is here.
def test_wrong_backbones(tmp_path):
    made().save_pretrained(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(b"")
    config = ARCHITECTURES["llama"]().to_dict()
    others = {
        "width 32.*has 16": build(tf.LlamaConfig(**config | {"hidden_size": 16, "head_dim": 4})),
        "vocabulary 17.*has 19": build(tf.LlamaConfig(**config | {"vocab_size": 19})),
        f"fingerprint {toy('llama').fingerprint}.*has {toy('llama', seed=1).fingerprint}": toy("llama", seed=1),
    }
    for message, backbone in others.items():
        with pytest.raises(ValueError, match=f"'independent' was made for a backbone of {message}"):
            load_drafter(tmp_path, backbone)
        with pytest.raises(ValueError, match=f"'llama' has {message.split()[-1]}"):
            made().check(backbone)


# A config that asks for what there is not is refused like a call that does.
@pytest.mark.parametrize(
    "change, message",
    [
        ({"name": "independant"}, "name='independant': use one of .*did you mean 'independent'"),
        ({"options": {"horizon": 0}}, "horizon=0"),
        ({"options": {"horizon": 3, "rank": 8}}, "rank= is no option of drafter 'independent': it takes horizon, hid"),
        ({"made_for": None}, "not one of a drafter"),
    ],
)
def test_bad_configs(change, message, tmp_path):
    made().save_pretrained(tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text()) | change
    (tmp_path / CONFIG).write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    with pytest.raises(ValueError, match=message):
        load_drafter(tmp_path, toy("llama"))


# What says of itself that it is no drafter's config, or leaves out what it was made for, is refused in words: no check
# can be switched off by a missing key.
@pytest.mark.parametrize(
    "key, value",
    [
        *[("name", v) for v in ([], {}, None, 5)],
        *[("options", v) for v in ([], None, "x", 5)],
        *[("made_for", v) for v in ([], None, "x", {}, {"width": 32}, {"width": 32, "vocabulary": 17})],
        ("made_for", {"width": 32, "vocabulary": 17, "backbone": None}),
        ("made_for", {"width": 32, "vocabulary": 17, "backbone": "x", "colour": 1}),
        ("made_for", {"width": "32", "vocabulary": 17, "backbone": "x"}),
    ],
)
def test_damaged_configs(key, value, tmp_path):
    made().save_pretrained(tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps(config | {key: value}))
    with pytest.raises(ValueError, match="name='.*' holds a damaged config.json: name must be text, options an object"):
        load_drafter(tmp_path, toy("llama"))


# A flipped bit is found without a card: the weights carry their own checksum.
def test_sealed(tmp_path):
    made().save_pretrained(tmp_path)
    whole = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match=f"{WEIGHTS}' is damaged or was changed: its tensors are not those"):
        load_drafter(tmp_path, toy("llama"))


# Neither name nor backbone may be something else; the message says what to pass.
def test_swapped_and_missing_arguments(shipped):
    for name in (None, 5, toy("llama"), made(), b"toy"):
        with pytest.raises(TypeError, match="name=.*pass the name of a shipped drafter"):
            load_drafter(name, toy("llama"))
    for backbone in ("stories", toy("llama").model, 5, []):
        with pytest.raises(TypeError, match=r"backbone=.*pass what load_backbone\(\) returns"):
            load_drafter("toy/independent", backbone)
    for name in ("", "a\0b", "x" * 5000, "../x", "/no/such/place"):
        with pytest.raises(ValueError, match="name="):
            load_drafter(name, toy("llama"))


# Under data/models a drafter needs its card; elsewhere it may do without.
def test_card_is_required_of_what_ships(shipped):
    (shipped / "card.json").unlink()
    for name in ("toy/independent", shipped):
        with pytest.raises(ValueError, match="has no card.json, which every model under"):
            load_drafter(name)
    made().save_pretrained(shipped.parents[2] / "mine")
    assert same(load_drafter(shipped.parents[2] / "mine", toy("llama")), made())


# Saving over an older drafter removes its card; saving that fails half-way leaves the older one, card and all.
def test_saving_over_an_older_one(shipped, monkeypatch):
    def fails_half_way(weights, path):
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    before = {f.name: f.read_bytes() for f in shipped.iterdir()}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(base, "save_file", fails_half_way)
        made(seed=1).save_pretrained(shipped)
    assert {f.name: f.read_bytes() for f in shipped.iterdir()} == before
    made(seed=1).save_pretrained(shipped)
    assert not (shipped / "card.json").exists()
    write_card(shipped, "toy/independent", "Another toy.", {})
    assert same(load_drafter("toy/independent"), made(seed=1)) and not same(made(), made(seed=1))
