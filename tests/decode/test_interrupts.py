"""Ctrl-C at any moment: nothing of a call stays in the thread, and the backbone computes what it did before.

Python delivers an interrupt where a function begins, so it is raised at the beginning of the n-th function after the
start, for many n.
"""

import random
import sys

import pytest
import torch
from test_threads import Stream
from toys import toy

from mtp_explore.backbone.blocks import NAME, _now
from mtp_explore.backbone.now import NOW
from mtp_explore.decode.generate import generate
from mtp_explore.drafters import make_drafter
from mtp_explore.measure.law import exact_law
from mtp_explore.tensors.categorical import WATCH
from mtp_explore.train.fit import fit

PROMPT, MOMENTS = [5, 9, 3, 7], 30


def interrupted(job, number: int) -> bool:
    """Run `job` with an interrupt at the beginning of its function number `number`; was it met?"""
    begun = 0

    def trace(frame, event, argument):
        nonlocal begun
        begun += 1
        if begun == number:
            raise KeyboardInterrupt
        return None

    sys.settrace(trace)
    try:
        job()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def functions(job) -> int:
    """How many functions begin while `job` runs."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += 1

    sys.settrace(trace)
    try:
        job()
    finally:
        sys.settrace(None)
    return count


def jobs(backbone):
    drafter = make_drafter("masked", backbone, horizon=2, rank=2, sampler=False)
    for weight in drafter.lora.up.values():
        weight.data.normal_()
    yield "generate", lambda: generate(backbone, drafter, PROMPT, 6, eos=False)
    train = dict(steps=2, batch=16, positions=256, every=2, progress=False)
    yield "fit", lambda: fit(drafter, backbone, Stream(backbone.vocabulary), **train)
    yield "exact_law", lambda: exact_law(backbone, None, PROMPT, n=1, top_k=2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["generate", "fit", "exact_law"])
def test_interrupts_leave_nothing(name):
    backbone = toy("llama")
    job = dict(jobs(backbone))[name]
    job()  # what happens once only, behind us
    ids = torch.tensor([PROMPT])
    with torch.no_grad():
        before = backbone.model(ids).logits
    total = functions(job)
    chosen = random.Random(0).sample(range(1, total), min(MOMENTS, total - 1))
    met = 0
    for number in chosen:
        met += interrupted(job, number)
        assert (NOW.gate, NOW.keep, NOW.states, _now.open, WATCH.watcher) == (None,) * 5
        assert backbone.config._attn_implementation != NAME
    assert met > MOMENTS / 2
    with torch.no_grad():
        assert torch.equal(backbone.model(ids).logits, before)
