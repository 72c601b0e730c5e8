"""Log-probabilities of target tokens without keeping the logits.

For N states and a vocabulary V the logits [N, V] are the largest tensor of training. Here they are made a chunk at a
time and made again in the backward pass, so the peak is one chunk; gradients are those of the plain form.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def target_logprob(
    hidden: Tensor, target: Tensor, unembed: Callable[[Tensor], Tensor], budget: int = 1 << 24
) -> Tensor:
    """log softmax(unembed(hidden))[target] [N], in nats and float32 or better.

    hidden [N, D]; target [N] long; unembed maps [n, D] to logits [n, V]. `budget`: numbers of logits alive at once.
    """
    with torch.no_grad():
        size = unembed(hidden[:1]).shape[-1]
    rows = max(1, budget // size)
    if len(hidden) <= rows:
        return _logprob(hidden, target, unembed)
    parts = zip(hidden.split(rows), target.split(rows), strict=True)
    return torch.cat([checkpoint(_logprob, h, t, unembed, use_reentrant=False) for h, t in parts])


def _logprob(hidden: Tensor, target: Tensor, unembed: Callable[[Tensor], Tensor]) -> Tensor:
    logits = unembed(hidden)
    logits = logits if logits.dtype == torch.float64 else logits.float()
    return -torch.nn.functional.cross_entropy(logits, target, reduction="none")
