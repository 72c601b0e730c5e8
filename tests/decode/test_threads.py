"""Several threads on one backbone: every text is what it is alone."""

import threading

import pytest
import torch
from toys import SLOT_DRAFTERS, toy

from mtp_explore.backbone.blocks import NAME
from mtp_explore.backbone.now import NOW
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.decode.generate import generate
from mtp_explore.drafters import make_drafter
from mtp_explore.measure.law import exact_law
from mtp_explore.train.fit import fit

PROMPTS = [5, 9, 3, 7], [2, 8, 4]
ROUNDS = 4


def together(*jobs):
    """The results of functions that run in threads at the same time; an error is raised again."""
    found, errors = [None] * len(jobs), []
    start = threading.Barrier(len(jobs))

    def work(i, job):
        try:
            start.wait()
            found[i] = job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return found


class Stream(Corpus):
    """A corpus of random tokens."""

    name = "stream"

    def __init__(self, vocabulary: int):
        self.vocabulary = vocabulary

    def tokens(self, split, tokenizer, limit=None, progress=False):
        return torch.randint(1, self.vocabulary, (4000,), generator=torch.Generator().manual_seed(len(split)))


def drafter_of(backbone, name):
    if name is None or name in SLOT_DRAFTERS:
        return name and SLOT_DRAFTERS[name](backbone)
    return make_drafter(name, backbone, horizon=3)


# Two generations at a time, with the same drafter or with none, give the tokens that each gives alone.
@pytest.mark.parametrize("name", [None, "independent", "cp", "toy-masked", "toy-optp", "masked"])
def test_generate_beside_generate(name):
    backbone = toy("llama")
    drafter = drafter_of(backbone, name)
    job = lambda i, seed: generate(backbone, drafter, PROMPTS[i], 16, seed=seed, eos=False).tokens  # noqa: E731
    for seed in range(ROUNDS):
        alone = [job(i, seed) for i in range(2)]
        assert together(*[lambda i=i: job(i, seed) for i in range(2)]) == alone  # noqa: B023


# Training a drafter with slots exchanges the model's attention for the length of a call: a generation beside it meets
# the model's own, and the trained weights are those of training alone.
def test_fit_beside_generate():
    backbone = toy("llama")
    corpus = Stream(backbone.vocabulary)

    def train():
        drafter = make_drafter("masked", backbone, horizon=2, rank=2, sampler=False)
        options = dict(steps=6, batch=32, positions=512, every=3, progress=False)
        fit(drafter, backbone, corpus, **options)
        return [w.detach().clone() for w in drafter.parameters()]

    job = lambda: [generate(backbone, None, p, 16, seed=1, eos=False).tokens for p in PROMPTS * 4]  # noqa: E731
    torch.manual_seed(0)
    weights, texts = train(), job()
    torch.manual_seed(0)
    trained, found = together(train, job)
    assert found == texts
    assert all(torch.equal(*pair) for pair in zip(trained, weights, strict=True))
    assert backbone.config._attn_implementation != NAME


# The harness that enumerates decoding watches its own thread alone.
def test_exact_law_beside_generate():
    watched, other = toy("llama", dtype=torch.float64), toy("gpt2")
    job = lambda: [generate(other, None, p, 16, seed=1).tokens for p in PROMPTS * 4]  # noqa: E731
    law = lambda: exact_law(watched, None, [1, 2], n=2, top_k=3).total_variation  # noqa: E731
    alone = job()
    distance, found = together(law, job)
    assert distance < 1e-9 and found == alone


# A call leaves nothing of its own in its thread.
def test_nothing_stays():
    backbone = toy("llama")
    generate(backbone, SLOT_DRAFTERS["toy-masked"](backbone), PROMPTS[0], 8)
    assert NOW.gate is None and NOW.keep is None and NOW.states is None
