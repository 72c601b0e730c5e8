"""Attention of blocks over a shared text: the softmax over all keys in one piece, whatever the chunks."""

import pytest
import torch
from toys import on_every_device

from mtp_explore.tensors.attention import block_attention

B, G, EACH, A, M, T, D = 2, 2, 3, 5, 3, 7, 4


def problem(device="cpu", dtype=torch.float64, full: bool = False):
    """Queries, keys and values; a mask that hides random places, all behind `reach`, never the first."""
    g = torch.Generator().manual_seed(0)
    shapes = dict(query=(B, G, EACH, A, M, D), key=(B, G, A, M, D), value=(B, G, A, M, D + 1))
    made = {k: torch.randn(*s, generator=g, dtype=torch.float64) for k, s in shapes.items()}
    text = torch.randn(B, G, T, D, generator=g, dtype=torch.float64), torch.randn(B, G, T, D + 1, generator=g).double()
    reach = [2, 3, 3, 7, 6]
    seen = (torch.rand(B, A, M if full else 1, T, generator=g) < 0.6) & (
        torch.arange(T) < torch.tensor(reach)[:, None, None]
    )
    seen[..., 0] = True
    mask = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, torch.finfo(dtype).min).to(device)
    made = {k: (3 * x).to(device, dtype).requires_grad_() for k, x in made.items()}
    return made, tuple(x.to(device, dtype) for x in text), mask, reach


def plain(query, key, value, text, mask, cap):
    """One softmax over [text | own block] for each row by itself."""
    out = torch.empty(*query.shape[:-1], value.shape[-1], dtype=query.dtype, device=query.device)
    for b in range(B):
        for h in range(G):
            for a in range(A):
                for m in range(M):
                    keys = torch.cat([text[0][b, h], key[b, h, a, : m + 1]])
                    values = torch.cat([text[1][b, h], value[b, h, a, : m + 1]])
                    scores = query[b, h, :, a, m] @ keys.T
                    scores = scores if cap is None else cap * torch.tanh(scores / cap)
                    bias = torch.cat([mask[b, a, m % mask.shape[2]], mask.new_zeros(m + 1)])
                    out[b, h, :, a, m] = (scores + bias).softmax(-1) @ values
    return out


# Outputs and gradients are those of the plain softmax, in chunks of one block, of some and of all, with and without a
# cap, and with masks of a block or of each row.
@on_every_device
@pytest.mark.parametrize("budget", [1, 600, 1 << 20])
@pytest.mark.parametrize("cap", [None, 2.0])
@pytest.mark.parametrize("full", [False, True])
def test_it_is_the_plain_softmax(full, cap, budget, device):
    made, text, mask, reach = problem(device, full=full)
    found = block_attention(**made, text=text, mask=mask, reach=reach, cap=cap, budget=budget)
    wanted = plain(**made, text=text, mask=mask, cap=cap)
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=1e-10)
    slope = torch.randn(found.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(device)
    gradients = [torch.autograd.grad(x, list(made.values()), slope) for x in (found, wanted)]
    torch.testing.assert_close(*gradients, atol=1e-11, rtol=1e-9)
    assert all(g.abs().max() > 1e-2 for g in gradients[0])


# Derivatives agree with finite differences.
def test_gradcheck():
    made, text, mask, reach = problem()

    def of(*args):
        return block_attention(*args, text, mask, reach, 3.0, budget=200)

    assert torch.autograd.gradcheck(of, tuple(made.values()))


# Half precision comes out in half precision, close to the exact numbers; scores are made in float32.
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype):
    made, text, mask, reach = problem(dtype=dtype)
    found = block_attention(**made, text=text, mask=mask, reach=reach)
    exact = {k: x.detach().double() for k, x in made.items()}
    wanted = plain(**exact, text=tuple(x.double() for x in text), mask=mask.double(), cap=None)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), wanted, atol=0.15, rtol=0.1)
    found.sum().backward()
    assert all(x.grad.isfinite().all() and x.grad.dtype == dtype for x in made.values())
