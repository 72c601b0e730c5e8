"""The inverse of `pick`: every number it returns draws its token, and over tokens of a law it is uniform."""

import math

import oracles
import pytest
import torch

from mtp_explore.tensors.categorical import pick, shape
from mtp_explore.tensors.uniforms import LAST, bins, inside, places, unpick

SHAPES = [{}, dict(temperature=0.7, top_k=4), dict(top_p=0.8), dict(temperature=0), dict(temperature=30.0)]


def laws(rows: int = 60, size: int = 9, seed: int = 0, spread: float = 6.0, **shaping):
    draw = torch.Generator().manual_seed(seed)
    return shape(torch.randn(rows, size, generator=draw, dtype=torch.float64) * spread, **shaping)


# Row 15 of papers.md, section 6: a number in the bin of t picks t, for every t that the law gives a chance, from one
# edge of its bin to the other, also after temperature, top-k and top-p; tokens without a chance have no bin.
@pytest.mark.parametrize("shaping", SHAPES)
def test_pick_returns_the_token(shaping):
    law = laws(**shaping)
    token = torch.arange(law.shape[1]).expand_as(law)
    every = law[:, None].expand(*law.shape, -1)
    low, high = bins(every, token)
    real = high > low
    assert torch.equal(real, law > 1e-16) or shaping == SHAPES[0] and (real <= (law > 0)).all()
    for place in (0.0, 1e-300, 0.3, 1 - 1e-16, 1.0):
        u = unpick(every, token, torch.full_like(law, place))
        assert ((u >= low) & (u < high))[real].all() and ((0 <= u) & (u <= LAST)).all()
        assert torch.equal(pick(every, u)[real], token[real])


# Bins are those of the slow twin: it picks t at the lower edge and just below the upper one, and another at the upper.
def test_bins_are_the_twins():
    law = laws(rows=12, seed=1, spread=2.0, top_k=5)
    for row in law:
        for t in range(len(row)):
            low, high = (float(x) for x in bins(row, torch.tensor(t)))
            if row[t] == 0:
                assert low == high
                continue
            assert oracles.picked(row.tolist(), low) == oracles.picked(row.tolist(), math.nextafter(high, 0)) == t
            assert high == 1 or oracles.picked(row.tolist(), high) > t


# The last bin ends at 1, and a bin that is the whole interval keeps its number: greedy's 1/2 stays 1/2.
def test_the_ends():
    law = torch.tensor([[0.1] * 10, [0.0] * 9 + [1.0]])
    low, high = bins(law, torch.tensor([9, 9]))
    assert high.tolist() == [1, 1] and low[1] == 0
    assert inside(low, high, torch.ones(2)).tolist() == [LAST, LAST]
    assert unpick(law[1], torch.tensor(9), torch.tensor(0.5)) == 0.5
    one = torch.ones((), dtype=torch.float64)
    assert inside(one, one, one) == LAST < 1  # a token behind the last bin


# Row 16: u is uniform when t is drawn from the law and the place from [0, 1), whatever the law; so the tape's number
# says nothing about the context. With another shape of place it is not, where a bin is large.
def test_u_is_uniform():
    count = 20_000
    draw = torch.Generator().manual_seed(0)
    for seed in range(3):
        law = laws(1, 6, seed, 1.5).expand(count, -1)
        token = law.multinomial(1, generator=draw)[:, 0]
        for beta in (1.0, 0.3):
            u = unpick(law, token, places(token, beta, seed)).sort().values
            steps = torch.arange(1, count + 1) / count
            distance = max(float((steps - u).max()), float((u - steps + 1 / count).max()))  # Kolmogorov-Smirnov
            assert distance < 1.63 / count**0.5 if beta == 1 else distance > 3 / count**0.5


# Places depend on the number they are drawn by and nothing else; they have the mean and variance of Beta(b, b).
def test_places():
    size = torch.zeros(100, 200)
    first = places(size, 0.5, 7)
    torch.manual_seed(5)
    assert torch.equal(first, places(size + 1, 0.5, 7)) and first.dtype == torch.float64
    for draw in (8, 0, -7, -1, 7_000_021):
        assert (first != places(size, 0.5, draw)).float().mean() > 0.99
    for beta in (0.5, 1.0, 2.0):
        x = places(size, beta, 3)
        assert x.mean().item() == pytest.approx(0.5, abs=0.01)
        assert x.var().item() == pytest.approx(1 / (4 * (2 * beta + 1)), rel=0.03)
