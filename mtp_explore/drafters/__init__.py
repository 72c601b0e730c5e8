"""Floor 2: drafters. `make_drafter` builds one for a backbone, `load_drafter` brings a trained one back."""

from __future__ import annotations

import inspect
from pathlib import Path
from threading import Lock

import torch

from .. import checks
from ..backbone.files import CARD, CONFIG, WEIGHTS, located, read_json, unknown
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

REMEDY = 'pass the name of a shipped drafter ("stories/independent"), a directory or a Hub id'
PASS = "pass what load_backbone() returns, or leave it out"


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
    TypeError: no name, no backbone. ValueError: unknown name, a damaged file, a drafter made for another backbone.
    """
    checks.instance("backbone", backbone, (Backbone, type(None)), PASS)
    directory = located(name, "", REMEDY) or _from_hub(name)
    if not (directory / CONFIG).is_file():
        raise ValueError(f"name={str(name)!r}: the directory has no config.json, so it holds no drafter")
    config = _own(read_json(directory / CONFIG), name)
    beside = directory.parent / "backbone"
    if backbone is None and not beside.is_dir():
        raise ValueError(f"name={str(name)!r} has no backbone beside it: give the one it was made for, backbone=...")
    backbone = backbone or load_backbone(beside)
    drafter = make_drafter(config["name"], backbone, **config["options"])
    drafter.made_for = config["made_for"]
    drafter.check(backbone)
    drafter.load_weights(directory)
    return drafter.eval()


def _own(config: dict, name: str | Path) -> dict:
    """The config.json of a drafter; ValueError where it is another's, or damaged."""
    if not {"name", "options", "made_for"} <= config.keys():
        raise ValueError(f"name={str(name)!r} holds a config.json, but not one of a drafter (is it a backbone?)")
    made_for = config["made_for"]
    kinds = {"name": str, "options": dict, "made_for": dict}
    good = all(isinstance(config[key], kind) for key, kind in kinds.items()) and (
        {key: type(value) for key, value in made_for.items()} == {"width": int, "vocabulary": int, "backbone": str}
    )
    if not good:
        raise ValueError(
            f"name={str(name)!r} holds a damaged config.json: name must be text, options an object, and made_for say "
            "width, vocabulary and backbone. Restore the file, or save the drafter anew"
        )
    return config


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[CONFIG, WEIGHTS, CARD]))
    except Exception as error:
        raise ValueError(f"{unknown(name, '')}; the Hub did not give it either ({type(error).__name__})") from error
