"""Categorical laws: shaped once, picked by inverse of the cumulative sum, flipped strictly."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import normal, picked, shaped
from toys import on_every_device
from transformers import TopKLogitsWarper, TopPLogitsWarper

from mtp_explore.tensors.categorical import at, excess, flip, one_hot, pick, shape, total_variation, watching

ALMOST_ONE = 1 - 2**-53  # the largest uniform there is
logits = st.lists(st.floats(-8, 8), min_size=2, max_size=9)
weights = st.lists(st.sampled_from([0.0, 0.0, 1e-9, 0.1, 0.3, 1.0, 7.0]), min_size=2, max_size=9).filter(any)


def row(values):
    return torch.tensor([values], dtype=torch.float64)


# A shaped law equals the plain loop's, whatever the temperature and the cuts (ties with the k-th stay in).
@given(logits, st.sampled_from([0, 0.3, 0.7, 1, 2.5]), st.integers(0, 9), st.sampled_from([0.05, 0.5, 0.93, 1.0]))
def test_shape_is_the_loop(x, temperature, top_k, top_p):
    law = shape(row(x), temperature, top_k, top_p)[0]
    wanted = shaped(x, temperature, top_k, top_p)
    close = [math.isclose(a, b, abs_tol=1e-9) for a, b in zip(law.tolist(), wanted, strict=True)]
    # on a tie at the nucleus' edge, or a sum that meets it to the last bit, either choice is one
    if not all(close):
        best = sorted(shaped(x, temperature, top_k), reverse=True)
        sums = [sum(best[:i]) for i in range(1, len(best))]
        tie = len(set(best)) < len(best) or any(abs(s - top_p) < 1e-9 for s in sums)
        assert top_p < 1 and tie
    assert law.dtype == torch.float64 and law.sum().item() == pytest.approx(1, abs=1e-12)


# Cuts are those of transformers' own warpers, applied in the same order.
def test_cuts_are_those_of_transformers():
    g = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(200, 40, generator=g, dtype=torch.float64)
    for temperature, k, p in [(0.7, 10, 0.9), (1.0, 0, 0.6), (1.3, 3, 1.0), (0.5, 39, 0.3)]:
        theirs = x / temperature
        if k:
            theirs = TopKLogitsWarper(k)(None, theirs)
        if p < 1:
            theirs = TopPLogitsWarper(p)(None, theirs)
        assert torch.allclose(shape(x, temperature, k, p), theirs.softmax(-1), atol=1e-12)


# Temperature 0 is one-hot on the first of several best tokens, in any precision.
def test_greedy_takes_the_first_of_the_best():
    x = torch.tensor([[1.0, 4.0, 4.0, -math.inf]])
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        assert shape(x.to(dtype), 0).tolist() == [[0, 1, 0, 0]]


# However cold, a law is a law: where logits over the temperature would overflow it is the greedy one, ties shared.
def test_the_coldest_laws():
    x = torch.tensor([[1.0, 4.0, 3.9, -math.inf], [-3e4, 5e4, 5e4, 0.0]])
    for dtype in (torch.float16, torch.float32, torch.float64):
        for temperature in (1e-30, 1e-38, 1e-45, 1e-300, 5e-324):
            assert shape(x.to(dtype), temperature, 3).tolist() == [[0, 1, 0, 0], [0, 0.5, 0.5, 0]]


# Log-probabilities of minus infinity stay impossible through every cut; a one-hot law stays itself.
def test_impossible_tokens_stay_impossible():
    x = row([-math.inf, 0.0, -math.inf, -1.0])
    for options in [{}, dict(temperature=0.2), dict(top_k=3), dict(top_p=0.99), dict(top_k=2, top_p=0.5)]:
        law = shape(x, **options)[0]
        assert law[0] == law[2] == 0 and law.sum() == pytest.approx(1)
    sure = row([-math.inf, 0.0, -math.inf])
    assert shape(sure, 0.7, 2, 0.9).tolist() == [[0, 1, 0]]


# papers.md section 6, row 15: a uniform in the bin of t returns t, and no token of probability 0 is ever returned,
# not even by the smallest and the largest uniform, whatever the law's total.
@given(weights, st.floats(0, ALMOST_ONE), st.sampled_from([1.0, 3.0, 1e-6]))
def test_pick_is_the_inverse_of_the_sum(law, u, scale):
    law = [x * scale for x in law]
    for v in (u, 0.0, ALMOST_ONE):
        token = pick(row(law), torch.tensor([v], dtype=torch.float64)).item()
        assert law[token] > 0
        assert token == picked(law, v)
    low = 0.0
    for t, x in enumerate(normal(law)):
        if x > 1e-12:
            assert pick(row(law), torch.tensor([low + x / 2], dtype=torch.float64)).item() == t
        low += x


# The largest uniform never falls off the end after a cut in float64 (setting the last edge to 1 would let it).
def test_the_last_bin_ends_at_one():
    g = torch.Generator().manual_seed(1)
    law = shape(4 * torch.randn(500, 50, generator=g), 0.9, 20, 0.95)
    token = pick(law, torch.full((500,), ALMOST_ONE, dtype=torch.float64))
    assert (law.gather(1, token[:, None]) > 0).all()


# The shares of a fine grid of uniforms are the law itself.
@on_every_device
def test_pick_follows_the_law(device):
    law = torch.tensor([0.1, 0.0, 0.55, 0.05, 0.3], dtype=torch.float64, device=device)
    u = (torch.arange(20000, dtype=torch.float64, device=device) + 0.5) / 20000
    share = torch.bincount(pick(law.expand(len(u), -1), u), minlength=5) / len(u)
    assert torch.allclose(share.double(), law, atol=1e-4)


# A coin strictly below the chance: chance 0 never, chance 1 always, also for the extreme coins.
def test_flip_is_strict():
    coin = torch.tensor([0.0, 0.5, ALMOST_ONE], dtype=torch.float64)
    assert not flip(torch.zeros(3, dtype=torch.float64), coin).any()
    assert flip(torch.ones(3, dtype=torch.float64), coin).all()
    assert flip(torch.full((3,), 0.5, dtype=torch.float64), coin).tolist() == [True, False, False]


# What the rules keep of p and q: min(p, q) + excess = p, the excess weighs the distance; equal laws leave p itself.
@given(weights, weights)
def test_overlap_and_excess_make_the_target(a, b):
    size = min(len(a), len(b))
    if not any(a[:size]) or not any(b[:size]):
        return
    p, q = row(normal(a[:size])), row(normal(b[:size]))
    distance = total_variation(p, q).item()
    rest = excess(p, q)
    if distance > 1e-12:
        assert torch.allclose(torch.minimum(p, q) + rest, p, atol=1e-15)
        assert rest.sum().item() == pytest.approx(distance, abs=1e-12)
        assert 1 - torch.minimum(p, q).sum().item() == pytest.approx(distance, abs=1e-12)
    assert torch.equal(excess(p, p), p)


# A watcher sees every meeting of a uniform and a law, the inner of two for as long as it is open, and nobody after.
def test_watching_sees_every_meeting():
    law, u = row([0.25, 0.25, 0.5]), torch.tensor([0.4], dtype=torch.float64)
    outer, inner = [], []
    with watching(lambda edges, v: outer.append((edges.tolist(), v.tolist()))):
        pick(law, u)
        with watching(lambda edges, v: inner.append((edges.tolist(), v.tolist()))):
            flip(u, u)
        flip(torch.tensor([0.9]), u)
    pick(law, u)
    assert outer[0] == ([[0.25, 0.5, 1.0]], [0.4]) and len(outer) == 2
    assert inner == [([[0.4]], [0.4])]


# `one_hot` and `at` mean what they say.
def test_one_hot_and_at():
    assert one_hot(torch.tensor([[2, 0]]), 3).tolist() == [[[0, 0, 1], [1, 0, 0]]]
    x = torch.arange(12).view(2, 3, 2)
    assert at(x, torch.tensor([2, 0])).tolist() == [[4, 5], [6, 7]]
