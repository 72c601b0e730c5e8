"""`hmm`: a hidden Markov model over the window, after Grivas et al. (arXiv 2511.11346).

    q(y', d_1..d_K) = sum_z w[z_1] P_{z_1}^(1)(y') prod_{s>1} T_s[z_{s-1}, z_s] P_{z_s}^(s)(x_s)

The weights, the transitions (one matrix per place) and the components all come from h. The belief is the forward
vector, and with it the law of every latent to come.
"""

from __future__ import annotations

from torch import Tensor

from ..tensors.hmm import HMM
from .circuit import CircuitDrafter
from .heads import SumWeights


class HMMDrafter(CircuitDrafter):
    """horizon: K; rank: R, states per place; further options in `circuit.CircuitDrafter`."""

    name = "hmm"

    def sums(self, width: int) -> None:
        self.transitions = SumWeights(width, self.n - 1, self.rank, self.rank)

    def circuit(self, hidden: Tensor) -> HMM:
        return HMM(self.prior(hidden), self.transitions(hidden))
