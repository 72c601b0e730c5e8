"""The register of kinds of problem.  A kind is a block of templates and a function that draws its numbers and nouns.

    @kind('''
        story: ...      three wordings or more
        asks:  ...      two or more
        works: ...      two or more, each with the same result
        answer: ...     the last result, with its unit
    ''')
    def name(rng): return values, or None where the draw does not fit and is to be made again
A line that opens with none of these words continues the one above.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_text import noun

PARTS = ("story", "asks", "works", "answer")


class Kind(NamedTuple):
    name: str
    draw: Callable[[Random], dict | None]
    story: tuple[str, ...]
    asks: tuple[str, ...]
    works: tuple[str, ...]
    answer: str


KINDS: dict[str, Kind] = {}


def kind(block: str):
    """Registers the decorated function with the templates of `block`."""
    parts = {part: [] for part in PARTS}
    for line in filter(None, map(str.strip, block.splitlines())):
        head, colon, rest = line.partition(":")
        if colon and head in parts:
            lines = parts[head]
            lines.append(rest.strip())
        else:
            lines[-1] += " " + line

    def register(draw):
        (answer,) = parts.pop("answer")
        KINDS[draw.__name__] = Kind(draw.__name__, draw, *map(tuple, parts.values()), answer)
        return draw

    return register


def a_good(rng: Random):
    """Something that is made: often with a colour or the like."""
    return noun(
        f"{rng.choice(words.COLOURS)} {rng.choice(words.GOODS)}" if rng.random() < 0.5 else rng.choice(words.GOODS)
    )


def a_food(rng: Random):
    """Something that is eaten by the piece."""
    return noun(
        f"{rng.choice(words.TASTES)} {rng.choice(words.FOODS)}" if rng.random() < 0.5 else rng.choice(words.FOODS)
    )


def a_large(rng: Random):
    """A good worth saving for."""
    return noun(
        f"{rng.choice(words.COLOURS)} {rng.choice(words.LARGE)}" if rng.random() < 0.5 else rng.choice(words.LARGE)
    )


def a_small(rng: Random):
    """Something of which several go into a bag: a small good or a food."""
    if rng.random() < 0.4:
        return a_food(rng)
    return noun(
        f"{rng.choice(words.COLOURS)} {rng.choice(words.SMALL)}" if rng.random() < 0.5 else rng.choice(words.SMALL)
    )


def a_piece(rng: Random):
    """Something one can count: a good or a food."""
    return a_good(rng) if rng.random() < 0.6 else a_food(rng)


def two(rng: Random, draw):
    """Two nouns of one sort with different heads ("red lamp" and "old lamp" would be told apart too hard)."""
    while True:
        one, other = draw(rng), draw(rng)
        if one.one.split()[-1] != other.one.split()[-1]:
            return one, other
