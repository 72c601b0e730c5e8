"""Component heads: matrix by matrix, the start at the next-token head, and weights that are laws."""

import pytest
import torch

from mtp_explore.drafters.heads import ComponentHeads, SumWeights

D, N, PLACES, R = 12, 5, 4, 3
FORMS = [{"head_rank": 2}, {"head_rank": 0}, {"head_rank": 2, "depth": 1, "hidden": 6}, {"head_rank": 0, "depth": 1}]
every_form = pytest.mark.parametrize("form", FORMS)


def made(form: dict, random: bool = True) -> ComponentHeads:
    torch.manual_seed(0)
    heads = ComponentHeads(D, PLACES, R, **form).double()
    if random:
        for w in heads.parameters():
            w.data.normal_(0, 0.5)
    return heads


# z_a^(s) = H_a^(s) g_s(h), one state, place and component at a time.
@every_form
def test_heads_equal_plain_matrices(form):
    heads, hidden = made(form), torch.randn(N, D, dtype=torch.float64)
    found = heads(hidden)
    assert found.shape == (N, PLACES, R, D)
    for row, h in enumerate(hidden):
        for s in range(PLACES):
            g = h
            if heads.depth:
                inner = h @ heads.inner[s]
                g = h + (inner * torch.sigmoid(inner)) @ heads.outer[s]
            for a in range(R):
                change = heads.up[s, a] if heads.down is None else heads.down[s, a] @ heads.up[s, a]
                torch.testing.assert_close(found[row, s, a], g @ (torch.eye(D).double() + change))


# At the start H is the identity and noise of 0.01 / sqrt(D) per entry, and the MLP adds nothing.
@every_form
def test_start(form):
    torch.manual_seed(0)
    wide = 256
    heads = ComponentHeads(wide, 3, 2, **form)
    change = heads.up if heads.down is None else heads.down @ heads.up
    assert change.std().item() * wide**0.5 == pytest.approx(0.01, rel=0.05)
    heads.up.data.zero_()
    hidden = torch.randn(N, wide)
    assert torch.equal(heads(hidden), hidden[:, None, None].expand(-1, 3, 2, -1))


# Weights are log-laws over the last axis; square ones start near the identity, others near uniform.
@pytest.mark.parametrize("shape", [(4,), (3, 4, 4), (0, 4, 4)])
def test_sum_weights(shape):
    torch.manual_seed(0)
    weights = SumWeights(D, *shape)
    hidden = torch.randn(N, D)
    found = weights(hidden)
    assert found.shape == (N, *shape)
    torch.testing.assert_close(found.exp().sum(-1), torch.ones(N, *shape[:-1]))
    expected = 5 * torch.eye(4) if len(shape) > 1 else torch.zeros(4)
    assert (found - expected.log_softmax(-1)).abs().amax() < 0.5 if found.numel() else True
    weights.weight.data.normal_()
    plain = torch.einsum("...d,nd->n...", weights.weight, hidden) + weights.bias
    torch.testing.assert_close(weights(hidden), plain.log_softmax(-1))


# In half precision the weights are still laws to float32's precision.
def test_half_precision_weights():
    found = SumWeights(D, 300).bfloat16()(torch.randn(N, D).bfloat16())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.exp().sum(-1), torch.ones(N))


# Sizes that cannot be are refused with their value.
@pytest.mark.parametrize(
    "wrong",
    [
        *({"head_rank": v} for v in (-1, D + 1, 2.5, True)),
        *({"depth": v} for v in (2, True, 1.0)),
        *({"hidden": v, "depth": 1} for v in (0, 2.5, True)),
    ],
)
def test_bad_sizes_are_refused(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"{name}={value}"):
        ComponentHeads(D, PLACES, R, **{"head_rank": 2, **wrong})
