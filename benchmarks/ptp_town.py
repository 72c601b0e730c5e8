"""A structured corpus for `ptp.py`, and the small backbone that its trainings stand on.

A document is a walk through a town, a token for every word, after the taxi routes of the paper: at each of eight
crossings one of four streets is thrown, all equally likely; a street is always the same five to eight words and leads
to the same crossing. So one throw settles many tokens, and what a later throw means hangs on those before it: what
slots that know the dice can know, and others cannot. Town, walks and training are seeded; the backbone stays in runs/.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from masked_decode import starts
from masked_text import trunk

from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.splits import SPLITS, check_split
from mtp_explore.train.pretrain import Recipe

WORDS = (
    "abbey arch bakery bank barn bell bend bridge brook canal castle chapel church cinema clinic corner court"
    " dairy dock ferry field forge fort fountain garage garden gate harbour hill hospital hotel inn island kiosk"
    " lake library lodge market meadow mill mine museum orchard palace park pier pond port quarry school shop"
    " square stable station temple theatre tower tunnel valley wall well wharf windmill yard"
).split()
CROSSINGS, STREETS, LONG = 8, 4, (5, 8)
DOCUMENTS = {"train": 20_000, "validation": 2_000, "test": 4_000}
LEARNED = 3_000_000  # tokens of which windows are drawn
GIVEN = 16  # words of a prompt
VOCABULARY = 512  # enough for every word to be one token
SHAPE = dict(window=256, batch=8, hidden=128, layers=4, heads=4, kv_heads=2, intermediate=320, rate=3e-3)


@lru_cache(1)
def town() -> list[list[tuple[list[str], int]]]:
    """Of every crossing its streets: their words, no two beginning alike, and the crossing they lead to."""
    rng = random.Random("town")
    streets = []
    for _ in range(CROSSINGS):
        firsts = rng.sample(WORDS, STREETS)
        streets.append([([w, *rng.sample(WORDS, rng.randint(*LONG) - 1)], rng.randrange(CROSSINGS)) for w in firsts])
    return streets


class Walks(Corpus):
    name = "walks"

    def documents(self, split: str) -> Iterator[str]:
        """Every split has dice of its own."""
        check_split(split)
        for index in range(DOCUMENTS[split]):
            rng = random.Random(f"walk {SPLITS.index(split)} {index}")
            place, words = rng.randrange(CROSSINGS), []
            for _ in range(rng.randint(8, 16)):
                street, place = rng.choice(town()[place])
                words += street
            yield " " + " ".join(words)


@lru_cache(2)
def usual(steps: int, out: Path) -> tuple:
    """(backbone, corpus) of all trainings; the backbone learns `steps` steps into `out` where it is not there yet."""
    corpus = Walks()
    return trunk(corpus, Recipe(corpus.name, VOCABULARY, steps, **SHAPE), out, LEARNED), corpus


def beginnings(target, corpus: Corpus, count: int) -> list[list[int]]:
    """Prompts: the first `GIVEN` tokens of documents of the test split, behind an end of text, as the backbone has read
    every document. Without it this backbone takes a prompt for the rest of a document, and soon ends it.
    """
    return [[target.eos[0], *tokens[:GIVEN]] for tokens in starts(target, corpus, count)]
