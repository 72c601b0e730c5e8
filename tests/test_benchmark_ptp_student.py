"""The benchmark of students: correct tokens are those of decoding, both networks of `data` are asked the same."""

import sys
from dataclasses import replace
from functools import partial
from math import exp
from pathlib import Path

import pytest
import torch
from toys import VOCABULARY, toy

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from ptp import every
from ptp_plan import SEEDS, Run, Sizes
from ptp_plan import K as DRAFTS
from ptp_student import N, Student, ordinary, pace, plan, tables, told, work
from ptp_train import correct

import mtp_explore as mtp
from mtp_explore.drafters import make_drafter
from mtp_explore.train.features import futures
from mtp_explore.train.texts import Texts

K, T = 3, 24


def problem(**options):
    """A student with random weights, and windows without an end of text."""
    torch.manual_seed(0)
    owner, draw = toy("llama"), torch.Generator().manual_seed(0)
    drafter = make_drafter("student", owner, horizon=K, width=16, layers=1, heads=2, **options)
    for w in drafter.parameters():
        w.data += torch.randn_like(w) * 0.3
    windows = torch.randint(1, VOCABULARY, (3, T + 1), generator=draw)
    return drafter.eval(), Texts(windows, futures(windows, K, owner.eos), 12)


# Decoding from an anchor, on the tape with the anchor's numbers, accepts as many drafts as are counted: the anchor is
# the token that verification fixed, and its number on the tape is any that gives it.
@pytest.mark.parametrize("variant", ["one-hot", "categorical"])
def test_correct_tokens_are_those_of_decoding(variant):
    drafter, known = problem(variant=variant)
    (batch,) = known.parts(10_000)
    rows, found = drafter.rows(*batch), torch.zeros(batch.anchors.shape)
    for b, a in [(b, a) for b in range(3) for a in range(1, 12)]:
        i = int(batch.anchors[b, a])
        prompt = batch.text[b, :i].tolist()
        law = drafter.target.model(batch.text[b : b + 1, :i]).logits[0, -1].double().softmax(-1).cumsum(-1)
        first = law[batch.text[b, i]] - law.diff(prepend=law[:1] * 0)[batch.text[b, i]] / 2
        tape = torch.cat([first[None], rows.u[b, a], torch.full((2 * K + 4,), 0.5)])[None].detach()
        trace = mtp.generate(drafter.target, drafter, [prompt], K + 1, uniforms=tape, rule="match", eos=False)[0]
        assert trace.tokens == [int(batch.text[b, i]), *batch.future[b, a, :K].tolist()]
        found[b, a] = trace.steps[1].accepted
    counted = torch.tensor(correct(drafter, known._replace(anchors=12))["4"])
    good = drafter.right(*batch)[0].view(3, 12, K).long().cumprod(-1).sum(-1)
    assert torch.equal(good[:, 1:].float(), found[:, 1:]) and found.sum() > 0
    torch.testing.assert_close(counted, 1 + good.float().mean(1), atol=1e-4, rtol=0)


# What the network of the next token alone learns from a batch is the term "next" of the other, and its figure is minus
# the log-probability that a plain pass gives the very tokens that slots are asked for.
def test_both_networks_are_asked_the_same():
    drafter, known = problem(variant="categorical", source="inverse")
    (batch,) = known.parts(10_000)
    torch.testing.assert_close(ordinary(drafter, *batch)["loss"], drafter.losses(*batch)["next"])
    drafter.losses = partial(ordinary, drafter)
    made, place = told(drafter, known), batch.anchors[..., None] + torch.arange(K)
    logp = drafter.backbone.model(batch.text).logits.log_softmax(-1)
    loss = -logp[torch.arange(3)[:, None, None], place, batch.future[..., :K]]
    torch.testing.assert_close(torch.tensor(made["next"]), loss.mean((1, 2)), atol=1e-3, rtol=1e-3)
    assert made["slots by slot"][0] == pytest.approx(made["next by slot"][0], abs=1e-4)
    assert made["slots by slot"][1:] != made["next by slot"][1:]


# A name stands for one run; both networks of a seed have equal sizes, batches and steps; `sizes` has the adapters too.
def test_jobs():
    runs = [run for members in plan().values() for run in members]
    assert len({run.name for run in runs}) == len(runs)
    assert {(r.learns, r.seed) for r in plan()["data"]} == {(x, s) for x in ("slots", "next") for s in SEEDS}
    for seed in SEEDS:
        one, other = (Student(learns=x, seed=seed) for x in ("slots", "next"))
        assert one.options(Sizes()) == other.options(Sizes()) and one.recipe(Sizes()) == other.recipe(Sizes())
    assert list(every(["sizes"]))[:2] == ["own-text", Run().name] and Run().name not in every(["data"])
    assert all(work(run, Sizes()) > work(run, Sizes().quick()) > 0 for run in runs)
    assert all(run.recipe(Sizes()) == replace(Sizes(), rate=run.recipe(Sizes()).rate) for run in plan()["sizes"])


# Ratios are of perplexities: e^0.1 where slots lose 0.1 nats more everywhere. Students take two calls, adapters one.
def test_tables():
    def nats(slots):
        return {
            "slots": [slots, slots + 1],
            "next": [2.0, 3.0],
            "slots by slot": [slots] * N,
            "next by slot": [2.0] * N,
        }

    results = {r.name: {"nats": nats(2.1 if r.learns == "slots" else 2.5)} for r in plan()["data"]}
    rows = [line.split() for line in tables(results).splitlines()[2:]]
    assert [row[3] for row in rows[:3]] == [f"{exp(0.1):.4f}"] * 3 and rows[0][4:6] == [f"{exp(0.1):.4f}"] * 2
    assert rows[3][4] == f"{exp(0.1):.4f}" and tables({}) == ""
    ways = {mode: {"tokens_per_call": [2.0, 2.0]} for mode in ("greedy", "T=1 match")}
    speed = {"draft": 1.0, "step": 2.0}
    facts = dict(decoding=ways, parameters=7, seconds_training=1.0, pace=speed, gated=speed)
    results = {r.name: facts | {"correct": {str(DRAFTS + 1): [1.5, 1.5]}} for r in plan()["sizes"]}
    results[Run().name] = facts | {"correct": {"arg-max": {str(DRAFTS + 1): [3.0, 3.0]}}}
    rows = {line.split("  ")[0]: line.split("  ") for line in tables(results).splitlines()[2:]}
    assert "0.500" in " ".join(rows["gated adapters"]) and "1.000" in " ".join(rows["copy of the target"])


# Seconds are of the steps after the prefill, the drafter's share no more than the whole.
def test_pace():
    drafter, _ = problem()
    found = pace(drafter.target, drafter, [1, 2, 3], replace(Sizes(), tokens=12))
    assert 0 < found["draft"] <= found["step"] and found["steps"] > 2
