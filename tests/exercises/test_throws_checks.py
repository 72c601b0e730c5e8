"""Notebook 07's checks: right answers pass, the usual wrong ones are told what is wrong."""

import numpy as np
import pytest

from mtp_explore.exercises import check_pick, check_theorem_2, check_unpick


def test_right_answers_pass():
    assert check_pick(lambda law, u: int((law.cumsum() <= u).sum()))
    assert check_unpick(lambda law, t, v: law[:t].sum() + v * law[t])
    assert check_theorem_2(lambda first, second, u: second[(first.cumsum() <= u).sum()])


# Stubs are not errors, and every wrong answer is met by its own words.
@pytest.mark.parametrize(
    "check, answer, word",
    [
        (check_pick, lambda law, u: ..., "Replace"),
        (check_pick, lambda law, u: int((law.cumsum() < u).sum()), "probability 0"),
        (check_pick, lambda law, u: int(law.argmax()), "its bin goes from"),
        (check_unpick, lambda law, t, v: law[: t + 1].sum(), "pick would say"),
        (check_unpick, lambda law, t, v: law[:t].sum() + 0.5 * law[t], "of the way"),
        (check_theorem_2, lambda first, second, u: first @ second, "knows nothing of u1"),
        (check_theorem_2, lambda first, second, u: second[0], "which row"),
        (check_theorem_2, lambda first, second, u: np.ones(2), "entries"),
    ],
)
def test_wrong_answers_are_told(check, answer, word):
    verdict = check(answer)
    assert not verdict and word in repr(verdict)
