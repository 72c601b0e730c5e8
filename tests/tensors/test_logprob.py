"""Chunked log-probabilities: the plain ones, with the plain gradients, and never more than a chunk of logits."""

import pytest
import torch
from torch import nn
from toys import on_every_architecture, on_every_device, toy

from mtp_explore.tensors import logprob
from mtp_explore.tensors.logprob import Unembedding, target_logprob

N, D, V = 23, 5, 7


def problem(device="cpu", dtype=torch.float64):
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(N, D, generator=draw).to(device, dtype).requires_grad_()
    matrix = (3 * torch.randn(D, V, generator=draw)).to(device, dtype).requires_grad_()
    return hidden, matrix, torch.randint(0, V, (N,), generator=draw).to(device)


# For any chunk size, a trained or a frozen unembedding, and for logits that are no plain product, values and gradients
# are those of log softmax.
@on_every_device
@pytest.mark.parametrize("budget", [1, V, 3 * V + 2, (N - 1) * V, N * V, 1 << 24])
@pytest.mark.parametrize("capped", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
def test_equals_the_plain_form(budget, capped, frozen, device):
    hidden, matrix, target = problem(device)
    matrix.requires_grad_(not frozen)
    inputs = (hidden,) if frozen else (hidden, matrix)

    def unembed(h):
        return 4 * torch.tanh(h @ matrix / 4) if capped else h @ matrix

    weights = torch.linspace(-1, 2, N, dtype=torch.float64, device=device)
    plain = unembed(hidden).log_softmax(-1).gather(1, target[:, None])[:, 0]
    expected = torch.autograd.grad((plain * weights).sum(), inputs)
    made = target_logprob(hidden, target, unembed, budget)
    torch.testing.assert_close(made, plain, atol=1e-12, rtol=1e-12)
    found = torch.autograd.grad((made * weights).sum(), inputs)
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


# A frozen unembedding meets every state once: what the backward pass needs, [N, D], is there after the forward pass.
@pytest.mark.parametrize("budget, rows", [(1, 1), (4 * V, 4), (1 << 24, N)])
def test_frozen_needs_no_second_pass(budget, rows):
    hidden, matrix, target = problem()
    matrix.requires_grad_(False)
    sizes, kept = [], []

    def unembed(h):
        sizes.append(len(h))
        return h @ matrix

    hooks = torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.shape) or x, lambda x: x)
    with hooks:
        made = target_logprob(hidden, target, unembed, budget)
    kept = [shape for shape in kept if shape != (D, V)]
    made.sum().backward()
    assert max(sizes) == rows and sum(sizes) == 1 + N
    assert kept == [(N, D)]


# What trains nothing keeps nothing.
def test_no_gradient_is_made_unasked():
    hidden, matrix, target = problem()
    with torch.no_grad():
        assert not target_logprob(hidden, target, lambda h: h @ matrix).requires_grad
    frozen = target_logprob(hidden.detach(), target, lambda h: h @ matrix.detach())
    assert not frozen.requires_grad
    only_matrix = target_logprob(hidden.detach(), target, lambda h: h @ matrix, 3 * V)
    plain = (hidden.detach() @ matrix).log_softmax(-1).gather(1, target[:, None]).sum()
    expected = torch.autograd.grad(plain, matrix)[0]
    torch.testing.assert_close(torch.autograd.grad(only_matrix.sum(), matrix)[0], expected, atol=1e-12, rtol=1e-12)


# A backbone's unembedding as plain data is its `logits`, with caps and biases, also for states of another precision.
@on_every_device
@on_every_architecture
def test_unembedding_of_a_backbone(architecture, device):
    backbone = toy(architecture, device)
    hidden = torch.randn(6, backbone.width, generator=torch.Generator().manual_seed(0)).to(device)
    expected = backbone.logits(hidden)
    torch.testing.assert_close(backbone.unembedding(hidden), expected, atol=1e-5, rtol=1e-5)
    assert backbone.unembedding(hidden.double()).equal(backbone.logits(hidden.double()))


def test_scaled_and_biased_unembedding():
    draw = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(V, D, generator=draw), torch.randn(V, generator=draw)
    hidden = torch.randn(3, D, generator=draw)
    made = Unembedding(weight, bias, 0.5, 2.0)(hidden)
    torch.testing.assert_close(made, 2 * torch.tanh((hidden @ weight.T + bias) / 4))


# The fused kernel gets what its authors ask for: states with the scale in them, no filter; it is not asked to serve on
# a CPU, for a bias (which its release does not know) or for a plain function.
def test_fused_kernel(monkeypatch):
    def kernel(e, c, targets, softcap=None, reduction="mean", filter_eps="high"):
        assert reduction == "none" and filter_eps is None and e.dtype == c.dtype
        z = e @ c.T
        z = z if softcap is None else softcap * torch.tanh(z / softcap)
        return nn.functional.cross_entropy(z.float(), targets, reduction="none")

    hidden, matrix, target = problem(dtype=torch.bfloat16)
    unembed = Unembedding(matrix.T, None, 0.5, 3.0)
    expected = target_logprob(hidden, target, unembed)
    monkeypatch.setattr(logprob, "_kernel", lambda: kernel)
    torch.testing.assert_close(logprob.fused_logprob(hidden, target, unembed), expected, atol=0.03, rtol=0.03)
    assert logprob.fused_kernel(hidden, unembed) is None
    there = hidden.to("meta")
    monkeypatch.setattr(torch.Tensor, "device", property(lambda self: torch.device("cuda")))
    assert logprob.fused_kernel(there, unembed) is logprob.fused_logprob
    assert logprob.fused_kernel(there, unembed._replace(bias=matrix[0])) is None
    assert logprob.fused_kernel(there, unembed._replace(weight=unembed.weight.float())) is None
    assert logprob.fused_kernel(there, lambda h: h @ matrix) is None


# The real kernel, where there is one and a device for it.
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("scale, cap", [(1.0, None), (0.5, 3.0)])
def test_real_fused_kernel(scale, cap):
    pytest.importorskip("cut_cross_entropy")
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(512, 256, generator=draw).cuda().bfloat16().requires_grad_()
    weight = torch.randn(1000, 256, generator=draw).cuda().bfloat16() / 16
    target, scales = torch.randint(0, 1000, (512,), generator=draw).cuda(), torch.randn(512, generator=draw).cuda()
    unembed = Unembedding(weight, None, scale, cap)
    assert logprob.fused_kernel(hidden, unembed)
    made = target_logprob(hidden, target, unembed)
    found = torch.autograd.grad((made * scales).sum(), hidden)[0]
    exact = hidden.detach().double().requires_grad_()
    plain = target_logprob(exact, target, Unembedding(weight.double(), None, scale, cap))
    expected = torch.autograd.grad((plain * scales).sum(), exact)[0]
    torch.testing.assert_close(made.double(), plain, atol=0.05, rtol=0.02)
    torch.testing.assert_close(found.double(), expected, atol=0.02, rtol=0.05)


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
