"""Where shipped models lie, whether their files are whole, and how files are written so that they stay whole.

`data/models/<backbone>/backbone/` and `data/models/<backbone>/<drafter>/` in the checkout, else in
`$MTP_EXPLORE_DATA`. A directory with a `card.json` names the SHA-256 of its `model.safetensors`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from .. import atomic
from ..atomic import write_text as write_text

CARD, CONFIG, WEIGHTS = "card.json", "config.json", "model.safetensors"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


def data_directory() -> Path:
    """The checkout's `data/`, else `$MTP_EXPLORE_DATA`."""
    here = Path(__file__).resolve().parents[2] / "data"
    return here if (here / "models").is_dir() else Path(os.environ.get("MTP_EXPLORE_DATA", here))


def shipped_directory(name: str, kind: str = "") -> Path | None:
    """The directory of a shipped model: "stories" with kind "backbone", or "stories/independent"."""
    parts = [p for p in (*name.split("/"), kind) if p]
    directory = data_directory().joinpath("models", *parts)
    return directory if ".." not in parts and (directory / CONFIG).is_file() else None


def shipped_names(kind: str = "") -> list[str]:
    """Names that `shipped_directory` resolves: backbones for kind "backbone", else "<backbone>/<drafter>"."""
    found = sorted((data_directory() / "models").glob(f"*/*/{CONFIG}"))
    if kind:
        return [f.parent.parent.name for f in found if f.parent.name == kind]
    return [f"{f.parent.parent.name}/{f.parent.name}" for f in found if f.parent.name != "backbone"]


def read_json(path: Path) -> dict:
    """The JSON object in a file; ValueError where it holds none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not JSON, or not UTF-8
        raise ValueError(f"{str(path)!r} is damaged: it is not JSON ({error}). Restore the file") from error
    if not isinstance(found, dict):
        raise ValueError(f"{str(path)!r} is damaged: it holds a {type(found).__name__}, no object. Restore the file")
    return found


def read_card(directory: str | Path) -> dict:
    """What card.json holds; {} where there is none (a model from elsewhere)."""
    path = Path(directory) / CARD
    return read_json(path) if path.is_file() else {}


def checksum(path: str | Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_weights(directory: str | Path) -> None:
    """ValueError when the weights are not the ones the card speaks of. No card, no check."""
    stated, weights = read_card(directory).get("sha256"), Path(directory) / WEIGHTS
    if stated is None:
        return
    if not weights.is_file():
        raise FileNotFoundError(f"{str(directory)!r} has a card but no {WEIGHTS}: fetch or rebuild it (make models)")
    found = checksum(weights)
    if found != stated:
        raise ValueError(
            f"{str(weights)!r} is damaged or was changed: SHA-256 {found[:12]}..., the card says {stated[:12]}.... "
            f"Restore the file (git checkout, or make models), or remove {CARD} if the change is yours"
        )


def checked(directory: Path) -> Path:
    """`directory`, once its weights are known to be safetensors and whole; ValueError says what is wrong."""
    sharded = (directory / f"{WEIGHTS}.index.json").is_file()
    if not (directory / CONFIG).is_file():
        raise ValueError(f"directory {str(directory)!r} has no {CONFIG}: it is not a saved model")
    if (directory / WEIGHTS).is_file():
        check_weights(directory)
    elif not sharded:
        pickles = sorted(f.name for f in directory.iterdir() if f.suffix in PICKLES)
        why = f"only pickle files ({', '.join(pickles)}), which are refused" if pickles else "no weights"
        raise ValueError(f"directory {str(directory)!r} holds {why}: save it as {WEIGHTS}")
    return directory


def replace(path: str | Path, write: Callable[[str], object]) -> None:
    """`atomic.replace` for writers of safetensors, whose own error becomes its OSError."""

    def written(temporary: str) -> None:
        try:
            write(temporary)
        except SafetensorError as error:
            raise OSError(str(error)) from error

    atomic.replace(path, written)
