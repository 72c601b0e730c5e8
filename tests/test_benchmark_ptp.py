"""The benchmark of parallel token prediction: correct tokens are those of decoding, jobs are skipped when done, ratios
and pairs are counted.
"""

import json
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from toys import VOCABULARY, toy

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import jobs as frame
from jobs import Forecast, Skip, carry_out
from ptp_decode import RARE, accepted, apart, pairs
from ptp_heads import Judge
from ptp_plan import GROUPS, SEEDS, WINDOWS, Run, Sizes, jobs, plan, work
from ptp_tables import ratio, summary
from ptp_train import correct, drawing, perplexity, ways

import mtp_explore as mtp
from mtp_explore.drafters import make_drafter, ptp
from mtp_explore.trace.records import KEPT, Drafted, Step, Trace
from mtp_explore.train.features import futures
from mtp_explore.train.texts import Texts

K, T = 3, 24


def problem(**options):
    """A drafter with random adapters, and windows without an end of text."""
    owner, draw = toy("llama"), torch.Generator().manual_seed(0)
    drafter = make_drafter("ptp", owner, horizon=K, rank=2, **options)
    for w in drafter.lora.parameters():
        w.data.copy_(torch.randn(w.shape, generator=draw) * 0.1)
    windows = torch.randint(1, VOCABULARY, (6, T + 1), generator=draw)
    return drafter.eval(), Texts(windows, futures(windows, K, owner.eos), 8)


def decoded(drafter, batch, u):
    """Drafts accepted [B, A] in decoding from every anchor, on the tape with its numbers u [B, A, K+1]; the text is
    that of the batch.
    """
    found = torch.zeros(batch.anchors.shape)
    for b, a in [(b, a) for b in range(len(u)) for a in range(u.shape[1])]:
        prompt = batch.text[b, : batch.anchors[b, a] + 1].tolist()
        tape = torch.cat([u[b, a], torch.full((2 * K + 4,), 0.5)])[None]
        trace = mtp.generate(drafter.backbone, drafter, [prompt], K + 1, uniforms=tape, rule="match", eos=False)[0]
        assert trace.tokens == batch.future[b, a].tolist()
        found[b, a] = trace.steps[1].accepted
    return found


# Decoding from an anchor, on the tape with the anchor's numbers, accepts as many drafts as are counted.
@pytest.mark.parametrize("options", [{}, {"variant": "categorical"}, {"embedding": "constant"}], ids=str)
def test_correct_tokens_are_those_of_decoding(options):
    drafter, known = problem(**options)
    if "embedding" in options:
        drafter = drawing(drafter)
    (batch,) = known.parts(10_000)
    u = drafter.rows(*batch).u
    found = decoded(drafter, batch, u)
    assert found.sum() > 0
    counted = correct(drafter, known)
    for n in (2, 4):
        torch.testing.assert_close(torch.tensor(counted[str(n)]), 1 + found.clamp(max=n - 1).mean(1), atol=1e-4, rtol=0)


# The first slots of a long window draft what the shortened drafter does under the same numbers.
def test_short_windows_are_the_first_slots(monkeypatch):
    drafter, known = problem(variant="categorical")
    numbers = torch.tensor([0.3, 0.6, 0.2, 0.9], dtype=torch.float64)
    monkeypatch.setattr(ptp, "places", lambda like, *_: numbers[: like.shape[-1]].expand(like.shape))
    short = known._replace(future=known.future[..., :2])
    assert correct(drafter.shortened(1), short)["2"] == correct(drafter, known)["2"] != [1.0, 1.0, 1.0]


# Anchors whose window holds an end of text do not count, and windows without any other are left out.
def test_windows_that_end_do_not_count():
    drafter, known = problem()
    whole = correct(drafter, known)["4"]
    future = known.future.clone()
    future[0, :, -1] = -1
    assert correct(drafter, known._replace(future=future))["4"] == whole[1:]


# What the backbone loses on the slots' tokens is minus the log-probability that an ordinary pass gives them; slots and
# their means by place are of the same numbers.
@pytest.mark.parametrize("source", ["inverse", "teacher"])
def test_perplexity(source):
    drafter, known = problem(variant="categorical")
    made = perplexity(drafter, known, source)
    (batch,) = known.parts(10_000)
    with torch.no_grad():
        logp = drafter.backbone.model(batch.text).logits.log_softmax(-1)
    place = batch.anchors[..., None] + torch.arange(1, K + 1)
    rows = torch.arange(len(place))[:, None, None]
    loss = -logp[rows, place, batch.future[..., 1:]]
    torch.testing.assert_close(torch.tensor(made["backbone"]), loss.mean((1, 2)), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(torch.tensor(made["backbone by slot"]), loss.mean((0, 1)), atol=1e-3, rtol=1e-3)
    for name in ("slots", "backbone"):
        assert sum(made[name]) / len(made[name]) == pytest.approx(sum(made[f"{name} by slot"]) / K, abs=1e-4)


# Decoding with heads on the tape with an anchor's numbers accepts as many drafts as are counted.
def test_heads_are_judged_as_decoding_does():
    slots, known = problem(variant="categorical")
    heads = make_drafter("independent", slots.backbone, horizon=K)
    (batch,) = known.parts(10_000)
    u = slots.rows(*batch).u
    found = decoded(heads, batch, u)
    assert found.sum() > 0
    counted = torch.tensor(correct(Judge(heads, slots, argmax=False), known)["4"])
    torch.testing.assert_close(counted, 1 + found.mean(1), atol=1e-4, rtol=0)


# Only slots that carry nothing of u have two ways of drafting, and both leave the drafter as it is.
def test_ways():
    owner = toy("llama")
    for run, names in [
        (Run(), {"arg-max"}),
        (Run(variant="categorical"), {"pick"}),
        (Run(embedding="constant"), {"arg-max", "pick"}),
    ]:
        drafter = make_drafter("ptp", owner, **{**run.options(Sizes()), "rank": 2})
        made = ways(run, drafter)
        assert set(made) == names and all(d.one_hot == (way == "arg-max") for way, d in made.items())
        assert drafter.one_hot == (run.variant == "one-hot")


# Plan `apart` never buys slots while drafts are pending, and the text stays that of the tape.
def test_apart():
    drafter, known = problem(variant="categorical")
    tape = torch.rand(1, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    prompt = known.windows[0, :5].tolist()
    made, plain = (
        mtp.generate(drafter.backbone, d, prompt, 16, uniforms=tape, rule="match", eos=False, **plan)
        for d, plan in ((drafter, {"plan": apart}), (None, {}))
    )
    assert made.tokens == plain.tokens
    assert [bool(s.drafts) for s in made.steps] == [bool(i % 2) for i in range(len(made.steps))]


def step(p: list[float], kept: int) -> Step:
    made = [Drafted(0, 1.0, x, 1.0, 0.0, KEPT, None) for x in p]
    return Step(0, 0, made, kept, 0, [0] * (kept + 1), "target", 0.5, 1.0)


# A pair is two drafts in a row, rare or not by its second; c is of calls with drafts, without prefill and last.
def test_pairs_and_accepted():
    rare, often = RARE / 2, RARE * 2
    trace = Trace(
        [], [step([], 0), step([rare, often, rare], 2), step([], 0), step([often, often], 1), step([rare], 0)]
    )
    assert pairs([trace]) == {"pairs": [[3, 1]], "ordinary": [[5, 0]]}
    assert accepted([trace]) == 1.5 and accepted([Trace([], [step([], 0)])]) == 0


# A name stands for one run, the plainest comes first, a ratio has all seeds on both sides, and text comes before all.
def test_jobs():
    runs = {run for members in plan().values() for run in members}
    everything = jobs()
    assert len({run.name for run in runs}) == len(runs)
    assert set(everything) == {name for group in GROUPS for name in jobs([group])}
    assert next(iter(everything)) == "own-text" and "own-text" not in jobs(["table"])
    assert {(r.embedding, r.seed) for r in plan()["window"]} == {(e, s) for e in ("bits", "constant") for s in SEEDS}
    assert all(run.seed == 0 for title, members in plan().items() if title != "window" for run in members)
    assert set(jobs(["pairs"])) < set(jobs(["table"])) and set(jobs(["more"])) - set(everything)
    assert all(work(*job, Sizes()) > work(*job, Sizes().quick()) > 0 for job in everything.values())


# A second start does what the first could not and nothing again; parts are all of the jobs; seconds correct a forecast.
def test_frame(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(frame, "RESULTS", tmp_path)
    wanted, seen, missing = {n: ("kind", n) for n in "abc"}, [], {"b"}

    def do(kind: str, what: str, runs: Path) -> dict:
        if what in missing:
            raise Skip("not yet")
        seen.append(what)
        return {"what": what}

    def start(part: str = "1/1", **more) -> str:
        args = Namespace(**{"part": part, "quick": False, "list": False, "summary": False, "threads": 1, **more})
        carry_out(
            "frame", args, wanted, lambda: Forecast(60.0, lambda kind, what: 1.0), do, lambda done: " ".join(done)
        )
        return capsys.readouterr().out

    assert start(list=True).startswith("3 jobs to go, about 3 minutes") and not seen
    start("2/2"), start("1/2")
    assert seen == ["a", "c"]
    missing.clear()
    assert start().startswith("1 jobs to go") and seen == ["a", "c", "b"]
    assert start(summary=True).split() == ["a", "b", "c"]
    assert json.loads((tmp_path / "frame" / "b.json").read_text())["kind"] == "kind"
    forecast = Forecast(2.0, lambda kind, what: what)
    forecast.learn(("x", 10), 5.0)
    assert forecast(("x", 4)) == 2.0 and forecast(("y", 4)) == 8.0


def trained(correct: dict, n: str = "16") -> dict:
    curve = [{"step": 0, "seconds": 0.0, **{way: {k: 1.0 for k in by} for way, by in correct.items()}}]
    return {"kind": "train", "correct": correct, "curve": curve, "seconds_training": 1.0, "decoding": {}}


# Ratios are of means; what is proportional in every window has no width, and equal ratios of all seeds none either. The
# better of two ways stands against the slots that carry u, N by N.
def test_ratios():
    assert ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0]) == (2.0, 0.0)
    r, half = ratio([2.0, 4.0], [2.0, 2.0])
    assert r == 1.5 and half == pytest.approx(12.706 * 0.5, rel=1e-3)
    mine = {str(n): [1.5 * n, 3.0 * n] for n in WINDOWS}
    low, high = ({str(n): [x * n, 2 * x * n] for n in WINDOWS} for x in (0.5, 1.0))
    mixed = low | {"2": [4.0, 8.0]}
    results = {}
    for run in plan()["window"]:
        plain = {"arg-max": mixed, "pick": {**high, "2": low["2"]}}
        results[run.name] = trained({"arg-max": mine} if run.embedding == "bits" else plain)
    lines = summary(results).splitlines()
    rows = {line.split()[0]: line.split() for line in lines[2:7]}
    assert rows["16"][-5:] == ["1.500", "0.000", "0.000", "3", "–"] and rows["16"][-6] == "pick"
    assert rows["2"][-5:] == ["0.750", "0.000", "0.000", "3", "–"] and rows["2"][-6] == "arg-max"
    assert summary({}) == "nothing is measured yet"


# Incompatible pairs are shares of all pairs, prompts weighed by how many they have; plans are held against all slots.
def test_tables():
    match = {"tokens_per_call": [2.0, 4.0], "pairs": [[10, 1], [30, 3]], "ordinary": [[5, 0], [5, 0]]}
    own = {"greedy": {"tokens_per_call": [1.0, 3.0]}, "T=1 match": match}
    first = {"greedy": own["greedy"], "T=1 match": {**match, "tokens_per_call": [1.0, 3.0]}}
    results = {
        "table-arithmetic-independent": {"kind": "table", "decoding": first},
        "table-arithmetic-ptp-k8": {"kind": "table", "decoding": own},
    }
    text = summary(results)
    assert "10.00 ± 0.00" in text and "+1.000 ± 0.000" in text
    ways = {
        name: {"tokens_per_call": [x, x], "steady": 2.5, "c": 1.5}
        for name, x in (("budget=8", 1.5), ("quadratic", 2.0))
    }
    facts = {"kind": "budget", "all_slots": 81, "slots_per_branch": 9, "decoding": {"greedy": ways}}
    row = next(line for line in summary({"budget-ptp-k8": facts}).splitlines() if line.startswith("budget=8"))
    assert row.split()[-6:] == ["0.750", "1.500", "0.400", "0.400", "0.800", "0.571"]
