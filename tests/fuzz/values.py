"""Hostile values, what must never be accepted for an argument of a kind, and how a good call is bent with them.

A kind says what an argument is: "count", "seed", "real", "chance", "flag", "text", "name", "path", "law", a class, or
"any". It is read off the value that a good call gives, where the table of calls does not say it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch


class Mute:
    """An object that cannot even be shown."""

    def __repr__(self):
        raise RuntimeError("no repr")


# Made anew for every call: some are used up, and some might be changed.
VALUES = {
    "None": lambda: None,
    "...": lambda: ...,
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "-inf": lambda: -math.inf,
    "-1": lambda: -1,
    "0": lambda: 0,
    "7": lambda: 7,
    "0.5": lambda: 0.5,
    "-0.5": lambda: -0.5,
    "True": lambda: True,
    "10**12": lambda: 10**12,
    "2**63": lambda: 2**63,
    "-2**70": lambda: -(2**70),
    "10**400": lambda: 10**400,
    "1e300": lambda: 1e300,
    "complex": lambda: 1 + 2j,
    "Decimal": lambda: Decimal("NaN"),
    "Fraction": lambda: Fraction(1, 3),
    "''": lambda: "",
    "' '": lambda: "  ",
    "'3'": lambda: "3",
    "'x'": lambda: "x",
    "NUL": lambda: "a\0b",
    "escape": lambda: "\x1b[31m</script><b>\ud83d\u202e\n",
    "long text": lambda: "ab/" * 2000,
    "bytes": lambda: b"bytes",
    "[]": lambda: [],
    "()": lambda: (),
    "{}": lambda: {},
    "set": lambda: {1, "b"},
    "[None]": lambda: [None],
    "[nan]": lambda: [math.nan],
    "ragged": lambda: [[1, 2], [3]],
    "strings": lambda: ["a", "b"],
    "dict": lambda: {"a": {}},
    "dict of None": lambda: {1: None},
    "generator": lambda: (x for x in [1, 2]),
    "range": lambda: range(10**9),
    "np.int64": lambda: np.int64(-3),
    "np.float32": lambda: np.float32(np.nan),
    "np.bool": lambda: np.bool_(True),
    "np.empty": lambda: np.array([]),
    "np.flat": lambda: np.zeros((2, 0)),
    "np.nan": lambda: np.full((3, 3), np.nan),
    "np.objects": lambda: np.array([None, "a"], dtype=object),
    "np.deep": lambda: np.ones((1, 2, 1, 2, 1)),
    "np.negative": lambda: np.full((3, 3), -1.0),
    "tensor": lambda: torch.tensor(-3),
    "tensor nan": lambda: torch.tensor(math.nan),
    "tensor empty": lambda: torch.zeros(0),
    "tensor matrix": lambda: torch.zeros(2, 3),
    "tensor whole": lambda: torch.full((2, 2), -5),
    "tensor complex": lambda: torch.ones(2, dtype=torch.complex64),
    "tensor bool": lambda: torch.tensor([True]),
    "object": object,
    "class": lambda: int,
    "function": lambda: print,
    "mute": Mute,
    "no such path": lambda: Path("/nonexistent/below/this"),
    "directory": lambda: Path("."),
    "device file": lambda: Path("/dev/null"),
    "wrong home": lambda: "~nobody-at-all/x",
}
INSIDE = ("None", "nan", "inf", "-1", "2**63", "'x'", "NUL", "[]", "object", "mute", "tensor matrix", "complex", "7")


class Case(NamedTuple):
    """A good call with one or two arguments bent."""

    call: object  # a row of the table of calls
    how: str  # what was done, in words
    bent: tuple[str, ...]  # the names of the arguments that are not as they should be
    given: dict
    good: bool = False  # a value that must be accepted: the same number in another form


def cases(call, strangers: dict) -> Iterator[Case]:
    """Every way in which the arguments of `call` are bent; `strangers` are objects of the package, by name."""
    values = VALUES | {name: (lambda thing=thing: thing) for name, thing in strangers.items()}
    names = list(call.given)
    for name in names:
        for label, make in values.items():
            yield Case(call, f"{name}={label}", (name,), {**call.given, name: make()})
        for label, value in same(call.given[name], call.kind(name)):
            yield Case(call, f"{name} as {label}", (name,), {**call.given, name: value}, good=True)
        for label in INSIDE if call.inside else ():
            for bent in spoiled(call.given[name], VALUES[label]()):
                yield Case(call, f"{name} with {label} inside", (name,), {**call.given, name: bent})
        yield Case(call, f"{name} missing", (name,), {k: v for k, v in call.given.items() if k != name})
        yield Case(call, f"{name}_ unknown", (f"{name}_",), {**call.given, f"{name}_": 1})
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            swapped = {**call.given, one: call.given[other], other: call.given[one]}
            yield Case(call, f"{one} and {other} swapped", (one, other), swapped)


def chosen(calls: list, count: int, seed: int, strangers: dict) -> list[Case]:
    """`count` cases of all calls, the same for a seed: every call has its share by how many arguments it has."""
    share = count / sum(len(call.given) for call in calls)
    picked = []
    for call in calls:
        draw = random.Random(f"{seed} {call.name}")
        pool = list(cases(call, strangers))
        wanted = share * len(call.given)
        picked += draw.sample(pool, min(len(pool), int(wanted) + (draw.random() < wanted % 1)))
    return picked


def same(value, kind) -> Iterator[tuple[str, object]]:
    """A number or truth value in the forms of numpy and torch: they mean the same."""
    if kind == "flag":
        yield "np.bool_", np.bool_(value)
    elif kind in ("count", "seed"):
        yield from (("np.int64", np.int64(value)), ("np.uint16", np.uint16(value)), ("a tensor", torch.tensor(value)))
    elif kind in ("real", "chance"):
        yield from (("np.float64", np.float64(value)), ("np.float32", np.float32(value)))
        yield "a tensor", torch.tensor(value)


def spoiled(value, bad) -> Iterator:
    """A container with one entry replaced, at any depth up to two."""
    if isinstance(value, dict) and value:
        key = next(iter(value))
        yield {**value, key: bad}
        yield from ({**value, key: inner} for inner in spoiled(value[key], bad))
    elif isinstance(value, list | tuple) and value and not hasattr(value, "_fields"):
        yield type(value)([bad, *value[1:]])
        yield from (type(value)([inner, *value[1:]]) for inner in spoiled(value[0], bad))
    elif isinstance(value, np.ndarray) and value.size and isinstance(bad, Real) and abs(bad) < 1e18:
        spoilt = value.astype(float if isinstance(bad, float) else value.dtype, copy=True)
        spoilt.flat[0] = bad
        yield spoilt
    elif isinstance(value, torch.Tensor) and value.numel() and isinstance(bad, Real) and abs(bad) < 1e18:
        spoilt = value.clone().double() if isinstance(bad, float) else value.clone()
        spoilt.view(-1)[0] = bad
        yield spoilt


def refused(value, kind) -> bool:
    """Must this value be refused for an argument of this kind, whatever the function is?"""
    if isinstance(kind, type):
        return not isinstance(value, kind)
    number = value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value
    real = isinstance(number, Real) and not isinstance(number, bool) and math.isfinite(_float(number))
    whole = isinstance(number, Integral) and not isinstance(number, bool)
    return {
        "count": lambda: not (whole and number >= 0),
        "seed": lambda: not (whole and 0 <= number < 2**63),
        "real": lambda: not real,
        "chance": lambda: not (real and 0 <= number <= 1),
        "flag": lambda: not isinstance(number, bool),
        "text": lambda: not isinstance(value, str),
        "name": lambda: True,
        "path": lambda: not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value),
        "law": lambda: not _law(value),
        "callable": lambda: not callable(value),
        "any": lambda: False,
    }[kind]()


def _float(number) -> float:
    try:
        return float(number)
    except OverflowError:  # whole and finite all the same
        return 0.0


def _law(value) -> bool:
    """Numbers, none of them negative or infinite, and not all zero?"""
    try:
        table = np.asarray(getattr(value, "law", value), dtype=float)
        return (
            table.ndim > 0 and table.size > 0 and bool(np.isfinite(table).all() and (table >= 0).all() and table.sum())
        )
    except Exception:
        return False
