"""What became of a hostile call.

returned   with a value that may be used and shown
refused    by the package itself: the message names the argument and says what to do, on a line one can print
numbers    refused, though it was a good number in the form of numpy or torch
odd        returned, though the value means nothing for an argument of its kind (nan as a chance, -1 as a count)
raw        an error from inside, or one that does not name the argument
memory     more than the limit
hang       longer than the limit, or dead
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.values import Case, refused

PACKAGE = str(Path(__file__).parents[2] / "mtp_explore")
KINDS = ("returned", "refused", "odd", "numbers", "raw", "memory", "hang")
BAD = ("raw", "numbers", "memory", "hang")
LONGEST = 700  # characters of a message
SHOWN = 40  # values taken from an iterator that was returned


class Refusal(Exception):
    """How a command line that ended with exit code 2 is told."""


class Outcome(NamedTuple):
    kind: str
    said: str = ""  # error, message and place


def tried(case: Case) -> Outcome:
    """Make the call, use what it returns, and judge."""
    try:
        result = case.call.function(**case.given)
        use(result)
    except Exception as error:
        return judged(case, error)
    return accepted(case, result)


def use(result) -> None:
    """Whoever asked for it will iterate over it, print it and show it."""
    if isinstance(result, Iterator):
        result = list(islice(result, SHOWN))
    repr(result)
    if type(result).__module__.startswith("mtp_explore") and hasattr(result, "_repr_html_"):
        result._repr_html_()


def accepted(case: Case, result) -> Outcome:
    call = case.call
    if case.good or call.lenient and not result:  # a check that says "not yet" has answered
        return Outcome("returned")
    for name in case.bent:
        if name in case.given and name in call.given:
            value, kind = case.given[name], call.kind(name)
            if (
                refused(value, kind)
                and not (value is None and call.given[name] is None)
                and not call.default(name, value)
            ):
                return Outcome("odd", f"{kind if isinstance(kind, str) else kind.__name__}")
    return Outcome("returned")


def judged(case: Case, error: Exception) -> Outcome:
    message, frames = str(error), traceback.extract_tb(error.__traceback__)
    said = f"{type(error).__name__}: {' '.join(message.split())[:160]!r}{where(frames)}"
    if isinstance(error, MemoryError) or "allocate memory" in message or "DefaultCPUAllocator" in message:
        return Outcome("memory", said)
    if case.good:
        return Outcome("numbers", said)
    if any(
        case.call.kind(name) == "callable" and callable(case.given.get(name))
        for name in case.bent
        if name in case.call.given
    ):
        return Outcome("returned")  # a stranger's function raised, and its error is its own
    return Outcome("refused" if clear(case, error, message, frames) else "raw", said)


def clear(case: Case, error: Exception, message: str, frames) -> bool:
    """Is it the package's own refusal, in words that help?"""
    last = case.call.name.split()[0].rpartition(".")[2]
    if len(message.replace("─", "")) > LONGEST or not "".join(message.split(" ")).isprintable():
        return False
    if isinstance(error, TypeError) and re.search(rf"\b{last}(\.__init__)?\(\)", message) and "argument" in message:
        return True  # Python's own, about the public function: too few or unknown arguments
    ours = frames[-1].filename.startswith(PACKAGE) or isinstance(error, Refusal)
    kind = isinstance(error, ValueError | TypeError | OSError | Refusal) and not isinstance(error, UnicodeError)
    words = " ".join(re.sub("[-_]", " ", message).split())
    named = any(re.search(rf"\b{name}\b", words) for name in names(case))
    return ours and kind and named and re.search(r"[:;,] \w+ .*\w", words) is not None


def names(case: Case) -> set[str]:
    """By which names a message may call what was bent: the argument's, its singular, those inside a dict."""
    found = {name.rstrip("_") for name in case.bent} | {name.rstrip("s") for name in case.bent}
    for name in case.bent:
        inside = case.call.given.get(name)
        if isinstance(inside, dict):
            found |= {str(key) for one in inside.values() if isinstance(one, dict) for key in one}
    return {name.replace("_", " ") for name in found if name}


def where(frames) -> str:
    """The last place of the package, and where the error came from if that is elsewhere."""
    ours = [f for f in frames if f.filename.startswith(PACKAGE)]
    if not ours:
        return ""
    place = f" at {Path(ours[-1].filename).relative_to(PACKAGE)}:{ours[-1].lineno}"
    return place if frames[-1] is ours[-1] else f"{place}, in {Path(frames[-1].filename).name}"
