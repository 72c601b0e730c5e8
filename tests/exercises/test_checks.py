"""Checks accept right answers, refuse wrong ones with a reason, and never raise on what a reader may write."""

import numpy as np
import pytest

from mtp_explore.exercises import (
    budget,
    check_lookup_wins,
    check_overlap,
    check_rule,
    check_tokens_per_call,
    check_verifier,
    grade,
    rates,
)
from mtp_explore.trace.records import Trace

CHECKS = [check_overlap, check_rule, check_tokens_per_call, check_verifier]


def pick(weights, u):
    return int(np.searchsorted(np.cumsum(weights) / weights.sum(), u, side="right"))


def rule(p, q, draft, coin, u):
    if coin * q[draft] < p[draft]:
        return True, draft
    return False, pick(np.maximum(p - q, 0), u)


def without_residual(p, q, draft, coin, u):
    return (True, draft) if coin * q[draft] < p[draft] else (False, pick(p, u))


def always(p, q, draft, coin, u):
    return True, draft


def never(p, q, draft, coin, u):
    return False, pick(p, u)


def reversed_ratio(p, q, draft, coin, u):
    return (True, draft) if coin * p[draft] < q[draft] else (False, pick(np.abs(p - q) + 1e-9, u))


def prefix(drafts, target):
    a = 0
    while a < len(drafts) and drafts[a] == target[a]:
        a += 1
    return target[: a + 1]


# Right answers pass.
@pytest.mark.parametrize(
    "check, answer",
    [
        (check_overlap, lambda p, q: np.minimum(p, q).sum()),
        (check_overlap, lambda p, q: 1 - abs(p - q).sum() / 2),
        (check_rule, rule),
        (check_verifier, prefix),
        (check_tokens_per_call, lambda trace: len(trace.tokens) / trace.calls),
    ],
)
def test_right_answers_pass(check, answer):
    verdict = check(answer)
    assert verdict and verdict.passed == verdict.cases > 1 and "✓" in repr(verdict)


# Wrong answers fail, and the message points at what is wrong.
@pytest.mark.parametrize(
    "check, answer, hint",
    [
        (check_overlap, lambda p, q: (p * q).sum(), "not the chance"),
        (check_overlap, lambda p, q: abs(p - q).sum() / 2, "refused"),
        (check_rule, without_residual, "what follows a refusal"),
        (check_rule, always, "how often drafts are kept"),
        (check_rule, never, "could be"),
        (check_rule, reversed_ratio, "comes out"),
        (check_verifier, lambda d, t: prefix(d, t)[:-1], "target's own token"),
        (check_verifier, lambda d, t: t, "first refusal ends"),
        (check_verifier, lambda d, t: [x for x, y in zip(d, t, strict=False) if x == y] + [t[-1]], ""),
        (check_tokens_per_call, lambda trace: len(trace.tokens) / (trace.calls - 1), "prefill"),
        (check_tokens_per_call, lambda trace: trace.calls, "tokens over"),
    ],
)
def test_wrong_answers_fail_with_a_reason(check, answer, hint):
    verdict = check(answer)
    assert not verdict and verdict.started and hint in verdict.message


# Stubs, exceptions and things that are no function become findings, so a notebook runs whole.
@pytest.mark.parametrize("check", CHECKS)
def test_nothing_a_reader_writes_raises(check):
    assert not check(lambda *a: None).started and not check(lambda *a: ...).started
    assert "ZeroDivisionError" in check(lambda *a: 1 / 0).message
    assert "Pass your function" in check(7).message
    assert not check(lambda: 1) and not check(lambda *a: "text")


# The reader's text is shown, not executed.
def test_messages_are_escaped():
    def answer(*a):
        raise ValueError("<script>alert(1)</script>")

    assert "<script" not in check_overlap(answer)._repr_html_()


# The message is that of the first failing case, and all cases are counted.
def test_grade_counts_and_reports_the_first():
    verdict = grade(lambda x: x, [(1,), (2,), (3,)], lambda r, x: None if x == 1 else f"{x} is wrong", "good")
    assert (verdict.passed, verdict.cases, verdict.message) == (1, 3, "For 2: 2 is wrong")


def test_budget_is_cut_only_in_a_fast_run(monkeypatch):
    monkeypatch.delenv("MTP_FAST", raising=False)
    assert budget(100) == 100
    monkeypatch.setenv("MTP_FAST", "1")
    assert (budget(100), budget(100, fast=7), budget(2)) == (20, 7, 1)


# The short table holds rows of the whole one, on the same trace.
def test_rates_are_rows_of_the_whole_table():
    from trace_of import TRACE

    from mtp_explore.trace.metrics import table

    whole = {row[0]: row for row in table(TRACE)}
    assert len(rates(TRACE)) >= 5 and all(whole[row[0]] == row for row in rates(TRACE))
    assert isinstance(TRACE, Trace)


# Lookup beats the trained heads where greedy text repeats itself, and the check says by how much; else it says so too.
def test_lookup_wins_on_code_and_not_on_stories():
    assert check_lookup_wins("code", "import os\nimport sys\n", 32)
    lost = check_lookup_wins("stories", "Once there was", 32)
    assert not lost and lost.started and "32 tokens: lookup takes" in lost.message


@pytest.mark.parametrize(
    "name, prompt, says", [("novels", "x", "no shipped backbone"), ("code", "x" * 9999, "positions")]
)
def test_lookup_check_explains_bad_input(name, prompt, says):
    assert says in check_lookup_wins(name, prompt).message
    assert not check_lookup_wins(name, ...).started
