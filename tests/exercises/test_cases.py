"""The bug hunt: every case can be solved by experiment, and a check tells without showing."""

import plotly.io
import pytest

from mtp_explore.exercises import case, cases, check_fault, suspects
from mtp_explore.measure.faults import FAULTS

NUMBERS = range(1, len(cases.HIDDEN) + 1)


def culprit(number: int) -> str:
    """Found as a reader would: by naming every suspect."""
    (name,) = [row[0] for row in suspects() if check_fault(number, row[0])]
    return name


# Exactly one suspect is right in each case, each bug is hidden once, at least five do harm and one is the decoy.
def test_each_case_has_one_answer():
    found = [culprit(n) for n in NUMBERS]
    assert sorted(found) == sorted(cases.HIDDEN)
    assert sum(not FAULTS[n].harmless for n in found) >= 5 and sum(FAULTS[n].harmless for n in found) == 1


# A case that does harm shows it in at least one experiment; the decoy never does, but it keeps fewer drafts.
@pytest.mark.parametrize("number", NUMBERS)
def test_evidence_shows_the_harm(number):
    name = culprit(number)
    found = [case(number, **how._asdict()) for how in cases.TRIALS]
    worst = max(max(e.distances) for e in found)
    assert worst < 1e-9 if FAULTS[name].harmless else worst > 5e-3
    assert all(max(_healthy(e)) < 1e-9 for e in found)
    if FAULTS[name].harmless:
        assert all(e.law.accepted < e.healthy.accepted - 0.02 for e in found)


def _healthy(evidence):
    return [cases._distance(evidence.healthy, k) for k in range(1, evidence.how.n + 1)]


# A wrong name is answered with an experiment in which that name and the case really differ, and never with the answer.
@pytest.mark.parametrize("number", NUMBERS)
def test_a_wrong_name_gets_an_experiment(number):
    right = culprit(number)
    for name in cases.HIDDEN + cases.INNOCENT:
        if name != right:
            verdict = check_fault(number, name)
            assert not verdict and right not in verdict.message and FAULTS[right].story not in verdict.message
            assert f"case({number}" in verdict.message


# What is no suspect, or nothing at all, is told so.
def test_names_are_checked():
    assert not check_fault(1, ...).started
    assert (
        "no suspect" in check_fault(1, "no residul").message and "'no residual'" in check_fault(1, "no residul").message
    )
    assert check_fault(1, culprit(1).upper())


@pytest.mark.parametrize(
    "bad", [dict(number=0), dict(number=99), dict(number=1, horizon=9), dict(number=1, n=4, horizon=3)]
)
def test_impossible_experiments_are_refused(bad):
    with pytest.raises(ValueError, match="number|horizon"):
        case(**bad)


# The figure has its three panels, and what it draws are laws.
def test_evidence_draws_itself(monkeypatch):
    evidence = case(1)
    figure = evidence.figure()
    laws = [t for t in figure.data if t.name in ("target p", "draft q", "what comes out")]
    assert len(laws) == 3 and all(abs(sum(t.y) - 1) < 1e-9 for t in laws)
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")  # as in a notebook
    assert "application/vnd.plotly.v1+json" in evidence._repr_mimebundle_()
