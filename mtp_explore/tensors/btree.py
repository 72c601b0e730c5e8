"""BTree: latents on a binary tree over the window; what is far apart meets near the root.

An internal node covers a span of m >= 2 tokens and is split at m // 2; tokens hang from the node of their smallest
span. The root's latent has the law w, every other node's a row of its A, chosen by its parent's latent:

    value(node | z_parent) = sum_z A_node[z_parent, z] value(left | z) value(right | z)
    value(token | z) = phi[k, z](x_k)

logA [..., n-2, R, R], rows sum to 1, nodes in pre-order without the root: node j with left half m has its left child
at j + 1 and its right child at j + m. A = I is CP. Drawers and letters: `circuits.py`. Source: Grivas et al.
(arXiv 2511.11346), section 3.2, Fig. 2; papers.md 2.1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .circuits import drawn, rooted


class Span(NamedTuple):
    """A node on the way from the root to the next token."""

    j: int  # its number
    size: int  # how many tokens it covers
    state: Tensor  # [..., R] joint log-probability of its latent and the tokens before its unfinished half
    left: Tensor | None  # [..., R] value of its left half, once that is finished


class Seen(NamedTuple):
    state: Tensor  # [..., R] log law of the latent from which the next token hangs, given the tokens absorbed
    k: int
    path: tuple[Span, ...]


class BTree(NamedTuple):
    logw: Tensor  # [..., R]
    logA: Tensor  # [..., n-2, R, R]

    @property
    def n(self) -> int:
        return self.logA.shape[-3] + 2

    def start(self) -> Seen:
        return self._down((), 0, self.n, self.logw, 0)

    def absorb(self, seen: Seen, leaf: Tensor) -> Seen:
        """Climb out of the spans that end with this token, then go down the right half of the first that does not."""
        value, path = leaf, list(seen.path)
        while path:
            node = path.pop()
            if node.left is None:
                path.append(node._replace(left=value))
                m = node.size // 2
                state = (node.state + value).log_softmax(-1)
                return self._down(tuple(path), node.j + m, node.size - m, state, seen.k + 1)
            value = self._value(node.j, node.left + value)
        return Seen((seen.state + leaf).log_softmax(-1), seen.k + 1, ())

    def _down(self, path: tuple[Span, ...], j: int, size: int, state: Tensor, k: int) -> Seen:
        """From a node's parent, whose latent has the law `state`, down to the first token of the node's span."""
        while size > 1:
            if j > 0:
                state = (state[..., :, None] + self.logA[..., j - 1, :, :]).logsumexp(-2)
            path, j, size = (*path, Span(j, size, state, None)), j + 1, size // 2
        return Seen(state, k, path)

    def _value(self, j: int, inside: Tensor) -> Tensor:
        """A node's value given its parent's latent, from the product of its halves; the root has no parent."""
        return (self.logA[..., j - 1, :, :] + inside[..., None, :]).logsumexp(-1) if j > 0 else inside

    def evidence(self, leaf: Tensor) -> Tensor:
        return self._up(leaf, 0, 0, self.n)

    def _up(self, leaf: Tensor, j: int, first: int, size: int) -> Tensor:
        """The value [..., R] of a span."""
        if size == 1:
            return leaf[..., first, :]
        m = size // 2
        return self._value(j, self._up(leaf, j + 1, first, m) + self._up(leaf, j + m, first + m, size - m))

    def responsibilities(self, leaf: Tensor) -> Tensor:
        """Up once, then down with what the rest of the tree says of each latent."""
        out: list[Tensor] = []
        self._posterior(leaf, 0, 0, self.n, self.logw, out)
        shape = torch.broadcast_shapes(*(o.shape for o in out))
        return torch.stack([o.expand(shape) for o in out], -2)

    def _posterior(self, leaf: Tensor, j: int, first: int, size: int, rest: Tensor, out: list[Tensor]) -> None:
        """`rest` [..., R]: joint log-probability of the parent's latent and all tokens outside the span."""
        if size == 1:
            out.append((rest + leaf[..., first, :]).log_softmax(-1))
            return
        if j > 0:
            rest = (rest[..., :, None] + self.logA[..., j - 1, :, :]).logsumexp(-2)
        m = size // 2
        left, right = (j + 1, first, m), (j + m, first + m, size - m)
        self._posterior(leaf, *left, rest + self._up(leaf, *right), out)
        self._posterior(leaf, *right, rest + self._up(leaf, *left), out)

    @staticmethod
    def draws(n: int) -> int:
        return n - 1

    def latents(self, u: Tensor, n: int) -> Tensor:
        out: list[Tensor] = []
        self._draw(u, 0, n, None, out)
        return torch.stack(out, -1)

    def _draw(self, u: Tensor, j: int, size: int, parent: Tensor | None, out: list[Tensor]) -> None:
        if size == 1:
            out.append(parent)
            return
        mine = rooted(self.logw, u[..., 0]) if j == 0 else drawn(self.logA[..., j - 1, :, :], parent, u[..., j])
        self._draw(u, j + 1, size // 2, mine, out)
        self._draw(u, j + size // 2, size - size // 2, mine, out)
