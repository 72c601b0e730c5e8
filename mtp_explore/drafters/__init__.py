"""Floor 2: drafters. `make_drafter` builds one for a backbone, `load_drafter` brings a trained one back."""

from __future__ import annotations

import difflib
import inspect
from pathlib import Path
from threading import Lock

import torch

from .. import checks
from ..backbone.files import read_json, shipped_directory, shipped_names
from ..backbone.load import Backbone, load_backbone
from .base import DrafterBase
from .btree import BTreeDrafter
from .cp import CPDrafter
from .hmm import HMMDrafter
from .independent import Independent
from .lookup import Lookup
from .masked import Masked
from .oracle import Oracle
from .ptp import PTP
from .student import Student

DRAFTERS: dict[str, type[DrafterBase]] = {
    d.name: d for d in (Independent, CPDrafter, HMMDrafter, BTreeDrafter, Masked, PTP, Student, Lookup, Oracle)
}


def make_drafter(name: str, backbone: Backbone, *, seed: int = 0, **options) -> DrafterBase:
    """An untrained drafter: "independent", "cp", "hmm", "btree" (rank=), "masked", "ptp", "student", "lookup" or
    "oracle" (answer=tokens), with its options (horizon=, ...).

    seed: its weights are drawn by it alone; torch's own generator is neither read nor moved.
    Errors: TypeError for a backbone that is none, ValueError for an unknown name and for options that do not exist,
    cannot be, or do not fit into memory.
    """
    options = known_options(name, backbone, options)
    seed = checks.seed("seed", seed)
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # weights are drawn on the CPU, whatever the device
        return DRAFTERS[name](backbone, **options)


_drawing = Lock()  # threads share torch's own generator


def known_options(name: str, backbone: Backbone, options: dict) -> dict:
    """The options of a drafter, numbers of numpy and torch as Python's; errors as in `make_drafter`."""
    checks.choice("name", name, DRAFTERS)
    checks.instance("backbone", backbone, Backbone, "pass what load_backbone() returns")
    known = dict(list(inspect.signature(DRAFTERS[name].__init__).parameters.items())[2:])
    for option in options:
        if option not in known:
            raise ValueError(f"{option}= is no option of drafter {name!r}: it takes {', '.join(known)}")
    for option, parameter in known.items():
        if parameter.default is parameter.empty and option not in options:
            raise ValueError(f"{option}= is missing: drafter {name!r} cannot be made without it")
    return {k: checks.plain(v) for k, v in options.items()}


def load_drafter(name: str | Path, backbone: Backbone | None = None) -> DrafterBase:
    """A trained drafter: a name under data/models ("stories/independent"), a directory, or a Hub id.

    `backbone` is the one it will run with; by default the shipped backbone of the same name is loaded.
    ValueError: unknown name, a damaged file, a drafter made for another backbone.
    """
    checks.instance("name", name, (str, Path), "pass a shipped name, a directory or a Hub id")
    kinds = (Backbone, type(None))
    checks.instance("backbone", backbone, kinds, "pass what load_backbone() returns, or leave it out")
    directory = shipped_directory(str(name)) or (Path(name) if Path(name).is_dir() else None)
    directory = directory or _from_hub(str(name))
    if not (directory / "config.json").is_file():
        raise ValueError(f"name={str(name)!r}: the directory has no config.json, so it holds no drafter")
    config = read_json(directory / "config.json")
    if not {"name", "options", "made_for"} <= config.keys():
        raise ValueError(f"name={str(name)!r} holds a config.json, but not one of a drafter (is it a backbone?)")
    beside = directory.parent / "backbone"
    if backbone is None and not beside.is_dir():
        raise ValueError(f"name={str(name)!r} has no backbone beside it: give the one it was made for, backbone=...")
    backbone = backbone or load_backbone(beside)
    drafter = make_drafter(config["name"], backbone, **config["options"])
    drafter.made_for = config["made_for"]
    drafter.check(backbone)
    drafter.load_weights(directory)
    return drafter.eval()


def _from_hub(name: str) -> Path:
    known = shipped_names()
    near = difflib.get_close_matches(name, known, 3, 0.3)
    unknown = f"name={name!r} is no shipped drafter ({', '.join(known) or 'none found'}), directory or Hub id" + (
        f": did you mean {' or '.join(map(repr, near))}?" if near else ""
    )
    if name.count("/") != 1 or shipped_directory(name.split("/")[0], "backbone"):
        raise ValueError(unknown)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["config.json", "model.safetensors", "card.json"]))
    except Exception as error:
        raise ValueError(f"{unknown}; the Hub did not give it either ({type(error).__name__})") from error
