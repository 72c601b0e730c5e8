"""The arguments of a generation, checked before any work: each error names the argument, its value and the remedy."""

from __future__ import annotations

from numbers import Integral

from ..backbone.load import Backbone
from ..checks import SEEDS, nearest, plain, refusal
from ..contract import Drafter

VERBS = ("begin", "predict", "absorb", "left")


OPTIONS = ("temperature", "top_k", "top_p", "rule", "plan", "seed", "uniforms", "eos")


def refuse_unknown(given: dict) -> None:
    """TypeError for an option that `generate`, `decode` and `sample` do not have."""
    for name, value in given.items():
        remedy = (
            f"there is no such option; generate, decode and sample take {', '.join(OPTIONS)}{nearest(name, OPTIONS)}"
        )
        raise TypeError(refusal(name, value, remedy))


def seed_and_row(seed: int | tuple[int, int]) -> tuple[int, int]:
    """The seed and the stream of the first row."""
    two = tuple(plain(x) for x in (seed if isinstance(seed, tuple) else (seed, 0)))
    if len(two) != 2 or any(isinstance(x, bool) or not isinstance(x, Integral) or not 0 <= x < SEEDS for x in two):
        raise ValueError(refusal("seed", seed, "it must be a whole number from 0 to 2^63 - 1, or (seed, first row)"))
    return int(two[0]), int(two[1])


def pair(backbone: Backbone, drafter: Drafter | None) -> None:
    """TypeError where these are not what they are called; ValueError for a drafter made for another backbone."""
    if not isinstance(backbone, Backbone):
        raise TypeError(refusal("backbone", backbone, "pass what load_backbone() returns"))
    if drafter is None:
        return
    if isinstance(drafter, type) or not all(hasattr(drafter, verb) for verb in VERBS):
        raise TypeError(refusal("drafter", drafter, "pass None, or what make_drafter() or load_drafter() returns"))
    drafter.check(backbone)
