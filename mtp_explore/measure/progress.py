"""A bar for work that lasts: nothing for the first two seconds, gone when the work is done."""

from __future__ import annotations

from collections.abc import Iterable

from tqdm.auto import tqdm

QUIET = 2.0  # seconds without a bar
FORM = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


def bar(what: str, things: Iterable | None = None, total: float | None = None) -> tqdm:
    """`things` one after another with a bar, or a bar to `update` by hand up to `total`."""
    return tqdm(things, desc=what, total=total, delay=QUIET, leave=False, bar_format=FORM)
