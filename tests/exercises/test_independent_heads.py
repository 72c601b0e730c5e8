"""Notebook 02's helpers: guesses and tables say what the joint and the trace hold, checks tell right from wrong."""

import numpy as np
import pytest
import torch
from trace_of import TRACE

import mtp_explore as mtp
from mtp_explore.exercises import (
    blame,
    check_kept,
    check_prices,
    check_total_correlation,
    clashes,
    contexts,
    dearest,
    guess_clashes,
    guess_dearest,
    guess_impossible,
    guess_invented,
    guess_part,
    guess_perfect,
    nonsense,
)
from mtp_explore.measure.independence import Cost, invented
from mtp_explore.measure.joint import Joint
from mtp_explore.trace.records import Drafted, Step, Trace


def joint(law):
    law = torch.tensor(law, dtype=torch.float64)
    words = [f" {'abc'[i]}" for i in range(3)]
    return Joint(law, tuple(list(range(n)) for n in law.shape), tuple(words[:n] for n in law.shape), 1.0)


COIN = joint([[0.5, 0.0], [0.0, 0.5]])


# Of a coin that both heads must agree on, half of what they say is impossible; of independent tokens nothing is.
def test_guess_impossible_counts_empty_cells():
    assert guess_impossible(COIN).answer == "0.5"
    assert guess_impossible(joint([[0.1, 0.3], [0.15, 0.45]])).answer == "0"
    assert guess_impossible(joint([[0.9, 0.0], [0.0, 0.1]])).answer == "0.18"


# The answer is the pair that is said too often; the others are pairs that the target does say; a space can be seen.
def test_guess_invented_names_the_pair():
    question = guess_invented(joint([[0.5, 0.02, 0.0], [0.02, 0.4, 0.06]]))
    assert question.answer in ("“b a”", "“a b”") and len(question.choices) == 4
    rows = list(nonsense(invented(COIN, most=2)))
    assert {row[0] for row in rows} == {"·a | ·b", "·b | ·a"}
    assert all(row[1:] == ("0", "0.25", "never said by the target") for row in rows)


def cost(independence, own, perfect=0.6, trained=0.3):
    return Cost("x", independence, own, perfect, trained, 0.1)


# The guesses about averages choose the right box on either side of its limits.
def test_guesses_about_averages():
    assert guess_part([cost(1, 9), cost(2, 9)]).answer == "less than a third"
    assert guess_part([cost(1, 1)]).answer == "between one and two thirds"
    assert guess_part([cost(9, 0)]).answer == "more than two thirds"
    question = guess_perfect([cost(1, 1, 0.5, 0.2), cost(1, 1, 0.7, 0.4)])
    assert question.answer == "60%" and "30%" in question.question and "30%" in question.choices
    assert guess_dearest({"a": [1, 2], "b": [3]}).answer == "b"


# Refusals are counted over the whole trace; those with p a hundred times below q are listed, likeliest drafts first.
def test_clashes_are_the_impossible_refusals():
    drafts = [Drafted(6, 0.5, 0.004, 0.008, 0.9, "refused", 0), Drafted(3, 0.9, 0.0, 0.0, 0.5, "ignored", None)]
    late = [Drafted(4, 0.9, 0.9, 1.0, 0.1, "kept", 0), Drafted(5, 0.7, 0.001, 0.002, 0.9, "refused", 1)]
    steps = [*TRACE.steps, Step(8, 5, drafts, 0, 1, [1], "residual", 0.5, 0.3)]
    steps.append(Step(9, 1, late, 1, 2, [4, 2], "residual", 0.5, 0.3))
    trace = Trace(prompt=[0], prompt_text="Once", steps=steps, pieces=TRACE.pieces, settings=TRACE.settings)
    refused = sum(d.verdict == "refused" for s in steps for d in s.drafts)
    assert guess_clashes(trace).answer == 2 and max(guess_clashes(trace).choices) == refused
    rows = list(clashes(trace))
    assert [(row[0], row[2], row[3], row[4]) for row in rows] == [
        (10, "·who", "0.70", "0.001"),
        (9, "·ran", "0.50", "0.004"),
    ]
    written = "Once" + "".join(trace.piece(t) for s in steps[:9] for t in s.tokens) + " fox"
    assert rows[0][1] == f"… {written[-40:]}"
    assert len(clashes(trace, most=1)) == 1 and len(clashes(TRACE)) == 0


def total_correlation(p):
    q = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    return float((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())


def careless(p):
    with np.errstate(all="ignore"):
        return float((p * np.log(p / (p.sum(1, keepdims=True) * p.sum(0, keepdims=True)))).sum())


def kept(p, q):
    return np.minimum(p, p.sum(1, keepdims=True) * q).sum()


@pytest.mark.parametrize(
    "check, answer, hint",
    [
        (check_total_correlation, total_correlation, None),
        (check_total_correlation, lambda p: total_correlation(p) / np.log(2), "bits"),
        (check_total_correlation, careless, "not a number"),
        (check_total_correlation, lambda p: 0.0, "not the KL"),
        (check_kept, kept, None),
        (check_kept, lambda p, q: sum(a.sum() * np.minimum(a / a.sum(), q).sum() for a in p), None),
        (check_kept, lambda p, q: 1 - kept(p, q), "is the chance that the draft is refused"),
        (check_kept, lambda p, q: np.minimum(p.sum(0), q).sum(), "before x₁"),
        (check_kept, lambda p, q: 0.1, "not the chance"),
    ],
)
def test_checks(check, answer, hint):
    verdict = check(answer)
    assert bool(verdict) == (hint is None), repr(verdict)
    assert hint is None or hint in verdict.message
    assert not check(lambda *a: None).started and "Error" in check(lambda *a: 1 / 0).message


@pytest.fixture(scope="module")
def backbone():
    return mtp.load_backbone("stories")


# The answer printed in the notebook holds on the shipped backbone, and the other way round it does not.
def test_cheap_and_dear(backbone):
    from mtp_explore.measure.fidelity import total_correlation

    places = contexts(backbone, mtp.load_corpus("stories"), count=16)
    measured = [
        cost(float(total_correlation(mtp.exact_joint(backbone, p, n=2))), 0)._replace(context=p) for p in places
    ]
    cheap, dear = "There was once a girl named Una, who loved", "Half an hour before that coronation, a"
    assert check_prices(backbone, cheap, dear, measured)
    assert check_prices(backbone, dear, cheap, measured).passed == 0
    assert not check_prices(backbone, ..., dear, measured).started
    assert "positions" in check_prices(backbone, "x" * 9999, dear, measured).message
    rows = list(dearest(backbone, measured, most=3))
    assert [row[1] for row in rows] == [
        f"{x:.2f}" for x in sorted((c.independence for c in measured), reverse=True)[:3]
    ]


# Contexts are beginnings of test documents, the same for the same seed.
def test_contexts_are_beginnings(backbone):
    stories = mtp.load_corpus("stories")
    found = contexts(backbone, stories, count=5, longest=20)
    assert found == contexts(backbone, stories, count=5, longest=20) != contexts(backbone, stories, 5, 20, seed=1)
    for ids, document in zip(found, stories.documents("test"), strict=False):
        assert 8 <= len(ids) <= 20 and document.startswith(backbone.decode(ids))


# Before y' and after it: the two numbers are the target's own, by whole passes over the text.
def test_blame_asks_twice(backbone):
    trace = mtp.recorded("stories-independent-t1")
    table = blame(backbone, trace, most=3)
    assert 1 <= len(table) <= 3 and len(table.hints) == len(table)
    step, d = max(
        ((s, s.drafts[0]) for s in trace.steps if s.drafts and s.drafts[0].verdict == "refused"
         and s.drafts[0].p * 100 <= s.drafts[0].q),
        key=lambda pair: pair[1].q,
    )  # fmt: skip
    before = trace.prompt + [t for s in trace.steps[: step.index] for t in s.tokens][:-1]
    first = backbone.model(torch.tensor([before])).logits[0, -1].softmax(-1)
    rows = torch.tensor([[*before, y] for y in range(backbone.vocabulary)])
    second = backbone.model(rows).logits[:, -1].softmax(-1)[:, d.token]
    from mtp_explore.trace.say import number

    wide = list(blame(backbone, trace, most=50))
    assert any(row[3:] == (number(d.q), number(float(first @ second)), number(d.p)) for row in wide)
