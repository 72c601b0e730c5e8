"""`independent`: K heads that do not see one another (rank 1), after Gloeckle et al. (arXiv 2404.19737).

From the state h of the last kept row (which predicts y'), head k = 1..K predicts the token k places after y':

    q_k = softmax(U f_k(h)),    f_k(h) = h + W_k h  (depth 0)    or    h + sum of `depth` blocks  C SiLU(A h)  in turn

U is the backbone's own frozen unembedding. The paper's head is one transformer layer; a residual MLP on the frozen
state is cheaper; docs/decisions.md compares forms. Every head starts as the next-token head: its last matrices are
zero.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..checks import whole
from ..contract import State
from ..tensors.logprob import target_logprob
from ..tensors.room import DRAWN, WHY, fits
from .base import DrafterBase


class Heads(NamedTuple):
    hidden: Tensor  # [B, D] the state that predicts y'
    logq: Tensor  # [B, K, V] what every head says
    k: int  # tokens absorbed


class Independent(DrafterBase):
    """horizon: K; hidden: width of the MLP; depth: 0 (linear), 1 or more MLP blocks per head."""

    name = "independent"

    def __init__(self, backbone, horizon: int = 8, hidden: int = 256, depth: int = 1):
        hidden, depth = whole("hidden", hidden, 1), whole("depth", depth, 0, 4)
        super().__init__(backbone, horizon, hidden=hidden, depth=depth)
        d, horizon, self.depth = backbone.width, self.horizon, depth
        whole("hidden", hidden, 1, fits(2 * depth * horizon * d * DRAWN), WHY)
        inner = [(d, d)] if depth == 0 else [(d, hidden), (hidden, d)] * depth
        shapes = [torch.randn(horizon, *s) / s[0] ** 0.5 for s in inner]
        for last in shapes if depth == 0 else shapes[1::2]:
            last.zero_()
        self.weights = nn.ParameterList(shapes)
        self.to(backbone.device, backbone.dtype)

    def states(self, hidden: Tensor, heads: slice = slice(None)) -> Tensor:
        """f_k(h) [K, N, D] of states h [N, D]; only those of `heads`, where given."""
        weights = [w[heads] for w in self.weights]
        z = hidden.expand(len(weights[0]), -1, -1)
        if self.depth == 0:
            return torch.baddbmm(z, z, weights[0])
        for a, c in zip(weights[::2], weights[1::2], strict=True):
            z = torch.baddbmm(z, nn.functional.silu(torch.bmm(z, a)), c)
        return z

    def begin(self, state: State) -> Heads:
        logits = self.backbone.logits(self.states(state.hidden).transpose(0, 1))
        return Heads(state.hidden, logits.log_softmax(-1), 0)

    def predict(self, belief: Heads) -> Tensor:
        """Head k's law; before y' is absorbed, the target's own."""
        if belief.k == 0:
            return self.backbone.logits(belief.hidden).log_softmax(-1)
        return belief.logq[:, min(belief.k, self.horizon) - 1]

    def absorb(self, belief: Heads, token: Tensor) -> Heads:
        return belief._replace(k=belief.k + 1)

    def left(self, belief: Heads) -> Tensor:
        return torch.full_like(belief.hidden[:, 0], self.horizon + 1 - belief.k, dtype=torch.long).clamp(min=0)

    def losses(self, hidden: Tensor, future: Tensor) -> dict[str, Tensor]:
        """Mean cross-entropy in nats of each head: hidden [N, D]; future [N, K+1], the tokens y', d_1..d_K; entries
        -1 (beyond the text's end) are left out. Equal weights, as in the paper.
        """
        return {f"head {k}": self.cross_entropy(z, future[:, k]) for k, z in enumerate(self.states(hidden), 1)}

    def parts(self, future: Tensor) -> list[Callable[[Tensor], Tensor]]:
        """The summands of the minimised loss (the heads' mean), one per head, as functions of the states [N, D]: so
        that a backward pass may follow each.
        """
        return [partial(self._part, k, future[:, k]) for k in range(1, self.horizon + 1)]

    def _part(self, k: int, target: Tensor, hidden: Tensor) -> Tensor:
        return self.cross_entropy(self.states(hidden, slice(k - 1, k))[0], target) / self.horizon

    def cross_entropy(self, z: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy of one head's states z [N, D] against target [N]."""
        real = target >= 0
        logp = target_logprob(z, target.clamp(min=0), self.backbone.unembedding)
        return -(logp * real).sum() / real.sum().clamp(min=1)
