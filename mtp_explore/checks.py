"""The one room of checks: what a public function may be given, and how it is refused.

Every refusal reads `name=value: it must be ...`, names the remedy, and comes before any work. Numbers of numpy and of
torch (with no dimension) pass and come back as Python's own, so that files can keep them; truth values are no numbers.
Pure Python: figures and widgets use it too.
"""

from __future__ import annotations

import difflib
import math
import os
import reprlib
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from numbers import Integral, Real
from pathlib import Path

SEEDS = 1 << 63  # seeds lie below this
MOST = 1_000_000  # entries of a list
NAME, LENGTH = 255, 4095  # bytes that a file's name, and a path, can have
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxlist = _short.maxtuple = 4


def shown(value, most: int = 80) -> str:
    """A value as one short line for a message: control signs escaped, long things cut."""
    try:
        text = _short.repr(value)
    except Exception as error:  # a stranger's __repr__
        text = f"<{type(value).__name__}, whose repr fails with {type(error).__name__}>"
    text = printable(" ".join(text.split()))
    return text if len(text) <= most else text[: most - 3] + "..."


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey: signs that cannot be printed are written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def refusal(name: str, value, remedy: str) -> str:
    """The sentence of a refusal: `name=value: remedy`."""
    return f"{name}={shown(value)}: {remedy}"


def plain(value):
    """The same as a file can keep it: numbers of numpy and torch as Python's."""
    return value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value


def number(name: str, value, kind: type, fits: Callable[[float], bool], remedy: str):
    """`value` as int (kind Integral) or float (kind Real); ValueError where it is no such number or does not fit."""
    given = plain(value)
    try:
        good = isinstance(given, kind) and not isinstance(given, bool) and bool(fits(given))
        if good:
            return int(given) if kind is Integral else float(given)
    except (OverflowError, ValueError):  # whole numbers beyond what a float holds
        pass
    raise ValueError(refusal(name, value, f"it must be {remedy}"))


def whole(name: str, value, least: int = 0, most: int | None = None, why: str = "") -> int:
    """A whole number from `least` to `most` (None: no end) as int; `why` is added to the refusal."""
    span = f"of at least {least}" if most is None else f"from {least} to {most}"
    fits = lambda x: least <= x and (most is None or x <= most)  # noqa: E731
    return number(name, value, Integral, fits, f"a whole number {span}" + (f" ({why})" if why else ""))


def real(name: str, value, above: float = -math.inf, below: float = math.inf, why: str = "") -> float:
    """A finite number with above < x < below as float; `why` is added to the refusal."""
    span = {
        (True, True): "",
        (False, True): f" above {above:g}",
        (True, False): f" below {below:g}",
        (False, False): f" between {above:g} and {below:g}, both excluded",
    }[above == -math.inf, below == math.inf]
    fits = lambda x: math.isfinite(x) and above < x < below  # noqa: E731
    return number(name, value, Real, fits, f"a finite number{span}" + (f" ({why})" if why else ""))


def seed(name: str, value) -> int:
    """A seed as int, from 0 to 2^63 - 1."""
    return number(name, value, Integral, lambda x: 0 <= x < SEEDS, "a whole number from 0 to 2^63 - 1")


def shaping(temperature: float, top_k: int, top_p: float) -> dict[str, float]:
    """Temperature, top-k and top-p of a distribution that exists, by their names."""
    above = "a number >= 0 (0 is greedy decoding, 1 the model's own law)"
    share = "a number in (0, 1] (1 keeps every token)"
    return dict(
        temperature=number("temperature", temperature, Real, lambda x: math.isfinite(x) and x >= 0, above),
        top_k=number("top_k", top_k, Integral, lambda x: x >= 0, "a whole number >= 0 (0 keeps every token)"),
        top_p=number("top_p", top_p, Real, lambda x: 0 < x <= 1, share),
    )


def flag(name: str, value) -> bool:
    """True or False; numpy's too."""
    given = plain(value)
    if not isinstance(given, bool):
        raise ValueError(refusal(name, value, "it must be True or False"))
    return given


def choice(name: str, value, known: Iterable[str]) -> str:
    """One of the names `known`; ValueError names them all, and the nearest."""
    known = list(known)
    if isinstance(value, str) and value in known:
        return value
    raise ValueError(refusal(name, value, f"use one of {', '.join(map(repr, known))}{nearest(value, known)}"))


def nearest(value, known: Iterable[str]) -> str:
    """'; did you mean ...?' where a known name looks like `value`, else nothing."""
    near = difflib.get_close_matches(value[:200], [str(k) for k in known], 3, 0.3) if isinstance(value, str) else []
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def instance(name: str, value, kinds: type | tuple[type, ...], remedy: str):
    """`value`, where it is one of these kinds; else TypeError with the remedy ("pass what load_backbone() returns")."""
    if not isinstance(value, kinds):
        raise TypeError(refusal(name, value, remedy))
    return value


def text(name: str, value) -> str:
    """A text; TypeError for anything else."""
    return instance(name, value, str, "it must be a text")


def function(name: str, value) -> Callable:
    """What can be called; TypeError for anything else."""
    if not callable(value):
        raise TypeError(refusal(name, value, "it must be a function"))
    return value


def items(name: str, value, of: str = "") -> list:
    """The entries of a list (`of` what), or of anything that can be iterated over and ends; texts and dicts are
    refused.
    """
    remedy = "it must be a list" + (f" of {of}" if of else "")
    try:
        walk = None if isinstance(value, str | bytes | Mapping) else iter(value)
    except TypeError:
        walk = None
    if walk is None:
        raise TypeError(refusal(name, value, remedy))
    found = list(islice(walk, MOST + 1))
    if len(found) > MOST:
        raise ValueError(refusal(name, value, f"{remedy}, and hold at most {MOST:,}"))
    return found


def path(name: str, value) -> Path:
    """A path of the file system with "~" expanded; a name that no file can have is refused."""
    try:
        text = os.fspath(value)
        sizes = [len(part) for part in os.fsencode(text).split(os.fsencode(os.sep))]
        fits = bool(text.strip()) and "\0" not in text and max(sizes) <= NAME and sum(sizes) <= LENGTH
    except (TypeError, ValueError):  # no path at all, or bytes, or signs that no name can have
        fits = False
    if not fits:
        raise ValueError(refusal(name, value, "it must be the path of a file or directory, as text or pathlib.Path"))
    try:
        found = Path(text).expanduser()
        os.fsencode(found)
        found.exists()
    except RuntimeError as error:  # no such user
        raise ValueError(refusal(name, value, f"{error}; write the directory out")) from error
    except (OSError, UnicodeError) as error:  # too long, or not to be written in the system's letters
        why = getattr(error, "strerror", None) or "it holds half a character"
        raise ValueError(refusal(name, value, f"no file can be called so, {why}: choose another")) from error
    return found
