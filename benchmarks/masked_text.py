"""Text of others for `masked.py`: two corpora from a folder that is no part of the project, and backbones for them.

The backbones are trained here by the recipe of `train/pretrain.py`, in a few minutes, and are much worse than the
shipped ones; they and the masks on them stay under runs/, only figures are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import mtp_explore as mtp
from mtp_explore.corpora import load_corpus
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.splits import check_split, split_of
from mtp_explore.corpora.tokenizer import train_tokenizer
from mtp_explore.train.pretrain import Recipe, make_model, round_to_bf16, save_rounded, train

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES = {"gsm8k": "gsm8k_train.jsonl", "tinyshakespeare": "tinyshakespeare.txt"}
VOCABULARY = 1024


class Problems(Corpus):
    """Grade-school problems, each followed by its worked answer; splits by the hash of the whole."""

    def __init__(self, path: Path):
        self.name, self.path = path.stem, path

    @lru_cache(1)  # noqa: B019 (one object lives as long as the process)
    def texts(self) -> list[str]:
        rows = map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
        return [f"{row['question']}\n{row['answer']}" for row in rows]

    def documents(self, split: str) -> Iterator[str]:
        check_split(split)
        return (text for text in self.texts() if split_of(text) == split)


def corpus(name: str, data: Path) -> Corpus | None:
    """The corpus, None where its file is absent."""
    path = data / FILES[name]
    if not path.is_file():
        return None
    return Problems(path) if path.suffix == ".jsonl" else load_corpus(path)


def trunk(text: Corpus, recipe: Recipe, out: Path, limit: int | None = None):
    """A small Llama for a corpus, trained into `out` (an interrupted run goes on); limit: tokens that are read."""
    directory = out / f"{recipe.corpus}-{recipe.steps}"
    if not (directory / "config.json").is_file():
        tokenizer = train_tokenizer(text.documents("train"), recipe.vocabulary)
        tokens, validation = (text.tokens(split, tokenizer, limit) for split in ("train", "validation"))
        model = make_model(recipe, len(tokenizer))
        out.mkdir(parents=True, exist_ok=True)
        train(recipe, model, tokens, validation, out / f"{directory.name}.safetensors", resume=True)
        round_to_bf16(model)
        save_rounded(model, tokenizer, directory)
    return mtp.load_backbone(directory)
