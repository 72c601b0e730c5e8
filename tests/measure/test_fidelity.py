"""Prices of an approximation: against enumeration with the rules themselves, and against slow loops."""

import itertools
import math

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import peaked

from mtp_explore.contract import Draft
from mtp_explore.measure import fidelity
from mtp_explore.measure.decompose import decompose
from mtp_explore.measure.joint import Joint
from mtp_explore.plots.fidelity import effective_rank as drawn_rank
from mtp_explore.verify import block, rejection

SIZES = [(3, 3), (4, 4, 4), (2, 2, 2, 2)]


def after(law, prefix):
    """The law of the next token given a prefix, or None where the prefix cannot happen."""
    rest = law[tuple(prefix)]
    rest = rest.sum(list(range(1, rest.dim()))) if rest.dim() > 1 else rest
    return rest / rest.sum() if rest.sum() > 0 else None


def by_the_rules(p, q, rule):
    """Expected accepted drafts: every window drawn from q after x_1 from p, with the rule's own chances."""
    n, size, total = p.dim(), p.shape[0], 0.0
    for x in itertools.product(range(size), repeat=n):
        first = after(p, ())[x[0]]
        mine = [after(q, x[:i]) for i in range(1, n)]
        if any(m is None for m in mine):
            continue
        drawn = first * math.prod(m[t] for m, t in zip(mine, x[1:], strict=True))
        if not drawn:
            continue
        even = torch.full((size,), 1 / size, dtype=torch.float64)  # after what the target refused nothing matters
        target = [law if (law := after(p, x[:i])) is not None else even for i in range(1, n)] + [even]
        draft = Draft(torch.tensor([x[1:]]), torch.stack(mine)[None], torch.tensor([n - 1]))
        chances = rule.chances(torch.stack(target)[None], draft)[0].tolist()
        for i in range(n - 1):  # the chance that more than i drafts are kept
            if rule is rejection:
                total += drawn * math.prod(chances[: i + 1])
            else:  # the last draft whose coin says yes ends the kept prefix
                total += drawn * (1 - math.prod(1 - c for c in chances[i:]))
    return float(total)


# Both rules, by enumeration with `verify`'s own chances, and by the oracle's plain sums after every x_1.
@settings(max_examples=20)
@given(st.sampled_from(SIZES), st.integers(0, 99), st.booleans())
def test_accepted_is_what_the_rules_accept(size, seed, zeros):
    p, q = peaked(*size, seed=seed), peaked(*size, seed=seed + 1000, zeros=0.25 * zeros)
    token, both = fidelity.accepted(p, q)
    assert float(token) == pytest.approx(by_the_rules(p, q, rejection), abs=1e-10)
    assert float(both) == pytest.approx(by_the_rules(p, q, block), abs=1e-10)
    assert token <= both + 1e-12
    slow = [0.0, 0.0]
    for x1 in range(size[0]):
        ps, qs = table(p[x1]), table(q[x1])
        if qs is None:
            continue
        for i, rule in enumerate((oracles.accepted_by_rejection, oracles.accepted_by_block)):
            slow[i] += float(p[x1].sum()) * rule(ps, qs, size[0], len(size) - 1)
    assert [float(token), float(both)] == pytest.approx(slow, abs=1e-10)


def table(law):
    """Prefix -> law of the next token, as the oracles read it; no token after an impossible prefix."""
    if not law.sum():
        return None
    out = {}
    for m in range(law.dim()):
        for x in itertools.product(range(law.shape[0]), repeat=m):
            found = after(law, x)
            out[x] = [0.0] * law.shape[0] if found is None else found.tolist()
    return out


# The target itself is always accepted; and x_1's law does not matter, because x_1 is not drafted.
def test_the_target_as_its_own_draft():
    p = peaked(4, 4, 4)
    assert [float(a) for a in fidelity.accepted(p, p)] == pytest.approx([2, 2])
    q = peaked(4, 4, 4, seed=1)
    tilted = q * torch.tensor([1.0, 2, 3, 4], dtype=torch.float64)[:, None, None]
    found, again = fidelity.accepted(p, q), fidelity.accepted(p, tilted / tilted.sum())
    assert [float(a) for a in found] == pytest.approx([float(a) for a in again], abs=1e-12)


# Total correlation is the KL of the product of marginals, and what EM of rank 1 reaches; 0 for a product.
@pytest.mark.parametrize("size", SIZES)
def test_total_correlation_is_the_price_of_rank_one(size):
    p = peaked(*size, power=6)
    slow = 0.0
    for x in itertools.product(*map(range, size)):
        product = math.prod(float(p.select(i, v).sum()) for i, v in enumerate(x))
        slow += float(p[x]) * math.log(float(p[x]) / product)
    assert float(fidelity.total_correlation(p)) == pytest.approx(slow, abs=1e-12)
    fit = decompose(p, "em-cp", 1, restarts=1)[0]
    assert fidelity.price(p, fit).kl == pytest.approx(slow, abs=1e-6)
    assert float(fidelity.total_correlation(fit.law)) == pytest.approx(0, abs=1e-12)


# Distances by plain loops; a negative cell is clipped, its mass told, and Frobenius is that of Q as it was found.
def test_price_of_negative_cells():
    p = torch.tensor([[0.4, 0.1], [0.2, 0.3]], dtype=torch.float64)
    raw = torch.tensor([[0.5, -0.1], [0.3, 0.2]], dtype=torch.float64)
    found = fidelity.price(p, raw)
    q = [[0.5, 0.0], [0.3, 0.2]]
    assert found.negative == pytest.approx(0.1)
    assert found.frobenius == pytest.approx(math.sqrt(0.01 + 0.04 + 0.01 + 0.01))
    assert found.tv == pytest.approx((0.1 + 0.1 + 0.1 + 0.1) / 2) and found.kl == math.inf
    # after x_1 = 0 Q always says 0 and p says so with .8; after 1 it says (.6, .4) and p (.4, .6)
    assert found.token == pytest.approx(0.5 * 0.8 + 0.5 * 0.8) and found.block == pytest.approx(found.token)
    mixed = 0.9 * torch.tensor(q, dtype=torch.float64) + 0.1 * p
    kl = sum(a * math.log(a / b) for a, b in zip(p.flatten().tolist(), mixed.flatten().tolist(), strict=True))
    assert fidelity.price(p, mixed).kl == pytest.approx(kl, abs=1e-12)
    assert fidelity.price(p, 3 * mixed).kl == pytest.approx(kl, abs=1e-12)  # what does not sum to one is scaled


# Spectra: products have one value at every cut, a mixture of two products two; cuts carry their names.
def test_spectra_and_ranks():
    parts = decompose(peaked(4, 5, 3), "em-cp", 2, restarts=1, iterations=5)[0]
    one = decompose(peaked(4, 5, 3), "em-cp", 1, restarts=1)[0]
    found = fidelity.spectra([parts, one])
    assert list(found) == ["x1 | x2 x3", "x1 x2 | x3", "x2 | x1 x3"]
    assert all(v.shape[0] == 2 for v in found.values()) and found["x1 | x2 x3"].shape[1] == 4
    for name, values in found.items():
        assert (values.diff(dim=1) <= 0).all()
        assert (values[0, 2:] < 1e-12).all() and values[0, 1] > 1e-4, name
        assert (values[1, 1:] < 1e-12).all()
        assert fidelity.effective_rank(values)[1].item() == pytest.approx(1, abs=1e-6)
        assert 1 < fidelity.effective_rank(values)[0] < 2
        assert values[0].norm().item() == pytest.approx(float(parts.law.norm()), abs=1e-12)
    matrix = parts.law.permute(1, 0, 2).reshape(5, -1)
    assert torch.allclose(found["x2 | x1 x3"][0, :5], torch.linalg.svdvals(matrix), atol=1e-12)
    # contexts of other sizes are padded with zeros
    wide = fidelity.spectra([peaked(3, 3), peaked(5, 4)])["x1 | x2"]
    assert wide.shape == (2, 4) and wide[0, 3] == 0


# Equal singular values count as many as they are; the rank of a mass is the first number that reaches it.
def test_effective_rank_and_rank_of_mass():
    equal = torch.tensor([2.0, 2, 2, 0])
    assert fidelity.effective_rank(equal).item() == pytest.approx(3)
    assert fidelity.rank_of_mass(equal).item() == 3 and fidelity.rank_of_mass(equal, 2 / 3).item() == 2
    squares = torch.tensor([0.9, 0.08, 0.015, 0.005], dtype=torch.float64)
    assert fidelity.rank_of_mass(squares.sqrt()).item() == 3
    assert fidelity.rank_of_mass(squares.sqrt(), 0.9).item() == 1
    entropy = -sum(s * math.log(s) for s in squares.tolist())
    assert fidelity.effective_rank(squares.sqrt()).item() == pytest.approx(math.exp(entropy), abs=1e-9)


# The figures have an effective rank of their own, because they open without torch: it is the same one.
def test_effective_rank_of_the_figures_is_the_same():
    values = torch.rand(7, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values[2, 3:] = 0
    assert np.allclose(drawn_rank(values.numpy()), fidelity.effective_rank(values).numpy(), atol=1e-12)


# A sweep has a row for every method, rank and start, with the price of that very fit.
def test_sweep():
    p = peaked(5, 4, 3)
    rows = fidelity.sweep(p, ["em-cp", "tt"], [1, 2], restarts=2, iterations=30)
    assert [(r["method"], r["rank"], r["seed"]) for r in rows] == [
        *(("em-cp", rank, seed) for rank in (1, 2) for seed in (0, 1)),
        *(("tt", rank, 0) for rank in (1, 2)),
    ]
    fit = decompose(p, "em-cp", 2, restarts=2, iterations=30)[1]
    assert {k: rows[3][k] for k in fidelity.Price._fields} == fidelity.price(p, fit)._asdict()


# Ranks may be spent only once: every method gets all of them.
def test_sweep_over_generators():
    rows = fidelity.sweep(peaked(4, 3), iter(["em-cp", "nncp-mu"]), (r for r in (1, 2)), restarts=1, iterations=5)
    assert [(r["method"], r["rank"]) for r in rows] == [(m, r) for m in ("em-cp", "nncp-mu") for r in (1, 2)]


def on_axes(law, first=0):
    """A `Joint` whose axes stand for the ids from `first` on."""
    tokens = tuple([*range(first, first + size)] for size in law.shape)
    return Joint(law, tokens, tuple([str(t) for t in axis] for axis in tokens), 1.0)


# Cells are compared only where they are the same windows; tensors and arrays carry no tokens and are taken as they are.
def test_joints_on_other_tokens_are_refused():
    p, q = peaked(3, 3), peaked(3, 3, seed=1)
    plain = fidelity.price(p, q)
    assert fidelity.price(on_axes(p), on_axes(q)) == plain == fidelity.price(p.numpy(), q.numpy())
    assert fidelity.price(on_axes(p), q) == plain
    assert float(fidelity.total_correlation(p.numpy())) == float(fidelity.total_correlation(on_axes(p)))
    with pytest.raises(ValueError, match="fit=.*other tokens.*axes=joint"):
        fidelity.price(on_axes(p), on_axes(q, first=1))
    moved = on_axes(q)
    moved.tokens[1].reverse()
    with pytest.raises(ValueError, match="axes=joint"):
        fidelity.price(on_axes(p), moved)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"methods='em-cp'.*methods=\['em-cp'\]"):
        fidelity.sweep(peaked(3, 3), "em-cp", [1])
    with pytest.raises(ValueError, match=r"ranks=4.*ranks=\[4\]"):
        fidelity.sweep(peaked(3, 3), ["em-cp"], 4)
    with pytest.raises(ValueError, match="fit='abc'.*pass a Joint"):
        fidelity.price(peaked(3, 3), "abc")
    with pytest.raises(ValueError, match="same axes"):
        fidelity.price(peaked(3, 3), peaked(3, 4))
    with pytest.raises(ValueError, match="cannot draft"):
        fidelity.price(peaked(3, 3), -peaked(3, 3))
    with pytest.raises(ValueError, match="joints is empty"):
        fidelity.spectra([])
    with pytest.raises(ValueError, match="mass=0"):
        fidelity.rank_of_mass(torch.ones(3), 0)
