"""Small things of every sort the package knows, made once: what the good calls are made of."""

from __future__ import annotations

import random
from functools import cache
from types import SimpleNamespace

import numpy as np
import torch

import mtp_explore as mtp
from mtp_explore.backbone.gated_lora import GatedLoRA
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.exercises import PROMPT, rough, tiny
from mtp_explore.measure import knowledge, thrown
from tests.plots.made import joint, product
from tests.toys import toy
from tests.train.learnable import backbone as cycle_backbone


class Few(Corpus):
    """A few documents in every split, of the letters that `tests.train.learnable` knows."""

    name = "few"

    def documents(self, split: str):
        draw = random.Random(split)
        for _ in range(12):
            yield " ".join("".join(draw.choices("abcdefgh", k=4)) for _ in range(30))


@cache
def world() -> SimpleNamespace:
    """tiny: three words; stories: the shipped backbone; small: 264 tokens and a tokenizer; toy: no tokenizer."""
    torch.manual_seed(0)
    w = SimpleNamespace(prompt=list(PROMPT), corpus=Few(), toy=toy("llama"))
    w.tiny, w.small, w.stories = tiny(), cycle_backbone(), mtp.load_backbone("stories")
    w.rough = rough(w.tiny)
    make = mtp.make_drafter
    w.heads = make("independent", w.small, horizon=3, hidden=8)
    w.circuits = {k: make(k, w.small, horizon=3, rank=2, head_rank=2) for k in ("cp", "hmm", "btree")}
    w.masked, w.ptp = make("masked", w.small, horizon=2, rank=2), make("ptp", w.small, horizon=2, rank=2)
    w.cptp = make("ptp", w.small, horizon=2, rank=2, variant="categorical")
    w.student, w.lookup = make("student", w.small, horizon=2), make("lookup", w.small, horizon=2)
    w.shipped = mtp.load_drafter("stories/independent", w.stories)
    w.lora = GatedLoRA(w.toy.model, rank=2)
    w.trace = mtp.recorded("stories-independent-t1")
    w.top5 = mtp.recorded("stories-independent-top5")
    w.traces = mtp.generate(w.small, w.heads, ["abcd ef", "gh ab"], 12)
    w.ids = w.small.encode("abcd efgh")[0]
    w.joint = mtp.exact_joint(w.small, "abcd", n=2, top=4)
    w.law3 = joint(3, 3, 3)
    w.p, w.q = joint(4, 5), product(joint(4, 5))
    w.text = knowledge.read(w.small, ["abcd efgh abcd", "hgfe dcba abcd"], 8, 3)
    w.thrown = thrown.text_of(w.small, w.text.tokens, torch.tensor([[3, 5]] * 2))
    w.w = torch.rand(2, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return w


def strangers() -> dict:
    """Objects of the package, to stand where others belong."""
    w = world()
    return {
        **{"a backbone": w.toy, "a drafter": w.heads, "a drafter with slots": w.ptp, "a trace": w.trace},
        **{"a corpus": w.corpus, "a Joint": w.joint, "a model": w.toy.model, "a tokenizer": w.small.tokenizer},
        **{"a tape's numbers": np.random.default_rng(0).random((2, 4)), "a list of traces": w.traces},
    }
