"""Notebook 05's helpers on the language of three words, on circuits, on cuts of joints; and the exercises' checks."""

import itertools

import numpy as np
import pytest
import torch

from mtp_explore.exercises import (
    averaged,
    by_length,
    check_block_length,
    check_forward,
    check_order,
    circuits,
    frozen,
    guess_average,
    guess_behind,
    guess_cut,
    guess_states,
    order_checks,
    round_trip,
)
from mtp_explore.measure.joint import Joint


# The language is the sum over all courses of time, written out.
def test_round_trip_sums_over_courses():
    law, n = round_trip(4, stay=0.7, slip=0.1), 4
    slow = np.zeros([3] * n)
    for times in itertools.product(range(3), repeat=n):
        course = 1 / 3
        for a, b in zip(times, times[1:], strict=False):
            course *= {0: 0.7, 1: 0.3, 2: 0.0}[(b - a) % 3]
        for words in itertools.product(range(3), repeat=n):
            slow[words] += course * np.prod([0.9 if w == t else 0.05 for w, t in zip(words, times, strict=True)])
    assert np.allclose(law.numpy(), slow, atol=1e-12) and slow.sum() == pytest.approx(1)


# Three states are enough for the chain, not for the mixture, which gains with every expert.
def test_circuits_know_the_chain():
    rows = circuits(round_trip(4), [1, 3], ["cp", "hmm"], iterations=150)
    kl = {(row["method"], row["rank"]): row["kl"] for row in rows}
    assert kl["HMM", 3] < 1e-3 < 0.05 < kl["CP", 3] < kl["CP", 1]
    assert kl["CP", 1] == pytest.approx(kl["HMM", 1])


# Two words are a mixture of three times; at four, three experts lose drafts that the chain and the tree keep.
def test_by_length_shows_who_falls_behind():
    lines = by_length([2, 4])
    assert lines["CP"][2] == pytest.approx(1, abs=1e-3) and 2 not in lines["BTree"]
    assert lines["independent heads"][4] < lines["CP"][4] < 2.9 < min(lines["HMM"][4], lines["BTree"][4]) <= 3 + 1e-9


# A chain and a tree that never change state are the mixture of the same parts.
@pytest.mark.parametrize("n, rank", [(3, 2), (5, 3)])
def test_frozen_circuits_are_mixtures(n, rank):
    assert set(frozen(n, rank)) == {"HMM", "BTree"} and max(frozen(n, rank).values()) < 1e-14


# The answers are the first rank that comes close and the first length that loses drafts, or that there is none.
def test_guesses_about_the_language():
    rows = [dict(method="CP", rank=r, kl=kl) for r, kl in ((1, 1.0), (2, 0.5), (4, 0.001), (8, 0.0))]
    rows.append(dict(method="HMM", rank=2, kl=0.0))
    assert guess_states(rows, 5).answer == "4" and guess_states(rows[:2], 5).answer == "more than 2"
    lines = {"BTree": {3: 2.0, 4: 2.99, 5: 3.2, 6: 3.0}}
    assert guess_behind(lines).answer == "5"
    assert guess_behind({"BTree": {3: 2.0}, "CP": {3: 0.5}}).answer == "none of these"


# Equal singular values all count: of four, four carry the mass; of one, one does.
def test_guess_cut_counts_values():
    flat, single = torch.tensor([[1.0, 1, 1, 1, 0]] * 3), torch.tensor([[1.0, 0, 0, 0, 0]] * 3)
    assert guess_cut({"x1 | x2": flat}).answer == "3 or 4" and guess_cut({"x1 | x2": single}).answer == "1"


# Every context has one pair of tokens, so one singular value; their average has one for each of them. Of contexts that
# are alike the average is like them; of rich contexts that fill one another up, it is simpler.
def test_averages_need_what_all_contexts_bring():
    def joint(cells):
        law = torch.as_tensor(cells, dtype=torch.float64)
        return Joint(law, ([0, 1, 2],) * 2, (["a", "b", "c"],) * 2, 1.0)

    eye = torch.eye(3, dtype=torch.float64)
    values = averaged([joint(torch.outer(row, row)) for row in eye])
    assert [len(rows) for rows in values.values()] == [3, 1]
    assert guess_average(values).answer.startswith("more")
    assert guess_average(averaged([joint(eye / 3)] * 2)).answer == "about as many"
    turned = [joint(eye.roll(i, 1) / 3) for i in range(3)]
    assert guess_average(averaged(turned)).answer.startswith("fewer")


# The filter is right only with both halves in the right order; each slip is told apart.
def test_check_forward_names_the_slip():
    def right(state, factor, moves, token):
        seen = state * factor[:, token]
        return seen / seen.sum() @ moves

    assert check_forward(right)
    slips = {
        "still has to move": lambda s, f, m, t: s * f[:, t] / (s * f[:, t]).sum(),
        "taught it nothing": lambda s, f, m, t: s @ m,
        "exchanged": lambda s, f, m, t: m @ (s * f[:, t] / (s * f[:, t]).sum()),
        "not to 1": lambda s, f, m, t: (s * f[:, t]) @ m,
        "shape": lambda s, f, m, t: f,
        "First what the token says": lambda s, f, m, t: (s @ m) * f[:, t] / ((s @ m) * f[:, t]).sum(),
    }
    for word, slip in slips.items():
        verdict = check_forward(slip)
        assert not verdict and word in verdict.message, word


# Block is neither the token rule nor the overlap of the windows, and more than it is impossible.
def test_check_block_length_names_the_slip():
    def laws(P, Q):
        p, q = P.sum(1), Q.sum(1)
        return np.minimum(p, q), P / p[:, None], Q / q[:, None]

    def block(P, Q):
        first, p2, _ = laws(P, Q)
        return first.sum() + np.minimum(Q, first[:, None] * p2).sum()

    def token(P, Q):
        first, p2, q2 = laws(P, Q)
        return first.sum() + (first[:, None] * np.minimum(p2, q2)).sum()

    assert check_block_length(block)
    assert "token rule" in check_block_length(token).message
    assert "more than any" in check_block_length(lambda P, Q: 2.5).message
    assert "is not it" in check_block_length(lambda P, Q: 0.0).message


# Coins that decide whether a word changes make order matter; one coin for the window, or far memory, does not pass.
def test_check_order_tells_languages_apart(monkeypatch):
    monkeypatch.setattr(order_checks, "ROUNDS", 80)
    monkeypatch.setattr(order_checks, "STARTS", 2)
    M = np.array([[0.8, 0.2], [0.2, 0.8]])
    assert check_order(np.einsum("ab,bc,cd->abcd", M, M, M) / 2)
    same = np.zeros((2,) * 4)
    same[0, 0, 0, 0] = same[1, 1, 1, 1] = 0.5
    assert "too close" in check_order(same).message
    far = np.einsum("ac,bd->abcd", np.eye(2), np.eye(2)) / 4  # two bits must be remembered at once
    assert "one bit at a time" in check_order(far).message
    assert not check_order(...).started and "sum to 1" in check_order(np.ones((2, 2, 2, 2))).message
    assert not check_order("abc")
