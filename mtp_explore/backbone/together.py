"""Text and the blocks of rows that hang from its places in one pass with a mask, with gradients through both.

Letters: B windows of T tokens, A anchors per window, M rows per block, D width. What a row sees and where it stands is
as in backbone/blocks.py (papers.md 3.2): a text row the text of its own document up to itself; row m of the block at
place i the text up to i and its own block up to itself, from `first` + m places behind i. Where the text is frozen the
two passes there cost less, and give the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .blocks import documents
from .layout import Layout
from .load import Backbone


def together(
    backbone: Backbone, tokens: Tensor, anchors: Tensor, embeds: Tensor, first: int = 1
) -> tuple[Tensor, Tensor]:
    """Final states of the text [B, T, D] and of the blocks [B, A, M, D] at `anchors` [B, A], from the tokens [B, T]
    and the blocks' input embeddings [B, A, M, D]. Adapters that are open act where their gate says: rows from T on are
    the blocks'.
    """
    lay = one_pass(tokens, anchors, embeds.shape[2], backbone.eos, first)
    rows = torch.cat([backbone.embed(tokens), embeds.flatten(1, 2).to(backbone.dtype)], 1)
    mask = backbone._mask(lay, rows.dtype)
    _, hidden = backbone.run(rows, lay.positions, mask, torch.zeros_like(tokens[:, :1]))
    text, blocks = hidden.split([tokens.shape[1], embeds.shape[1] * embeds.shape[2]], 1)
    return text, blocks.unflatten(1, embeds.shape[1:3])


def one_pass(tokens: Tensor, anchors: Tensor, rows: int, eos: list[int], first: int = 1) -> Layout:
    """Positions and attention of the rows [text | block of anchor 1 | of anchor 2 | ...]."""
    size, count = tokens.shape[1], anchors.shape[1]
    position, document = documents(tokens, eos)
    place = torch.arange(size, device=tokens.device).expand_as(tokens)
    none, block = place[0] * 0, torch.arange(count, device=tokens.device).repeat_interleave(rows)
    ahead = torch.arange(first, first + rows, device=tokens.device).repeat(count)
    ahead, block = torch.cat([none, ahead]), torch.cat([none - 1, block])  # a text row: 0 places ahead, block -1
    behind = torch.cat([place, anchors.repeat_interleave(rows, 1)], 1)  # [B, rows] the place a row hangs from
    document = document.gather(1, behind)
    seen = (document[:, :, None] == document[:, None]) & (behind[:, None] <= behind[:, :, None]) & (block == -1)
    own = (block[:, None] == block) & (block >= 0) & (ahead <= ahead[:, None])
    position = position.gather(1, behind) + ahead
    return Layout(position, seen | own, position, size)
