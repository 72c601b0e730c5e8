"""Component heads: from one state h to the states of R components at n window places, and to the weights of sums.

    z_a^(s) = H_a^(s) g_s(h),    H = I + A B,    phi[s, a] = softmax(U z_a^(s)),    U the backbone's frozen unembedding
    g_s(h) = h  (depth 0, the papers' linear head)    or    h + C_s SiLU(F_s h)  (depth 1, shared by the components)

A B has rank `head_rank`, or is any D x D matrix (head_rank 0). At the start H = I + N(0, 0.01^2 / D) per entry and
C = 0: every component is the next-token head, and the noise alone tells them apart. Sums have softmax(G h + b), G ~
N(0, 0.02^2), b = 0; transitions have +5 on the diagonal of b, so that HMM and BTree start near CP.
Sources: Basharin et al. (arXiv 2410.17765) and Grivas et al. (arXiv 2511.11346), as papers.md 1.1 and 2.2 read them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..checks import whole
from ..tensors.logprob import exact
from ..tensors.room import DRAWN, WHY, fits

NOISE, SPREAD, DIAGONAL = 0.01, 0.02, 5.0


def sizes(width: int, head_rank: int, depth: int, hidden: int) -> dict[str, int]:
    """The sizes of component heads as plain ints; ValueError for what cannot be."""
    return dict(
        head_rank=whole("head_rank", head_rank, 0, width, "0: a full matrix of the width"),
        depth=whole("depth", depth, 0, 1, "0: linear, 1: an MLP"),
        hidden=whole("hidden", hidden, 1, why="the width of the MLP"),
    )


class ComponentHeads(nn.Module):
    """width D, n places, rank R; hidden: width of the MLP where depth is 1."""

    def __init__(self, width: int, n: int, rank: int, head_rank: int = 16, depth: int = 0, hidden: int = 256):
        super().__init__()
        head_rank, depth, hidden = sizes(width, head_rank, depth, hidden).values()
        whole("rank", rank, 1, fits(n * width * (2 * head_rank or width) * DRAWN), WHY)
        whole("hidden", hidden, 1, fits(2 * depth * n * width * DRAWN), WHY)
        self.rank = rank
        if head_rank:
            self.down = nn.Parameter(torch.randn(n, rank, width, head_rank) / width**0.5)
            self.up = nn.Parameter(torch.randn(n, rank, head_rank, width) * NOISE / head_rank**0.5)
        else:
            self.down = None
            self.up = nn.Parameter(torch.randn(n, rank, width, width) * NOISE / width**0.5)
        if depth:
            self.inner = nn.Parameter(torch.randn(n, width, hidden) / width**0.5)
            self.outer = nn.Parameter(torch.zeros(n, hidden, width))
        self.depth = depth

    def base(self, hidden: Tensor) -> Tensor:
        """g [n, N, D] of states h [N, D]; [1, N, D] where all places share it."""
        if not self.depth:
            return hidden[None]
        g = hidden.expand(len(self.inner), -1, -1)
        return torch.baddbmm(g, nn.functional.silu(torch.bmm(g, self.inner)), self.outer)

    def code(self, g: Tensor) -> Tensor:
        """What enters B: [n, R, N, head_rank] from g."""
        g = g[:, None].expand(len(self.up), self.rank, -1, -1)
        return g if self.down is None else g @ self.down

    def forward(self, hidden: Tensor) -> Tensor:
        """z [N, n, R, D] of states h [N, D]."""
        g = self.base(hidden)
        return (g[:, None] + self.code(g) @ self.up).permute(2, 0, 1, 3)


class SumWeights(nn.Module):
    """log softmax(G h + b) [N, *shape] over the last axis; the bias of square ones favours the diagonal."""

    def __init__(self, width: int, *shape: int):
        super().__init__()
        self.shape = shape
        bias = DIAGONAL * torch.eye(shape[-1]).expand(shape) if len(shape) > 1 else torch.zeros(shape)
        self.weight = nn.Parameter(torch.randn(*shape, width) * SPREAD)
        self.bias = nn.Parameter(bias.clone())

    def forward(self, hidden: Tensor) -> Tensor:
        logits = nn.functional.linear(hidden, self.weight.flatten(0, -2), self.bias.flatten())
        return exact(logits).unflatten(-1, self.shape).log_softmax(-1)
