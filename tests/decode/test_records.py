"""A record is enough to make every decision again; its numbers are the tape's, its laws those of a whole pass."""

import json

import numpy as np
import oracles
import pytest
import torch
from five import NEW, PROMPTS, RULES, K, bare, law
from toys import SLOT_DRAFTERS, Told, on_every_device, ragged, toy

from mtp_explore.decode import recorder
from mtp_explore.decode.generate import generate
from mtp_explore.drafters import make_drafter
from mtp_explore.trace.records import Trace


def recorded(small, told, rule):
    """Traces of the told drafter and of a slot drafter, ragged batches, end of text off; with their temperature."""
    for drafter in (told, SLOT_DRAFTERS["toy-cptp"](small), make_drafter("lookup", small, horizon=K)):
        for trace in generate(small, drafter, PROMPTS, NEW, seed=7, rule=rule, eos=False):
            yield drafter, trace


# From one record alone, every verdict can be made again: kept and refused follow from coin and chance (for match, from
# the target's own pick), y' from u and the law that is recorded for it, ranks and ratios from the laws.
@pytest.mark.parametrize("rule", RULES)
def test_decisions_can_be_made_again(rule, small, told):
    sources, depths = set(), set()
    for _, trace in recorded(small, told, rule):
        for step in trace.steps:
            a, drafts = step.accepted, step.drafts
            assert [d.verdict for d in drafts] == ["kept"] * a + ["refused"] * (a < len(drafts)) + ["ignored"] * (
                len(drafts) - a - 1
            )
            for k, d in enumerate(drafts):
                if d.verdict == "ignored":
                    assert d.rank is None and not d.p_top and not d.q_top
                    continue
                p, q = law(d.p_top), law(d.q_top)
                assert sum(p) == pytest.approx(1) and p[d.token] == d.p and q[d.token] == d.q and d.q > 0
                stands = d.token if k < a else step.token
                assert d.rank == (sum(x > q[stands] for x in q) if q[stands] > 0 else None)
                assert d.ratio == d.p / d.q
                if rule == "rejection":
                    assert d.chance == min(1, d.p / d.q) and (d.coin < d.chance) == (k < a)
                if rule == "match":
                    assert d.chance == d.p and (oracles.picked(p, d.coin) == d.token) == (k < a)
            if rule == "block":
                assert a == max([0] + [k for k, d in enumerate(drafts, 1) if d.coin < d.chance])
            source = (
                "plain" if not drafts else "bonus" if a == len(drafts) else "target" if rule == "match" else "residual"
            )
            assert step.source == source
            own = law(step.p_top)
            assert step.p == own[step.token]
            assert step.token == oracles.picked(law(step.residual_top) if source == "residual" else own, step.u)
            if source == "residual":
                q, survives = law(drafts[a].q_top), 1.0
                for d in drafts[:a]:
                    survives = min(1.0, survives * d.p / d.q) if rule == "block" else 1.0
                rest = oracles.normal([max(survives * x - y, 0.0) for x, y in zip(own, q, strict=True)])
                assert law(step.residual_top) == pytest.approx(rest)
            sources.add(source), depths.add(a)
    assert sources == {"plain", "bonus", "target" if rule == "match" else "residual"} and depths == set(range(K + 1))


# The steps of a record fit together: the text is what they commit, each begins where the last ended, and its laws are
# those of a whole pass over the text so far.
@pytest.mark.parametrize("rule", RULES)
def test_steps_fit_together(rule, small, told):
    for _, trace in recorded(small, told, rule):
        text = list(trace.prompt)
        for i, step in enumerate(trace.steps):
            assert step.index == i and step.pending == (text[-1] if i else None)
            whole = text + [d.token for d in step.drafts]
            with torch.inference_mode():
                p = small.model(torch.tensor([whole])).logits[0].softmax(-1).tolist()
            for k, d in enumerate(step.drafts):
                assert d.p == pytest.approx(p[len(text) - 1 + k][d.token])
            assert law(step.p_top) == pytest.approx(p[len(text) - 1 + step.accepted])
            committed = [d.token for d in step.drafts[: step.accepted]] + [step.token]
            assert step.tokens == committed[: len(step.tokens)] and (
                len(step.tokens) == len(committed) or step is trace.steps[-1]
            )
            text += step.tokens
        assert trace.tokens == text[len(trace.prompt) :] and len(trace.tokens) == NEW
        assert trace.text == small.decode(trace.tokens) and trace.calls == len(trace.steps)
        assert set(text) <= set(trace.pieces)


# The numbers held against the laws are the tape's: for rejection and block numpy's stream (seed, row), K + 1 numbers W
# and K coins a call; for match the stream by position. None of them is used for two decisions.
@pytest.mark.parametrize("rule", RULES)
def test_numbers_are_the_tapes(rule, small, told):
    for row, trace in enumerate(generate(small, told, PROMPTS, NEW, seed=7, rule=rule, eos=False)):
        stream = np.random.Generator(np.random.Philox(key=[7, row]))
        place = 0
        u = stream.random(NEW + 2 * K + 1 if rule == "match" else (32, 2 * K + 1))
        for i, step in enumerate(trace.steps):
            if rule == "match":
                assert [d.coin for d in step.drafts] == u[place : place + len(step.drafts)].tolist()
                assert step.u == u[place + step.accepted]
            else:
                assert [d.coin for d in step.drafts] == u[i, K + 1 :][: len(step.drafts)].tolist()
                assert step.u == u[i, 0]
            place += len(step.tokens)
        if rule != "match":
            used = [d.coin for s in trace.steps for d in s.drafts] + [s.u for s in trace.steps]
            assert len(set(used)) == len(used)


# A draft is the pick, under its own q, of the number that the window begun by the last verdict has for it: W[:, a, k],
# for match the uniform of the draft's own place.
@pytest.mark.parametrize("rule", RULES)
def test_drafts_are_picks_of_the_window(rule, small, told):
    seen = 0
    for row, trace in enumerate(generate(small, told, PROMPTS, NEW, seed=7, rule=rule, eos=False)):
        stream = np.random.Generator(np.random.Philox(key=[7, row]))
        w = stream.random(NEW + 2 * K + 1 if rule == "match" else (32, 2 * K + 1))
        place = len(trace.steps[0].tokens)
        for i, step in enumerate(trace.steps[1:]):
            window = w[place:] if rule == "match" else w[i, 1:]
            for d, u in zip(step.drafts, window, strict=False):
                if d.q_top:
                    assert d.token == oracles.picked(law(d.q_top), u)
                    seen += 1
            place += len(step.tokens)
    assert seen > 20


# What a record says of its seed and stream repeats it, alone or from a batch, whatever the first row was.
@pytest.mark.parametrize("seed", [7, (7, 0), (7, 5)])
def test_a_record_repeats_itself(seed, small, told):
    traces = generate(small, told, PROMPTS, NEW, seed=seed, rule="rejection", eos=False)
    for r, trace in enumerate(traces):
        again = Told(small, [told.answer[r].tolist()], horizon=K)
        stream = trace.settings["seed"], trace.settings["stream"]
        assert (
            generate(small, again, trace.prompt, NEW, seed=stream, rule="rejection", eos=False).tokens == trace.tokens
        )
    assert len({tuple(t.tokens) for t in traces}) == 3


# A trace survives JSON whole, in strict JSON (no NaN, no infinity), for every rule, seed and number type.
@pytest.mark.parametrize("rule", RULES)
def test_json(rule, small, told):
    def strict(word):
        raise AssertionError(f"{word} is not JSON")

    options = [
        dict(seed=(3, 1)),
        dict(temperature=0),
        dict(temperature=np.float32(0.7), top_k=np.int64(3), seed=np.int64(2)),
    ]
    for choice in options:
        for trace in generate(small, told, PROMPTS, 8, rule=rule, **choice):
            text = trace.to_json()
            json.loads(text, parse_constant=strict)
            assert Trace.from_json(text) == trace


# The table has one row per draft and per rule's own token; its committed tokens, in order, are the text.
@pytest.mark.parametrize("rule", RULES)
def test_dataframe(rule, small, told):
    for trace in generate(small, told, PROMPTS, NEW, seed=7, rule=rule):
        table = trace.to_dataframe()
        assert len(table) == sum(len(s.drafts) + 1 for s in trace.steps)
        kept = table[table.committed]
        assert kept.sort_values(["step", "place"], kind="stable").token.tolist() == trace.tokens
        drafts = table[table.source == "draft"]
        assert (drafts.verdict == "kept").sum() == sum(s.accepted for s in trace.steps)
        assert np.allclose(drafts.ratio, drafts.p / drafts.q)


# Records do not depend on how many calls are turned into records together.
def test_records_in_parts(small, told, monkeypatch):
    whole = generate(small, told, PROMPTS, NEW, seed=4)
    monkeypatch.setitem(recorder.BUFFER, "cpu", 300)
    parts = generate(small, told, PROMPTS, NEW, seed=4)
    assert [[bare(s) for s in t.steps] for t in whole] == [[bare(s) for s in t.steps] for t in parts]


# In half precision the laws are those of a whole pass to rounding, and nothing overflows.
@on_every_device
@pytest.mark.parametrize("dtype, near", [(torch.bfloat16, 0.1), (torch.float16, 0.01)])
def test_half_precision(dtype, near, device):
    backbone, prompts = toy("llama", device, dtype), ragged()
    for kind in SLOT_DRAFTERS.values():
        for trace in generate(backbone, kind(backbone), prompts, 12, seed=1, rule="rejection", eos=False):
            text = torch.tensor([trace.prompt + trace.tokens], device=device)
            with torch.inference_mode():
                p = backbone.model(text).logits[0].double().softmax(-1).tolist()
            place = len(trace.prompt)
            for step in trace.steps[:-1]:
                place += len(step.tokens)
                assert step.p == pytest.approx(p[place - 2][step.token], abs=near)
