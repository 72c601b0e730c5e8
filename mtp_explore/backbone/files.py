"""Where shipped models lie, whether their files are whole, and how files are written so that they stay whole.

`data/models/<backbone>/backbone/` and `data/models/<backbone>/<drafter>/` in the checkout, else in
`$MTP_EXPLORE_DATA`. There every directory has a `card.json` with the SHA-256 of its weights and of its other files; a
model from elsewhere may have one. What we write ourselves is sealed besides (seal.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from safetensors import SafetensorError

from .. import atomic, checks
from ..atomic import write_text as write_text
from .seal import seal

CARD, CONFIG, WEIGHTS, ADAPTER = "card.json", "config.json", "model.safetensors", "adapter_config.json"
INDEX = f"{WEIGHTS}.index.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt")
MODEL_FILES = (  # what saving a model may leave from an older one
    *("model*.safetensors", INDEX, "generation_config.json", *TOKENIZER_FILES),
    *("special_tokens_map.json", "added_tokens.json", "merges.txt", "spiece.model", "chat_template.*"),
)
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
OWNERS = {  # Hub ids of old, still typed without their owners
    **{name: f"openai-community/{name}" for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "openai-gpt")},
    "distilgpt2": "distilbert/distilgpt2",
}
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
NOWHERE = "none is found: run from a checkout of the project, or set MTP_EXPLORE_DATA to its data/"


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


def located(name, kind: str, remedy: str) -> Path | None:
    """The directory that a name of a model leads to: shipped, or on the disk ("~" is expanded); None for what may be a
    Hub id, "owner/model". kind: "backbone", or "" for drafters. TypeError: no text or path. ValueError: nothing of
    these, with the nearest shipped names.
    """
    path, text = checks.path("name", checks.instance("name", name, (str, os.PathLike), remedy)), str(name)
    try:
        directory = shipped_directory(text, kind) or (path if path.is_dir() else None)
    except OSError as error:  # a name too long for a file
        raise ValueError(checks.refusal("name", name, f"it is no directory ({error.strerror}); {remedy}")) from error
    hub = isinstance(name, str) and (HUB_ID.fullmatch(name) or (kind and name in OWNERS))
    if directory is None and (not hub or shipped_directory(text.split("/")[0], "backbone")):
        raise ValueError(unknown(name, kind))
    return directory


def unknown(name, kind: str) -> str:
    """The refusal of a name that leads nowhere."""
    known, what = shipped_names(kind), kind or "drafter"
    some = f"is no shipped {what} ({', '.join(known) or NOWHERE}), directory or Hub id"
    return f"name={checks.shown(str(name))} {some}{checks.nearest(name, known)}"


def read_json(path: Path) -> dict:
    """The JSON object in a file; ValueError where it holds none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or brackets without end
        raise ValueError(f"{str(path)!r} is damaged: it is not JSON ({error}). Restore the file") from error
    if not isinstance(found, dict):
        raise ValueError(f"{str(path)!r} is damaged: it holds a {type(found).__name__}, no object. Restore the file")
    return found


def read_card(directory: str | Path) -> dict:
    """What card.json holds; {} where there is none (a model from elsewhere)."""
    path = Path(directory) / CARD
    if os.path.lexists(path) and not path.is_file():
        raise ValueError(f"{str(path)!r} is damaged: it is no file. Restore it, or remove it")
    return read_json(path) if path.is_file() else {}


def checksum(path: str | Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_weights(directory: str | Path) -> None:
    """ValueError when the weights, or other files that the card names, are not the ones it speaks of. No card, no
    check; but under data/models there has to be one.
    """
    directory, card = Path(directory), read_card(directory)
    shipped = os.path.abspath(data_directory() / "models")
    if not card and Path(os.path.abspath(directory)).is_relative_to(shipped):
        raise ValueError(
            f"directory {str(directory)!r} has no {CARD}, which every model under {shipped!r} needs: restore it (git "
            "checkout, or make models), or keep models of your own elsewhere"
        )
    stated = {WEIGHTS: card["sha256"]} if "sha256" in card else {}
    others = card.get("files", {})
    if not isinstance(others, dict) or not all(isinstance(s, str) for s in (stated | others).values()):
        raise ValueError(f"{str(directory / CARD)!r} is damaged: its checksums are no text. Restore the file")
    for name, wanted in (stated | others).items():
        path = directory / Path(name).name
        if not path.is_file():
            raise FileNotFoundError(f"{str(directory)!r} has a card but no {name}: fetch or rebuild it (make models)")
        found = checksum(path)
        if found != wanted:
            raise ValueError(
                f"{str(path)!r} is damaged or was changed: SHA-256 {found[:12]}..., the card says {wanted[:12]}.... "
                f"Restore the file (git checkout, or make models), or remove {CARD} if the change is yours"
            )


def checked(directory: Path) -> Path:
    """`directory`, once its weights are known to be safetensors, its files whole and as its card says; ValueError says
    what is wrong.
    """
    sharded = (directory / INDEX).is_file()
    if not (directory / CONFIG).is_file():
        raise ValueError(f"directory {str(directory)!r} has no {CONFIG}: it is not a saved model")
    read_json(directory / CONFIG)
    if sharded or (directory / WEIGHTS).is_file():
        check_weights(directory)
    else:
        pickles = sorted(f.name for f in directory.iterdir() if f.suffix in PICKLES)
        why = f"only pickle files ({', '.join(pickles)}), which are refused" if pickles else "no weights"
        raise ValueError(f"directory {str(directory)!r} holds {why}: save it as {WEIGHTS}")
    return directory


def tokenizer_files(directory: Path) -> list[str]:
    """Files of a tokenizer that lie there."""
    return [name for name in TOKENIZER_FILES if (directory / name).is_file()]


def replace(path: str | Path, write: Callable[[str], object]) -> None:
    """`atomic.replace` for writers of safetensors, whose own error becomes its OSError."""

    def written(temporary: str) -> None:
        try:
            write(temporary)
        except SafetensorError as error:
            raise OSError(str(error)) from error

    atomic.replace(path, written)


def save_directory(directory: str | Path, write: Callable[[Path], object], stale: Iterable[str] = ()) -> None:
    """Let `write(temporary directory)` make the files of a model, seal its tensors, and move all of them into
    `directory`, config.json last: until all are whole on the disk, nothing of what was there is touched.

    Of older files the card goes, which speaks of others, and those that fit the patterns `stale`.
    ValueError: `directory` is a file. OSError: it cannot be written.
    """
    directory = checks.path("directory", directory)

    def sealed(temporary: Path) -> None:
        try:
            write(temporary)
        except SafetensorError as error:
            raise OSError(str(error)) from error
        for weights in temporary.glob("*.safetensors"):
            seal(weights)

    atomic.replace_all(directory, sealed, last=CONFIG, stale=(CARD, *stale))
