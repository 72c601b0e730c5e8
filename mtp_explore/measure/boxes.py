"""Boxes of uniforms: an interval for every number that a tape hands out, cut where a law decides between tokens.

A box knows its `share`: 1 for the whole cube, and when a box is cut, equal parts of its share go to its pieces. The
finished boxes' share is how far an enumeration has come. Draw one piece at every cut instead: 1 / share of the box that
remains is, in the mean, the number of all boxes (D. Knuth, Estimating the efficiency of backtrack programs, 1975).
N boxes, D digits (numbers of the tape), r boxes that are cut at m of their digits, E edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

WALLS = 1 << 22  # walls sorted at a time


class TooMany(Exception):
    """More boxes than there may be."""


class Boxes(NamedTuple):
    low: Tensor  # [N, D]
    high: Tensor  # [N, D]
    share: Tensor  # [N]

    @property
    def count(self) -> int:
        return len(self.low)

    def at(self, rows: Tensor) -> Boxes:
        return Boxes(*(x[rows] for x in self))

    def split(self, size: int) -> list[Boxes]:
        return [Boxes(*part) for part in zip(*(x.split(size) for x in self), strict=True)]

    def volume(self) -> Tensor:
        return (self.high - self.low).prod(1)

    def inside(self) -> Tensor:
        """[N, D] a number inside each interval, at another fraction for each digit, so that a number tells its
        digit.
        """
        digit = torch.arange(self.low.shape[1], device=self.low.device, dtype=torch.float64)
        return self.low + (self.high - self.low) * (0.2 + 0.6 * ((digit * 0.618033988749895 + 0.137) % 1))


def unit(digits: int, cells: Sequence[float], most: int, device) -> Boxes:
    """The unit box, or its parts where every digit is cut at `cells`; TooMany for more than `most`."""
    if (len(cells) + 1) ** digits > most:
        raise TooMany
    walls = torch.tensor([0.0, *sorted(cells), 1.0], dtype=torch.float64, device=device)
    low, high = (torch.cartesian_prod(*[w] * digits).view(-1, digits) for w in (walls[:-1], walls[1:]))
    return Boxes(low, high, torch.full_like(low[:, 0], 1 / len(low)))


def cut(boxes: Boxes, digits: Tensor, edges: Tensor, tolerance: float, most: int, draw=None) -> Boxes:
    """Cut each box at the edges [r, m, E] of its digits [r, m], one digit after the other. TooMany where that gives
    more than `most` pieces, before they are made. draw: a generator; then one piece of each box is drawn and kept.
    """
    owner = torch.arange(boxes.count, device=boxes.low.device)  # the box that a piece comes from
    for j in range(digits.shape[1]):
        pieces, owners, room = [], [], most
        for rows in torch.arange(boxes.count, device=owner.device).split(max(1, WALLS // (edges.shape[-1] + 2))):
            some, at, walls = boxes.at(rows), digits[owner[rows], j : j + 1], edges[owner[rows], j]
            lo, hi = some.low.gather(1, at), some.high.gather(1, at)
            walls = torch.where(walls < lo + tolerance, lo, torch.where(walls > hi - tolerance, hi, walls))
            walls = torch.cat([lo, walls.sort(1).values, hi], 1)
            wide = walls.diff(dim=1) > 0
            count = wide.sum(1)
            room -= int(count.sum()) if draw is None else len(rows)
            if room < 0:
                raise TooMany
            row, piece = torch.nonzero(wide, as_tuple=True) if draw is None else drawn(wide, count, draw)
            low = some.low[row].scatter_(1, at[row], walls[row, piece][:, None])
            high = some.high[row].scatter_(1, at[row], walls[row, piece + 1][:, None])
            pieces.append(Boxes(low, high, (some.share / count)[row]))
            owners.append(owner[rows][row])
        boxes, owner = joined(pieces), torch.cat(owners)
    return boxes


def drawn(wide: Tensor, count: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """(row, piece): one of the `count` pieces that are `wide` [N, E], for each row."""
    nth = (torch.rand(len(count), generator=draw, dtype=torch.float64).to(count.device) * count).long()
    return torch.arange(len(count), device=count.device), (wide.cumsum(1) > nth[:, None]).long().argmax(1)


def joined(parts: Sequence[Boxes]) -> Boxes:
    return Boxes(*(torch.cat(x) for x in zip(*parts, strict=True)))
