"""CP, HMM and BTree against sums over every path of hidden states, spelled out in plain Python."""

import itertools
import math

import pytest
import torch

from mtp_explore.tensors import circuits
from mtp_explore.tensors.btree import BTree
from mtp_explore.tensors.circuits import ancestral, conditionals, filtered, joint, leaves, predicted, prefixes, whole
from mtp_explore.tensors.cp import CP
from mtp_explore.tensors.hmm import HMM

B, R, V = 2, 3, 3
KINDS = ["cp", "hmm", "btree"]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_length = pytest.mark.parametrize("n", [2, 3, 4, 5])


def law(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(1000 * seed + sum(shape))
    return (2 * torch.randn(*shape, generator=g, dtype=torch.float64)).log_softmax(-1)


def made(kind: str, n: int, rank: int = R, size: int = V, batch: tuple[int, ...] = (B,), seed: int = 0):
    """A random circuit and random factors."""
    logw, logphi = law(*batch, rank, seed=seed), law(*batch, n, rank, size, seed=seed + 1)
    if kind == "cp":
        return CP(logw), logphi
    if kind == "hmm":
        return HMM(logw, law(*batch, n - 1, rank, rank, seed=seed + 2)), logphi
    return BTree(logw, law(*batch, n - 2, rank, rank, seed=seed + 3)), logphi


def tree(first: int, size: int):
    """The papers' tree as nested tuples of token places: a span of m is split at m // 2."""
    if size == 1:
        return first
    return tree(first, size // 2), tree(first + size // 2, size - size // 2)


def paths(circuit, b: int, n: int):
    """(probability, the state that every token hangs from) for every way to choose all latents of batch row b."""
    w = circuit.logw[b].exp().tolist()
    ranks = range(len(w))
    if isinstance(circuit, CP):
        for a in ranks:
            yield w[a], [a] * n
    elif isinstance(circuit, HMM):
        T = circuit.logT[b].exp().tolist()
        for z in itertools.product(ranks, repeat=n):
            yield w[z[0]] * math.prod(T[k][z[k]][z[k + 1]] for k in range(n - 1)), list(z)
    else:
        A, nodes = circuit.logA[b].exp().tolist(), []

        def number(node, parent):
            """Inner nodes in pre-order with their parents; a token knows the node that it hangs from."""
            mine = len(nodes)
            nodes.append((parent, {}))
            for child in node:
                if isinstance(child, int):
                    nodes[mine][1][child] = True
                else:
                    number(child, mine)

        number(tree(0, n), None)
        for z in itertools.product(ranks, repeat=len(nodes)):
            chance = w[z[0]] * math.prod(A[j - 1][z[p]][z[j]] for j, (p, _) in enumerate(nodes) if j)
            home = {token: j for j, (_, tokens) in enumerate(nodes) for token in tokens}
            yield chance, [z[home[k]] for k in range(n)]


def spelled(circuit, logphi, b: int) -> dict[tuple, dict[tuple, float]]:
    """For every window: the joint probability of it and of each assignment of states to its tokens."""
    n, phi = logphi.shape[1], logphi[b].exp().tolist()
    chances: dict[tuple, dict[tuple, float]] = {}
    every = list(paths(circuit, b, n))
    for x in itertools.product(range(logphi.shape[-1]), repeat=n):
        mine = chances.setdefault(x, {})
        for chance, z in every:
            p = chance * math.prod(phi[k][z[k]][x[k]] for k in range(n))
            mine[tuple(z)] = mine.get(tuple(z), 0.0) + p
    return chances


# Row 7: the whole joint is the sum over every path of states, and sums to one.
@every_kind
@every_length
def test_joint_is_the_sum_over_paths(kind, n):
    circuit, logphi = made(kind, n, rank=2 if n > 4 else R, size=2 if n > 4 else V)
    found = whole(circuit, logphi).exp()
    assert (found.flatten(1).sum(1) - 1).abs().max() < 1e-12
    for b in range(B):
        for x, chances in spelled(circuit, logphi, b).items():
            assert float(found[b][x]) == pytest.approx(sum(chances.values()), abs=1e-12)


# Longer and odd windows sum to one as well.
@every_kind
@pytest.mark.parametrize("n", [7, 9, 11])
def test_long_windows_sum_to_one(kind, n):
    circuit, logphi = made(kind, n, size=2)
    assert (whole(circuit, logphi).exp().flatten(1).sum(1) - 1).abs().max() < 1e-12


# Rows 8 and 11: token by token, the filter predicts the ratio of prefix marginals of the enumerated joint, over the
# whole vocabulary, and the conditionals of a window add up to its joint.
@every_kind
@every_length
def test_filter_is_the_ratio_of_marginals(kind, n):
    circuit, logphi = made(kind, n, batch=(1,))
    table = whole(circuit, logphi)[0].exp()
    x = torch.cartesian_prod(*[torch.arange(V)] * n)
    marginal = [table.sum(tuple(range(k, n))) if k < n else table for k in range(n + 1)]
    leaf, seen = leaves(logphi, x), circuit.start()
    for k in range(n):
        before = tuple(x[:, :k].T)
        expected = (marginal[k + 1][before] / marginal[k][before][..., None]).log().expand(len(x), V)
        found = predicted(seen.state, logphi[:, k]).expand(len(x), V)
        torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
        torch.testing.assert_close(prefixes(circuit, leaf)[:, k].exp(), marginal[k + 1][tuple(x[:, : k + 1].T)])
        seen = circuit.absorb(seen, leaf[:, k])
        assert seen.k == k + 1
    torch.testing.assert_close(joint(circuit, leaf), conditionals(circuit, leaf).sum(1), atol=1e-12, rtol=0)


# A missing token, wherever it stands, is summed out exactly.
@every_kind
@pytest.mark.parametrize("n", [3, 4, 5])
def test_missing_tokens_are_summed_out(kind, n):
    circuit, logphi = made(kind, n)
    table = whole(circuit, logphi).exp()
    for holes in itertools.product([False, True], repeat=n):
        tokens = torch.tensor([[-1 if h else (2 * k + b) % V for k, h in enumerate(holes)] for b in range(B)])
        rest = table.sum([k + 1 for k, h in enumerate(holes) if h], keepdim=True) if any(holes) else table
        expected = torch.stack([rest[(b, *row.masked_fill(torch.tensor(holes), 0))] for b, row in enumerate(tokens)])
        leaf = leaves(logphi, tokens)
        torch.testing.assert_close(joint(circuit, leaf), expected.log(), atol=1e-12, rtol=0)
        each = conditionals(circuit, leaf)
        torch.testing.assert_close(each.sum(1), expected.log(), atol=1e-12, rtol=0)
        assert each[:, torch.tensor(holes)].abs().sum() < 1e-12


# Row 9: one component is a law of independent tokens; identity matrices make an HMM and a BTree a CP.
@pytest.mark.parametrize("n", [2, 5])
def test_reductions(n):
    (_, logphi), same = made("cp", n), torch.eye(R, dtype=torch.float64).log()
    cp = CP(law(B, R))
    free = logphi[:, :, 0]
    product = sum(free[:, k].view(B, *[V if j == k else 1 for j in range(n)]) for k in range(n))
    torch.testing.assert_close(whole(CP(torch.zeros(B, 1)), logphi[:, :, :1]), product)
    for other in (HMM(cp.logw, same.expand(B, n - 1, R, R)), BTree(cp.logw, same.expand(B, n - 2, R, R))):
        torch.testing.assert_close(whole(other, logphi), whole(cp, logphi), atol=1e-12, rtol=0)
        leaf = leaves(logphi, torch.tensor([[1, 0, 2, 1, 2][:n], [2, 2, 1, 0, 0][:n]]))
        for drawer in (filtered, lambda c, x: c.responsibilities(x)):
            torch.testing.assert_close(drawer(other, leaf), drawer(cp, leaf), atol=1e-12, rtol=0)


# Row 12: responsibilities are the states' posterior, by enumeration, and the gradient of the joint at the leaves.
@every_kind
@pytest.mark.parametrize("n", [2, 3, 5])
def test_responsibilities(kind, n):
    circuit, logphi = made(kind, n, rank=2, size=2)
    for tokens in itertools.product(range(2), repeat=n):
        leaf = leaves(logphi, torch.tensor([tokens] * B)).requires_grad_()
        found = circuit.responsibilities(leaf).exp()
        (gradient,) = torch.autograd.grad(joint(circuit, leaf).sum(), leaf)
        torch.testing.assert_close(found, gradient, atol=1e-12, rtol=0)
        (gradient,) = torch.autograd.grad(conditionals(circuit, leaf).sum(), leaf)
        torch.testing.assert_close(found, gradient, atol=1e-12, rtol=0)
    for b in range(B):
        chances = spelled(circuit, logphi, b)[tokens]
        for k in range(n):
            ones = sum(p for z, p in chances.items() if z[k] == 1)
            assert found[b, k, 1].item() == pytest.approx(ones / sum(chances.values()), abs=1e-12)


# What the first token says beyond its factor moves the law of the later tokens, not its own, and leaves it a law.
@every_kind
def test_tilted_windows(kind):
    n = 4
    circuit, logphi = made(kind, n, batch=(1,))
    x = torch.cartesian_prod(*[torch.arange(V)] * n)
    tilt, leaf = law(V, R, seed=9)[x[:, 0]], leaves(logphi, x)
    plain, tilted = conditionals(circuit, leaf), conditionals(circuit, leaf, tilt)
    torch.testing.assert_close(tilted[:, 0], plain[:, 0])
    assert (tilted - plain)[:, 1].abs().max() > 0.1
    assert tilted.sum(1).exp().sum() == pytest.approx(1, abs=1e-12)
    moved = leaf.clone()
    moved[:, 0] += tilt
    torch.testing.assert_close(tilted[:, 1:], conditionals(circuit, moved)[:, 1:], atol=1e-12, rtol=0)


# Row 8: top-down sampling has the sequential law. Laws in units of 1/M and one uniform in every cell of width 1/M: each
# window is drawn as often, of M^(uniforms) times, as its probability says.
@every_kind
def test_ancestral_law(kind):
    n, m = 4, 3
    parts = torch.tensor([[1, 2], [0, 3], [2, 1], [3, 0]], dtype=torch.float64) / m
    draw = torch.Generator().manual_seed(2)
    logw, rows, logphi = (parts[torch.randint(4, s, generator=draw)].log() for s in ((1,), (1, 3, 2), (1, n, 2)))
    circuit = {"cp": CP(logw), "hmm": HMM(logw, rows), "btree": BTree(logw, rows[:, :2])}[kind]
    axes = [(torch.arange(m, dtype=torch.float64) + 0.5) / m] * (circuit.draws(n) + n)
    states, tokens = ancestral(circuit, logphi, torch.cartesian_prod(*axes))
    drawn = torch.zeros(2, 2, 2, 2, dtype=torch.float64).index_put((*tokens.T,), torch.tensor(1.0).double(), True)
    torch.testing.assert_close(drawn / len(tokens), whole(circuit, logphi)[0].exp(), atol=1e-12, rtol=0)
    leaf = leaves(logphi, tokens)
    for k in range(n):  # the states come with the posterior that the tokens leave them
        expected = circuit.responsibilities(leaf)[:, k, 1].exp().mean()
        assert float(states[:, k].double().mean()) == pytest.approx(float(expected), abs=1e-12)


# float32 stays float32, and near; so does a window whose probability no float32 could hold.
@every_kind
def test_float32(kind):
    circuit, logphi = made(kind, 8, rank=4, size=50)
    tokens = torch.arange(16).view(B, 8)
    leaf = leaves(logphi, tokens) - 40
    low = type(circuit)(*(part.float() for part in circuit))
    for drawer in (joint, conditionals, filtered, lambda c, x: c.responsibilities(x)):
        found = drawer(low, leaf.float())
        assert found.dtype == torch.float32 and found.isfinite().all()
        torch.testing.assert_close(found, drawer(circuit, leaf).float(), atol=1e-4, rtol=1e-5)


# A table that no memory holds is refused.
def test_too_many_windows():
    circuit, logphi = made("cp", 4, size=50)
    with pytest.raises(ValueError, match="n=4 are 6250000 windows: at most 1048576"):
        whole(circuit, logphi)
    assert circuits.MOST == 1 << 20
