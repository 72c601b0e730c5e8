"""What drafters with slots share: gated adapters, the frozen text, and the chance that their drafts survive.

Letters: K horizon, D width, V vocabulary, M slots per branch, B windows of T places, A anchors in each. Slots are input
embeddings behind the rows of a call; low-rank adapters act on their rows alone (backbone/gated_lora.py), so the
target's law is untouched. Slot j stands j places behind the last kept row, j = `first_slot` .. K.

Training (papers.md 3.2, 4.5): every chosen place of a text (an anchor) gets a block of M slots, as if decoding had come
that far. The text is frozen, so it is read once and only the slots' rows run with gradients (backbone/blocks.py).
A slot sees the slots before it only, so a drafter can be used with fewer than it was trained with: `shortened`.
"""

from __future__ import annotations

import copy
import math
from numbers import Real

import torch
from torch import Tensor

from ..backbone.blocks import Frozen, block_states
from ..backbone.gated_lora import GatedLoRA
from ..backbone.now import Gate
from ..backbone.truth import refuse_slots
from ..checks import number, shown, whole
from ..tensors.logprob import BUDGET, Unembedding, chunk, target_logprob
from .base import DrafterBase

SAMPLE = 4096  # rows of the embedding table whose spread the slots' own embeddings start with


class SlotDrafter(DrafterBase):
    """A subclass makes `lora` (with `adapters`) and writes `right` and `slot_rows`, beside the verbs and the losses.

    survival [2, K+1]: the chance that the first j drafts are right, for plan "budget=<slots>": row 0 on drawn text, row
    1 on greedy text; 2^-j until it is measured. Files with one row [K+1] are of both.
    """

    slot = "slot"  # what messages, traces and losses call one
    wants_text = True
    slots_per_branch = property(lambda self: self.horizon + 1 - self.first_slot)

    @property
    def slot_rows(self) -> Tensor:
        """[M, D] what every slot's input embedding has of its own, by number from `first_slot`."""
        raise NotImplementedError

    def __init__(self, backbone, horizon: int, anchors: int, **options):
        refuse_slots(backbone, self.name)
        super().__init__(backbone, horizon, anchors=anchors, **options)
        self.anchors = whole("anchors", anchors, why=f"places of a window that get {self.slot}s; 0: all")
        self.register_buffer("survival", 0.5 ** torch.arange(self.horizon + 1.0).repeat(2, 1))

    @property
    def spread(self) -> float:
        """The standard deviation of the entries of the backbone's embedding table."""
        rows = torch.arange(min(SAMPLE, self.backbone.vocabulary), device=self.backbone.device)
        return self.backbone.embed(rows).float().std().item()

    def adapters(self, rank: int, alpha: float, targets: str) -> GatedLoRA:
        alpha = number("alpha", alpha, Real, lambda x: 0 <= x < math.inf, "a number, 0 (the rank) or more")
        return GatedLoRA(self.backbone.model, rank, alpha or None, targets)

    def load_state_dict(self, state, *args, **options):
        if "survival" in state:
            state = {**state, "survival": state["survival"].expand(2, -1)}
        return super().load_state_dict(state, *args, **options)

    def gate(self, first: int) -> Gate:
        return self.lora.gate(first)

    def shortened(self, slots: int) -> SlotDrafter:
        """The same drafter, weights and survival shared, with a horizon of `slots`: fewer slots and drafts per call."""
        short = copy.copy(self)
        short.horizon = whole("slots", slots, 1, self.horizon, why=f"the {self.slot}s of this drafter")
        return short

    @torch.no_grad()
    def start_from(self, other: SlotDrafter) -> None:
        """Take the adapters and the slots' rows of a drafter that is trained already, before training this one: what
        it knows of the text ahead serves here too. A slot that `other` has not gets the row of its nearest.

        Errors (ValueError): a drafter of another backbone, without slots, or with adapters of other shapes.
        """
        mine, theirs = (
            (d.lora.alpha, {k: v.shape for k, v in d.lora.state_dict().items()}) if hasattr(d, "lora") else None
            for d in (self, other)
        )
        if mine != theirs or not mine or other.made_for != self.made_for:
            raise ValueError(
                f"other={shown(getattr(other, 'name', other))} has not the adapters of this drafter: start from a "
                "drafter with slots, for the same backbone, with the same rank, alpha and targets"
            )
        self.lora.load_state_dict(other.lora.state_dict())
        number = torch.arange(len(self.slot_rows), device=other.slot_rows.device) + self.first_slot - other.first_slot
        self.slot_rows.copy_(other.slot_rows[number.clamp(0, len(other.slot_rows) - 1)])

    def left(self, belief) -> Tensor:
        """[B] of `belief.count` slots those that speak for tokens not among the `belief.k` absorbed."""
        return (belief.count + self.first_slot - belief.k).clamp(min=0)

    def describe(self, belief) -> dict[str, Tensor]:
        return {f"{self.slot}s": belief.count}

    def blocks(self, frozen: Frozen, anchors: Tensor, embeds: Tensor) -> Tensor:
        """Final states [B, A, m, D] of the first m slots at anchors [B, A], from their embeddings [B, A, m, D]."""
        rows = anchors, embeds.to(self.backbone.dtype), self.first_slot
        return block_states(self.backbone, frozen, *rows, self.gate(0)).to(embeds.dtype)

    def behind(self, anchors: Tensor) -> Tensor:
        """[B, A, K+1] the places that predict y', d_1 .. d_K."""
        return anchors[..., None] + torch.arange(self.horizon + 1, device=anchors.device)

    def cross_entropy(self, z: Tensor, target: Tensor, temperature: float = 1.0) -> Tensor:
        """-log softmax(U z / temperature)[target] [...], z [..., D]; of no meaning where target [...] is -1."""
        unembed = divided(self.backbone.unembedding, temperature)
        logp = target_logprob(z.flatten(0, -2), target.clamp(min=0).flatten(), unembed)
        return -logp.view_as(target)

    def in_parts(self, function, *rows: Tensor) -> Tensor:
        """function(*rows) over rows [N, ...], so many at a time that their logits fit."""
        size = max(1, chunk(rows[0], None, BUDGET) // self.backbone.vocabulary)
        return torch.cat([function(*part) for part in zip(*(x.split(size) for x in rows), strict=True)])

    def right(self, *batch) -> tuple[Tensor, Tensor]:
        """Of a batch of text: (is draft k right?, is there a token to be right about?) [N, K] bool, for settle."""
        raise NotImplementedError

    @torch.no_grad()
    def settle(self, batches) -> None:
        """Measure `survival` on batches as `losses` is given them, each draft among those whose predecessors held, in
        windows of drawn and of greedy text apart. Where there are none of a kind, the other's row serves.
        """
        right, asked = torch.zeros(2, 2, self.horizon, device=self.survival.device)
        for text, anchors, future, *more in batches:
            good, real = self.right(text, anchors, future, *more)
            good = (good & real).float().cumprod(1)
            before = torch.cat([torch.ones_like(good[:, :1]), good[:, :-1]], 1)
            greedy = more[0] if more and more[0] is not None else torch.zeros_like(anchors[:, 0])
            row = greedy.long().repeat_interleave(anchors.shape[1])
            right.index_add_(0, row, good)
            asked.index_add_(0, row, before * real)
        chance = (right / asked.clamp(min=1)).cumprod(1)
        self.survival[:, 0] = 1
        self.survival[:, 1 : self.horizon + 1] = torch.where(asked[:, :1] > 0, chance, chance.flip(0))
        self.survival.copy_(self.survival.cummin(1).values)  # those of slots that a shortened drafter has not: no more


def divided(unembed: Unembedding, temperature: float) -> Unembedding:
    """The unembedding whose logits are those of `unembed` over a temperature, plain data too: the cap falls with s."""
    cap = unembed.cap and unembed.cap / temperature
    return unembed._replace(scale=unembed.scale / temperature, cap=cap)


def at_places(states: Tensor, place: Tensor) -> Tensor:
    """states [B, T, ...] at places [B, A, m]: [B, A, m, ...]."""
    return states[torch.arange(len(states), device=states.device)[:, None, None], place]
