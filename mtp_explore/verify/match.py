"""`match`: the target picks its own tokens on the tape; drafts are kept while they equal them.

x_i = Pick(u_i, p_i), keep d_i while d_i = x_i: the text is ordinary decoding on the tape, whatever the drafter. Greedy
verification is the case of temperature 0; with drafts drawn from the same u it is the error correction of Draxler et
al. (arXiv 2512.21323), Algorithm 1. p [B, K+1, V], draft of K tokens, W [B, K+1, K+1].
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..contract import Draft, Verdict
from ..tensors.categorical import at, pick


def chances(p: Tensor, draft: Draft) -> Tensor:
    """[B, K] the target's probability of each draft: how often a fresh uniform would keep it."""
    return p[:, :-1].gather(-1, draft.tokens[..., None])[..., 0]


def law(p: Tensor, draft: Draft, accepted: Tensor) -> Tensor:
    """[B, V] the target's law at the first place that is not an accepted draft."""
    return at(p, accepted)


def verify(p: Tensor, draft: Draft, window: Tensor, coins: Tensor) -> Verdict:
    """Keep the drafts that equal the target's picks; `coins` are not used."""
    target = pick(p, window[:, :, 0])
    place = torch.arange(draft.tokens.shape[1], device=p.device)
    kept = (target[:, :-1] == draft.tokens) & (place < draft.n[:, None])
    accepted = kept.long().cumprod(1).sum(1)
    return Verdict(accepted, at(target, accepted))
