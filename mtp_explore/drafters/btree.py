"""`btree`: latents on a binary tree over the window, after Grivas et al. (arXiv 2511.11346).

The root's weights w, a matrix A for every other inner node and the components all come from h; `tensors/btree.py` draws
the tree. The belief holds the messages from the root down to the next token, and with them the law of every latent
from which a token to come hangs.
"""

from __future__ import annotations

from torch import Tensor

from ..tensors.btree import BTree
from .circuit import CircuitDrafter
from .heads import SumWeights


class BTreeDrafter(CircuitDrafter):
    """horizon: K; rank: R, states per inner node; further options in `circuit.CircuitDrafter`."""

    name = "btree"

    def sums(self, width: int) -> None:
        self.nodes = SumWeights(width, self.n - 2, self.rank, self.rank)

    def circuit(self, hidden: Tensor) -> BTree:
        return BTree(self.prior(hidden), self.nodes(hidden))
