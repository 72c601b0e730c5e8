"""What a frozen backbone says about a text, computed once: its hidden states and the tokens that follow them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ..backbone.layout import layout
from ..backbone.load import Backbone
from ..checks import whole
from ..contract import Slots
from ..corpora.progress import bar
from .windows import Windows, draw_number

LENGTH = 256  # positions per window


class Batch(NamedTuple):
    """What a drafter's `losses` is given."""

    hidden: Tensor  # [n, D] states that predict future[:, 0]
    future: Tensor  # [n, K+1] the tokens y', d_1..d_K; -1 after an end of text
    ahead: Tensor | None  # [n, K, D] the states that predict d_1..d_K; of no meaning where future is -1

    @property
    def size(self) -> int:
        return len(self.hidden)

    def given(self, dtype: torch.dtype) -> tuple[Tensor, ...]:
        """The arguments of `losses`, states in a precision."""
        ahead = () if self.ahead is None else (self.ahead.to(dtype),)
        return self.hidden.to(dtype), self.future, *ahead


class Features(NamedTuple):
    hidden: Tensor  # [M, D] the states of whole windows, one after another
    future: Tensor  # [M, K+1] the tokens after each
    starts: Tensor | None = None  # [N] places with K more states of their window behind them; None: `ahead` not wanted

    @property
    def size(self) -> int:
        """N, how many places may be drawn."""
        return len(self.hidden if self.starts is None else self.starts)

    def take(self, chosen: Tensor | slice) -> Batch:
        """The places number `chosen` of the N."""
        if self.starts is None:
            return Batch(self.hidden[chosen], self.future[chosen], None)
        places = self.starts[chosen]
        behind = places[:, None] + torch.arange(1, self.future.shape[1], device=places.device)
        return Batch(self.hidden[places], self.future[places], self.hidden[behind])

    def batch(self, step: int, size: int, seed: int) -> Batch:
        """`size` places drawn by (seed, step) alone, so that a run can resume."""
        draw = torch.Generator().manual_seed(draw_number(seed, step))
        return self.take(torch.randint(self.size, (size,), generator=draw).to(self.hidden.device))

    def parts(self, size: int) -> Iterator[Batch]:
        """All places in order, at most `size` at a time."""
        for first in range(0, self.size, size):
            yield self.take(slice(first, first + size))

    def check(self, drafter) -> None:
        """ValueError where a drafter cannot learn from these states."""
        horizon, width, ahead = self.future.shape[1] - 1, self.hidden.shape[1], self.starts is not None
        mine = drafter.horizon, drafter.made_for["width"]
        if (horizon, width) != mine or (drafter.wants_ahead and not ahead) or drafter.wants_text:
            raise ValueError(
                f"prepared holds states of width {width} for horizon {horizon} (states ahead: {ahead}), and drafter "
                f"{drafter.name!r} needs {'windows of text, ' if drafter.wants_text else ''}{mine[1]} and {mine[0]} "
                f"({drafter.wants_ahead}): make them with prepare()"
            )


def futures(tokens: Tensor, horizon: int, eos: list[int]) -> Tensor:
    """[B, T, K+1] the tokens after each of the first T of tokens [B, T+K+1]; -1 after any end of text `eos`."""
    after = tokens.unfold(1, horizon + 1, 1)[:, 1:]
    ends = torch.isin(after, torch.tensor(eos, dtype=after.dtype, device=after.device)).long()
    return after.masked_fill(ends.cumsum(-1) > ends, -1)


@torch.no_grad()
def features(
    backbone: Backbone,
    tokens: Tensor,
    horizon: int,
    positions: int,
    seed: int = 0,
    ahead: bool = False,
    progress: bool = False,
) -> Features:
    """Features of about `positions` places of a stream of tokens [N], in windows of 256 tokens drawn by `seed`.

    ahead: batches bring the states of the next K places too, so the last K places of a window are never drawn.
    progress: show a bar where it takes a while.
    Errors (ValueError): a stream too short for two windows; with `ahead`, a horizon as long as a window.
    """
    length = min(LENGTH, backbone.context)
    if ahead and horizon >= length:
        raise ValueError(f"horizon={horizon}: windows have {length} positions, so it must be below that")
    windows = Windows(tokens, length + horizon + 1, seed)
    count = min(max(1, whole("positions", positions, 1) // length), windows.per_epoch)
    hidden, future, size = [], [], max(1, 8192 // length)
    with bar("states of the text", count * length, progress) as shown:
        for first in range(0, count, size):
            batch = torch.stack([windows[i] for i in range(first, min(first + size, count))]).to(backbone.device)
            hidden.append(states(backbone, batch[:, :length]).flatten(0, 1))
            future.append(futures(batch, horizon, backbone.eos)[:, :length].flatten(0, 1))
            shown.update(len(batch) * length)
    places = torch.arange(count * length, device=backbone.device).view(count, length)
    starts = places[:, : length - horizon].flatten() if ahead else None
    return Features(torch.cat(hidden), torch.cat(future), starts)


def states(backbone: Backbone, tokens: Tensor) -> Tensor:
    """[B, T, D] hidden states of tokens [B, T], through the backbone's own call."""
    rows, length = tokens.shape
    zero = tokens.new_zeros(rows)
    none = Slots(tokens[:, :0], tokens[:, :0])
    lay = layout(zero, 0, length, zero, none, backbone.context)
    last = torch.full((rows, 1), length - 1, device=tokens.device)
    return backbone.call(backbone.embed(tokens), lay, backbone.cache(length), last)[1]
