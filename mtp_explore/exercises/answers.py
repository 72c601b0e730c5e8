"""What a reader's function may return: each kind reads an answer into plain numbers, or says what to return instead.

number, whole, truth, array, tokens, table, kept_token    kinds: value -> what is judged, or `Unfit`
arrays(wants, n), numbers(wants, n)                       the kinds of n of them in a row
idle(function)                                            is it still the stub?
line_of(error, function)                                  where in the reader's own code an error came up
"""

from __future__ import annotations

import dis
import inspect
import traceback
from collections.abc import Callable, Mapping

import numpy as np

SILENT = {"RESUME", "NOP", "CACHE", "COPY_FREE_VARS"}  # instructions that do nothing
GIVING = {"LOAD_CONST", "LOAD_COMMON_CONSTANT", "RETURN_CONST", "RETURN_VALUE"}  # that give a constant back


class Unfit(Exception):
    """An answer of another kind than is asked for; the message is for the reader."""


def unfit(wants: str, value) -> Unfit:
    return Unfit(f"return {wants}; this is {described(value)}.")


def described(value) -> str:
    """A value in a few words: its kind, and itself where it is short."""
    shape = getattr(value, "shape", None)
    if shape is not None and tuple(shape) != ():
        return f"an array of the shape {tuple(shape)}"
    text = repr(value.item() if shape == () else value)
    return f"{text if len(text) <= 60 else text[:59] + '…'} ({type(value).__name__})"


def plain(value) -> np.ndarray | None:
    """The value as an array of truth values or real numbers; None where it is none."""
    try:
        found = np.asarray(value)
    except Exception:  # ragged lists, tensors that need a gradient, whatever a reader may return
        return None
    return found if found.dtype.kind in "biuf" else None


def single(value) -> float | None:
    """One number, also as an array of one entry; None for all else, truth values among it."""
    found = plain(value)
    if found is None or found.size != 1 or found.dtype.kind == "b":
        return None
    return found.item()


def number(value) -> float:
    found = single(value)
    if found is None:
        raise unfit("one number", value)
    return float(found)


def whole(value) -> int:
    found = single(value)
    if found is None or not np.isfinite(found) or found != int(found):
        raise unfit("one whole number", value)
    return int(found)


def truth(value) -> bool:
    found = plain(value)
    if found is None or found.size != 1 or found.item() not in (0, 1):
        raise unfit("True or False", value)
    return bool(found.item())


def array(value) -> np.ndarray:
    found = plain(value)
    if found is None or found.ndim == 0:
        raise unfit("an array of numbers", value)
    return found.astype(float)


def parts(value, count: int, wants: str) -> list:
    """The parts of a tuple or list (or array) of so many."""
    found = list(value) if isinstance(value, tuple | list) or getattr(value, "ndim", 0) > 0 else []
    if len(found) != count:
        raise unfit(wants, value)
    return found


def arrays(wants: str, count: int) -> Callable[..., list[np.ndarray]]:
    """The kind of `count` arrays in a row, in words `wants`: "(w, A, B), three arrays"."""

    def read(value) -> list[np.ndarray]:
        try:
            return [array(one) for one in parts(value, count, wants)]
        except Unfit:
            raise unfit(wants, value) from None

    return read


def numbers(wants: str, count: int) -> Callable[..., list[float]]:
    """The kind of `count` numbers in a row, in words `wants`."""

    def read(value) -> list[float]:
        try:
            return [number(one) for one in parts(value, count, wants)]
        except Unfit:
            raise unfit(wants, value) from None

    return read


def tokens(value) -> list[int]:
    wants = "a list of tokens"
    if not isinstance(value, tuple | list) and getattr(value, "ndim", 0) != 1:
        raise unfit(wants, value)
    try:
        return [whole(one) for one in value]
    except Unfit:
        raise unfit(wants, value) from None


def table(value) -> dict[int, int]:
    if not isinstance(value, Mapping):
        raise unfit("a dict from token to token", value)
    for key, entry in value.items():
        for one in (key, entry):
            if single(one) is None:
                raise Unfit(f"return a dict from token to token; for {key!r} this one holds {described(entry)}.")
    return {whole(key): whole(entry) for key, entry in value.items()}


def kept_token(value, size: int) -> tuple[bool, int]:
    """(kept, token), the token one of `size`."""
    wants = "a pair (kept, token), kept True or False and token a whole number"
    kept, token = parts(value, 2, wants)
    try:
        pair = truth(kept), whole(token)
    except Unfit:
        raise unfit(wants, value) from None
    if not 0 <= pair[1] < size:
        raise Unfit(f"the token in (kept, token) is one of 0 to {size - 1}; this is {pair[1]}.")
    return pair


def returned(value):
    """What a function returned, where it returned something."""
    if value is None:
        raise Unfit(
            "your function returned None: does every path end in a return? (print shows a value and returns nothing)"
        )
    if value is ...:
        raise Unfit("your function returned the dots of the stub: put your own lines in their place.")
    return value


def idle(function: Callable) -> bool:
    """Whether a function does nothing yet: its body is the stub's dots (or `pass`, or a docstring)."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in SILENT]
    given = [step.argval for step in steps if "CONST" in step.opname]
    return all(step.opname in GIVING for step in steps) and all(one is None or one is ... for one in given)


def line_of(error: BaseException, function: Callable) -> str:
    """ ", in line 2: `return 1 / 0`": the innermost place of the reader's own code; empty where there is none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if code and f.filename == code.co_filename]
    if not frames:
        return ""
    last = frames[-1]
    return f", in line {last.lineno}" + (f": {last.line.strip()}" if last.line else "")
