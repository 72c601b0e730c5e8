"""Log-probabilities of target tokens under many components that differ from one state by a low-rank term.

    z[i, a] = g[i] + c[i, a] B[i, a],        log P_a^(i)(x) = (U z[i, a])_x - log sum_v exp (U z[i, a])_v

Letters: N states, n window places i, R components a, r head rank, D width, V vocabulary; g [N, P, D] base states (P is
n, or 1 where all places share one), c [N, n, R, r] codes, B [n, R, r, D], U [V, D] the unembedding.

U z = U g + c (B U^T): the product with U is made once for all components, and each adds r numbers per token instead of
D. Nothing of size N x V is kept: the vocabulary is walked in blocks (their log-sum-exps add up), in the backward pass
again, where the softmax is rebuilt from the sum. Peak memory is a few blocks, whatever n, R and V. Both passes use
torch's softmax, whose one kernel is faster than its parts.
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
    Where the fused kernel serves (`logprob.fused_kernel`), every component's states [N, n, R, D] are spelled out for
    it; whether that beats the path below is not measured.
    """
    if fused := fused_kernel(base, unembed):
        z = base[:, :, None] + torch.einsum("niak,iakd->niad", code, up)
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
    made = _Logprob.apply(*places, up, weight, bias, target.T, unembed.cap, budget)
    return made.permute(2, 0, 1)


class _Logprob(torch.autograd.Function):
    """[n, R, N] from g [P, N, D], c [n, R, N, r], B, U, b and targets [n, N], without the logits."""

    @staticmethod
    def forward(ctx, base, code, up, weight, bias, target, cap, budget):
        total = exact(code.new_full(code.shape[:-1], -torch.inf))  # log-sum-exp of the blocks so far
        hit = torch.zeros_like(total)  # the targets' own logits
        for first, part, shared, own in blocks(base, up, weight, bias, budget):
            room = rooms(code, len(part), budget)
            for i, a in groups(code, len(room)):
                x, share = logits(shared, code, own, cap, i, a, room)
                place, inside = spot(target[i], first, x)
                hit[i, a] += x.gather(-1, place)[..., 0] * inside
                total[i, a] = torch.logaddexp(total[i, a], sum_of(x, share))
        ctx.save_for_backward(base, code, up, weight, bias, target, total)
        ctx.cap, ctx.budget = cap, budget
        return hit - total

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        *inputs, target, total = ctx.saved_tensors
        base, code, up, weight, bias = inputs
        needs = zip(inputs, ctx.needs_input_grad, strict=False)
        out = [torch.zeros_like(x, dtype=total.dtype) if need else None for x, need in needs]
        to_base, to_code, to_up, to_weight, to_bias = out
        for first, part, shared, own in blocks(base, up, weight, bias, ctx.budget):
            columns = slice(first, first + len(part))
            to_own, to_shared = torch.empty_like(own), torch.zeros_like(shared)
            room = rooms(code, len(part), ctx.budget)
            for i, a in groups(code, len(room)):
                x, flow = logits(shared, code, own, ctx.cap, i, a, room)
                g, place, inside = grad[i, a, :, None], *spot(target[i], first, x)
                flow.mul_((sum_of(x, flow) - total[i, a]).exp_()[..., None] * -g)  # the block's share of the whole
                flow.scatter_add_(-1, place, g * inside[:, None])
                if ctx.cap is not None:
                    flow.mul_(1 - (x / ctx.cap).square())
                flow = flow.to(weight.dtype)
                to_own[i, a] = code[i, a].mT @ flow
                if to_code is not None:
                    to_code[i, a] += flow @ own[i, a].mT
                if to_base is not None or to_weight is not None or to_bias is not None:
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
        return *(o if o is None else o.to(x.dtype) for o, x in zip(out, inputs, strict=True)), None, None, None


def sum_of(x: Tensor, share: Tensor) -> Tensor:
    """log-sum-exp [..., N] of logits x [..., N, W] whose softmax is `share`, read off at the largest."""
    top = x.amax(-1)
    return torch.where(top == -torch.inf, top, top - share.amax(-1).log())


def spot(target: Tensor, first: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """Where the targets [N] stand in a block x [A, N, W] that begins at token `first`: [A, N, 1], and whether [N]."""
    place = target - first
    inside = (place >= 0) & (place < x.shape[-1])
    return place.clamp(0, x.shape[-1] - 1)[None, :, None].expand(len(x), -1, -1), inside


def blocks(base: Tensor, up: Tensor, weight: Tensor, bias: Tensor | None, budget: int):
    """The vocabulary in blocks of W tokens: (the first, U [W, D] of them, U g + b [P, N, W], B U^T [n, R, r, W])."""
    width = max(NARROW, budget // base.shape[1])
    for first in range(0, len(weight), width):
        part, shared = weight[first : first + width], base @ weight[first : first + width].mT
        yield first, part, shared if bias is None else shared + bias[first : first + width], up @ part.mT


def rooms(code: Tensor, width: int, budget: int) -> Tensor:
    """Room for the logits of A components in a block and for their softmax, [A, 2, N, W]: as many as the budget allows,
    one at least. Taken anew for every component it would cost more than the softmax.
    """
    states = code.shape[2]
    size = min(code.shape[1], max(1, budget // (states * width)))
    return exact(code.new_empty(0)).new_empty(size, 2, states, width)


def groups(code: Tensor, size: int):
    """(place, components) pairs that cover all components, `size` at a time."""
    for i in range(len(code)):
        for first in range(0, code.shape[1], size):
            yield i, slice(first, first + size)


def logits(shared: Tensor, code: Tensor, own: Tensor, cap: float | None, i: int, a: slice, room: Tensor):
    """Logits [A, N, W] of components `a` of place i in one block, and their softmax; both in `room`."""
    c = code[i, a]
    x, share = room[: len(c)].unbind(1)
    same = shared[min(i, len(shared) - 1)].expand(len(c), -1, -1)
    if x.dtype == c.dtype:
        torch.baddbmm(same, c, own[i, a], out=x)
    else:
        x.copy_(torch.baddbmm(same, c, own[i, a]))
    if cap is not None:
        x.copy_(capped(x, cap))
    return x, torch.softmax(x, -1, out=share)
