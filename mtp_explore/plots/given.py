"""What a figure may be given: plain numbers, laws, texts and tables, each refused by its name before anything is drawn.

Arrays, tensors on any device and lists pass alike, and so does what has one as its `law` (a joint).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ..checks import items, refusal


def numbers(name: str, value, axes: int | None = None, finite: bool = True, what: str = "numbers") -> np.ndarray:
    """`value` as float64 with so many axes (None: any) and at least one entry."""
    given = getattr(value, "law", value)
    given = given.detach().cpu() if hasattr(given, "detach") else given
    shape = "" if axes is None else f" in {axes} ax{'e' if axes != 1 else 'i'}s"
    remedy = f"it must be {what}{shape}" + (", all finite" if finite else "")
    try:
        given = items(name, given) if isinstance(given, list | tuple | range) else given
        plain = [float(x) for x in given] if axes == 1 and isinstance(given, list) else given
        found = None if isinstance(plain, str | bytes | Mapping) or np.iscomplexobj(plain) else np.asarray(plain, float)
    except (TypeError, ValueError, OverflowError):
        found = None
    if found is None or not isinstance(given, Iterable) or not found.size or (axes is not None and found.ndim != axes):
        raise ValueError(refusal(name, value, remedy))
    if finite and not np.isfinite(found).all():
        raise ValueError(refusal(name, value, remedy))
    return found


def law(name: str, value, axes: int | None = 1) -> np.ndarray:
    """Probabilities that sum to 1 (within 1e-4), as float64."""
    found = numbers(name, value, axes, finite=False, what="probabilities")
    if not (np.isfinite(found).all() and found.min() >= -1e-9 and abs(found.sum() - 1) < 1e-4):
        raise ValueError(
            f"{name} is no law: its entries must be >= 0 and sum to 1, and the sum is {found.sum():.4g}; take the "
            "probabilities of every token, or divide by their sum"
        )
    return found


def texts(name: str, value, count: int | None = None, what: str = "texts") -> list:
    """A list of what is to be shown (of a text, its signs), `count` entries long (None: any)."""
    found = items(name, list(value) if isinstance(value, str) else value, what)
    for i, entry in enumerate(found):
        try:
            str(entry)
        except Exception as error:  # a stranger whose text is no help
            raise TypeError(refusal(f"{name}[{i}]", entry, f"it must be one of the {what}")) from error
    if count is not None and len(found) != count:
        raise ValueError(f"{name} has {len(found)} entries, and {count} are to be named: they must agree")
    return found


def table(name: str, value, form: str, least: int = 1) -> dict:
    """A mapping with at least one entry; `form` says what it looks like."""
    if not isinstance(value, Mapping):
        raise TypeError(refusal(name, value, f"give {form}"))
    if len(value) < least:
        raise ValueError(f"{name} is empty: give {form}, with at least one entry")
    return dict(value)


def axis(name: str, value, form: str, whole: bool = False, least: int = 1) -> dict[float, object]:
    """A mapping from finite numbers (`whole`: whole ones) as Python's own."""
    found = table(name, value, form, least)
    for key in found:
        at = numbers(f"{name}'s key {key!r:.40}", [key], 1)[0]
        if whole and at != int(at):
            raise ValueError(refusal(name, key, f"give {form}, with whole numbers"))
    return {(int if whole else float)(key): entry for key, entry in found.items()}
