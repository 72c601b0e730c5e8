"""Exact joints against whole forward passes, against the drafter's own loop, and against the grammar's sampler."""

import pytest
import torch
from toys import toy

from mtp_explore.measure.joint import exact_joint
from mtp_explore.tensors.categorical import shape

PROMPT = [3, 1, 4, 1, 5]


def whole(backbone, prefix, **shaping):
    """[V] the target's law after a prefix, by a whole forward pass without cache."""
    return shape(backbone.model(torch.tensor([prefix]), use_cache=False).logits[0, -1], **shaping)


# Every cell of a joint over all of V is the product of the laws of whole forward passes; nothing is left out.
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma3"])
@pytest.mark.parametrize("shaping", [{}, {"temperature": 0.7, "top_k": 5}], ids=["T=1", "T=0.7, top-k"])
def test_cells_are_products_of_whole_passes(architecture, shaping):
    backbone = toy(architecture, dtype=torch.float32)
    found = exact_joint(backbone, PROMPT, n=2, **shaping)
    first = whole(backbone, PROMPT, **shaping)
    slow = torch.stack([first[x] * whole(backbone, [*PROMPT, x], **shaping) for x in range(17)])
    assert torch.allclose(found.law, slow, atol=1e-6) and found.mass == pytest.approx(1, abs=1e-6)
    assert torch.allclose(found.marginal(1), first, atol=1e-6)
    assert torch.allclose(found.marginal(2), slow.sum(0), atol=1e-6)
    assert found.law.dtype == torch.float64 and found.tokens == ([*range(17)],) * 2
