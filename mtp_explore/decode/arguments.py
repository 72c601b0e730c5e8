"""The arguments of a generation, checked before any work: each error names the argument, its value and the remedy."""

from __future__ import annotations

from math import isfinite
from numbers import Integral, Real

from ..backbone.load import Backbone
from ..checks import SEEDS, nearest, number, plain, refusal
from ..contract import Drafter

VERBS = ("begin", "predict", "absorb", "left")


def shaping(temperature: float, top_k: int, top_p: float) -> dict[str, float]:
    """The options of `tensors.categorical.shape`."""
    return dict(
        temperature=number(
            *("temperature", temperature, Real, lambda x: isfinite(x) and x >= 0),
            "a number >= 0 (0 is greedy decoding, 1 the model's own law)",
        ),
        top_k=number("top_k", top_k, Integral, lambda x: x >= 0, "a whole number >= 0 (0 keeps every token)"),
        top_p=number("top_p", top_p, Real, lambda x: 0 < x <= 1, "a number in (0, 1] (1 keeps every token)"),
    )


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
