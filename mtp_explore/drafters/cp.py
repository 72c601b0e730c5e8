"""`cp`: a mixture of R products over the window, after Basharin et al. (arXiv 2410.17765).

    q(y', d_1..d_K) = sum_a w_a(h) prod_s P_a^(s)(x_s)

The belief is the posterior of the component given what was absorbed. Rank 1 is a law of independent heads.
"""

from __future__ import annotations

from torch import Tensor

from ..tensors.cp import CP
from .circuit import CircuitDrafter, Window


class CPDrafter(CircuitDrafter):
    """horizon: K; rank: R; further options in `circuit.CircuitDrafter`."""

    name = "cp"

    def circuit(self, hidden: Tensor) -> CP:
        return CP(self.prior(hidden))

    def describe(self, belief: Window) -> dict[str, Tensor]:
        """The posterior weights [B, R], the same for every place."""
        return {"weights": belief.seen.state.exp()}
