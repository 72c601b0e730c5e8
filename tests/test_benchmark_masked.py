"""The masks' benchmark: its plain form is the drafter's own, chances are counted, tables pair prompts."""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from toys import VOCABULARY, toy

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from masked_decode import argmax, chances, closed, fewer
from masked_plan import GROUPS, Run, Sizes, jobs, plan, work
from masked_tables import summary
from masked_train import next_tokens, plain_rows

from mtp_explore.drafters import make_drafter
from mtp_explore.trace.records import KEPT, Drafted, Step
from mtp_explore.train.features import futures
from mtp_explore.train.texts import Texts

K, T = 3, 24


def problem(architecture: str):
    """A drafter with random weights, and windows in which documents begin at several places."""
    owner, draw = toy(architecture), torch.Generator().manual_seed(0)
    drafter = make_drafter("masked", owner, horizon=K, rank=2)
    for name, w in drafter.named_parameters():
        w.data.copy_(torch.randn(w.shape, generator=draw) * (0.2 if "lora" in name else 0.5))
    windows = torch.randint(0, VOCABULARY, (2, T + 1), generator=draw)
    windows[:, 7] = windows[1, 15] = 0
    return drafter, Texts(windows, futures(windows, K, owner.eos), 6)


# With the gate on the masks the plain form gives the losses and gradients of the cheap one.
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "mistral"])
def test_plain_form(architecture):
    drafter, texts = problem(architecture)
    found = []
    for rows in (None, partial(plain_rows, drafter, True)):
        if rows:
            drafter.rows = rows
        drafter.zero_grad()
        losses = drafter.losses(*texts.batch(0, 12, 0))
        losses["loss"].backward()
        found.append(({k: v.detach() for k, v in losses.items()}, [w.grad.clone() for w in drafter.parameters()]))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


# With the gate on all rows the adapters move the model's own next tokens; with the gate on the masks they do not, bit
# for bit as losses go.
def test_plain_lora_moves_the_model():
    drafter, texts = problem("llama")
    gated, harmed = (next_tokens(drafter, texts, on) for on in (True, False))
    for w in drafter.lora.parameters():
        w.data.zero_()
    assert next_tokens(drafter, texts, True) == gated == pytest.approx(next_tokens(drafter, texts, False), rel=1e-5)
    assert abs(harmed[0] - gated[0]) > 0.01 and 0 <= gated[1] <= 1


# A name stands for one run, every comparison has the plainest run first, and parts of the jobs are all of them.
def test_jobs():
    runs = {run for members in plan().values() for run in members}
    everything = jobs()
    assert len({run.name for run in runs}) == len(runs) == len(jobs(["ablations"])) > 12
    assert all(members[0] == Run() for members in plan().values())
    assert set(everything) == {name for group in GROUPS for name in jobs([group])}
    assert set(jobs(["rank"])) < set(jobs(["ablations"])) and "speed-cuda" in jobs(["speed"], "cuda")
    assert all(work(*job, Sizes()) > work(*job, Sizes().quick()) > 0 for job in everything.values())


def step(drafts: int, accepted: int) -> Step:
    made = [Drafted(0, 1.0, 1.0, 1.0, 0.0, KEPT, None) for _ in range(drafts)]
    return Step(0, 0, made, accepted, 0, [0] * (accepted + 1), "plain", 0.5, 1.0)


# a_j are shares of the calls in which draft j was there and those before it were right; the closed forms are those of
# a simulation that draws drafts with these chances.
def test_chances_and_closed_forms():
    steps = [step(3, 0), step(3, 2), step(3, 3), step(2, 2), step(0, 0)]
    assert chances(steps, 3) == [0.75, 1.0, 0.5]
    assert chances(steps[:1], 3) == [0.0, 0.0, 0.0]
    right, draw = torch.tensor([0.8, 0.6, 0.9]), torch.Generator().manual_seed(0)
    accepted = (torch.rand(200_000, 3, generator=draw) < right).long().cumprod(1).sum(1)
    told = closed(right.tolist())
    assert told["quadratic"] == pytest.approx(1 + accepted.float().mean().item(), abs=0.01)
    tokens = calls = 0
    for a in accepted.tolist():  # linear: after a refusal a call without drafts comes in between
        tokens, calls = tokens + a + 1 + (a < 3), calls + 1 + (a < 3)
    assert told["linear"] == pytest.approx(tokens / calls, abs=0.01) and told["linear"] < told["quadratic"]


# Fewer drafts and arg-max drafts leave the drafter that was given as it is.
def test_variants_are_copies():
    owner = toy("llama")
    for name in ("masked", "independent"):
        drafter = make_drafter(name, owner, horizon=3)
        assert fewer(drafter, 2).horizon == 2 and drafter.horizon == 3
        assert argmax(drafter).one_hot and not drafter.one_hot


def result(calls: list[float], loss: float = 1.0) -> dict:
    way = {"tokens_per_call": calls, "steady": 2.0, "right": [0.5] * 8}
    ways = {"quadratic": way, "linear": {**way, "tokens_per_call": [c - 0.5 for c in calls]}}
    point = {"step": 9, "seconds": 2.0, "loss": 3.0, "base": loss, "consistency": 0.5, "next": 0.25, "top1": 0.75}
    facts = {"curve": [point], "steps": 9, "anchors_per_step": 10, "seconds_training": 2.0}
    return {"kind": "ablation", **facts, "decoding": {"greedy": {"8": ways}, "T=1": {"8": ways}}}


# Seeds are averaged prompt by prompt and compared on the same prompts: a difference that is the same on all of them has
# no width. What was not run is not shown.
def test_tables_pair_prompts():
    runs = plan()["sampler"]
    results = {run.name: result([1.0 + run.sampler, 2.0 + run.sampler, 3.0 + run.sampler], run.seed) for run in runs}
    text = summary(results)
    row = next(line for line in text.splitlines() if line.startswith("nosampler"))
    assert "2.000 ± 2.484" in row and "-1.000 ± 0.000" in row and "+0.500 ± 0.000" in row and "1.000 ± 1.000" in row
    assert "sampler (6 of 6 runs)" in text and "rank (1 of 4 runs)" in text and "0.2500" in text
    heads = {"tokens_per_call": [0.5, 1.5, 2.5]}
    modes = {
        mode: {"8": {**ways["8"], "independent": heads}} for mode, ways in result([1.0, 2.0, 3.0])["decoding"].items()
    }
    table = summary({"table-stories": {"kind": "table", "decoding": modes}})
    assert table.count("+0.500 ± 0.000") == 4 and "1.33" in table and "1.996 / 1.499" in table
    assert summary({}) == "nothing is measured yet"
