"""A structured corpus for `ptp.py`, and the small backbone that its trainings stand on.

A document is three to six worked problems from four templates, a token for every word: one or two names, a thing and
two digits are drawn, and all the rest follows. So a window is a few throws and what they settle: what slots that know
the dice can know, and others cannot. Generator and training are seeded; the backbone stays under runs/.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import mtp_explore as mtp
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.splits import SPLITS, check_split
from mtp_explore.corpora.tokenizer import train_tokenizer
from mtp_explore.train.pretrain import Recipe, make_model, round_to_bf16, save_rounded, train

NAMES = ("Ann", "Boris", "Clara", "David", "Emma", "Felix", "Greta", "Henry")
THINGS = ("apples", "bricks", "candles", "dollars", "eggs", "flowers", "grapes", "hats")
DOCUMENTS = {"train": 20_000, "validation": 2_000, "test": 4_000}
LEARNED = 3_000_000  # tokens of which windows are drawn
VOCABULARY = 512  # enough for every word of the templates to be one token
SHAPE = dict(window=256, batch=8, hidden=128, layers=4, heads=4, kv_heads=2, intermediate=320, rate=3e-3)


def problem(rng: random.Random) -> str:
    """One of the four templates, filled in."""
    (a, b), thing = rng.sample(NAMES, 2), rng.choice(THINGS)
    x, y = rng.randint(2, 9), rng.randint(2, 9)
    return rng.choice(
        (
            f"{a} has {x} {thing} and buys {y} more. {x} + {y} = {x + y}. Now {a} has {x + y} {thing}.",
            f"{a} had {x + y} {thing} and gave {y} of them to {b}. {x + y} - {y} = {x}. {a} is left with {x} {thing}.",
            f"{a} packs {x} boxes with {y} {thing} in each box. {x} * {y} = {x * y}. That makes {x * y} {thing}.",
            f"{a} and {b} share {x * y} {thing} among {x} friends. {x * y} / {x} = {y}. Each friend gets {y} {thing}.",
        )
    )


class Templates(Corpus):
    name = "templates"

    def documents(self, split: str) -> Iterator[str]:
        """Every split has dice of its own."""
        check_split(split)
        for index in range(DOCUMENTS[split]):
            rng = random.Random(f"templates {SPLITS.index(split)} {index}")
            yield "\n".join(problem(rng) for _ in range(rng.randint(3, 6)))


@lru_cache(2)
def usual(steps: int, out: Path) -> tuple:
    """(backbone, corpus) of all trainings; the backbone learns `steps` steps into `out` where it is not there yet."""
    corpus, directory = Templates(), out / f"templates-{steps}"
    if not (directory / "config.json").is_file():
        tokenizer = train_tokenizer(corpus.documents("train"), VOCABULARY)
        tokens = [corpus.tokens(split, tokenizer, limit=LEARNED) for split in ("train", "validation")]
        recipe = Recipe(corpus.name, VOCABULARY, steps, **SHAPE)
        model = make_model(recipe, len(tokenizer))
        out.mkdir(parents=True, exist_ok=True)
        train(recipe, model, *tokens, out / f"{directory.name}.safetensors", resume=True)
        round_to_bf16(model)
        save_rounded(model, tokenizer, directory)
    return mtp.load_backbone(directory), corpus
