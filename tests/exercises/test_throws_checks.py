"""Notebook 07's checks: right answers pass, the usual wrong ones are told what is wrong."""

from bisect import bisect_right
from itertools import accumulate

import numpy as np
import pytest
import torch

from mtp_explore.exercises import check_pick, check_theorem_2, check_unpick
from mtp_explore.exercises.throws_toy import P1, P2
from mtp_explore.tensors.categorical import pick
from mtp_explore.tensors.uniforms import unpick


def single(x):
    return torch.tensor(x, dtype=torch.float32)


def test_right_answers_pass():
    assert check_pick(lambda law, u: int((law.cumsum() <= u).sum()))
    assert check_unpick(lambda law, t, v: law[:t].sum() + v * law[t])
    assert check_theorem_2(lambda first, second, u: second[(first.cumsum() <= u).sum()])


# Style is free: lists, tensors, float32, arrays and tensors of one entry.
def test_right_answers_in_other_styles_pass():
    assert check_pick(lambda law, u: bisect_right(list(accumulate(law)), u))
    assert check_pick(lambda law, u: np.searchsorted(np.cumsum(law), [u], side="right"))
    assert check_pick(lambda law, u: pick(torch.tensor(law)[None], torch.tensor([u])))
    assert check_unpick(lambda law, t, v: [law[:t].sum() + v * law[t]])
    assert check_unpick(lambda law, t, v: unpick(torch.tensor(law), torch.tensor(t), torch.tensor(v)))
    assert check_unpick(lambda law, t, v: single(law)[:t].sum() + v * single(law)[t])
    assert check_theorem_2(lambda first, second, u: single(second)[(single(first).cumsum(0) <= u).sum()])
    assert check_theorem_2(lambda first, second, u: second[bisect_right(list(accumulate(first)), u)].tolist())


# What an answer does to its arguments in place is its own affair: the toy's laws stay what they are.
def test_arguments_are_copies():
    before = P1.copy(), P2.copy()

    def posterior(first, second, u):
        word = (first.cumsum() <= u).sum()
        first[:] = 0
        first[word] = 1
        return first @ second

    assert check_theorem_2(posterior) and check_theorem_2(posterior)
    assert (P1 == before[0]).all() and (P2 == before[1]).all()
    assert not check_unpick(lambda law, t, v: law.fill(1) or 0.0)


# Stubs are not errors, and every wrong answer is met by its own words.
@pytest.mark.parametrize(
    "check, answer, word",
    [
        (check_pick, lambda law, u: ..., "Replace"),
        (check_pick, lambda law, u: int((law.cumsum() < u).sum()), "probability 0"),
        (check_pick, lambda law, u: int(law.argmax()), "its bin goes from"),
        (check_pick, lambda law, u: len(law), "whole number from 0 to 5, and this is 6"),
        (check_pick, lambda law, u: (law.cumsum() <= u).sum() + 0.5, "one whole number"),
        (check_pick, lambda law, u: law, "one whole number"),
        (check_pick, lambda law, u: float("nan"), "one whole number"),
        (check_unpick, lambda law, t, v: law, "u is one number"),
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
