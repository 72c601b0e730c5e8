"""How a slot carries a number u in [0, 1): features of u, and one learned row of the input embedding for each.

    e_j(u) = sum_f x_f(u) W_f + m_j,    W [F, D], m_j [D];  a constant feature stands for the bias

Letters: D width, F features, M slots. m_j is of its own for every slot, as every mask has its own embedding: our
choice, where the sources tell slots apart by their positions alone. W starts at 0: slots that know nothing of u learn
to read the text first, and numbers that mean nothing yet are no noise to them (docs/decisions.md, "PTP"). x is what
the sources use (papers.md 4.4; Draxler et al., arXiv 2512.21323, and its code):

    bits            the first 16 binary digits of u as -1 or 1 (arithmetic coding), and 1; the default
    float           the 32 bits of u as an IEEE float32, as -1 or 1, and 1
    thresholds      is u <= i / 33, for i = 1..32, as -1 or 1, and 1
    interpolation   three rows, for u = 0, 1/2 and 1, and straight lines between them
    scalar          u itself, of mean 0 and variance 1, and 1
    constant        1: nothing of u. The baseline that predicts independently, from the same number of slots

u = 1/2, what greedy decoding hands out, shares its 16 digits only with the u of [1/2, 1/2 + 2^-16).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..checks import choice

DIGITS, STEPS = 16, 32
BELOW_ONE = 1 - 2.0**-24  # the greatest float32 below 1


def signs(bits: Tensor) -> Tensor:
    """Bits [..., F] as -1 and 1, and a 1 behind them."""
    return nn.functional.pad(2.0 * bits - 1, (0, 1), value=1.0)


def digits(u: Tensor) -> Tensor:
    power = 2.0 ** torch.arange(1, DIGITS + 1, dtype=u.dtype, device=u.device)
    return signs((u[..., None] * power).floor() % 2)


def float_bits(u: Tensor) -> Tensor:
    word = u.float().clamp(max=BELOW_ONE).view(torch.int32)[..., None]
    return signs(word >> torch.arange(32, device=u.device) & 1)


def thresholds(u: Tensor) -> Tensor:
    return signs(u[..., None] <= torch.arange(1, STEPS + 1, device=u.device) / (STEPS + 1))


def interpolation(u: Tensor) -> Tensor:
    points = torch.tensor([0.0, 0.5, 1.0], dtype=u.dtype, device=u.device)
    return (1 - 2 * (u[..., None] - points).abs()).clamp(min=0)


def scalar(u: Tensor) -> Tensor:
    return torch.stack([12**0.5 * (u - 0.5), torch.ones_like(u)], -1)


def constant(u: Tensor) -> Tensor:
    return torch.ones_like(u)[..., None]


EMBEDDINGS = {
    **dict(bits=digits, float=float_bits, thresholds=thresholds),
    **dict(interpolation=interpolation, scalar=scalar, constant=constant),
}


class Auxiliary(nn.Module):
    """Numbers [..., m], float64, that the first m of `slots` slots carry, to input embeddings [..., m, D], by a name of
    `EMBEDDINGS`. The slots' own rows start as those of a table of tokens with entries of standard deviation `spread`.
    """

    def __init__(self, embedding: str, width: int, spread: float, slots: int):
        super().__init__()
        self.features = EMBEDDINGS[choice("embedding", embedding, EMBEDDINGS)]
        features = self.features(torch.zeros(1, dtype=torch.float64)).shape[-1]
        self.weight = nn.Parameter(torch.zeros(features, width))
        self.rows = nn.Parameter(torch.randn(slots, width) * spread)

    def forward(self, u: Tensor, slot: Tensor | None = None) -> Tensor:
        """slot [..., m]: the numbers of the slots, if they are not 0 .. m-1."""
        rows = self.rows[: u.shape[-1]] if slot is None else self.rows[slot]
        return self.features(u).to(self.weight.dtype) @ self.weight + rows
