"""Names of shipped models, checks of their files, and writing a file as a whole."""

import errno
import hashlib
import os
from pathlib import Path

import pytest
from safetensors import SafetensorError

from mtp_explore.backbone import files
from mtp_explore.backbone.files import checked, checksum, read_json, replace, shipped_directory, shipped_names


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data directory with two backbones, three drafters and one folder that is no model."""
    for name in ("a/backbone", "a/cp-r8", "a/hmm", "b/backbone", "b/cp-r8"):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "config.json").write_text("{}")
    (tmp_path / "models/b/empty").mkdir()
    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    return tmp_path


# Every name that is listed is found, nothing else is.
def test_shipped_names(data):
    assert shipped_names("backbone") == ["a", "b"]
    assert shipped_names() == ["a/cp-r8", "a/hmm", "b/cp-r8"]
    assert [shipped_directory(n) for n in shipped_names()] == [data / "models" / n for n in shipped_names()]
    assert [shipped_directory(n, "backbone") for n in ("a", "b")] == [data / f"models/{n}/backbone" for n in "ab"]
    for name in ("", "a", "c/hmm", "b/empty", "a/cp", "a/../a/hmm", "../models/a/hmm", "/etc", str(data)):
        assert shipped_directory(name) is None
    for name in ("", "c", "a/hmm", "../a", ".."):
        assert shipped_directory(name, "backbone") is None


# The checkout's data/ comes first; where there is none, the environment names the place.
def test_data_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("MTP_EXPLORE_DATA", str(tmp_path / "mine"))
    monkeypatch.setattr(files, "__file__", str(tmp_path / "checkout/mtp_explore/backbone/files.py"))
    assert files.data_directory() == tmp_path / "mine"
    (tmp_path / "checkout/data/models").mkdir(parents=True)
    assert files.data_directory() == tmp_path / "checkout/data"


# A checksum is the SHA-256 of the bytes.
def test_checksum(tmp_path):
    (tmp_path / "x").write_bytes(bytes(range(256)) * 9000)
    assert checksum(tmp_path / "x") == hashlib.sha256(bytes(range(256)) * 9000).hexdigest()


# A directory passes with a config and safetensors, whole or in shards; each thing that is missing is named.
def test_checked(tmp_path):
    with pytest.raises(ValueError, match="has no config.json"):
        checked(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="holds no weights"):
        checked(tmp_path)
    for pickled in ("b.bin", "a.pt"):
        (tmp_path / pickled).write_bytes(b"")
    with pytest.raises(ValueError, match=r"only pickle files \(a.pt, b.bin\), which are refused: save it as model.saf"):
        checked(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    assert checked(tmp_path) == tmp_path
    (tmp_path / "model.safetensors.index.json").unlink()
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert checked(tmp_path) == tmp_path
    (tmp_path / "card.json").write_text('{"loss": 1}')
    assert checked(tmp_path) == tmp_path  # a card that states no checksum
    (tmp_path / "card.json").write_text(f'{{"sha256": "{checksum(tmp_path / "model.safetensors")}"}}')
    assert checked(tmp_path) == tmp_path
    (tmp_path / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(
        ValueError, match="model.safetensors' is damaged or was changed.*git checkout.*remove card.json"
    ):
        checked(tmp_path)


# Files that hold no JSON object say so with their name.
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"\xff{}", b"null"])
def test_damaged_json(content, tmp_path):
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(ValueError, match="card.json' is damaged"):
        read_json(tmp_path / "card.json")


# A file is replaced as a whole; whatever goes wrong while it is written, the old one stays and nothing lies beside it.
@pytest.mark.parametrize(
    "error, shown",
    [
        (OSError(errno.ENOSPC, "No space left on device"), OSError),
        (SafetensorError("Error while serializing: I/O error: No space left on device"), OSError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (TypeError("not a tensor"), TypeError),
    ],
)
def test_replace_is_whole_or_nothing(error, shown, tmp_path):
    path = tmp_path / "file"

    def fails(temporary):
        Path(temporary).write_text("half")
        raise error

    for old in (None, "old"):
        if old:
            replace(path, lambda temporary: Path(temporary).write_text("old"))
        with pytest.raises(shown) as caught:
            replace(path, fails)
        if shown is OSError:
            assert "file' could not be written" in str(caught.value) and "No space left" in str(caught.value)
        assert [f.name for f in tmp_path.iterdir()] == (["file"] if old else [])
        assert not old or path.read_text() == old


# The new file is complete before it takes the old one's name, and lies in the same directory.
def test_replace_moves_a_finished_file(tmp_path, monkeypatch):
    seen, honest = [], os.replace

    def watched(source, target):
        seen.append((Path(source).read_text(), Path(source).parent, Path(target).read_text()))
        honest(source, target)

    files.write_text(tmp_path / "file", "old ⟨é⟩")
    monkeypatch.setattr(os, "replace", watched)
    files.write_text(tmp_path / "file", "new")
    assert seen == [("new", tmp_path, "old ⟨é⟩")] and (tmp_path / "file").read_text() == "new"
