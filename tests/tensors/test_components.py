"""Low-rank components: the log-probabilities of their own states, spelled out, with all gradients and little memory."""

import pytest
import torch
from toys import on_every_device

from mtp_explore.tensors import components
from mtp_explore.tensors.components import component_logprob
from mtp_explore.tensors.logprob import Unembedding

N, PLACES, R, RANK, D, V = 11, 3, 4, 2, 6, 150


def problem(device="cpu", places=1, dtype=torch.float64, biased=False, **more):
    """(base, code, up, target, unembedding) with every tensor trainable."""
    draw = torch.Generator().manual_seed(0)

    def normal(*size):
        return torch.randn(*size, generator=draw).to(device, dtype).requires_grad_()

    target = torch.randint(0, V, (N, PLACES), generator=draw).to(device)
    inputs = normal(N, places, D), normal(N, PLACES, R, RANK), normal(PLACES, R, RANK, D)
    return *inputs, target, Unembedding(normal(V, D), normal(V) if biased else None, **more)


def plain(base, code, up, target, unembed):
    """The states of all components, all their logits, one softmax."""
    z = base[:, :, None] + torch.einsum("niak,iakd->niad", code, up)
    return unembed(z).log_softmax(-1).gather(-1, target[..., None, None].expand(N, PLACES, R, 1))[..., 0]


FORMS = [dict(), dict(places=PLACES), dict(biased=True), dict(scale=0.5, cap=3.0, biased=True, places=PLACES)]


# For any size of the blocks (one column at a time up to all at once, rows split or not), with a base for each place or
# one for all, a bias, a scale and a cap, values and all five gradients are those of the plain form.
@on_every_device
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("budget", [1, 5 * 64, N * 70, 2 * N * V, None])
def test_equals_the_plain_form(form, budget, device):
    *inputs, target, unembed = problem(device, **form)
    inputs = [*inputs, *(w for w in unembed[:2] if w is not None)]
    weights = torch.linspace(-1, 2, N * PLACES * R, dtype=torch.float64, device=device).view(N, PLACES, R)
    expected = plain(*inputs[:3], target, unembed)
    slopes = torch.autograd.grad((expected * weights).sum(), inputs)
    made = component_logprob(*inputs[:3], target, unembed, budget)
    torch.testing.assert_close(made, expected, atol=1e-12, rtol=1e-12)
    found = torch.autograd.grad((made * weights).sum(), inputs)
    torch.testing.assert_close(found, slopes, atol=1e-11, rtol=1e-11)


# The same for every choice of what is trained: nothing else gets a gradient.
@pytest.mark.parametrize("trained", [(0,), (1,), (2,), (3,), (1, 2), (0, 3)])
def test_only_what_is_trained(trained):
    base, code, up, target, unembed = problem()
    inputs = [x.detach().requires_grad_(i in trained) for i, x in enumerate((base, code, up, unembed.weight))]
    asked = [inputs[i] for i in trained]
    expected = plain(*inputs[:3], target, Unembedding(inputs[3])).square().sum()
    made = component_logprob(*inputs[:3], target, Unembedding(inputs[3]), 700).square().sum()
    slopes, found = torch.autograd.grad(expected, asked), torch.autograd.grad(made, asked)
    torch.testing.assert_close(found, slopes, atol=1e-10, rtol=1e-10)
    made = component_logprob(*inputs[:3], target, Unembedding(inputs[3]), 700)
    made.sum().backward()
    assert [x.grad is not None for x in inputs] == [i in trained for i in range(4)]


# Logits that are far apart between blocks neither overflow nor vanish.
def test_far_apart_logits():
    base, code, up, target, unembed = problem()
    unembed = Unembedding((unembed.weight * torch.linspace(-300, 300, V, dtype=torch.float64)[:, None]).detach())
    expected, made = plain(base, code, up, target, unembed), component_logprob(base, code, up, target, unembed, 1)
    assert made.isfinite().all() and expected.min() < -1000
    torch.testing.assert_close(made, expected, atol=1e-9, rtol=1e-9)


# No tensor as large as one component's logits [N, V] is kept for the backward pass, and none larger than the block
# (one component) is made: the budget is what counts, not n, R or V.
def test_peak_is_a_block(monkeypatch):
    sizes, kept, honest = [], [], components.logits
    monkeypatch.setattr(components, "logits", lambda *a: sizes.append((x := honest(*a))[0].numel()) or x)
    *inputs, target, unembed = problem()
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.numel()) or x, lambda x: x):
        made = component_logprob(*inputs, target, Unembedding(unembed.weight.detach()), 64 * N)
    made.sum().backward()
    assert max(sizes) == 64 * N and sum(sizes) == 2 * N * V * PLACES * R
    assert max(kept) < N * V


# Half precision is summed in float32.
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_precision(dtype):
    *inputs, target, unembed = problem(dtype=dtype)
    made = component_logprob(*inputs, target, unembed)
    assert made.dtype == torch.float32
    expected = plain(*(x.double() for x in inputs), target, Unembedding(unembed.weight.double()))
    torch.testing.assert_close(made.double(), expected, atol=0.2 if dtype == torch.bfloat16 else 1e-4, rtol=0.02)
    made.sum().backward()
    assert all(x.grad.dtype == dtype for x in inputs)


# Where the fused kernel serves, it is given every component's state with its target.
def test_fused_kernel_gets_the_states(monkeypatch):
    def fused(hidden, target, unembed):
        return unembed(hidden).log_softmax(-1).gather(1, target[:, None])[:, 0]

    monkeypatch.setattr(components, "fused_kernel", lambda hidden, unembed: fused)
    for places in (1, PLACES):
        *inputs, target, unembed = problem(places=places)
        made = component_logprob(*inputs, target, unembed)
        torch.testing.assert_close(made, plain(*inputs, target, unembed), atol=1e-12, rtol=1e-12)
