"""Where shipped models lie, whether their files are whole, and how files are written so that they stay whole.

`data/models/<backbone>/backbone/` and `data/models/<backbone>/<drafter>/` in the checkout, else in
`$MTP_EXPLORE_DATA`. A directory with a `card.json` names the SHA-256 of its `model.safetensors`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


def data_directory() -> Path:
    """The checkout's `data/`, else `$MTP_EXPLORE_DATA`."""
    here = Path(__file__).resolve().parents[2] / "data"
    return here if (here / "models").is_dir() else Path(os.environ.get("MTP_EXPLORE_DATA", here))


def shipped_directory(name: str, kind: str = "") -> Path | None:
    """The directory of a shipped model: "stories" with kind "backbone", or "stories/independent"."""
    parts = [p for p in (*name.split("/"), kind) if p]
    directory = data_directory().joinpath("models", *parts)
    return directory if ".." not in parts and (directory / "config.json").is_file() else None


def shipped_names(kind: str = "") -> list[str]:
    """Names that `shipped_directory` resolves: backbones for kind "backbone", else "<backbone>/<drafter>"."""
    found = sorted((data_directory() / "models").glob("*/*/config.json"))
    if kind:
        return [f.parent.parent.name for f in found if f.parent.name == kind]
    return [f"{f.parent.parent.name}/{f.parent.name}" for f in found if f.parent.name != "backbone"]


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(directory: Path) -> Path:
    """`directory`, once its weights are known to be safetensors and whole; ValueError says what is wrong."""
    weights = directory / "model.safetensors"
    sharded = (directory / "model.safetensors.index.json").is_file()
    if not (directory / "config.json").is_file():
        raise ValueError(f"directory {str(directory)!r} has no config.json: it is not a saved model")
    if not weights.is_file() and not sharded:
        pickles = [f.name for f in directory.iterdir() if f.suffix in PICKLES]
        why = f"only pickle files ({', '.join(pickles)}), which are refused" if pickles else "no weights"
        raise ValueError(f"directory {str(directory)!r} holds {why}: save it as model.safetensors")
    card = directory / "card.json"
    if weights.is_file() and card.is_file():
        stated = json.loads(card.read_text()).get("sha256")
        if stated and stated != checksum(weights):
            raise ValueError(
                f"{str(weights)!r} is damaged: its SHA-256 is not the one in card.json. Restore the file "
                "(git checkout, or make models), or remove card.json if the change is yours"
            )
    return directory


def replace(path: Path, write) -> None:
    """Let `write(temporary path)` write a file, then move it to its place in one step: a kill leaves the old one."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(str(temporary))
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
