"""Chunked log-probabilities: the plain ones, with the plain gradients, and never more than a chunk of logits."""

import pytest
import torch
from torch import nn
from toys import on_every_device

from mtp_explore.tensors.logprob import target_logprob

N, D, V = 23, 5, 7


def problem(device="cpu", dtype=torch.float64):
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(N, D, generator=draw).to(device, dtype).requires_grad_()
    matrix = (3 * torch.randn(D, V, generator=draw)).to(device, dtype).requires_grad_()
    return hidden, matrix, torch.randint(0, V, (N,), generator=draw).to(device)


# For any chunk size, and for logits that are no plain product, values and gradients are those of log softmax.
@on_every_device
@pytest.mark.parametrize("budget", [1, V, 3 * V + 2, (N - 1) * V, N * V, 1 << 24])
@pytest.mark.parametrize("capped", [False, True])
def test_equals_the_plain_form(budget, capped, device):
    hidden, matrix, target = problem(device)

    def unembed(h):
        return 4 * torch.tanh(h @ matrix / 4) if capped else h @ matrix

    weights = torch.linspace(-1, 2, N, dtype=torch.float64, device=device)
    plain = unembed(hidden).log_softmax(-1).gather(1, target[:, None])[:, 0]
    expected = torch.autograd.grad((plain * weights).sum(), (hidden, matrix))
    made = target_logprob(hidden, target, unembed, budget)
    torch.testing.assert_close(made, plain, atol=1e-12, rtol=1e-12)
    found = torch.autograd.grad((made * weights).sum(), (hidden, matrix))
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(target_logprob(hidden, target, unembed, budget), plain, atol=1e-12, rtol=1e-12)


# No call of the unembedding makes more numbers than the budget allows (one row at least), in either pass; what is
# kept for the backward pass is no logit at all.
@pytest.mark.parametrize("budget, rows", [(1, 1), (V, 1), (4 * V, 4), (5 * V - 1, 4)])
def test_a_chunk_is_the_most(budget, rows):
    hidden, matrix, target = problem()
    sizes, kept = [], []

    def unembed(h):
        sizes.append(len(h))
        return h @ matrix

    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.shape) or x, lambda x: x):
        made = target_logprob(hidden, target, unembed, budget)
    made.sum().backward()
    assert max(sizes) == rows and sum(sizes) == 1 + 2 * N  # one row tells V; then once forward, once backward
    assert not any(shape[-1:] == (V,) and shape[0] in range(1, N + 1) and len(shape) == 2 for shape in kept)


# Half precision is summed in float32, float64 stays what it is.
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_precision(dtype):
    hidden, matrix, target = problem(dtype=dtype)
    made = target_logprob(hidden, target, lambda h: h @ matrix, 5 * V)
    assert made.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    plain = (hidden @ matrix).double().log_softmax(-1).gather(1, target[:, None])[:, 0]
    torch.testing.assert_close(made.double(), plain, atol=1e-5, rtol=1e-5)


# A token that is certain has log-probability 0, an impossible one -inf; no row, no number.
def test_extremes():
    with torch.no_grad():
        table = torch.tensor([[0.0, -torch.inf], [0.0, -torch.inf]])
        assert target_logprob(table, torch.tensor([0, 1]), nn.Identity()).tolist() == [0.0, -torch.inf]
        assert target_logprob(table[:0], torch.tensor([], dtype=torch.long), nn.Identity()).shape == (0,)
