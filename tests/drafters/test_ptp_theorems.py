"""Theorems 1 and 2 of Draxler et al. (arXiv 2512.21323) on a toy teacher, by enumeration.

The teacher is a table of laws: V = 3 tokens, after every prefix of at most two, some tokens impossible. Space of
uniforms: the cube of (u_0, u_1, u_2), cut at every edge of every law, so that nothing happens inside a cell.
"""

import itertools
from collections import defaultdict

import oracles
import pytest
import torch

from mtp_explore.tensors.categorical import edges, pick
from mtp_explore.tensors.uniforms import bins, unpick

V, N = 3, 3


def laws(table, depth: int) -> dict:
    return {prefix: torch.tensor(law, dtype=torch.float64) for prefix, law in table.items() if len(prefix) == depth}


def drawn(table, u) -> tuple[int, ...]:
    """What decoding says under the numbers u, one token after another, by the slow twin's pick."""
    text = ()
    for x in u:
        text += (oracles.picked(table[text], float(x)),)
    return text


def walls(table, depth: int) -> list[float]:
    """Every place where some law of this depth changes its mind, and the ends."""
    return sorted({0.0, 1.0, *(e for law in laws(table, depth).values() for e in edges(law).tolist())})


def cells(table, depth: int):
    """(a number near the lower wall, one near the upper, the length) of every interval between two walls."""
    for low, high in itertools.pairwise(walls(table, depth)):
        yield low + 0.01 * (high - low), low + 0.99 * (high - low), high - low


@pytest.mark.parametrize("zeros", [False, True])
def test_theorems(zeros):
    """Theorem 1: u_0..u_k fix t_k, cell by cell, and every text gets its probability. Theorem 2: given u_0..u_{k-1}
    the law of t_k is the teacher's after the tokens they fix, in each cell; it does not depend on where in it u lies.
    """
    table = oracles.table(V, N - 1, seed=3, zeros=zeros)
    joint, volume = oracles.joint(table, V, N), defaultdict(float)
    for cell in itertools.product(*(list(cells(table, k)) for k in range(N))):
        said = {drawn(table, u) for u in itertools.product(*((low, high) for low, high, _ in cell))}
        assert len(said) == 1
        volume[said.pop()] += float(torch.tensor([size for *_, size in cell], dtype=torch.float64).prod())
    assert all(abs(volume.get(x, 0) - chance) < 1e-12 for x, chance in joint.items())
    for k in range(1, N):
        for before in itertools.product(*(list(cells(table, j)) for j in range(k))):
            law = torch.zeros(V, dtype=torch.float64)
            for near, _, size in cells(table, k):
                law[drawn(table, [*(high for _, high, _ in before), near])[-1]] += size
            fixed = drawn(table, [low for low, *_ in before])
            assert torch.allclose(law, torch.tensor(table[fixed], dtype=torch.float64), atol=1e-12)


def test_texts_and_their_numbers():
    """The way back: numbers taken from the bins of a text's tokens draw that text, the bins of every text are as large
    as its probability, and together they fill the cube.
    """
    table = oracles.table(V, N - 1, seed=5, zeros=True)
    draw, total = torch.Generator().manual_seed(0), 0.0
    for text, chance in oracles.joint(table, V, N).items():
        own = torch.stack([torch.tensor(table[text[:k]], dtype=torch.float64) for k in range(N)])
        low, high = bins(own, torch.tensor(text))
        assert float((high - low).prod()) == pytest.approx(chance, abs=1e-15)
        total += float((high - low).prod())
        for place in torch.rand(5, N, generator=draw, dtype=torch.float64) if chance else ():
            u = unpick(own, torch.tensor(text), place)
            assert drawn(table, u) == text and tuple(pick(own, u).tolist()) == text
    assert total == pytest.approx(1)
