"""Saving models: a directory holds the old files or the new ones, and what cannot be written says why."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from toys import build, toy

from mtp_explore.backbone import files
from mtp_explore.backbone.card import write_card
from mtp_explore.backbone.gated_lora import GatedLoRA
from mtp_explore.backbone.load import load_backbone
from mtp_explore.backbone.seal import METADATA, SEAL, header
from mtp_explore.drafters import make_drafter

SAVERS = {
    "backbone": lambda: toy("llama").save_pretrained,
    "drafter": lambda: make_drafter("independent", toy("llama"), horizon=2, hidden=4).save_pretrained,
    "adapters": lambda: GatedLoRA(toy("llama").model, 2).save_peft,
}
on_every_saver = pytest.mark.parametrize("save", SAVERS)


def holds(directory: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in directory.iterdir()}


# A file where the directory should be, or above it, is refused by name and left as it is; so is what is no path.
@on_every_saver
def test_onto_a_file(save, tmp_path):
    file = tmp_path / "note.txt"
    file.write_text("x")
    for place in (file, file / "below", str(file)):
        with pytest.raises(ValueError, match="directory='.*note.txt.*': it must be a directory.*choose another name"):
            SAVERS[save]()(place)
    for place in (None, 5, "", "a\0b", ["x"]):
        with pytest.raises(ValueError, match="directory=.*: it must be the path"):
            SAVERS[save]()(place)
    assert holds(tmp_path) == {"note.txt": b"x"}


# "~" is the home directory, and directories above are made.
@on_every_saver
def test_home(save, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    SAVERS[save]()("~/new/place")
    assert (tmp_path / "new" / "place").is_dir()


# A disk that is full, or that may not be written: the old files are as they were, nothing else lies
# there, and the error says what and why.
@on_every_saver
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_full_or_closed_disk(save, error, tmp_path, monkeypatch):
    SAVERS[save]()(tmp_path)
    before = holds(tmp_path)

    def fails(path):
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch:
        patch.setattr(files, "seal", fails)
        with pytest.raises(OSError, match=f"directory='.*' could not be written.*{os.strerror(error)}.*you may"):
            SAVERS[save]()(tmp_path)
    assert holds(tmp_path) == before
    SAVERS[save]()(tmp_path)
    assert holds(tmp_path).keys() == before.keys()


# The same with a real limit: files may not grow beyond 10 kB, and the backbone, which takes more, stays what it was.
@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files")
def test_real_limit(tmp_path):
    toy("llama").save_pretrained(tmp_path)
    before = holds(tmp_path)
    code = f"""
import resource, signal
from toys import toy
b = toy("llama", seed=1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    b.save_pretrained({str(tmp_path)!r})
except OSError as error:
    print(error)
"""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "could not be written" in run.stdout and holds(tmp_path) == before, run.stderr


# What a killed process left half-written goes when the next one saves there; that of a living one stays.
def test_leftovers_of_the_dead(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".config.json.{dead.pid}-1").mkdir()
    (tmp_path / f".config.json.{dead.pid}-1" / "half").write_text("")
    (tmp_path / f".config.json.{os.getppid()}-1").mkdir()
    (tmp_path / f".file.{dead.pid}-1").write_text("half")
    toy("llama").save_pretrained(tmp_path)
    files.write_text(tmp_path / "file", "whole")
    assert {n for n in os.listdir(tmp_path) if n.startswith(".")} == {f".config.json.{os.getppid()}-1"}


# A backbone saved over another one is that backbone alone: no tokenizer, no shards and no card of the old one are left,
# and files of others stay.
def test_over_an_older_backbone(saved, tmp_path):
    place = shutil.copytree(saved, tmp_path / "place")
    write_card(place, "old", "Old.", {})
    (place / "notes.md").write_text("mine")
    other = build(toy("gpt2").config, seed=3)
    other.save_pretrained(place)
    again = load_backbone(place, device="cpu")
    assert again.fingerprint == other.fingerprint and again.tokenizer is None
    assert (place / "notes.md").read_text() == "mine" and not (place / "card.json").exists()
    other.model.save_pretrained(place, max_shard_size="20kB")
    (place / "model.safetensors").unlink(missing_ok=True)
    assert len(list(place.glob("model-*.safetensors"))) > 1
    assert load_backbone(place, device="cpu").fingerprint == other.fingerprint
    toy("gpt2").save_pretrained(place)
    assert [f.name for f in place.glob("model*")] == ["model.safetensors"]
    assert load_backbone(place, device="cpu").fingerprint == toy("gpt2").fingerprint


# Everything that we save is sealed.
@on_every_saver
def test_sealed(save, tmp_path):
    SAVERS[save]()(tmp_path)
    found = [header(file)[0][METADATA] for file in tmp_path.glob("*.safetensors")]
    assert found and all(SEAL in metadata for metadata in found)


# A card needs weights to speak of.
def test_card_without_weights(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="directory='.*': it must hold the model.safetensors"):
            write_card(place, "Title", "About.", {})
    with pytest.raises(ValueError, match="directory=None"):
        write_card(None, "Title", "About.", {})
