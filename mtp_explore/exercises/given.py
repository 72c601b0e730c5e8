"""What an exercise may be given: its signature says it, and two tables of names say the rest.

Names mean the same in all exercises: `drafter` is a drafter, `k` counts from 1. So whatever `mtp_explore.exercises`
hands out first holds its arguments against their annotations (numbers, texts, lists and dicts of them) and, where an
annotation leaves it open, against KINDS and BOUNDS; what OWN says of one function goes before its annotation. The
checks of readers' answers are left alone: they answer whatever they are given.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import numpy as np

from .. import checks
from ..checks import MOST


@dataclass(frozen=True)
class Thing:
    """An object that is known by what it has, and not as None."""

    has: tuple[str, ...]
    remedy: str


class Prompt:
    """A text, or a list of token ids."""


class Row:
    """A row of `measure.fidelity.sweep` or of `circuits`."""


BACKBONE = Thing(("eos",), "pass what load_backbone() returns")
SPEAKING = Thing(("eos", "tokenizer"), "pass what load_backbone() returns, with a tokenizer")
DRAFTER = Thing(("absorb", "horizon"), "pass what load_drafter() or make_drafter() returns")
MASKED = Thing((*DRAFTER.has, "masks"), "pass a drafter made as 'masked'")
SLOTS = Thing((*DRAFTER.has, "shortened", "lora"), "pass a drafter with slots, made as 'masked' or 'ptp'")
CIRCUIT = Thing((*DRAFTER.has, "factors"), "pass a drafter made as 'cp', 'hmm' or 'btree'")
CHAIN = Thing((*CIRCUIT.has, "transitions"), "pass a drafter made as 'hmm'")
READABLE = Thing(("documents",), "pass what load_corpus() returns")
CORPUS = Thing(("tokens", "name"), "pass what load_corpus() returns")
JOINT = Thing(("law", "words"), "pass what exact_joint() returns")
FIT = Thing(("law", "parts", "method"), "pass what shadows() or measure.decompose.decompose() returns")
TRACE = Thing(("steps",), "pass what generate() returns")
TEXT = Thing(("tokens", "future"), "pass what measure.knowledge.read() returns")
PATH = Thing(("laws", "tokens"), "pass what measure.beliefs.follow() returns")
READING = Thing(("samples", "total_variation", "limit"), "pass what meter() yields")
COST = Thing(("independence", "own"), "pass what measure.independence.costs() returns")
CELL = Thing(("words", "p", "q"), "pass what measure.independence.invented() returns")
PURCHASE = Thing(("traces", "share"), "pass what by_budget() returns")

KINDS = dict(  # by an argument's name, also of the entries of a list or dict that its annotation does not tell
    **dict(backbone=BACKBONE, drafter=DRAFTER, drafters=DRAFTER, minute=MASKED, longer=MASKED, fresh=MASKED),
    **dict(joint=JOINT, joints=JOINT, fit=FIT, fits=FIT, path=PATH, text=TEXT, costs=COST, cells=CELL),
    **dict(runs=TRACE, traces=TRACE, purchases=PURCHASE, values=np.ndarray, prompt=Prompt, prompts=Prompt),
    **dict(documents=Prompt, corpus=CORPUS),
)
OWN = {  # by function, before its annotation
    **{f: dict(drafter=MASKED) for f in ("mask_outlook", "mask_ranks", "without_sampler")},
    **{f: dict(drafter=SLOTS, prompt=Prompt) for f in ("guess_main_rows", "price", "texts_under", "unharmed")},
    **{f: dict(drafter=SLOTS, prompts=Sequence[Prompt]) for f in ("by_masks", "by_budget")},
    **{f: dict(w=tuple[float, float]) for f in ("guess_sentence", "toy_dice")},
    **{f: dict(backbone=SPEAKING) for f in ("by_kind", "foresight", "outlook", "train_masks", "train_throws")},
    "contexts": dict(backbone=SPEAKING, corpus=READABLE),
    "openings": dict(corpus=READABLE),
    "budget_figure": dict(drafter=SLOTS),
    "by_length": dict(rule=Literal["token", "block"]),
    "case": dict(rule=Literal["match", "rejection", "block"]),
    "circuits": dict(kinds=Sequence[Literal["cp", "btree", "hmm"]]),
    "guess": dict(choices=str | Sequence),
    "shaken": dict(drafter=SLOTS, size=float),
    "favourites": dict(drafter=CIRCUIT, prompt=Prompt, token=Prompt | int | None),
    "changes": dict(drafter=CHAIN, prompts=Sequence[Prompt]),
    "states_say": dict(drafter=CHAIN, prompt=Prompt),
    "doubts": dict(drafters=Mapping[str, CIRCUIT], prompts=Sequence[Prompt]),
    "paid": dict(drafters=Mapping[str, tuple[DRAFTER, Any]], prompts=Sequence[Prompt]),
    "mask_floors": dict(corpus=Thing(("tokens",), CORPUS.remedy)),
    "recorded_calls": dict(mode=Literal["greedy", "T=1 rejection", "T=1 block"]),
    **{f: dict(rows=Iterable[Row]) for f in ("guess_shadow", "guess_states")},
    "telling_joint": dict(prompts=Sequence[Prompt]),
    "train_throws": dict(variant=Literal["one-hot", "categorical"]),
    "trained": dict(prompt=Prompt),
    "watch": dict(readings=Iterator[READING]),
}
BOUNDS = dict(  # of whole numbers: from, to; else 1 and above
    **dict(place=(0, None), row=(0, None), first=(0, None), at=(0, None), top_k=(0, None), token=(0, 1 << 31)),
    **dict(masks=(1, 64), horizon=(1, 64), rank=(1, 64), vocabulary=(1, 1 << 20), parts=(1, 1000)),
    **dict(count=(1, MOST), steps=(1, MOST), iterations=(1, 100_000), restarts=(1, 1000), tokens=(1, MOST)),
    **dict(lengths=(2, 12), ranks=(1, 4096), longest=(8, MOST), most=(1, MOST)),
    **{"layouts.text": (1, 64), "mask_microscope.text": (1, 64), "round_trip.n": (1, 12), "frozen.n": (2, 8)},
    **{
        "frozen.size": (1, 16),
        "frozen.rank": (1, 16),
        "guess_nodes.k": (0, None),
        "doubts.texts": (0, None),
        "tiny.vocabulary": (1, 4096),
    },
)
ANSWERS = {"function", "prompt", "cheap", "dear", "joint", "law", "name"}  # of a check: it answers whatever it is given
EMPTY = {"readings", "cells", "recorded", "gate_figure.lines"}  # may hold nothing
AMONG = dict(better="runs", than="runs", known="rows", asked="rows")  # a name among those of another argument
SHARES = {"share", "mass", "close", "slack", "stay", "slip", "sure"}  # numbers from 0 to 1


class Of(NamedTuple):
    """Which argument of which function a value belongs to."""

    function: str
    argument: str

    @property
    def bounds(self) -> tuple:
        return BOUNDS.get(f"{self.function}.{self.argument}", BOUNDS.get(self.argument, (1, None)))

    @property
    def may_be_empty(self) -> bool:
        return bool({self.argument, f"{self.function}.{self.argument}"} & EMPTY)


@cache
def checked(function: Callable) -> Callable:
    """The same function with its arguments checked before it starts: ValueError or TypeError names the argument, its
    value and a remedy. Numbers of numpy and torch become Python's.
    """
    signature = inspect.signature(function)
    kinds = {name: _kind(parameter, function) for name, parameter in signature.parameters.items()}

    @wraps(function)
    def call(*args, **kwargs):
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # missing or unknown arguments: Python says it best
            return function(*args, **kwargs)
        for name, value in bound.arguments.items():
            if value is not signature.parameters[name].default:
                bound.arguments[name] = fit(name, value, kinds[name], Of(function.__name__, name))
        for name, other in AMONG.items():
            if name in bound.arguments and other in bound.arguments:
                checks.choice(name, bound.arguments[name], bound.arguments[other])
        return function(*bound.args, **bound.kwargs)

    return call


def _kind(parameter: inspect.Parameter, function: Callable):
    """What is known of an argument: an annotation as an object, or a `Thing`."""
    if function.__name__.startswith("check_") and parameter.name in ANSWERS:
        return Any
    own = OWN.get(function.__name__, {})
    if parameter.name in own:
        return own[parameter.name]
    if parameter.annotation is parameter.empty or parameter.kind is parameter.VAR_KEYWORD:
        return KINDS.get(parameter.name, Any)
    return eval(parameter.annotation, function.__globals__)


def fit(name: str, value, kind, of: Of):
    """`value`, found to be what `kind` says; `name` is what messages call it."""
    origin, inner = get_origin(kind) or kind, get_args(kind)
    entries = KINDS.get(of.argument, Any)
    inner = tuple(entries if one is object else one for one in inner)
    if isinstance(kind, Thing):
        return _thing(name, value, kind)
    if origin in (Union, types.UnionType):
        return _either(name, value, inner, of)
    if isinstance(origin, type) and origin in SINGLE:
        return SINGLE[origin](name, value, of)
    if origin is Literal:
        return checks.choice(name, value, inner)
    if origin is tuple:
        return _tuple(name, value, inner, of)
    if origin in (Mapping, dict):
        return _dict(name, value, inner or (Any, entries), of)
    if origin is Iterator:
        if not hasattr(value, "__iter__"):
            raise TypeError(checks.refusal(name, value, "it must be a list, or a generator"))
        return (fit(f"{name}[{i}]", x, inner[0], of) for i, x in enumerate(value))
    if origin in (Sequence, Iterable, list):
        return [fit(f"{name}[{i}]", x, inner[0] if inner else entries, of) for i, x in _items(name, value, of)]
    if origin is Callable:
        return checks.function(name, value)
    if isinstance(origin, type) and origin not in (Any, object):
        return checks.instance(name, value, origin, f"it must be a {origin.__name__}")
    return value


def _either(name: str, value, kinds: tuple, of: Of):
    """A value of one of several kinds; None where that is one of them."""
    if value is None and type(None) in kinds:
        return None
    refused = None
    for kind in (k for k in kinds if k is not type(None)):
        try:
            return fit(name, value, kind, of)
        except (ValueError, TypeError) as error:
            refused = error
    raise refused


def _whole(name: str, value, of: Of) -> int:
    return checks.seed(name, value) if of.argument == "seed" else checks.whole(name, value, *of.bounds)


def _real(name: str, value, of: Of) -> float:
    if of.argument == "w":
        return checks.number(name, value, checks.Real, lambda x: 0 <= x < 1, "a die, a number in [0, 1)")
    if of.argument in SHARES:
        return checks.number(name, value, checks.Real, lambda x: 0 <= x <= 1, "a number from 0 to 1")
    return checks.real(name, value)


def _prompt(name: str, value, of: Of):
    """A text or token ids; whether the model knows them is for the model to say."""
    if isinstance(value, str):
        return value
    ids = [checks.plain(x) for _, x in _items(name, value, of)]
    if not all(isinstance(x, int) for x in ids):
        raise TypeError(checks.refusal(name, value, "it must be a text or a list of token ids"))
    return ids


def _row(name: str, value, of: Of) -> Mapping:
    known = isinstance(value, Mapping) and {"method", "rank", "kl"} <= value.keys()
    if not known or not isinstance(value["method"], str):
        raise TypeError(checks.refusal(name, value, "pass rows of circuits() or measure.fidelity.sweep()"))
    return value


def _table(name: str, value, of: Of):
    """An array or tensor of finite numbers, as it is; lists of numbers become one."""
    try:
        found = np.asarray(value)
        good = found.dtype.kind in "iuf" and found.ndim > 0 and found.size > 0 and np.isfinite(found).all()
    except Exception:  # ragged lists, strangers
        good = False
    if not good:
        raise ValueError(checks.refusal(name, value, "it must be an array of finite numbers, and not empty"))
    return value if hasattr(value, "shape") else found


SINGLE = {
    **{int: _whole, float: _real, bool: lambda name, value, of: checks.flag(name, value)},
    **{str: lambda name, value, of: checks.text(name, value), Prompt: _prompt, Row: _row, np.ndarray: _table},
}


def _thing(name: str, value, wanted: Thing):
    """An object of the package. TypeError with the remedy for any other."""
    if isinstance(value, type) or any(getattr(value, x, None) is None for x in wanted.has):
        raise TypeError(checks.refusal(name, value, wanted.remedy))
    return value


def _items(name: str, value, of: Of) -> Iterable:
    """The numbered entries of a list."""
    found = checks.items(name, value)
    if not found and not of.may_be_empty:
        raise ValueError(f"{name} is empty: give at least one")
    return enumerate(found)


def _tuple(name: str, value, kinds: tuple, of: Of) -> tuple:
    """A tuple whose entries have kinds of their own; `tuple[X, ...]` is a list."""
    found = [x for _, x in _items(name, value, of)]
    if kinds[1:] == (...,) or not kinds:
        kinds = (*kinds[:1], Any)[:1] * len(found)
    if len(found) != len(kinds):
        raise ValueError(checks.refusal(name, value, f"it must have {len(kinds)} entries"))
    return tuple(fit(f"{name}[{i}]", x, kind, of) for i, (x, kind) in enumerate(zip(found, kinds, strict=True)))


def _dict(name: str, value, kinds: tuple, of: Of) -> dict:
    """A dict with keys and values of their kinds; whole numbers as keys are 0 and above."""
    checks.instance(name, value, Mapping, "it must be a dict")
    if not value and not of.may_be_empty:
        raise ValueError(f"{name} is empty: give at least one, by name")
    keys = {
        int: lambda key: checks.whole(f"{name}: the key", key),
        str: lambda key: checks.text(f"{name}: the key", key),
    }
    of_key = keys.get(kinds[0], lambda key: key)
    return {of_key(key): fit(f"{name}[{checks.shown(key)}]", x, kinds[1], of) for key, x in value.items()}
