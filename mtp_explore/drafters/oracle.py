"""`oracle`: drafts the answer, the ceiling of all drafters. One-hot laws; no weights; no slots."""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import plain, refusal
from ..contract import State
from ..tensors.categorical import at
from ..trace.records import Trace
from .base import DrafterBase, one_hot_log


class Place(NamedTuple):
    place: Tensor  # [B] the answer's place of the next token


class Oracle(DrafterBase):
    """answer: the whole text, prompt included, that will be committed: token ids, a Trace, or a list of either (one per
    row of the batch).
    """

    name = "oracle"
    one_hot = True

    def __init__(self, backbone, answer, horizon: int = 8):
        super().__init__(backbone, horizon)
        rows = texts(answer)
        if not rows or not all(rows):
            raise ValueError(refusal("answer", answer, "it is empty: give the token ids of the whole text, or a Trace"))
        bad = next((t for r in rows for t in r if not 0 <= t < backbone.vocabulary), None)
        if bad is not None:
            raise ValueError(f"answer holds the token id {bad}, outside the vocabulary 0..{backbone.vocabulary - 1}")
        self.ends = torch.tensor([len(r) for r in rows], device=backbone.device)
        longest = int(self.ends.max())
        self.answer = torch.tensor([r + [0] * (longest - len(r)) for r in rows], device=backbone.device)

    def save_pretrained(self, directory) -> None:
        """An oracle is made for one answer; there is nothing to save."""
        raise ValueError("drafter 'oracle' has nothing to save: make it anew, make_drafter('oracle', ..., answer=...)")

    def begin(self, state: State) -> Place:
        if len(state.length) != len(self.answer):
            raise ValueError(
                f"answer has {len(self.answer)} row(s), but the batch has {len(state.length)}: give one each"
            )
        return Place(state.length - 1)

    def predict(self, belief: Place) -> Tensor:
        token = at(self.answer, belief.place.clamp(max=self.answer.shape[1] - 1))
        return one_hot_log(token, self.backbone.vocabulary)

    def absorb(self, belief: Place, token: Tensor) -> Place:
        return Place(belief.place + 1)

    def left(self, belief: Place) -> Tensor:
        return (self.ends - belief.place).clamp(min=0, max=self.horizon)


def texts(answer) -> list[list[int]]:
    """The rows of an answer as token ids; TypeError for what is none."""
    if isinstance(answer, Trace):
        return [answer.prompt + answer.tokens]
    answer = answer.tolist() if hasattr(answer, "tolist") else answer
    if isinstance(answer, list | tuple):
        if all(map(is_token, answer)) and answer:
            return [[int(t) for t in answer]]
        rows = [a.prompt + a.tokens if isinstance(a, Trace) else a for a in answer]
        rows = [r.tolist() if hasattr(r, "tolist") else r for r in rows]
        if all(isinstance(r, list | tuple) and all(map(is_token, r)) for r in rows):
            return [[int(t) for t in r] for r in rows]
    raise TypeError(refusal("answer", answer, "give token ids, a Trace, or a list of either, one for each row"))


def is_token(value) -> bool:
    return isinstance(plain(value), Integral) and not isinstance(plain(value), bool)
