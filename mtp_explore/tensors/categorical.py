"""Categorical laws: shape them once, and let a uniform meet them in two functions only.

P is a law [..., V] (rows sum to 1), u a uniform in [0, 1). `pick` and `flip` are the only places where a uniform meets
a law; `watching` lets a harness see every such meeting, which is how `measure.law` enumerates the loop itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager

import torch
from torch import Tensor

from ..checks import shaping, whole
from .given import tensor, together

WIDEST = 1 << 31  # vocabulary
COLDEST = 1e-30  # logits over less overflow in float32; one-hot as good as always by then


class _Thread(threading.local):
    watcher: Callable[[Tensor, Tensor], None] | None = None


WATCH = _Thread()  # who is told of the meetings in this thread


def shape(logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> Tensor:
    """The law [..., V] that logits or log-probabilities [..., V] stand for at a temperature.

    It is returned in float64, computed in the precision of the logits (float32 at least).
    Temperature 0 is the one-hot law of the arg-max (the first, if several). `top_k` keeps the k largest (ties with the
    k-th stay in); `top_p` drops tokens whose cumulative probability before them reaches it, best first, never the best.
    ValueError or TypeError for what is no logits, temperature, top_k or top_p.
    """
    tensor("logits", logits, "..., V", "numbers")
    temperature, top_k, top_p = shaping(temperature, top_k, top_p).values()
    if temperature == 0:
        return one_hot(logits.argmax(-1), logits.shape[-1])
    if logits.dtype not in (torch.float32, torch.float64):
        logits = logits.float()
    if temperature != 1:
        logits = logits / max(temperature, COLDEST)
    if 0 < top_k < logits.shape[-1]:
        logits = logits.masked_fill(logits < logits.topk(top_k, -1).values[..., -1:], -torch.inf)
    law = logits.softmax(-1).double()
    if top_p < 1:
        best, order = law.sort(dim=-1, descending=True, stable=True)
        before = best.cumsum(-1) - best
        before[..., 0] = -1.0
        law = law * torch.empty_like(law).scatter_(-1, order, (before < top_p).double())
        law = law / law.sum(-1, keepdim=True)
    return law


def one_hot(token: Tensor, size: int) -> Tensor:
    """The law [..., V] (float64) that puts everything on one token [...]."""
    tensor("token", token, "...", "whole numbers")
    size = whole("size", size, 1, WIDEST)
    law = torch.zeros(*token.shape, size, dtype=torch.float64, device=token.device)
    return law.scatter_(-1, token[..., None], 1.0)


def edges(law: Tensor) -> Tensor:
    """The upper edges [..., V], float64, of the tokens' bins in [0, 1): the cumulative sum over its own last entry."""
    tensor("law", law, "..., V", "numbers")
    total = law.double().cumsum(-1)
    return total / total[..., -1:]


def pick(law: Tensor, u: Tensor) -> Tensor:
    """Inverse of the cumulative sum: the token [...] in whose bin of `law` [..., V] (any total) `u` [...] lies.

    Bins stand in vocabulary order. The sum is divided by its own last entry, so no token of probability 0 is ever
    picked (papers.md section 6, row 15); what is no distribution (not numbers) still picks a token, and the loop says
    what is wrong with it. Pick of Draxler et al. (arXiv 2512.21323), section 2.
    """
    bounds = edges(law)
    if tensor("u", u, "...", "numbers").shape != law.shape[:-1] and law.dim() > 1:
        raise ValueError(f"u has the shape {tuple(u.shape)} and law {tuple(law.shape)}: one u for each law [..., V]")
    if WATCH.watcher is not None:
        WATCH.watcher(bounds, u)
    found = torch.searchsorted(bounds, u[..., None].contiguous(), right=True)[..., 0]
    return found.clamp(max=law.shape[-1] - 1)


def flip(chance: Tensor, coin: Tensor) -> Tensor:
    """True [...] with probability `chance` [...] when the coin [...] is uniform: coin < chance, strictly."""
    tensor("chance", chance, "...", "numbers"), tensor("coin", coin, "...", "numbers")
    if WATCH.watcher is not None:
        WATCH.watcher(chance.double()[..., None], coin)
    return coin < chance


@contextmanager
def watching(watcher: Callable[[Tensor, Tensor], None]):
    """While open, `watcher(edges [..., E], u [...])` is told of every uniform of this thread and the edges it is held
    against.
    """
    before = WATCH.watcher
    try:
        WATCH.watcher = watcher
        yield
    finally:
        WATCH.watcher = before


def at(x: Tensor, index: Tensor) -> Tensor:
    """x[b, index[b]]: one entry [B, ...] per row of x [B, N, ...]."""
    if x.dim() == 2:
        return x.gather(1, index[:, None])[:, 0]
    return x[torch.arange(len(x), device=x.device), index]


def excess(p: Tensor, q: Tensor) -> Tensor:
    """(p - q)_+ [..., V], not normalised; p itself where that is empty (then a refusal cannot happen)."""
    together(p=tensor("p", p, "..., V", "numbers"), q=tensor("q", q, "..., V", "numbers"))
    rest = (p - q).clamp(min=0)
    return torch.where(rest.sum(-1, keepdim=True) > 0, rest, p)


def total_variation(p: Tensor, q: Tensor) -> Tensor:
    """[...] half the sum of |p - q|: the chance that the best coupling of p and q disagrees."""
    if tensor("p", p, "..., V", "numbers").shape[-1] != tensor("q", q, "..., V", "numbers").shape[-1]:
        raise ValueError(f"q has the shape {tuple(q.shape)} and p {tuple(p.shape)}: both need the same last axis V")
    together(p=p, q=q)
    return (p - q).abs().sum(-1) / 2
