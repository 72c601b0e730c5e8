"""What a frozen backbone says about a text, computed once: its hidden states and the tokens that follow them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..backbone.layout import layout
from ..backbone.load import Backbone
from ..contract import Slots
from .windows import Windows

LENGTH = 256  # positions per window


class Features(NamedTuple):
    hidden: Tensor  # [N, D] states that predict future[:, 0]
    future: Tensor  # [N, K+1] the tokens y', d_1..d_K; -1 after an end of text

    def batch(self, step: int, size: int, seed: int) -> Features:
        """`size` positions drawn by (seed, step) alone, so that a run can resume."""
        draw = torch.Generator().manual_seed(1_000_003 * seed + step)
        chosen = torch.randint(len(self.hidden), (size,), generator=draw).to(self.hidden.device)
        return Features(self.hidden[chosen], self.future[chosen])


def futures(tokens: Tensor, horizon: int, eos: list[int]) -> Tensor:
    """[B, T, K+1] the tokens after each of the first T of tokens [B, T+K+1]; -1 after any end of text `eos`."""
    after = tokens.unfold(1, horizon + 1, 1)[:, 1:]
    ends = torch.isin(after, torch.tensor(eos, dtype=after.dtype, device=after.device)).long()
    return after.masked_fill(ends.cumsum(-1) > ends, -1)


@torch.no_grad()
def features(backbone: Backbone, tokens: Tensor, horizon: int, positions: int, seed: int = 0) -> Features:
    """Features of about `positions` places of a stream of tokens [N], in windows of 256 tokens drawn by `seed`.

    Errors (ValueError): a stream too short for two windows.
    """
    length = min(LENGTH, backbone.context)
    windows = Windows(tokens, length + horizon + 1, seed)
    count = min(max(1, positions // length), windows.per_epoch)
    hidden, future, size = [], [], max(1, 8192 // length)
    for first in range(0, count, size):
        batch = torch.stack([windows[i] for i in range(first, min(first + size, count))]).to(backbone.device)
        hidden.append(states(backbone, batch[:, :length]).flatten(0, 1))
        future.append(futures(batch, horizon, backbone.eos)[:, :length].flatten(0, 1))
    return Features(torch.cat(hidden), torch.cat(future))


def states(backbone: Backbone, tokens: Tensor) -> Tensor:
    """[B, T, D] hidden states of tokens [B, T], through the backbone's own call."""
    rows, length = tokens.shape
    zero = tokens.new_zeros(rows)
    none = Slots(tokens[:, :0], tokens[:, :0])
    lay = layout(zero, 0, length, zero, none, backbone.context)
    last = torch.full((rows, 1), length - 1, device=tokens.device)
    return backbone.call(backbone.embed(tokens), lay, backbone.cache(length), last)[1]
