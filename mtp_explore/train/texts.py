"""Windows of text with anchors: what drafters learn from that run the backbone themselves (masks).

Letters: N windows of T places, A anchors in each, K tokens drafted. An anchor is a place whose next K + 1 tokens are
predicted; it has K more places of its window behind it, so the text says what mask j should have been.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import whole
from .features import futures
from .windows import Windows, draw_number

LENGTH = 512  # places per window, where the backbone has as many


class TextBatch(NamedTuple):
    """What a drafter's `losses` is given."""

    text: Tensor  # [n, T]
    anchors: Tensor  # [n, A] places in it, in order
    future: Tensor  # [n, A, K+1] the tokens after each; -1 after an end of text, or where they are no targets
    greedy: Tensor  # [n] bool: every target is what the backbone finds likeliest (train/completions.py)
    draw: int = 0  # its own number, for whatever is drawn with it (tensors/uniforms.py); of parts below 0

    @property
    def size(self) -> int:
        return self.anchors.numel()

    def given(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor, int]:
        return tuple(self)


class Texts(NamedTuple):
    windows: Tensor  # [N, T + 1]
    future: Tensor  # [N, P, K+1] the tokens after each of the P = T - K places that may be anchors
    anchors: int  # A
    greedy: Tensor | None = None  # [N] bool; None: none is

    @property
    def size(self) -> int:
        """How many places `parts` has."""
        return len(self.windows) * self.anchors

    def take(self, chosen: Tensor | slice, anchors: Tensor, draw: int) -> TextBatch:
        """The windows number `chosen` with anchors [n, A]; draw: the batch's own number."""
        future = self.future[chosen]
        anchors = anchors.expand(len(future), -1)
        rows = torch.arange(len(future), device=future.device)[:, None]
        greedy = torch.zeros_like(rows[:, 0], dtype=torch.bool) if self.greedy is None else self.greedy[chosen]
        return TextBatch(self.windows[chosen, :-1], anchors, future[rows, anchors], greedy, draw)

    def batch(self, step: int, size: int, seed: int) -> TextBatch:
        """About `size` anchors, at least one window of them: windows and places drawn by (seed, step) alone."""
        draw, count = draw_number(seed, step), max(1, size // self.anchors)
        source = torch.Generator().manual_seed(draw)
        chosen = torch.randint(len(self.windows), (count,), generator=source)
        places = torch.rand(count, self.future.shape[1], generator=source).argsort(1)[:, : self.anchors].sort(1).values
        return self.take(chosen.to(self.windows.device), places.to(self.windows.device), draw)

    def parts(self, size: int) -> Iterator[TextBatch]:
        """All windows in order, the same evenly spread anchors in each; at most `size` rows of blocks at a time, or one
        window.
        """
        count = max(1, size // (self.anchors * self.future.shape[2]))
        places = torch.linspace(0, self.future.shape[1] - 1, self.anchors, device=self.windows.device).round().long()
        for number, first in enumerate(range(0, len(self.windows), count)):
            yield self.take(slice(first, first + count), places, -1 - number)

    def check(self, drafter) -> None:
        """ValueError where these windows were not made for this drafter."""
        mine, wanted = self.future.shape[2] - 1, drafter.horizon
        if mine != wanted or not drafter.wants_text:
            raise ValueError(
                f"prepared holds windows of text for horizon {mine}, and drafter {drafter.name!r} needs "
                f"{'windows' if drafter.wants_text else 'states'} for {wanted}: make them with prepare()"
            )


def window(backbone, horizon: int) -> int:
    """T, places of a window; ValueError where a horizon is as long."""
    length = min(LENGTH, backbone.context)
    if horizon >= length:
        raise ValueError(f"horizon={horizon}: windows have {length} places, so it must be below that")
    return length


def texts(backbone, tokens: Tensor, horizon: int, positions: int, anchors: int, seed: int = 0) -> Texts:
    """Windows of about `positions` places of a stream of tokens [N] in all, drawn by `seed`, with `anchors` each (0:
    all places).

    Errors (ValueError): a stream too short for two windows; a horizon as long as a window.
    """
    length = window(backbone, horizon)
    source = Windows(tokens, length + 1, seed)
    count = min(max(1, whole("positions", positions, 1) // length), source.per_epoch)
    windows = torch.stack([source[i] for i in range(count)]).to(backbone.device)
    places = length - horizon
    return Texts(windows, futures(windows, horizon, backbone.eos), min(anchors or places, places))
