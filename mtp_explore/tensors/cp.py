"""CP: one latent for the whole window, a mixture of R products (the canonical polyadic form with weights >= 0).

    q(x_1..x_n) = sum_a w_a prod_k phi[k, a](x_k)              w = exp(logw), [..., R]

R = 1 is the law of independent heads. Drawers and letters: `circuits.py`. Source: Basharin et al. (arXiv 2410.17765);
papers.md 1.1 and 1.4.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from .circuits import rooted


class Seen(NamedTuple):
    state: Tensor  # [..., R] log posterior of the component, given the tokens absorbed
    k: int


class CP(NamedTuple):
    logw: Tensor  # [..., R]

    def start(self) -> Seen:
        return Seen(self.logw, 0)

    def absorb(self, seen: Seen, leaf: Tensor) -> Seen:
        """w_a becomes w_a phi[k, a](x) / sum_b w_b phi[k, b](x)."""
        return Seen((seen.state + leaf).log_softmax(-1), seen.k + 1)

    def evidence(self, leaf: Tensor) -> Tensor:
        return leaf.sum(-2)

    def responsibilities(self, leaf: Tensor) -> Tensor:
        """The same for every token: [..., n, R]."""
        posterior = (self.logw + self.evidence(leaf)).log_softmax(-1)
        return posterior[..., None, :].expand(*posterior.shape[:-1], leaf.shape[-2], -1)

    @staticmethod
    def draws(n: int) -> int:
        return 1

    def latents(self, u: Tensor, n: int) -> Tensor:
        return rooted(self.logw, u[..., 0])[..., None].expand(*u.shape[:-1], n)
