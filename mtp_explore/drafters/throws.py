"""Uniforms for a text: numbers that would have drawn its tokens, for slots that learn to carry them (drafters/ptp.py).

Letters: K horizon, B windows of T places, A anchors in each; t_0 .. t_K the tokens after an anchor, P_k the frozen
backbone's final law of t_k after the text before it, shaped as decoding will be; w_k the uniform of t_k. papers.md 4.2:

    teacher   w_k lies in the bin of t_k under P_k. Given a token drawn from a law, a uniform number inside its bin has
              exactly the law of the tape's, so no tape has to be kept with a text (tensors/uniforms.py)
    inverse   (inverse autoregressive, without a teacher) w_1, w_2, .. come one after another from the bins of the
              drafter's own laws: q_k is made by a pass under w_0 .. w_{k-1}, then w_k is drawn. w_0 belongs to y',
              whose law is the ordinary head's, and w_K, which no slot carries, to P_K. No gradient flows through any w

In windows that are marked as greedy every w is 1/2, as greedy decoding's, and P_k is the one-hot law of its arg-max. A
token without a bin (cut by top-k or top-p, or not the arg-max) has no w: no slot can know of it, so it and all that
follows are no targets.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..backbone.blocks import Frozen
from ..tensors.categorical import shape
from ..tensors.uniforms import bins, inside
from .slots import at_places


@torch.no_grad()
def throw(
    drafter, frozen: Frozen, anchors: Tensor, future: Tensor, greedy: Tensor, where: Tensor, source: str
) -> tuple[Tensor, Tensor]:
    """(u, target) [B, A, K+1]: a number in the bin of each token, and `future` as far as there are bins, else -1.

    anchors [B, A] in the text of `frozen`, the tokens future [B, A, K+1] after them; greedy [B] bool; where [B, A, K+1]
    places inside the bins, 0 to 1.
    """
    place, half = drafter.behind(anchors), greedy[:, None, None]
    after = torch.full_like(frozen.position, -1)  # the token after every place, where an anchor knows it
    after = after.scatter_reduce(1, place.flatten(1), future.flatten(1), "amax")
    low, high = (at_places(x, place) for x in bins_of(drafter, frozen.hidden, after, greedy[:, None]))
    if source == "inverse":
        own = inverse(drafter, frozen, anchors, future, low, high, where)
        low, high = (torch.where(half, x, y) for x, y in zip((low, high), own, strict=True))
    known = ((future >= 0) & (high > low)).long().cumprod(-1).bool()
    return torch.where(half, 0.5, inside(low, high, where)), future.masked_fill(~known, -1)


def inverse(drafter, frozen: Frozen, anchors: Tensor, future: Tensor, low: Tensor, high: Tensor, where: Tensor):
    """The bins (low, high) [B, A, K+1] with those of t_1 .. t_{K-1} under the drafter's own laws, one after another."""
    low, high, never = low.clone(), high.clone(), torch.zeros_like(anchors).bool()
    for k in range(1, future.shape[-1] - 1):
        u = inside(low, high, where)[..., :k]
        z = drafter.blocks(frozen, anchors, drafter.auxiliary(u))[:, :, -1]
        low[..., k], high[..., k] = bins_of(drafter, z, future[..., k], never)
    return low, high


def bins_of(drafter, states: Tensor, token: Tensor, greedy: Tensor) -> tuple[Tensor, Tensor]:
    """(low, high) [...] of tokens [...] under the laws of states [..., D]; greedy: bool, as far as it goes: there the
    arg-max has [0, 1) and no other token has a bin.
    """

    def part(z: Tensor, t: Tensor, g: Tensor) -> Tensor:
        logits = drafter.backbone.logits(z)
        low, high = bins(shape(logits, **drafter.law), t.clamp(min=0))
        best = (logits.argmax(-1) == t).to(high)
        return torch.stack([torch.where(g, 0.0, low), torch.where(g, best, high)], -1)

    flat = states.flatten(0, -2), token.flatten(), greedy.expand_as(token).flatten()
    return drafter.in_parts(part, *flat).view(*token.shape, 2).unbind(-1)
