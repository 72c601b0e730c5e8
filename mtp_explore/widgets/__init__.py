"""Floor 5: linked controls around a function that is handed in. Nothing here imports a model, or torch.

explore(run, ...)    prompt, drafter, rule, temperature, horizon and seed as controls; the token player beneath
"""

from .explore import Explorer, explore

__all__ = ["Explorer", "explore"]
