"""`rejection`: speculative sampling (Leviathan et al. 2023, Chen et al. 2023), token by token.

Keep d_i with probability min(1, p_i(d_i) / q_i(d_i)); at the first refusal draw from (p - q)_+, after the last draft
from p. Lossless for any q from which the drafts were really drawn; a one-hot q is kept with probability p(d).
p [B, K+1, V], draft of K tokens with q [B, K, V], W [B, K+1, K+1], coins [B, K].
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..contract import Draft, Verdict
from ..tensors.categorical import at, excess, flip, pick

TINY = 1e-300  # a draft of probability 0 is padding


def ratios(p: Tensor, draft: Draft) -> Tensor:
    """[B, K] p(d) / q(d) of each draft."""
    token = draft.tokens[..., None]
    return (p[:, :-1].gather(-1, token) / draft.q.gather(-1, token).clamp(min=TINY))[..., 0]


def chances(p: Tensor, draft: Draft) -> Tensor:
    """[B, K] min(1, p/q)."""
    return ratios(p, draft).clamp(max=1)


def law(p: Tensor, draft: Draft, accepted: Tensor) -> Tensor:
    """[B, V] the residual (p - q)_+ at the refused draft, p after the last one; not normalised."""
    target = at(p, accepted)
    if not draft.q.shape[1]:
        return target
    q = at(draft.q, accepted.clamp(max=draft.q.shape[1] - 1))
    return torch.where((accepted < draft.n)[:, None], excess(target, q), target)


def verify(p: Tensor, draft: Draft, window: Tensor, coins: Tensor) -> Verdict:
    """Flip a coin per draft, keep those before the first tails; W[:, a, 0] draws the rule's own token."""
    place = torch.arange(draft.tokens.shape[1], device=p.device)
    kept = flip(chances(p, draft), coins) & (place < draft.n[:, None])
    accepted = kept.long().cumprod(1).sum(1)
    return Verdict(accepted, pick(law(p, draft, accepted), at(window[:, :, 0], accepted)))
