"""Attention of many short blocks over one text that they share, with gradients to the blocks alone.

Letters: B rows of the batch, G heads of keys, g heads of queries to each, A blocks, M rows of a block, T places of the
text, d width. Row m of block a sees what `mask` leaves of the text and the rows of its own block up to itself:

    S = [q K^T + mask | q k^T, causal],    P = softmax(S),    out = P [V; v],    q scaled beforehand
    dS = P (dP - sum dP P),    dP = g [V; v]^T,    dq = dS [K; k],    dk = dS^T q,    dv = P^T g  (own block only)

Scores are made for some blocks at a time, again in the backward pass (only log Z of each row is kept), and only against
the places that the blocks at hand may see: with anchors in order that is half of them. So the memory is that of one
chunk, which on a CPU stays in its cache. A cap bends the scores of the text and of the block: c tanh(S / c). Scores are
in bits inside, S / log 2, because exp2 is three times as fast as exp here and does not slow down where it underflows.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .logprob import chunk

CACHED = 1 << 20  # scores alive at once on a CPU


def block_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    text: tuple[Tensor, Tensor],
    mask: Tensor,
    reach: list[int],
    cap: float | None = None,
    budget: int | None = None,
) -> Tensor:
    """Outputs [B, G, g, A, M, d] of queries [B, G, g, A, M, d] over a text's keys and values [B, G, T, d] and the
    block's own, key and value [B, G, A, M, d].

    mask [B, A, M or 1, T] is added to the scores of the text; reach [A]: block a and those before it see none of the
    places from there on. No gradient goes to the text. budget: scores alive at once, by default what suits the device.
    Under autocast keys may be wider than values: products are made in the values' precision.
    """
    batch, heads, each, blocks, rows, _ = query.shape
    size = batch * heads * each * rows * (text[0].shape[2] + rows)
    step = max(1, chunk(query, budget, CACHED) // size)
    parts = [(a, min(a + step, blocks), max(reach[: a + step])) for a in range(0, blocks, step)]
    query, key, *text = (x.to(value.dtype) for x in (query, key, *text))
    return _Blocks.apply(query, key, value, *text, mask, parts, cap)


class _Blocks(torch.autograd.Function):
    @staticmethod
    def forward(ctx, query, key, value, far_key, far_value, mask, parts, cap) -> Tensor:
        out = query.new_empty(*query.shape[:-1], value.shape[-1])
        bits = torch.empty(query.shape[:-1], dtype=torch.promote_types(query.dtype, torch.float32), device=out.device)
        for a, b, n in parts:
            far, own, _ = _scores(
                query[:, :, :, a:b], key[:, :, None, a:b], far_key[:, :, :n], mask[:, a:b, :, :n], cap
            )
            top = torch.maximum(far.amax(-1), own.amax(-1))
            far, own = far.sub_(top[..., None]).exp2_(), own.sub_(top[..., None]).exp2_()
            z = far.sum(-1) + own.sum(-1)
            both = _over(far.to(value.dtype), far_value[:, :, :n]) + own.to(value.dtype) @ value[:, :, None, a:b]
            out[:, :, :, a:b] = both / z[..., None].to(value.dtype)
            bits[:, :, :, a:b] = top + z.log2()
        ctx.save_for_backward(query, key, value, far_key, far_value, mask, out, bits)
        ctx.parts, ctx.cap = parts, cap
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor):
        query, key, value, far_key, far_value, mask, out, bits = ctx.saved_tensors
        d_query, d_key, d_value = torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)
        middle = (grad * out).sum(-1, keepdim=True)
        for a, b, n in ctx.parts:
            q, g, k, v = query[:, :, :, a:b], grad[:, :, :, a:b], key[:, :, None, a:b], value[:, :, None, a:b]
            far, own, slopes = _scores(q, k, far_key[:, :, :n], mask[:, a:b, :, :n], ctx.cap)
            far, own = (x.sub_(bits[:, :, :, a:b, :, None]).exp2_() for x in (far, own))
            d_value[:, :, a:b] = (own.to(g.dtype).transpose(-1, -2) @ g).sum(2)
            d_far = _over(g, far_value[:, :, :n].transpose(-1, -2)).to(far.dtype)
            d_own = (g @ v.transpose(-1, -2)).to(own.dtype)
            d_far, d_own = (x.sub_(middle[:, :, :, a:b]).mul_(p) for x, p in ((d_far, far), (d_own, own)))
            if slopes:
                d_far, d_own = d_far.mul_(slopes[0]), d_own.mul_(slopes[1])
            d_far, d_own = d_far.to(q.dtype), d_own.to(q.dtype)
            d_query[:, :, :, a:b] = _over(d_far, far_key[:, :, :n]) + d_own @ k
            d_key[:, :, a:b] = (d_own.transpose(-1, -2) @ q).sum(2)
        return d_query, d_key, d_value, None, None, None, None, None


def _over(x: Tensor, shared: Tensor) -> Tensor:
    """x [B, G, g, a, M, i] @ shared [B, G, i, j]."""
    return (x.flatten(2, 4) @ shared).view(*x.shape[:-1], -1)


def _scores(q: Tensor, k: Tensor, far_key: Tensor, mask: Tensor, cap: float | None):
    """Scores in bits of the text [B, G, g, a, M, n] and of the block [.., M, M], in float32 or better, and with a cap
    the slopes of the two.
    """
    dtype, slopes = torch.promote_types(q.dtype, torch.float32), None
    q = q * (1 / math.log(2) if cap is None else 1 / cap)
    far, own = _over(q, far_key.transpose(-1, -2)).to(dtype), (q @ k.transpose(-1, -2)).to(dtype)
    if cap is not None:
        far, own = far.tanh_(), own.tanh_()
        slopes = [1 - x.square() for x in (far, own)]
        far, own = (x.mul_(cap / math.log(2)) for x in (far, own))
    later = torch.ones(own.shape[-2:], dtype=torch.bool, device=own.device).triu(1)
    return far.add_(mask[:, None, None]), own.masked_fill_(later, -torch.inf), slopes
