"""Metrics of traces: identities on random records, a case counted by hand, planted faults, pooling."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_explore.trace import definitions
from mtp_explore.trace.metrics import GLOSSARY, metrics, pooled
from mtp_explore.trace.records import IGNORED, KEPT, REFUSED, Trace
from tests.trace.identities import HAND, RATIOS, broken, near, step, trace


@st.composite
def traces(draw) -> Trace:
    """Any trace the loop can leave: ragged drafts, steps without, all kept, all refused, its last step cut anywhere."""
    horizon = draw(st.integers(0, 5))
    steps = []
    for n in draw(st.lists(st.integers(0, horizon), max_size=8)):
        steps.append(step(n, draw(st.integers(0, n)), rank=draw(st.integers(0, 6))))
    if steps and draw(st.booleans()):
        n, a = len(steps[-1].drafts), steps[-1].accepted
        steps[-1] = step(n, a, committed=draw(st.integers(1, a + 1)))
    return trace(*steps, horizon=horizon)


# Every identity holds on every trace, and the glossary is what metrics() returns.
@given(traces())
def test_identities(t):
    m = metrics(t)
    assert broken(m) == set()
    assert list(m) == list(GLOSSARY) and m == t.metrics()


# The counts equal a recount of the verdicts, draft by draft, up to the end of the text.
@given(traces())
def test_recount_by_verdict(t):
    m, counts = metrics(t), dict.fromkeys((KEPT, REFUSED, IGNORED), 0)
    for s in t.steps:
        for place, draft in enumerate(s.drafts):
            counts[draft.verdict if place < len(s.tokens) else IGNORED] += 1
    names = [m[f"num_{x}_draft_tokens"] for x in ("accepted", "refused", "ignored")]
    assert names == list(counts.values())


# Where every step brings K drafts and nothing is cut, the conditional rates multiply to the unconditional ones.
@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_conditional_rates_multiply(accepted):
    m = metrics(trace(*(step(4, a) for a in accepted), horizon=4))
    product = 1.0
    for rate, alpha in zip(m["per_position_rate"], m["conditional_rate"], strict=True):
        product *= 0 if alpha is None else alpha
        assert near(rate, product)


# Drafts that pass one and the same coin: the i.i.d. formula then gives the measured length (gap within 4 sigma).
def test_iid_formula_fits_iid_drafts():
    rng, k, alpha = random.Random(0), 5, 0.7
    runs = [next((j for j in range(k) if rng.random() > alpha), k) for _ in range(4000)]
    m = metrics(trace(*(step(k, a) for a in runs), horizon=k))
    assert abs(m["iid_gap"]) < 4 * 2 / math.sqrt(4000)
    assert all(abs(a - alpha) < 0.05 for a in m["conditional_rate"])


# A trace counted with pencil and paper.
def test_by_hand():
    m = metrics(HAND)
    assert broken(m) == set()
    counts = dict(tokens=12, calls=6, num_spec_tokens=3, num_spec_steps=4, num_draft_tokens=11)
    counts |= dict(num_tested_draft_tokens=9, num_accepted_draft_tokens=7, num_refused_draft_tokens=2)
    counts |= dict(num_ignored_draft_tokens=2, num_target_tokens=5, num_cut_steps=1, num_unranked_refusals=0)
    rows = dict(acceptance_histogram=[1, 0, 2, 1], per_step_accepted=[2, 3, 0, 2], per_step_drafted=[3, 3, 2, 3])
    rows |= dict(num_accepted_tokens_per_pos=[3, 3, 1], rank_ledger={1: 1, 4: 1})
    rates = dict(draft_acceptance_rate=7 / 11, tested_acceptance_rate=7 / 9, mean_acceptance_length=2.75)
    rows |= dict(per_position_rate=[0.75, 0.75, 0.25], conditional_rate=[0.75, 1.0, 0.5])
    rates |= dict(compression_ratio=2.0, tokens_per_call=2.0, system_efficiency=10 / 16, second_choice_rate=0.5)
    alpha = 7 / 9
    rates |= dict(iid_acceptance_length=1 + alpha + alpha**2 + alpha**3)
    rates |= dict(iid_gap=rates["iid_acceptance_length"] - 2.75)
    assert {name: m[name] for name in counts | rows} == counts | rows
    assert {name: m[name] for name in rates} == pytest.approx(rates)
    assert m.keys() == (counts | rows | rates).keys()


# A drafter that names one token ranks no other; any other rank counts, also beyond the listed top.
def test_unranked_refusals():
    one_hot, wide = step(2, 0, rank=None), step(2, 0, rank=5)
    m = metrics(trace(one_hot, wide))
    assert (m["rank_ledger"], m["num_unranked_refusals"], m["second_choice_rate"]) == ({5: 1}, 1, 0.0)


# Ordinary decoding: one token per call, and everything about drafts is undefined, not 0.
def test_without_drafts():
    m = metrics(Trace([0], [step(0, 0)] * 3))
    assert (m["tokens_per_call"], m["num_spec_steps"], m["acceptance_histogram"]) == (1.0, 0, [0])
    assert {m[x] for x in (*RATIOS, "second_choice_rate")} == {None}
    assert metrics(trace(horizon=2))["per_position_rate"] == [None, None]
    assert metrics(Trace([0], []))["tokens_per_call"] is None


def double_counting(t):
    """llama-cpp-windows-manager#60: the accepted of every place and the total, added up."""
    return sum(s.kept for s in t.steps) + sum(definitions.num_accepted_tokens_per_pos(t))


def last_step_only(t):
    """EAGLE#95."""
    return t.steps[-1].kept


def length_less_one(t):
    """The assisted loop of transformers: n_matches = len - 1, also where the cut left no y'."""
    return sum(len(s.tokens) - 1 for s in t.steps)


def before_the_cut(t):
    """What the rule accepted, though it never became text."""
    return sum(s.accepted for s in t.steps)


FAULTS = [
    ("num_accepted_draft_tokens", double_counting),
    ("num_accepted_draft_tokens", last_step_only),
    ("num_accepted_draft_tokens", length_less_one),
    ("num_accepted_draft_tokens", before_the_cut),
    ("num_target_tokens", lambda t: len(t.steps)),
    ("num_tested_draft_tokens", lambda t: sum(min(len(s.drafts), s.accepted) for s in t.steps)),
    ("calls", lambda t: len(t.steps) - 1),  # the prefill forgotten
    ("num_spec_steps", lambda t: len(t.steps)),  # steps without drafts counted
    ("mean_acceptance_length", lambda t: 7 / 4),  # the "+1 token issue", EAGLE#146
    ("per_position_rate", lambda t: definitions.conditional_rate(t)),
    ("acceptance_histogram", lambda t: [1, 0, 1, 2]),  # of `accepted` instead of what was committed
]


# Bugs seen in the wild, planted: each breaks an identity on the trace counted by hand.
@pytest.mark.parametrize("name, fault", FAULTS, ids=lambda x: getattr(x, "__name__", x))
def test_planted_fault_is_caught(monkeypatch, name, fault):
    assert GLOSSARY[name].function(HAND) != fault(HAND)
    monkeypatch.setattr(definitions, name, fault)
    monkeypatch.setitem(GLOSSARY, name, GLOSSARY[name]._replace(function=fault))
    assert broken(metrics(HAND))


# The fault of the length less one needs the cut: the same text without it does not show it.
def test_length_less_one_shows_only_at_the_cut():
    whole = trace(step(3, 2), step(3, 3))
    assert length_less_one(whole) == metrics(whole)["num_accepted_draft_tokens"]


# Pooling adds counts before it divides; one trace pooled is itself; the greatest horizon counts.
@given(st.lists(traces(), min_size=1, max_size=4))
def test_pooled_sums_before_ratios(many):
    m, each = pooled(many), [metrics(t) for t in many]
    assert broken(m) <= {"one text is cut once"}
    for name, value in m.items():
        if type(value) is int and name != "num_spec_tokens":
            assert value == sum(e[name] for e in each)
    assert m["tokens_per_call"] == m["tokens"] / m["calls"]
    assert m["num_spec_tokens"] == max(e["num_spec_tokens"] for e in each)
    assert pooled(many[:1]) == each[0]
