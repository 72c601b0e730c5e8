"""`masked`: mask embeddings as slots, gated adapters and a small sampler (Samragh et al., arXiv 2507.11851).

Letters: K masks m_1..m_K, D width, V vocabulary, z_k [D] the final state of mask k, E the input embedding, U the frozen
unembedding. A call's input ends with masks m_1..m_K, slot k at k places behind the last kept row; the low-rank adapters
act on their rows alone (backbone/gated_lora.py), so the target's law is untouched. Mask k predicts the k-th token after
y', given the token before it (papers.md 3.1, 3.4, 3.6):

    q_k = softmax(U s_k),    s_k = MLP([E(y_{k-1}); z_k])    (+ z_k with `residual`; s_k = z_k without `sampler`)
    MLP = Linear 2D -> D, SiLU, LayerNorm, Linear D -> D, SiLU, LayerNorm

So the K states are made in one call, and the sampler alone runs K times in turn. What masks share with other slots is
in drafters/slots.py.

Training (papers.md 3.2, 3.5): in the block of masks at place i of a text, row j = 1..K predicts x_{i+j+1} given
x_{i+j}; row 0 is the place itself, which predicts x_{i+1}.

    loss = mean over all rows of [-log softmax(U z) - log softmax(U s)] + c mean over places t of L(t)
    L(t) = mean over the masks that predict what place t predicts of |z - z_t|^2 / D,  z_t frozen

with c = `consistency`. Rows without a token (behind an end of text) are left out.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..backbone.blocks import freeze
from ..checks import flag, number
from ..contract import Slots, State
from .objectives import per_token
from .slots import SlotDrafter, at_places


class Masks(NamedTuple):
    hidden: Tensor  # [B, D] the state that predicts y'
    z: Tensor  # [B, K, D] states of the masks of the branch that survived
    count: Tensor  # [B] how many of them are real
    last: Tensor  # [B] the token absorbed last
    k: int  # tokens absorbed


class Rows(NamedTuple):
    """The rows of training: row 0 of a block is the anchor itself, rows 1..K its masks."""

    z: Tensor  # [B, A, K+1, D]
    s: Tensor  # [B, A, K+1, D] what the sampler makes of them; z where there is none
    target: Tensor  # [B, A, K+1] -1 where there is none
    ahead: Tensor  # [B, A, K, D] the frozen state of the place that predicts what mask j predicts
    place: Tensor  # [B, A, K] that place


class Masked(SlotDrafter):
    """horizon: K; rank, alpha (0: the rank), targets: of the adapters (`GatedLoRA`); sampler, residual: above;
    argmax: drafts are the likeliest tokens instead of draws, one-hot laws, the paper's own way.
    Training: consistency: weight of the last term; anchors: places of a window that get masks in a step (0: all).
    """

    name = "masked"
    slot = "mask"
    slot_rows = property(lambda self: self.masks)

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
        consistency: float = 1.0,
        anchors: int = 64,
    ):
        sampler, residual, argmax = flag("sampler", sampler), flag("residual", residual), flag("argmax", argmax)
        consistency = number("consistency", consistency, Real, lambda x: 0 <= x < math.inf, "a number, 0 or more")
        adapters = dict(rank=rank, alpha=alpha, targets=targets)
        form = dict(sampler=sampler, residual=residual, argmax=argmax, consistency=consistency)
        super().__init__(backbone, horizon, anchors, **adapters, **form)
        if residual and not sampler:
            raise ValueError("residual=True belongs to the sampler, and sampler=False: use one or the other")
        d, e = backbone.width, backbone.embed_width
        self.one_hot, self.residual = argmax, residual
        self.consistency = consistency
        self.masks = nn.Parameter(torch.randn(self.horizon, e) * self.spread)
        self.lora = self.adapters(**adapters)
        self.sampler = nn.Sequential(*_block(e + d, d), *_block(d, d)) if sampler else None
        if residual:
            nn.init.zeros_(self.sampler[-1].weight)  # it starts as the base head
        self.to(backbone.device, backbone.dtype)

    def embed(self, slots: Slots, window: Tensor) -> Tensor:
        return self.masks[slots.index - 1]

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

    def sampled(self, z: Tensor, before: Tensor) -> Tensor:
        """s [..., D] of mask states z [..., D] and the tokens before [...]."""
        if self.sampler is None:
            return z
        s = self.sampler(torch.cat([self.backbone.embed(before).to(z.dtype), z], -1))
        return z + s if self.residual else s

    def rows(self, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor | None = None, draw: int = 0) -> Rows:
        """What the losses are made of: windows of text [B, T], anchors [B, A] in them, at most T - 1 - K, and the
        tokens future [B, A, K+1] that follow each, -1 where there are none. greedy [B]: how they came about, draw: the
        batch's number, both of no matter here.
        """
        frozen, place = freeze(self.backbone, text), self.behind(anchors)
        z = self.blocks(frozen, anchors, self.masks[: self.horizon].expand(*anchors.shape, -1, -1))
        states = at_places(frozen.hidden.to(z.dtype), place)
        z = torch.cat([states[:, :, :1], z], 2)
        before = text.gather(1, place.flatten(1)).view_as(place)
        return Rows(z, self.sampled(z, before), future, states[:, :, 1:], place[..., 1:])

    def losses(
        self, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor | None = None, draw: int = 0
    ) -> dict[str, Tensor]:
        """Named means in nats, arguments as in `rows`: "loss" is what is minimised; "base", "sampler" (where there is
        one): cross-entropies over masks; "consistency": the mean of L(t); "mask k": cross-entropy of the law that
        drafts with mask k.
        """
        made = self.rows(text, anchors, future)
        real = future >= 0
        base = self.cross_entropy(made.z, future)
        sampler = base if self.sampler is None else self.cross_entropy(made.s, future)
        both = base if self.sampler is None else base + sampler
        losses = {"base": per_token(base[..., 1:], real[..., 1:])}
        if self.sampler is not None:
            losses["sampler"] = per_token(sampler[..., 1:], real[..., 1:])
        losses["consistency"] = consistency(made, text.shape[1])
        loss = per_token(both, real) + self.consistency * losses["consistency"]
        each = {f"mask {k}": per_token(sampler[..., k], real[..., k]) for k in range(1, self.horizon + 1)}
        return {"loss": loss, **losses, **each}

    def right(
        self, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor | None = None, draw: int = 0
    ) -> tuple[Tensor, Tensor]:
        """The likeliest tokens against those that came."""
        made = self.rows(text, anchors, future)
        best = self.in_parts(lambda s: self.backbone.logits(s).argmax(-1), made.s[:, :, 1:].flatten(0, 2))
        target = future[..., 1:].flatten(0, 1)
        return best.view_as(target) == target, target >= 0


def consistency(made: Rows, size: int) -> Tensor:
    """The mean of L(t) over the places t < size that some mask speaks for."""
    real = (made.target[..., 1:] >= 0).to(made.z.dtype)
    apart = (made.z[:, :, 1:] - made.ahead.detach()).square().mean(-1) * real
    none, place = made.z.new_zeros(len(apart), size), made.place.flatten(1)
    total, count = (none.scatter_add(1, place, x.flatten(1)) for x in (apart, real))
    return per_token(total / count.clamp(min=1), count > 0)


def _block(inner: int, outer: int) -> tuple[nn.Module, ...]:
    return nn.Linear(inner, outer), nn.SiLU(), nn.LayerNorm(outer)
