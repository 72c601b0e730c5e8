"""Arithmetic: word problems with worked steps, written by chance from (seed, index), every equation exact.

A document: facts and a question, then the working with equations such as "12 * 7 = 84", then "Answer: 84 apples."
The kinds of problem lie by subject in the modules of SUBJECTS.
"""

import random
from collections.abc import Iterator
from functools import cache

from mtp_explore.corpora import (
    arithmetic_counting,
    arithmetic_motion,
    arithmetic_numbers,
    arithmetic_parts,
    arithmetic_shapes,
    arithmetic_trade,
    arithmetic_work,
)
from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_kinds import KINDS, Kind
from mtp_explore.corpora.arithmetic_text import check, noun, write
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.splits import check_split, split_of

__all__ = ["DOCUMENTS", "KINDS", "SEED", "SUBJECTS", "Arithmetic", "check", "problem"]

SEED = 2025
DOCUMENTS = 40_000
SUBJECTS = (  # importing them fills KINDS
    arithmetic_counting,
    arithmetic_motion,
    arithmetic_numbers,
    arithmetic_parts,
    arithmetic_shapes,
    arithmetic_trade,
    arithmetic_work,
)
SHORTEST, LONGEST = 40, 120  # words between blanks


class Arithmetic(Corpus):
    """The 40,000 problems.  A document goes to the split its text hashes to."""

    name = "arithmetic"

    def documents(self, split: str) -> Iterator[str]:
        """Documents of one split in the order of their index, written as they are asked for."""
        check_split(split)
        for index in range(DOCUMENTS):
            text = problem(index)
            if split_of(text) == split:
                yield text


def problem(index: int, seed: int = SEED, kind: Kind | None = None) -> str:
    """Document number `index`; `kind` fixes what is otherwise drawn."""
    rng = random.Random(f"arithmetic {seed} {index}")
    kind = kind or rng.choice(kinds())
    while True:
        text = attempt(kind, rng)
        if SHORTEST <= len(text.split()) <= LONGEST:
            return text


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind, by name: the order of imports does not change the corpus."""
    return tuple(KINDS[name] for name in sorted(KINDS))


def attempt(kind: Kind, rng: random.Random) -> str:
    """One draw of the kind's numbers and wording, with one to three facts that do not matter around the story."""
    while (drawn := kind.draw(rng)) is None:
        pass
    values = cast(rng) | drawn
    spell = rng.random() < 0.25
    story = write(rng.choice(kind.story), values, rng, spell)
    asks = write(rng.choice(kind.asks), values, rng)
    facts = [write(fact, values, rng, spell) for fact in rng.sample(words.FACTS, rng.choice((1, 2, 2, 3)))]
    before = rng.randint(0, len(facts))
    works = write(rng.choice(kind.works), values, rng)
    answer = write(kind.answer, values, rng)
    return "\n".join((" ".join([*facts[:before], story, *facts[before:], asks]), works, f"Answer: {answer}"))


def cast(rng: random.Random) -> dict:
    """Names, places, units and idle numbers that any kind may use; a kind's own draw overrides them."""
    a, b, c = rng.sample(words.PEOPLE, 3)
    return {
        "A": a, "B": b, "C": c,
        "town": rng.choice(words.TOWN_FRONT) + rng.choice(words.TOWN_BACK),
        "place": rng.choice(words.PLACES), "weekday": rng.choice(words.DAYS), "shop": rng.choice(words.SHOPS),
        "thing2": noun(rng.choice(words.GOODS)), "animal": noun(rng.choice(words.ANIMALS)),
        "crowd": noun(rng.choice(words.CROWDS)), "money": noun(rng.choice(words.MONEY)),
        "length": noun(rng.choice(words.LENGTHS)),
        "few": rng.randint(2, 11), "more": rng.randint(2, 9), "many": rng.randint(13, 99),
    }  # fmt: skip
