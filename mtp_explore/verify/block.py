"""`block`: block verification (Sun et al. 2024): accept the longest prefix that a joint coin allows.

    P_0 = 1,  P_i = min(1, P_{i-1} p_i(d_i) / q_i(d_i))
    S_i = sum_x (P_i p_{i+1}(x) - q_{i+1}(x))_+,   h_i = S_i / (S_i + 1 - P_i) for i < n,   h_n = P_n
    a = the largest i with eta_i < h_i (0 if none);   y' ~ (P_a p_{a+1} - q_{a+1})_+ for a < n, else p_{n+1}

Accepts at least as many tokens as `rejection` on average, with the same output law (papers.md 5.7).
p [B, K+1, V], draft of K tokens with q [B, K, V], W [B, K+1, K+1], coins [B, K] (the eta).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..contract import Draft, Verdict
from ..tensors.categorical import at, excess, flip, pick
from .rejection import ratios


def survival(p: Tensor, draft: Draft) -> Tensor:
    """[B, K+1] P_0..P_K; drafts beyond n leave it unchanged."""
    place = torch.arange(draft.tokens.shape[1], device=p.device)
    r = torch.where(place < draft.n[:, None], ratios(p, draft), 1.0)
    out = [torch.ones_like(p[:, 0, 0])]
    for i in range(r.shape[1]):
        out.append((out[-1] * r[:, i]).clamp(max=1))
    return torch.stack(out, 1)


def chances(p: Tensor, draft: Draft) -> Tensor:
    """[B, K] h_1..h_K: the chance that draft i is the last one kept, once all later ones have declined."""
    P = survival(p, draft)
    place = torch.arange(1, P.shape[1], device=p.device)
    after = torch.cat([draft.q[:, 1:], torch.zeros_like(p[:, :1])], 1)[:, : P.shape[1] - 1]  # q_{i+1}
    rest = (P[:, 1:, None] * p[:, 1:] - after).clamp(min=0).sum(-1)
    room = rest + 1 - P[:, 1:]
    h = torch.where(room > 0, rest / room.clamp(min=1e-300), 1.0)
    return torch.where(place == draft.n[:, None], P[:, 1:], h)


def law(p: Tensor, draft: Draft, accepted: Tensor) -> Tensor:
    """[B, V] (P_a p - q)_+ after a < n drafts, p after all of them; not normalised."""
    target = at(p, accepted)
    if not draft.q.shape[1]:
        return target
    q = at(draft.q, accepted.clamp(max=draft.q.shape[1] - 1))
    scaled = at(survival(p, draft), accepted)[:, None] * target
    return torch.where((accepted < draft.n)[:, None], excess(scaled, q), target)


def verify(p: Tensor, draft: Draft, window: Tensor, coins: Tensor) -> Verdict:
    """The last draft whose coin says yes ends the kept prefix; W[:, a, 0] draws the rule's own token."""
    place = torch.arange(1, draft.tokens.shape[1] + 1, device=p.device)
    stands = flip(chances(p, draft), coins) & (place <= draft.n[:, None])
    accepted = (stands * place).amax(1) if len(place) else draft.n
    return Verdict(accepted, pick(law(p, draft, accepted), at(window[:, :, 0], accepted)))
