"""HMM: one latent per token, each drawn from a row of the one before it; transitions differ from place to place.

    q(x_1..x_n) = sum_z w[z_1] phi[1, z_1](x_1) prod_{k=2..n} T_{k-1}[z_{k-1}, z_k] phi[k, z_k](x_k)

logT [..., n-1, R, R], rows sum to 1. T = I is CP. Drawers and letters: `circuits.py`. Source: Grivas et al.
(arXiv 2511.11346), section 3.2 and Table 7 (contextual, inhomogeneous); papers.md 2.1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .circuits import drawn, filtered, rooted


class Seen(NamedTuple):
    state: Tensor  # [..., R] log forward vector: the law of the next token's latent, given the tokens absorbed
    k: int


class HMM(NamedTuple):
    logw: Tensor  # [..., R]
    logT: Tensor  # [..., n-1, R, R]

    def start(self) -> Seen:
        return Seen(self.logw, 0)

    def absorb(self, seen: Seen, leaf: Tensor) -> Seen:
        """Filter, then move one place on (after the last token there is nowhere to go)."""
        state = (seen.state + leaf).log_softmax(-1)
        if seen.k < self.logT.shape[-3]:
            state = (state[..., :, None] + self.logT[..., seen.k, :, :]).logsumexp(-2)
        return Seen(state, seen.k + 1)

    def evidence(self, leaf: Tensor) -> Tensor:
        return leaf[..., 0, :] + self._after(leaf)[..., 0, :]

    def responsibilities(self, leaf: Tensor) -> Tensor:
        """Forward times backward."""
        return (filtered(self, leaf) + leaf + self._after(leaf)).log_softmax(-1)

    def _after(self, leaf: Tensor) -> Tensor:
        """[..., n, R] log-probability of the tokens after each place, given its state: the backward vectors."""
        backward = [torch.zeros_like(leaf[..., 0, :])]
        for k in range(leaf.shape[-2] - 1, 0, -1):
            ahead = leaf[..., k, :] + backward[-1]
            backward.append((self.logT[..., k - 1, :, :] + ahead[..., None, :]).logsumexp(-1))
        shape = torch.broadcast_shapes(*(b.shape for b in backward))
        return torch.stack([b.expand(shape) for b in backward[::-1]], -2)

    @staticmethod
    def draws(n: int) -> int:
        return n

    def latents(self, u: Tensor, n: int) -> Tensor:
        states = [rooted(self.logw, u[..., 0])]
        for k in range(1, n):
            states.append(drawn(self.logT[..., k - 1, :, :], states[-1], u[..., k]))
        return torch.stack(states, -1)
