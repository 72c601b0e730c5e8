"""What kind of token stands at a place of a text: a piece of a word, a name that returns, a digit, a mark.

A word is a run of letters, a number a run of digits. A token that begins a word or a number is named after it: common,
one that stood before in this text, or new; a token inside of a word is its own kind, a digit inside of a number has the
number's. Tokens of white space, and marks, are the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from numbers import Real

from ..checks import instance, number
from .arguments import listed

INSIDE, COMMON, AGAIN, NEW = "inside a word", "a common word", "a word that stood before", "a new word"
NUMBER_AGAIN, NUMBER, MARK, SPACE = "a number that stood before", "a new number", "a mark", "white space"
KINDS = (INSIDE, COMMON, AGAIN, NEW, MARK, NUMBER_AGAIN, NUMBER, SPACE)
RUN = re.compile(r"[^\W\d_]+|\d+")


def common_words(documents: Iterable[str], share: float = 0.5) -> set[str]:
    """Words (in small letters) that occur in at least `share` of the documents. ValueError for none at all."""
    documents = [set(RUN.findall(d.lower())) for d in _texts("documents", documents)]
    share = number("share", share, Real, lambda x: 0 <= x <= 1, "a share from 0 to 1")
    if not documents:
        raise ValueError("documents is empty: give at least one")
    counts = Counter(word for words in documents for word in words)
    return {word for word, n in counts.items() if n >= share * len(documents) and not word.isdigit()}


def kinds(pieces: Sequence[str], common: set[str] = frozenset()) -> list[str]:
    """The kind of every token of one text, given the tokens' texts (one of `KINDS` each)."""
    pieces = _texts("pieces", pieces)
    common = instance("common", common, Set, "it must be a set of words, as common_words() returns it")
    text, seen, starts, place = "".join(pieces), set(), {}, {}
    for run in RUN.finditer(text):
        word = run.group().lower()
        digits = word.isdigit()
        if digits:
            starts[run.start()] = NUMBER_AGAIN if word in seen else NUMBER
        else:
            starts[run.start()] = COMMON if word in common else AGAIN if word in seen else NEW
        place |= {i: starts[run.start()] if digits else INSIDE for i in range(run.start(), run.end())}
        seen.add(word)
    found, at = [], 0
    for piece in pieces:
        first = at + len(piece) - len(piece.lstrip())
        found.append(SPACE if not piece.strip() else starts.get(first) or place.get(first) or MARK)
        at += len(piece)
    return found


def _texts(name: str, value) -> list[str]:
    return [
        instance(f"{name}[{i}]", x, str, "it must be a text") for i, x in enumerate(listed(name, value, "texts", 0))
    ]
