"""Log-probabilities of target tokens without keeping the logits.

For N states and a vocabulary V the logits [N, V] are the largest tensor of training. Here they are made a chunk at a
time, so the peak is one chunk; gradients are those of the plain form. A row's log-probability depends on its own state
only, d log p(x) / dz = U_x - sum_v p(v) U_v, so with a frozen unembedding U the gradient is taken while the chunk is
there, and only [N, D] of it is kept: two matrix products per chunk. With a trainable U the chunk is made again in the
backward pass: three, and the gradient of U. On CUDA in half precision, cut_cross_entropy's kernel does it where it is
installed (Wijmans et al., arXiv 2411.09009).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

BUDGET, ROOMY = 1 << 22, 1 << 26  # numbers of logits alive at once, on a CPU and on an accelerator


class Unembedding(NamedTuple):
    """States [..., D] -> logits [..., V], as plain data: s (U h + b), then cap * tanh(. / cap) where there is a cap."""

    weight: Tensor  # U [V, D]
    bias: Tensor | None = None  # b [V]
    scale: float = 1.0  # s
    cap: float | None = None

    def __call__(self, hidden: Tensor) -> Tensor:
        logits = torch.nn.functional.linear(hidden.to(self.weight.dtype), self.weight, self.bias)
        return capped(logits if self.scale == 1 else logits * self.scale, self.cap)


def capped(logits: Tensor, cap: float | None) -> Tensor:
    """cap * tanh(logits / cap), or the logits where cap is None."""
    return logits if cap is None else cap * torch.tanh(logits / cap)


def target_logprob(
    hidden: Tensor, target: Tensor, unembed: Callable[[Tensor], Tensor], budget: int | None = None
) -> Tensor:
    """log softmax(unembed(hidden))[target] [N], in nats and float32 or better.

    hidden [N, D]; target [N] long; unembed maps [n, D] to logits [n, V] (an `Unembedding` lets a fused kernel serve);
    whether it is trained is found out. `budget`: numbers of logits alive at once, by default what suits the device.
    """
    if fused := fused_kernel(hidden, unembed):
        return fused(hidden, target, unembed)
    probe = unembed(hidden[:1].detach())
    rows = max(1, chunk(hidden, budget, BUDGET) // probe.shape[-1])
    if not torch.is_grad_enabled() or not (hidden.requires_grad or probe.requires_grad):
        parts = zip(hidden.split(rows), target.split(rows), strict=True)
        return torch.cat([_logprob(h, t, unembed) for h, t in parts])
    if not probe.requires_grad:
        return _Frozen.apply(hidden, target, unembed, rows)
    if len(hidden) <= rows:
        return _logprob(hidden, target, unembed)
    parts = zip(hidden.split(rows), target.split(rows), strict=True)
    return torch.cat([checkpoint(_logprob, h, t, unembed, use_reentrant=False) for h, t in parts])


def chunk(like: Tensor, budget: int | None, usual: int) -> int:
    """The budget; by default the usual one on a CPU, and more on an accelerator."""
    return budget or (usual if like.device.type == "cpu" else ROOMY)


def exact(x: Tensor) -> Tensor:
    """At least float32."""
    return x if x.dtype == torch.float64 else x.float()


def _logprob(hidden: Tensor, target: Tensor, unembed: Callable[[Tensor], Tensor]) -> Tensor:
    return -torch.nn.functional.cross_entropy(exact(unembed(hidden)), target, reduction="none")


class _Frozen(torch.autograd.Function):
    """Values, and their gradients on the spot, for an unembedding that is not trained."""

    @staticmethod
    def forward(ctx, hidden: Tensor, target: Tensor, unembed, rows: int) -> Tensor:
        slope, out = torch.empty_like(hidden), []
        for part, h, t in zip(slope.split(rows), hidden.split(rows), target[:, None].split(rows), strict=True):
            with torch.enable_grad():
                h = h.detach().requires_grad_()
                logits = unembed(h)
            logq = exact(logits.detach()).log_softmax(-1)
            out.append(logq.gather(1, t)[:, 0])
            rise = logq.exp_().neg_().scatter_add_(1, t, logq.new_ones(t.shape))  # d log p(x) / d logits
            part.copy_(torch.autograd.grad(logits, h, rise.to(logits.dtype))[0])
        ctx.save_for_backward(slope)
        return torch.cat(out)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        (slope,) = ctx.saved_tensors
        return slope * grad[:, None].to(slope.dtype), None, None, None


@cache
def _kernel():
    """cut_cross_entropy's function, None where it is not installed."""
    try:
        from cut_cross_entropy import linear_cross_entropy
    except ImportError:
        return None
    return linear_cross_entropy


def fused_kernel(hidden: Tensor, unembed) -> Callable | None:
    """The fused kernel as (hidden, target, unembedding) -> log-probabilities, where it can serve."""
    if hidden.device.type != "cuda" or not isinstance(unembed, Unembedding):
        return None
    fits = unembed.weight.dtype.itemsize == 2 and unembed.bias is None
    return fused_logprob if fits and _kernel() else None


def fused_logprob(hidden: Tensor, target: Tensor, unembed: Unembedding) -> Tensor:
    """`target_logprob` by cut_cross_entropy, without its filter of small gradients."""
    states = (hidden * unembed.scale).to(unembed.weight.dtype)
    options = dict(softcap=unembed.cap, reduction="none", filter_eps=None)
    return -_kernel()(states, unembed.weight, target, **options).float()
