"""From cached rows, main rows and slots to positions and the attention mask of one call.

Main rows: the last committed token and the draft (or the prompt). A slot j of branch b hangs from main row first + b
and stands at position(row) + j; it sees the cache, main rows up to its own, its branch's slots up to itself.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..contract import Slots


class Layout(NamedTuple):
    positions: Tensor  # [B, Q] position ids, Q = R main rows + S slots
    allowed: Tensor  # [B, Q, C + Q] bool: may query see key? C cached columns first
    columns: Tensor  # [B, C + Q] the position of each key
    rows: int  # R: rows from here on are slots


def layout(cached: Tensor, columns: int, rows: int, first: Tensor, slots: Slots, context: int) -> Layout:
    """cached [B] kept columns of each row, `columns` the most of them, `rows` main rows, `first` [B] the main row of
    branch 0, `context` the number of positions the model has (padding rows beyond it are moved inside).
    """
    device, size = cached.device, slots.branch.shape[1]
    place = torch.arange(columns + rows, device=device)
    main = cached[:, None] + place[:rows]
    causal = place[:rows, None] >= place[:rows]
    known = place[:columns] < cached[:, None]
    if size == 0:
        total = len(cached), rows, columns + rows
        allowed = torch.empty(total, dtype=torch.bool, device=device)
        allowed[:, :, :columns] = known[:, None]
        allowed[:, :, columns:] = causal
        positions = main
    else:
        hang = first[:, None] + slots.branch.clamp(min=0)
        positions = torch.cat([main, cached[:, None] + hang + slots.index], 1)
        total = len(cached), rows + size, columns + rows + size
        allowed = torch.zeros(total, dtype=torch.bool, device=device)
        allowed[:, :, :columns] = known[:, None]
        allowed[:, :rows, columns : columns + rows] = causal
        allowed[:, rows:, columns : columns + rows] = place[:rows] <= hang[:, :, None]
        same = slots.branch[:, :, None] == slots.branch[:, None]
        order = slots.index[:, :, None] >= slots.index[:, None]
        allowed[:, rows:, columns + rows :] = same & order & (slots.branch >= 0)[:, None]
    positions = positions.clamp(max=context - 1)
    keys = torch.cat([place[:columns].expand(len(cached), -1), positions], 1)
    return Layout(positions, allowed, keys, rows)


def additive(layout: Layout, dtype: torch.dtype, window: int | None = None) -> Tensor:
    """[B, 1, Q, C + Q] mask to add to attention scores (boolean masks are silently added by eager attention);
    `window` hides keys whose position lies that far or further back, as sliding-window models do.
    """
    allowed = layout.allowed
    if window is not None:
        allowed = allowed & (layout.positions[:, :, None] - layout.columns[:, None] < window)
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]
