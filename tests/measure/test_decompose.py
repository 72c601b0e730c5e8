"""Decompositions: EM against its definition cell by cell, monotone, exact where it must be; tensorly's beside it."""

import itertools
import math

import numpy as np
import pytest
import tensorly as tl
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import peaked, toy

from mtp_explore.drafters import make_drafter
from mtp_explore.measure.decompose import METHODS, decompose
from mtp_explore.measure.em import Chain, divergence, em, random_chain
from mtp_explore.measure.heads import head_chain
from mtp_explore.measure.joint import exact_joint

SHAPES = [(5, 4), (3, 5, 4), (2, 3, 4, 3)]


def slow_law(chain):
    """The chain's law, one path of latents after the other."""
    sizes, rank = [f.shape[1] for f in chain.factors], len(chain.weights)
    law = torch.zeros(sizes, dtype=torch.float64)
    for x in itertools.product(*map(range, sizes)):
        for z in itertools.product(range(rank), repeat=len(sizes)):
            law[x] += path(chain, x, z)
    return law


def path(chain, x, z):
    """The probability of tokens x along latents z."""
    chance = chain.weights[z[0]] * math.prod(f[a, v] for f, a, v in zip(chain.factors, z, x, strict=True))
    for i, (a, b) in enumerate(itertools.pairwise(z)):
        chance = chance * (float(a == b) if chain.transitions is None else chain.transitions[i][a, b])
    return chance


def slow_round(chain, law):
    """One round of EM by definition: share every cell among the paths of latents, then count."""
    rank, q = len(chain.weights), slow_law(chain)
    weights = torch.zeros_like(chain.weights)
    factors = [torch.zeros_like(f) for f in chain.factors]
    moves = [torch.zeros(rank, rank, dtype=torch.float64) for _ in chain.factors[1:]]
    for x in itertools.product(*map(range, law.shape)):
        for z in itertools.product(range(rank), repeat=len(x)):
            share = law[x] * path(chain, x, z) / q[x]
            weights[z[0]] += share
            for i, a in enumerate(z):
                factors[i][a, x[i]] += share
            for i, (a, b) in enumerate(itertools.pairwise(z)):
                moves[i][a, b] += share
    rows = [t / t.sum(-1, keepdim=True) for t in (*factors, *moves)]
    return Chain(weights, tuple(rows[: len(factors)]), tuple(rows[len(factors) :]))


# A round is the definition: expected counts over all paths of latents, normalised. So is the law.
@pytest.mark.parametrize("hmm", [False, True], ids=["cp", "hmm"])
@pytest.mark.parametrize("size", SHAPES)
def test_round_is_the_definition(size, hmm):
    law = peaked(*size)
    start = random_chain(law, 2, hmm, seed=3)
    assert torch.allclose(start.dense(), slow_law(start), atol=1e-14)
    fast, history = em(law, 2, hmm, start, iterations=1)
    slow = slow_round(start, law)
    assert torch.allclose(fast.weights, slow.weights, atol=1e-12)
    for a, b in zip(fast.factors, slow.factors, strict=True):
        assert torch.allclose(a, b, atol=1e-12)
    for a, b in zip(fast.transitions or (), slow.transitions if hmm else (), strict=True):
        assert torch.allclose(a, b, atol=1e-12)
    assert history.tolist() == pytest.approx([float(divergence(law, c)) for c in (start.dense(), slow_law(fast))])


# Every round lowers KL or leaves it, impossible cells or not; Q sums to one and its marginals are P's.
@settings(max_examples=25)
@given(st.sampled_from(SHAPES), st.integers(1, 6), st.booleans(), st.booleans(), st.integers(0, 99))
def test_monotone_with_the_targets_marginals(size, rank, hmm, zeros, seed):
    law = peaked(*size, seed=seed, zeros=0.2 * zeros)
    chain, history = em(law, rank, hmm, seed=seed, iterations=40)
    q = chain.dense()
    assert (history.diff() < 1e-12).all() and history.isfinite().all()
    assert q.sum().item() == pytest.approx(1, abs=1e-12) and (q >= 0).all()
    for i in range(law.dim()):
        others = [d for d in range(law.dim()) if d != i]
        assert torch.allclose(q.sum(others), law.sum(others), atol=1e-12)


# Rank 1 is the product of marginals; a joint that is a mixture (a chain) of that rank is found again.
@pytest.mark.parametrize("hmm", [False, True], ids=["cp", "hmm"])
def test_exact_where_it_must_be(hmm):
    law = peaked(4, 5, 3)
    product = law.sum((1, 2))[:, None, None] * law.sum((0, 2))[:, None] * law.sum((0, 1))
    assert torch.allclose(em(law, 1, hmm)[0].dense(), product, atol=1e-12)
    made = random_chain(peaked(6, 6, 6, power=9), 2, hmm, seed=5).dense()
    best = min(float(em(made, 2, hmm, seed=s, iterations=400, tolerance=0)[1][-1]) for s in range(2))
    assert -1e-12 < best < 1e-6


# With full rank KL falls to 0: any joint of two tokens is a mixture over its first.
def test_full_rank_reaches_the_joint():
    law = peaked(5, 7)
    parts = Chain(law.sum(1), (torch.eye(5), law / law.sum(1, keepdim=True)), None)
    chain, history = em(law, 5, start=parts, iterations=3)
    assert torch.allclose(chain.dense(), law, atol=1e-12) and history.abs().max() < 1e-12


# A start may lack mass (a head cut to some tokens): its Q counts divided by its sum, and rounds go down from there.
def test_start_without_all_its_mass():
    law = peaked(4, 5, 3)
    whole = random_chain(peaked(6, 7, 5), 3, True, seed=1)
    cut = whole._replace(factors=tuple(f[:, :a] for f, a in zip(whole.factors, law.shape, strict=True)))
    dense = cut.dense()
    assert dense.sum() < 0.99
    chain, history = em(law, 3, True, cut, iterations=30)
    assert float(history[0]) == pytest.approx(float(divergence(law, dense / dense.sum())), abs=1e-12)
    assert (history.diff() < 1e-12).all() and chain.dense().sum().item() == pytest.approx(1)


# On every context the KL optimum started from a head is at least as close as the head, axes whole or cut.
@pytest.mark.parametrize("name", ["cp", "hmm"])
@pytest.mark.parametrize("options", [dict(n=2), dict(n=3, top=7)], ids=["n=2", "n=3 cut"])
def test_best_is_never_worse_than_the_head(name, options):
    backbone = toy("gpt2", dtype=torch.float64)
    torch.manual_seed(2)
    drafter = make_drafter(name, backbone, horizon=2, rank=3)
    for weight in drafter.parameters():
        weight.data.normal_().mul_(0.3)
    for prompt in ([1, 2, 3], [5], [7, 7, 0, 4]):
        target = exact_joint(backbone, prompt, **options)
        head = exact_joint(drafter, prompt, n=options["n"], axes=target)
        start = head_chain(drafter, prompt, target)
        best, *others = decompose(target, f"em-{name}", 3, restarts=2, iterations=20, start=start)
        kl = float(divergence(target.law, head.law))
        assert best.seed is None and [f.seed for f in others] == [0, 1]
        assert float(best.history[0]) == pytest.approx(kl, abs=1e-9)
        assert float(best.history[-1]) <= kl - 1e-3


# Every method: as many fits as starts, the right shape, the same again for the same seed, and closer with more rank.
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(8, 6), (6, 5, 7)])
def test_every_method(method, size):
    law = peaked(*size)

    def error(fit):  # what the method minimises
        return float(divergence(law, fit.law) if method.startswith("em") else (law - fit.law).norm())

    low, high = (decompose(law, method, rank, restarts=3, iterations=100) for rank in (1, 4))
    assert len(low) == len(high) == (1 if method == "tt" else 3)
    assert all(f.law.shape == law.shape and f.law.dtype == torch.float64 and f.numbers > 0 for f in low + high)
    assert min(map(error, high)) < min(map(error, low)) - 0.005
    again = decompose(law, method, 4, restarts=1, iterations=100, seed=high[-1].seed)[0]
    assert torch.equal(again.law, high[-1].law)
    if method not in ("tt", "tucker", "cp"):
        assert all((f.law >= 0).all() for f in high)


# At n = 2 the best squares of rank R are the truncated SVD, and all three methods of any sign find it.
@pytest.mark.parametrize("method", ["cp", "tucker", "tt"])
def test_squares_are_the_svd(method):
    law = peaked(7, 6)
    left = torch.linalg.svdvals(law)[2:].norm()
    fit = decompose(law, method, 2, restarts=1, iterations=2000, tolerance=1e-14)[0]
    assert float((law - fit.law).norm()) == pytest.approx(float(left), rel=1e-4)


# KL-best and squares-best differ: each wins by its own measure, over the same family and the best of five starts.
def test_the_best_depends_on_the_measure():
    law = peaked(8, 8, 8, power=6)
    kl, squares = (decompose(law, m, 4, restarts=5, iterations=400) for m in ("em-cp", "nncp-mu"))

    def scaled(f):
        return f.law / f.law.sum()

    assert min(divergence(law, f.law) for f in kl) < min(divergence(law, scaled(f)) for f in squares) - 1e-3
    assert min((law - f.law).norm() for f in squares) < min((law - f.law).norm() for f in kl) - 1e-4


# tensorly's backend outside stays what it was.
def test_backend_is_left_alone():
    before = tl.get_backend()
    decompose(peaked(4, 4), "cp", 1, restarts=1)
    assert tl.get_backend() == before == "numpy"


# A joint may be an array, a rank any whole number; what comes back is the same, in plain numbers.
@pytest.mark.parametrize("method", ["em-cp", "nncp-mu", "tt"])
def test_arrays_and_numpy_numbers(method):
    law = peaked(5, 4)
    plain = decompose(law, method, 2, restarts=1, iterations=20)[0]
    found = decompose(law.numpy(), method, np.int64(2), restarts=np.int64(1), iterations=np.int32(20))[0]
    assert torch.equal(found.law, plain.law) and found.rank == 2 and type(found.rank) is int


# A fit of EM starts another as its parts do, and is its first round's equal.
@pytest.mark.parametrize("method", ["em-cp", "em-hmm"])
def test_a_fit_is_a_start(method):
    law = peaked(5, 4, 3)
    fit = decompose(law, method, 2, restarts=1, iterations=10)[0]
    by_fit, by_parts = (decompose(law, method, 2, restarts=1, iterations=5, start=s)[0] for s in (fit, fit.parts))
    assert torch.equal(by_fit.law, by_parts.law) and by_fit.seed is None
    assert float(by_fit.history[0]) == pytest.approx(float(fit.history[-1]), abs=1e-12)


# A tensor train has no bond above the smaller side of its cut, a core no side above its axis: the rank says so.
@pytest.mark.parametrize("method, size, rank", [("tt", (3, 4), 3), ("tt", (3, 5, 4), 4), ("tucker", (3, 5, 4), 5)])
def test_the_rank_is_the_one_it_has(method, size, rank):
    law = peaked(*size)
    most = decompose(law, method, 16, restarts=1)[0]
    assert most.rank == rank and torch.allclose(most.law, law, atol=1e-9)
    assert most.numbers == decompose(law, method, rank, restarts=1)[0].numbers
    assert decompose(law, method, 2, restarts=1)[0].rank == 2


# Nothing that is no joint, no method or no start is worked on.
@pytest.mark.parametrize(
    "call, complaint",
    [
        (lambda: decompose(peaked(3, 3), "svd", 1), "use one of 'cp', 'nncp-mu'"),
        (lambda: decompose(peaked(3, 3), "cp", 0), "rank=0"),
        (lambda: decompose(peaked(3, 3), "cp", True), "rank=True"),
        (lambda: decompose(peaked(3, 3), "em-cp", 2.5), "rank=2.5"),
        (lambda: decompose(peaked(3, 3), "cp", 1, restarts=0), "restarts=0"),
        (lambda: decompose(peaked(3, 3), "cp", 1, iterations=0), "iterations=0"),
        (lambda: decompose("abc", "cp", 1), "joint='abc'.*pass a Joint"),
        (lambda: decompose(None, "cp", 1), "joint=None"),
        (lambda: decompose(peaked(3, 3), "em-cp", 2, start=[1, 2]), r"start=\[1, 2\].*Chain"),
        (
            lambda: decompose(peaked(3, 3), "em-cp", 2, start=decompose(peaked(3, 3), "cp", 2, restarts=1)[0]),
            "start=.*a Fit of em-cp or em-hmm",
        ),
        (lambda: decompose(peaked(3), "cp", 1), "n=2 or more"),
        (lambda: decompose(-peaked(3, 3), "cp", 1), "non-negative"),
        (
            lambda: decompose(peaked(3, 3), "cp", 1, start=random_chain(peaked(3, 3), 1, False, 0)),
            "start= goes with em",
        ),
        (lambda: em(peaked(3, 3), 2, start=random_chain(peaked(3, 4), 2, False, 0)), "joint's axes"),
        (lambda: em(peaked(3, 3), 2, start=random_chain(peaked(3, 3), 2, True, 0)), "1 transitions"),
        (lambda: em(peaked(3, 3), 0), "rank=0"),
        (lambda: em(peaked(3, 3), 1, iterations=0), "iterations=0"),
    ],
)
def test_bad_arguments(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()
