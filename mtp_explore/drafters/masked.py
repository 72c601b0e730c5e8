"""`masked`: mask embeddings as slots, gated adapters and a small sampler (Samragh et al., arXiv 2507.11851).

Letters: K masks m_1..m_K, D width, V vocabulary, z_k [D] the final state of mask k, E the input embedding, U the frozen
unembedding. A call's input ends with masks m_1..m_K, slot k at k places behind the last kept row; the low-rank adapters
act on their rows alone (backbone/gated_lora.py), so the target's law is untouched. Mask k predicts the k-th token after
y', given the token before it (papers.md 3.1, 3.4, 3.6):

    q_k = softmax(U s_k),    s_k = MLP([E(y_{k-1}); z_k])    (+ z_k with `residual`; s_k = z_k without `sampler`)
    MLP = Linear 2D -> D, SiLU, LayerNorm, Linear D -> D, SiLU, LayerNorm

So the K states are made in one call, and the sampler alone runs K times in turn. Masks see the masks before them, so
fewer of them can be used than were trained: `shortened`.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..backbone.gated_lora import GatedLoRA
from ..contract import Slots, State
from .base import DrafterBase

SAMPLE = 4096  # rows of the embedding table whose spread the masks start with


class Masks(NamedTuple):
    hidden: Tensor  # [B, D] the state that predicts y'
    z: Tensor  # [B, K, D] states of the masks of the branch that survived
    count: Tensor  # [B] how many of them are real
    last: Tensor  # [B] the token absorbed last
    k: int  # tokens absorbed


class Masked(DrafterBase):
    """horizon: K; rank, alpha (0: the rank), targets: of the adapters (`GatedLoRA`); sampler, residual: above;
    argmax: drafts are the likeliest tokens instead of draws, one-hot laws, the paper's own way.

    survival [K+1]: the chance that the first j drafts are right, for plan "budget=<slots>"; 2^-j until it is measured.
    """

    name = "masked"
    slots_per_branch = property(lambda self: self.horizon)

    def __init__(
        self,
        backbone,
        horizon: int = 8,
        rank: int = 16,
        alpha: float = 0.0,
        targets: str = "all",
        sampler: bool = True,
        residual: bool = False,
        argmax: bool = False,
    ):
        adapters = dict(rank=rank, alpha=alpha, targets=targets)
        super().__init__(backbone, horizon, **adapters, sampler=sampler, residual=residual, argmax=argmax)
        if residual and not sampler:
            raise ValueError("residual=True belongs to the sampler, and sampler=False: use one or the other")
        d = backbone.width
        self.one_hot, self.residual = argmax, residual
        table = backbone.embed(torch.arange(min(SAMPLE, backbone.vocabulary), device=backbone.device)).float()
        self.masks = nn.Parameter(torch.randn(horizon, d) * table.std().item())
        self.lora = GatedLoRA(backbone.model, rank, alpha or None, targets)
        self.sampler = nn.Sequential(*_block(2 * d, d), *_block(d, d)) if sampler else None
        if residual:
            nn.init.zeros_(self.sampler[-1].weight)  # it starts as the base head
        self.register_buffer("survival", 0.5 ** torch.arange(horizon + 1.0))
        self.to(backbone.device, backbone.dtype)

    def shortened(self, masks: int) -> Masked:
        """The same drafter, weights shared, with the first `masks` of its masks: fewer slots and drafts per call."""
        if not 1 <= masks <= self.horizon:
            raise ValueError(f"masks={masks}: this drafter has masks 1 to {self.horizon}")
        short = copy.copy(self)
        short.horizon = masks
        return short

    def embed(self, slots: Slots, window: Tensor) -> Tensor:
        return self.masks[slots.index - 1]

    def gate(self, first: int):
        return self.lora.gate(first)

    def begin(self, state: State) -> Masks:
        return Masks(state.hidden, state.slots, state.count, torch.zeros_like(state.length), 0)

    def predict(self, belief: Masks) -> Tensor:
        """Mask k's law, given the token absorbed last; before y' is absorbed, the target's own."""
        if belief.k == 0:
            return self.backbone.logits(belief.hidden).log_softmax(-1)
        z = belief.z[:, min(belief.k, self.horizon) - 1]
        return self.backbone.logits(self.sampled(z, belief.last)).log_softmax(-1)

    def absorb(self, belief: Masks, token: Tensor) -> Masks:
        return belief._replace(last=token, k=belief.k + 1)

    def left(self, belief: Masks) -> Tensor:
        return (belief.count + 1 - belief.k).clamp(min=0)

    def describe(self, belief: Masks) -> dict[str, Tensor]:
        return {"masks": belief.count}

    def sampled(self, z: Tensor, before: Tensor) -> Tensor:
        """s [..., D] of mask states z [..., D] and the tokens before [...]."""
        if self.sampler is None:
            return z
        s = self.sampler(torch.cat([self.backbone.embed(before).to(z.dtype), z], -1))
        return z + s if self.residual else s


def _block(inner: int, outer: int) -> tuple[nn.Module, ...]:
    return nn.Linear(inner, outer), nn.SiLU(), nn.LayerNorm(outer)
