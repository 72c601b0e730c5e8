"""The price of independence, by enumeration and against the loop."""

import itertools
import math

import pytest
import torch
from toys import toy

from mtp_explore.decode.generate import sample
from mtp_explore.drafters import make_drafter
from mtp_explore.measure.fidelity import price, total_correlation
from mtp_explore.measure.independence import Cost, costs, incompatible, invented, product
from mtp_explore.measure.joint import Joint, exact_joint

PROMPTS = [[3, 1, 4, 1, 5], [2, 7], [1, 6, 1, 8, 0, 3]]


@pytest.fixture(scope="module")
def backbone():
    return toy("gpt2", dtype=torch.float64)


@pytest.fixture(scope="module")
def heads(backbone):
    drafter = make_drafter("independent", backbone, horizon=1)
    random = torch.Generator().manual_seed(3)
    for weight in drafter.weights:
        weight.data.copy_(0.4 * torch.randn(weight.shape, generator=random, dtype=torch.float64))
    return drafter


def coin():
    """Two tokens that are equal: heads, heads or tails, tails."""
    law = torch.eye(2, dtype=torch.float64) / 2
    return Joint(law, ([0, 1], [0, 1]), (["h", "t"], ["H", "T"]), 1.0)


# Of a fair coin seen twice, two perfect heads invent half of what they say, and pay one coin's entropy.
def test_a_coin_cannot_be_shared():
    joint = coin()
    assert torch.equal(product(joint), torch.full((2, 2), 0.25, dtype=torch.float64))
    assert incompatible(joint) == 0.5 and incompatible(joint, joint) == 0
    assert {cell.words for cell in invented(joint, most=2)} == {("h", "T"), ("t", "H")}
    assert all((cell.p, cell.q) == (0, 0.25) for cell in invented(joint, most=2))
    assert float(total_correlation(joint)) == pytest.approx(math.log(2))


# The product has the joint's marginals, is a law, and of all products of laws the nearest in KL.
def test_the_product_is_the_best_rank_one():
    random = torch.Generator().manual_seed(0)
    p = torch.rand(3, 4, 2, generator=random, dtype=torch.float64) ** 3
    p = p / p.sum()
    q = product(p)
    for i in range(3):
        rest = [d for d in range(3) if d != i]
        assert torch.allclose(q.sum(rest), p.sum(rest))
    best = (p * (p / q).log()).sum()
    assert float(best) == pytest.approx(float(total_correlation(p)))
    for _ in range(20):
        other = [torch.rand(n, generator=random, dtype=torch.float64) for n in p.shape]
        other = torch.einsum("i,j,k->ijk", *(x / x.sum() for x in other))
        assert (p * (p / other).log()).sum() > best


# Cells are sorted by what the draft says too often, and what is as good as impossible is counted by hand.
def test_invented_cells_are_the_largest_differences(backbone, heads):
    joint = exact_joint(backbone, PROMPTS[0], n=2)
    draft = exact_joint(heads, PROMPTS[0], n=2, axes=joint)
    for law, given in ((product(joint), None), (draft.law, draft), (draft.law, draft.law)):
        found = invented(joint, given, most=5)
        slow = sorted(
            ((float(law[i, j] - joint.law[i, j]), joint.words[0][i], joint.words[1][j]) for i, j in cells()),
            reverse=True,
        )
        assert [(c.words, pytest.approx(c.q - c.p)) for c in found] == [((a, b), d) for d, a, b in slow[:5]]
        slow = sum(float(law[i, j]) for i, j in cells() if joint.law[i, j] * 10 <= law[i, j])
        assert incompatible(joint, given, times=10) == pytest.approx(slow) and slow > 0
    with pytest.raises(ValueError, match="same axes"):
        invented(joint, torch.ones(2, 2))


def cells():
    return itertools.product(range(17), repeat=2)


# What heads lose is what independence costs and their own error, exactly; the chances are those of enumeration.
def test_the_loss_falls_into_two_parts(backbone, heads):
    for cost in costs(backbone, heads, PROMPTS):
        joint = exact_joint(backbone, cost.context, n=2)
        draft = exact_joint(heads, cost.context, n=2, axes=joint)
        whole = price(joint, draft)
        assert cost.independence + cost.own == pytest.approx(whole.kl, abs=1e-9) and cost.own > 0.01
        assert cost.trained == pytest.approx(whole.token)
        p, first = joint.law, joint.marginal(1)
        slow = sum(float(min(p[i, j], first[i] * joint.marginal(2)[j])) for i, j in cells())
        assert cost.perfect == pytest.approx(slow)
        assert 0 <= cost.clashes <= 1 - cost.perfect + 1e-9  # what clashes is all but never kept
    with pytest.raises(ValueError, match="at least one"):
        costs(backbone, heads, [])


# The chance that a draft is kept is what the loop shows, up to chance itself (five standard errors).
def test_the_loop_keeps_as_many_drafts(backbone, heads):
    (cost,) = costs(backbone, heads, PROMPTS[:1])
    assert isinstance(cost, Cost)
    out = sample(backbone, heads, PROMPTS[:1] * 2000, 3, rule="rejection", eos=False, seed=0)
    kept = out.accepted[1].double().mean()
    assert bool((out.drafted[1] == 1).all())
    assert abs(float(kept) - cost.trained) < 5 * math.sqrt(cost.trained * (1 - cost.trained) / 2000)
