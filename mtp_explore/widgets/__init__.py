"""Floor 5: linked controls around a function that is handed in. Nothing here imports a model, or torch.

explore(run, ...)         prompt, drafter, rule, temperature, horizon and seed as controls; the token player beneath
rank_dial(p, shadows, ..) a joint of two tokens, its shadow of the chosen rank, and what the rank costs; needs no kernel
ruler(start, grid, ..)    dice thrown first: drag one, and the target's token, the draft's and all that follow move
"""

from .explore import Explorer, explore
from .rank_dial import rank_dial
from .ruler import ruler

__all__ = ["Explorer", "explore", "rank_dial", "ruler"]
