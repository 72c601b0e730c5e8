"""`generate`, `decode` and `sample`: arguments checked, and a record from which every decision can be made again."""

import json
from types import SimpleNamespace

import numpy as np
import oracles
import pytest
import torch
from toys import SLOT_DRAFTERS, Told, build, on_every_device, ragged, toy
from transformers import GPT2Config

from mtp_explore.decode.generate import decode, generate, sample
from mtp_explore.drafters import make_drafter
from mtp_explore.trace.records import Trace
from mtp_explore.verify import rejection

K, NEW, V = 3, 24, 5  # five tokens: a record keeps the five likeliest, so whole laws
PROMPTS = [[1, 2, 3], [4], [2, 2, 1, 3, 4, 1]]
RULES = ("match", "rejection", "block")


@pytest.fixture(scope="module")
def small():
    """A GPT-2 with five tokens."""
    size = dict(vocab_size=V, n_embd=32, n_layer=2, n_head=4, n_positions=64, initializer_range=0.3)
    return build(GPT2Config(**size, bos_token_id=0, eos_token_id=0), dtype=torch.float64)


@pytest.fixture(scope="module")
def told(small):
    wanted = sample(small, None, PROMPTS, NEW, seed=7, eos=False)
    return Told(small, [p + t for p, t in zip(PROMPTS, wanted.tokens.tolist(), strict=True)], horizon=K)


def bare(step):
    """A step without its clock."""
    if step is None:
        return None
    return {name: getattr(step, name) for name in step.__dataclass_fields__ if "seconds" not in name}


def law(entries):
    out = [0.0] * V
    for token, value in entries:
        out[token] = value
    return out


BAD = {
    "max_new_tokens": [0, -3, 2.5, "10", None],
    "temperature": [-0.1, float("nan"), float("inf"), "hot", None],
    "top_k": [-1, 2.5, "5"],
    "top_p": [0, -0.5, 1.01, float("nan"), "0.9"],
    "seed": [-1, 1.5, "x", (1, -2), (1, 2, 3), (1,), None, 2**64],
    "rule": ["rejektion", "", 3],
    "plan": ["quadratik", "budget=", "budget=0", "budget=-2", "budget=x", 5],
    "uniforms": [[0.5] * 3, [2.0] * 200],
    "drafter": ["cp", 5],
    "backbone": ["stories", None],
    "prompt": [[], "", "text without a tokenizer", None, [1.5], [V], [-1], [1] * 64],
}


# A bad argument raises at once, before any call of the model, and the message holds its name, its value and a remedy.
@pytest.mark.parametrize("name, value", [(k, v) for k, values in BAD.items() for v in values], ids=str)
@pytest.mark.parametrize("entry", [generate, sample, decode])
def test_bad_arguments(entry, name, value, small, told, monkeypatch):
    def called(*args, **kwargs):
        raise AssertionError("the model was called")

    monkeypatch.setattr(type(small), "call", called)
    arguments = dict(backbone=small, drafter=told, prompt=PROMPTS[0], max_new_tokens=8)
    arguments |= {"rule": "match"} if name == "uniforms" else {}
    arguments[name] = value
    with pytest.raises((ValueError, TypeError)) as error:
        entry(arguments.pop("backbone"), arguments.pop("drafter"), arguments.pop("prompt"), **arguments)
    message = str(error.value)
    assert name in message and len(message) > 30
    if name not in ("uniforms", "prompt"):
        assert repr(value) in message or str(value) in message


# The nearest known name is offered for a misspelt rule; a wrong plan is refused even where no slots are bought.
def test_the_remedy(small, told):
    with pytest.raises(ValueError, match="did you mean 'rejection'"):
        generate(small, told, PROMPTS[0], rule="rejecton")
    for drafter in (None, told, SLOT_DRAFTERS["toy-cptp"](small)):
        with pytest.raises(ValueError, match="plan='squared'.*'linear', 'quadratic', 'budget=<slots>'"):
            generate(small, drafter, PROMPTS[0], plan="squared")


# A drafter that was made for another backbone is refused: other width, other vocabulary, or only other weights.
def test_another_backbone(small):
    wide = build(GPT2Config(**{**small.config.to_dict(), "n_embd": 48}))
    many = toy("gpt2")
    twin = build(small.config, seed=9)
    for other, what in [(wide, "width 32"), (many, "vocabulary 5"), (twin, "fingerprint")]:
        with pytest.raises(ValueError, match=f"drafter 'lookup' was made for a backbone of {what}"):
            generate(other, make_drafter("lookup", small), PROMPTS[0])


# A budget plan needs the drafter's own survival, and says so.
def test_budget_needs_survival(small):
    drafter = SLOT_DRAFTERS["toy-cptp"](small)
    drafter.survival = None
    with pytest.raises(ValueError, match=r"budget.*drafter.survival.*quadratic"):
        generate(small, drafter, PROMPTS[0], plan="budget=4")


# Greedy decoding and one-hot drafts are checked by `match`, soft drafts by `rejection`, and slots are bought for every
# branch unless a plan is named; the record says which.
def test_defaults(small, told):
    lookup, slots = make_drafter("lookup", small), SLOT_DRAFTERS["toy-cptp"](small)
    cases = [(None, {}, "match"), (lookup, {}, "match"), (told, {}, "rejection"), (told, dict(temperature=0), "match")]
    for drafter, options, rule in cases:
        settings = generate(small, drafter, PROMPTS, 4, **options)[0].settings
        assert settings["rule"] == rule and settings["drafter"] == (drafter.name if drafter else "plain")
    assert generate(small, slots, PROMPTS[0], 4).settings["plan"] == "quadratic"
    assert generate(small, slots, PROMPTS[0], 4, plan="linear").settings["plan"] == "linear"


# One text gives one trace, a batch a list, also of one; ids may come as list, tuple, array or tensor.
def test_shapes_of_prompts(small, told):
    one = generate(small, None, [1, 2], 6)
    for prompt in [(1, 2), torch.tensor([1, 2]), np.array([1, 2]), [np.int64(1), np.int64(2)]]:
        assert generate(small, None, prompt, 6).tokens == one.tokens
    for batch in [[[1, 2]], [(1, 2)], torch.tensor([[1, 2]]), np.array([[1, 2]]), [torch.tensor([1, 2])]]:
        (trace,) = generate(small, None, batch, 6)
        assert trace.tokens == one.tokens
        (rows,) = zip(*decode(small, None, batch, 6), strict=True)
        assert [bare(s) for s in rows] == [bare(s) for s in one.steps]
    assert len(generate(small, None, torch.tensor([[1, 2], [3, 4]]), 6)) == 2


# `decode` yields the very steps that `generate` collects, one per call; for a batch a list, None where a row has ended.
@on_every_device
@pytest.mark.parametrize("rule", RULES)
def test_decode_is_generate(rule, device):
    backbone, prompts = toy("gpt2", device), ragged()
    drafter = Told(backbone, [p + [3] * NEW for p in prompts])
    traces = generate(backbone, drafter, prompts, NEW, seed=2, rule=rule)
    calls = list(decode(backbone, drafter, prompts, NEW, seed=2, rule=rule))
    assert len(calls) == max(t.calls for t in traces) and any(None in c for c in calls)
    for r, trace in enumerate(traces):
        wanted = [bare(s) for s in trace.steps] + [None] * (len(calls) - trace.calls)
        assert [bare(c[r]) for c in calls] == wanted
    single = Told(backbone, [prompts[1] + [3] * NEW])
    trace = generate(backbone, single, prompts[1], NEW, seed=2, rule=rule)
    assert [bare(s) for s in decode(backbone, single, prompts[1], NEW, seed=2, rule=rule)] == [
        bare(s) for s in trace.steps
    ]


# `sample` says the same without a record: tokens, lengths, calls, and drafts and accepted per call.
@pytest.mark.parametrize("rule", RULES)
def test_sample_is_generate(rule, small, told):
    traces = generate(small, told, PROMPTS, NEW, seed=4, rule=rule)
    found = sample(small, told, PROMPTS, NEW, seed=4, rule=rule)
    assert found.calls == max(t.calls for t in traces) == len(found.drafted)
    for r, trace in enumerate(traces):
        n = len(trace.tokens)
        assert found.length[r] == n and found.tokens[r].tolist() == trace.tokens + [0] * (NEW - n)
        assert found.accepted[: trace.calls, r].tolist() == [s.accepted for s in trace.steps]
        assert found.drafted[: trace.calls, r].tolist() == [len(s.drafts) for s in trace.steps]
        assert not found.drafted[trace.calls :, r].any() and not found.accepted[trace.calls :, r].any()


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


# A draft is the pick of the window that began with the last verdict: W[:, a, k] of the call before, under its own q.
def test_drafts_are_picks_of_the_window(small, told):
    for row, trace in enumerate(generate(small, told, PROMPTS, NEW, seed=7, rule="rejection", eos=False)):
        w = np.random.Generator(np.random.Philox(key=[7, row])).random((32, 2 * K + 1))
        for i, step in enumerate(trace.steps[1:]):
            for k, d in enumerate(step.drafts, 1):
                if d.q_top:
                    assert d.token == oracles.picked(law(d.q_top), w[i, k])


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


# A rule of one's own: any object with the three verbs.
def test_a_rule_of_ones_own(small, told):
    mine = SimpleNamespace(chances=rejection.chances, law=rejection.law, verify=rejection.verify)
    found = generate(small, told, PROMPTS, NEW, seed=7, rule=mine)
    assert [t.tokens for t in found] == [
        t.tokens for t in generate(small, told, PROMPTS, NEW, seed=7, rule="rejection")
    ]
