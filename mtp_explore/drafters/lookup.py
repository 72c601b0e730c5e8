"""`lookup`: copy what followed the last time the text ended like this (prompt lookup), the floor of all drafters.

The longest suffix of at most `ngram` tokens that occurs earlier in the text is found when y' is absorbed, the most
recent occurrence wins, and its continuation is the draft. A continuation that reaches the end of the text goes on with
the draft itself, so a text that runs in a circle is drafted round and round. One-hot laws; no weights; no slots.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import whole
from ..contract import State
from ..tensors.categorical import at
from .base import DrafterBase, one_hot_log


class Span(NamedTuple):
    tokens: Tensor  # [B, L] the text
    length: Tensor  # [B] its length, y' included
    start: Tensor  # [B] where the copied span begins
    agrees: Tensor  # [B] bool: a span was found, and every token absorbed since y' was its next
    k: int  # tokens absorbed


class Lookup(DrafterBase):
    """horizon: K; ngram: the longest suffix looked for (1..8)."""

    name = "lookup"
    one_hot = True

    def __init__(self, backbone, horizon: int = 8, ngram: int = 3):
        ngram = whole("ngram", ngram, 1, 8)
        super().__init__(backbone, horizon, ngram=ngram)
        self.ngram = ngram

    def begin(self, state: State) -> Span:
        """Find the span for the text that ends with y'; it is used once y' has been absorbed."""
        place = torch.arange(state.tokens.shape[1], device=state.tokens.device)
        same = torch.ones_like(state.tokens, dtype=torch.bool)
        best = torch.full_like(state.tokens, -1)
        for m in range(self.ngram):  # same[b, i]: the m+1 tokens ending at i equal the text's last m+1
            last = at(state.tokens, (state.length - 1 - m).clamp(min=0))
            shifted = state.tokens.roll(m, 1)
            same = same & (shifted == last[:, None]) & (place >= m) & (place < state.length[:, None] - 1)
            best = torch.where(same, (m + 1) * len(place) + place, best)
        top = best.amax(1)
        return Span(state.tokens, state.length, top % len(place) + 1, top >= 0, 0)

    def predict(self, belief: Span) -> Tensor:
        """One-hot on the next token of the span; before y' is absorbed, on y' itself."""
        return one_hot_log(self._next(belief), self.backbone.vocabulary)

    def _next(self, belief: Span) -> Tensor:
        """A copy of its own copy repeats the tokens from the span's start to the text's end."""
        circle = (belief.length - belief.start).clamp(min=1)
        where = belief.length - 1 if belief.k == 0 else belief.start + (belief.k - 1) % circle
        return at(belief.tokens, where.clamp(max=belief.tokens.shape[1] - 1))

    def absorb(self, belief: Span, token: Tensor) -> Span:
        agrees = belief.agrees if belief.k == 0 else belief.agrees & (token == self._next(belief))
        return belief._replace(agrees=agrees, k=belief.k + 1)

    def left(self, belief: Span) -> Tensor:
        """There is always a next token to copy, until one has left the span."""
        return torch.where(belief.agrees, self.horizon, 0)

    def describe(self, belief: Span) -> dict[str, Tensor]:
        return {"span": torch.where(belief.agrees, belief.start, -1)}
