"""`btree`: latents on a binary tree over the window, after Grivas et al. (arXiv 2511.11346).

The root's weights w, a matrix A for every other inner node and the components all come from h; `tensors/btree.py` draws
the tree. The belief holds the messages on the way from the root to the next token.
"""

from __future__ import annotations

from torch import Tensor

from ..tensors.btree import BTree
from .circuit import CircuitDrafter, Window
from .heads import SumWeights


class BTreeDrafter(CircuitDrafter):
    """horizon: K; rank: R, states per inner node; further options in `circuit.CircuitDrafter`."""

    name = "btree"

    def sums(self, width: int) -> None:
        self.nodes = SumWeights(width, self.n - 2, self.rank, self.rank)

    def circuit(self, hidden: Tensor) -> BTree:
        return BTree(self.prior(hidden), self.nodes(hidden))

    def describe(self, belief: Window) -> dict[str, Tensor]:
        """The message [B, R] at the next token: the law of the latent it hangs from, given what was absorbed."""
        return {"message": belief.seen.state.exp()}
