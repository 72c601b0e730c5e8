"""The inverse of `pick`: which uniforms would have drawn these tokens?

Letters: P a final law [..., V] (temperature, top-k and top-p done), F its cumulative sum, t a token, v in [0, 1] a
place inside its bin. papers.md 4.2 (Draxler et al., arXiv 2512.21323, appendix C):

    bin of t = [F_{t-1}, F_t),    u = F_{t-1} + v (F_t - F_{t-1}),    v ~ Beta(b, b)

Edges are those that `pick` holds a uniform against, bit for bit, and u stays below the upper one: pick(P, u) = t for
every t with a bin. With b = 1 and t ~ P, u is uniform on [0, 1) whatever P is: a text drawn from a model and the tape
that would have drawn it have one joint law, so no tape has to be kept with a text.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np
import torch
from torch import Tensor

from ..checks import number, real
from .categorical import edges
from .given import tensor, together

LAST = 1 - 2.0**-53  # the greatest float64 below 1


def bins(law: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
    """(low, high) [...], float64, of tokens [...] under a law [..., V] (any total); equal where a token has no bin."""
    known = edges(law)
    tensor("token", token, "...", "whole numbers")
    if token.shape != known.shape[:-1]:
        raise ValueError(f"token has the shape {tuple(token.shape)}: one is wanted for each law, of {tuple(law.shape)}")
    high = known.gather(-1, token[..., None])[..., 0]
    low = known.gather(-1, (token - 1).clamp(min=0)[..., None])[..., 0]
    return torch.where(token > 0, low, 0.0), high


def inside(low: Tensor, high: Tensor, place: Tensor) -> Tensor:
    """u [...] in [low, high) at places [...] from 0 to 1; `low` where the bin is empty, and always below 1."""
    u = low + place * (high - low)
    return torch.minimum(u, torch.nextafter(high, low)).clamp(max=LAST)


def unpick(law: Tensor, token: Tensor, place: Tensor) -> Tensor:
    """u [...], float64, with pick(law, u) = token [...] wherever the law [..., V] gives the token a chance."""
    low, high = bins(law, token)
    together(place=tensor("place", place, "...", "numbers"), token=token)
    return inside(low, high, place)


def places(like: Tensor, shape: float, draw: int) -> Tensor:
    """Draws of Beta(shape, shape), float64, of the size and on the device of `like`. They depend on the whole number
    `draw` alone: a step has its own, the same in a run that was resumed and on any device. Nothing is read back.
    """
    tensor("like", like, "...")
    shape, draw = real("shape", shape, above=0), number("draw", draw, Integral, lambda x: True, "a whole number")
    source = np.random.Generator(np.random.Philox(draw % 2**64))
    return torch.from_numpy(source.beta(shape, shape, tuple(like.shape))).to(like.device)
