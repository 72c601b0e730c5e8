"""EM by differentiation: the same as EM spelt out, never worse from round to round, exact where a circuit fits."""

import pytest
import torch

from mtp_explore.measure.circuit_em import SUMS, circuit_em, em_round, random_circuit
from mtp_explore.measure.em import Chain, em
from mtp_explore.measure.fidelity import total_correlation
from mtp_explore.tensors.circuits import whole

KINDS = list(SUMS)


def law_of(seed: int, n: int = 3, size: int = 3) -> torch.Tensor:
    drawn = torch.rand([size] * n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) ** 3
    return drawn / drawn.sum()


# One round from the same start is the round of `em`, which counts with messages and shares no code with this one.
@pytest.mark.parametrize("kind", ["cp", "hmm"])
def test_a_round_is_that_of_the_spelt_out_em(kind):
    law = law_of(0, 4)
    sums, logphi = random_circuit(law, kind, 2, seed=1)
    moves = tuple(sums.logT.exp()) if kind == "hmm" else None
    start = Chain(sums.logw.exp(), tuple(logphi.exp()), moves)
    chain, kl = em(law, 2, kind == "hmm", start, iterations=1)
    after, factors, before = em_round(law, sums, logphi)
    assert torch.allclose(before, kl[0], atol=1e-12)
    assert torch.allclose(after.logw.exp(), chain.weights, atol=1e-10)
    assert torch.allclose(factors.exp(), torch.stack(chain.factors), atol=1e-10)
    if kind == "hmm":
        assert torch.allclose(after.logT.exp(), torch.stack(chain.transitions), atol=1e-10)


# No round raises the divergence, and what comes out is a law.
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_rounds_never_lose(kind, seed):
    found = circuit_em(law_of(seed, 4), kind, 2, iterations=30, restarts=1)
    assert (found.kl.diff() < 1e-9).all() and found.kl[0] > found.kl[-1] > 0
    assert torch.allclose(found.dense().sum(), torch.ones((), dtype=torch.float64))


# With one state every circuit is the product of marginals, whose divergence is the total correlation.
@pytest.mark.parametrize("kind", KINDS)
def test_one_state_costs_the_total_correlation(kind):
    law = law_of(5)
    assert torch.allclose(circuit_em(law, kind, 1, 3).kl[-1], total_correlation(law), atol=1e-9)


# A law that a circuit of this kind has written is found again.
@pytest.mark.parametrize("kind", KINDS)
def test_a_law_of_its_own_kind_is_found(kind):
    sums, logphi = random_circuit(law_of(0, 3), kind, 2, seed=7)
    assert circuit_em(whole(sums, logphi).exp(), kind, 2, iterations=150, restarts=3).kl[-1] < 1e-3


# More starts never end higher, and the same seed ends at the same place.
def test_starts_are_reproducible():
    law = law_of(3, 4)
    one, three = (circuit_em(law, "btree", 2, 20, restarts=r).kl[-1] for r in (1, 3))
    assert three <= one and torch.equal(circuit_em(law, "btree", 2, 20, restarts=1).kl[-1], one)


@pytest.mark.parametrize(
    "law, kind, rank, says",
    [
        (law_of(0), "tree", 2, "kind='tree'"),
        (law_of(0), "cp", 0, "rank=0"),
        (law_of(0)[:2], "hmm", 2, "axes of one size"),
        (law_of(0, 2), "btree", 2, "at least 3"),
        (-law_of(0), "cp", 2, "non-negative"),
    ],
)
def test_bad_input_says_the_remedy(law, kind, rank, says):
    with pytest.raises(ValueError, match=says):
        circuit_em(law, kind, rank)
