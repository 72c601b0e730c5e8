"""Log-probabilities of target tokens under many components that differ from one state by a low-rank term.

    z[i, a] = g[i] + c[i, a] B[i, a],        log P_a^(i)(x) = (U z[i, a])_x - log sum_v exp (U z[i, a])_v

Letters: N states, n window places i, R components a, r head rank, D width, V vocabulary; g [N, P, D] base states (P is
n, or 1 where all places share one), c [N, n, R, r] codes, B [n, R, r, D], U [V, D] the unembedding.

U z = U g + c (B U^T): the product with U is made once for all components, and each adds r numbers per token instead of
D. Nothing of size N x V is kept: the vocabulary is walked in blocks (their log-sum-exps add up), in the backward pass
again, where the softmax is rebuilt from the sum. Peak memory is a few blocks, whatever n, R and V.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .logprob import Unembedding, capped, chunk, exact, fused_kernel

NARROW = 64  # columns of a block, at least
CACHED = 1 << 19  # numbers of a block on a CPU: they are walked several times and should stay in its cache


def component_logprob(
    base: Tensor, code: Tensor, up: Tensor, target: Tensor, unembed: Unembedding, budget: int | None = None
) -> Tensor:
    """log P_a^(i)(target) [N, n, R], in nats and float32 or better.

    base g [N, P, D]; code c [N, n, R, r]; up B [n, R, r, D]; target [N, n] long. `budget`: numbers of a block, by
    default what suits the device. Gradients reach base, code, up and the unembedding, as far as they are asked for.
    """
    if fused := fused_kernel(base, unembed):
        z = base[:, :, None] + (code[..., None, :] @ up)[..., 0, :]
        each = target[..., None].expand(code.shape[:-1])
        return fused(z.flatten(0, 2), each.flatten(), unembed).view(each.shape)
    budget = chunk(base, budget, CACHED)
    rows = max(1, budget // NARROW)
    if len(base) > rows:
        parts = zip(base.split(rows), code.split(rows), target.split(rows), strict=True)
        return torch.cat([component_logprob(g, c, up, t, unembed, budget) for g, c, t in parts])
    weight, bias = (x if x is None or unembed.scale == 1 else x * unembed.scale for x in unembed[:2])
    base, code, up = (x.to(weight.dtype) for x in (base, code, up))
    places = base.transpose(0, 1), code.permute(1, 2, 0, 3).contiguous()
    total = _LogSumExp.apply(*places, up, weight, bias, unembed.cap, budget)
    return hits(base, code, up, target, weight, bias, unembed.cap) - total.permute(2, 0, 1)


def hits(base, code, up, target, weight, bias, cap) -> Tensor:
    """The targets' own logits [N, n, R]."""
    row = torch.nn.functional.embedding(target, weight)  # [N, n, D]
    seen = (row.transpose(0, 1) @ up.flatten(1, 2).mT).transpose(0, 1)  # B U_x  [N, n, R r]
    own = exact((base * row).sum(-1))[..., None] + exact((code * seen.view(code.shape)).sum(-1))
    own = own if bias is None else own + bias[target][..., None]
    return capped(own, cap)


class _LogSumExp(torch.autograd.Function):
    """log sum_v exp of the components' logits [n, R, N], from g [P, N, D], c [n, R, N, r] and B, without the logits."""

    @staticmethod
    def forward(ctx, base, code, up, weight, bias, cap, budget):
        total = exact(code.new_full(code.shape[:-1], -torch.inf))
        for _, part, shared, own in blocks(base, up, weight, bias, budget):
            for i, a in groups(code, len(part), budget):
                x = logits(shared, code, own, cap, i, a)
                total[i, a] = torch.logaddexp(total[i, a], x.logsumexp(-1))
        ctx.save_for_backward(base, code, up, weight, bias, total)
        ctx.cap, ctx.budget = cap, budget
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        base, code, up, weight, bias, total = ctx.saved_tensors
        inputs = (base, code, up, weight, bias)
        needs = zip(inputs, ctx.needs_input_grad, strict=False)
        out = [torch.zeros_like(x, dtype=total.dtype) if need else None for x, need in needs]
        to_base, to_code, to_up, to_weight, to_bias = out
        for columns, part, shared, own in blocks(base, up, weight, bias, ctx.budget):
            to_own, to_shared = torch.empty_like(own), torch.zeros_like(shared)
            for i, a in groups(code, len(part), ctx.budget):
                x = logits(shared, code, own, ctx.cap, i, a)
                slope = None if ctx.cap is None else 1 - (x / ctx.cap).square()
                flow = x.sub_(total[i, a, :, None]).exp_().mul_(grad[i, a, :, None])
                flow = (flow if slope is None else flow.mul_(slope)).to(weight.dtype)
                to_own[i, a] = code[i, a].mT @ flow
                if to_code is not None:
                    to_code[i, a] += flow @ own[i, a].mT
                if to_base is not None or to_weight is not None:
                    to_shared[min(i, len(shared) - 1)] += flow.sum(0)
            if to_base is not None:
                to_base += to_shared @ part
            if to_up is not None:
                to_up += to_own @ part
            if to_weight is not None:
                to_weight[columns] = to_shared.flatten(0, 1).mT @ base.flatten(0, 1)
                to_weight[columns] += to_own.flatten(0, 2).mT @ up.flatten(0, 2)
            if to_bias is not None:
                to_bias[columns] = to_shared.sum((0, 1))
        return *(o if o is None else o.to(x.dtype) for o, x in zip(out, inputs, strict=True)), None, None


def blocks(base: Tensor, up: Tensor, weight: Tensor, bias: Tensor | None, budget: int):
    """The vocabulary in blocks of W columns: (which, U [W, D] of them, U g + b [P, N, W], B U^T [n, R, r, W])."""
    width = max(NARROW, budget // base.shape[1])
    for first in range(0, len(weight), width):
        columns = slice(first, first + width)
        part = weight[columns]
        shared = base @ part.mT
        yield columns, part, shared if bias is None else shared + bias[columns], up @ part.mT


def groups(code: Tensor, width: int, budget: int):
    """(place, components) pairs that cover all components, as many at a time as the budget allows."""
    n, rank, states = code.shape[:3]
    size = max(1, budget // (states * width))
    for i in range(n):
        for first in range(0, rank, size):
            yield i, slice(first, first + size)


def logits(shared: Tensor, code: Tensor, own: Tensor, cap: float | None, i: int, a: slice) -> Tensor:
    """Logits [A, N, W] of components `a` of place i in one block."""
    same = shared[min(i, len(shared) - 1)].expand(len(code[i, a]), -1, -1)
    return capped(exact(torch.baddbmm(same, code[i, a], own[i, a])), cap)
