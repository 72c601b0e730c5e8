"""What it costs that heads do not see one another.

    P [A_1, ..., A_n]  the joint of the next n tokens;   p_i its marginals
    Q = prod_i p_i     what n perfect heads say together: each is right, none knows what the others chose. In KL it is
                       the best rank 1; KL(P || Q) is the total correlation of P, at n = 2 the mutual information
For heads whose x_1 is the target's own, as in decoding, and whose q_2 is their law of x_2:

    KL(P || p_1 q_2) = KL(P || p_1 p_2) + KL(p_2 || q_2)       independence + the head's own error, nats

Training can lower the second part alone. Total correlation: Watanabe (1960); rank 1: papers.md 1.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import instance, real, whole
from .arguments import drafting, listed, model
from .em import divergence, normal
from .fidelity import accepted, total_correlation
from .joint import Joint, exact_joint
from .progress import bar

TIMES = 100  # so many times rarer than drafted: as good as impossible


class Cell(NamedTuple):
    """A sequence of tokens with its probability under target and draft."""

    words: tuple[str, ...]
    p: float
    q: float


class Cost(NamedTuple):
    """What drafting one token costs after one context: x_1 is the target's, x_2 drafted without seeing it."""

    context: object  # the prompt
    independence: float  # nats: KL(P || p_1 p_2), which no head avoids that does not see x_1
    own: float  # nats: KL(p_2 || q_2), the head's own error
    perfect: float  # the chance that the draft of a perfect head is kept: sum p_1 min(p_2|1, p_2)
    trained: float  # the same for the drafter's own law
    clashes: float  # the share of a perfect head's drafts that x_1 makes `TIMES` times rarer than drafted


def product(joint: Joint | Tensor) -> Tensor:
    """Q [A_1, ..., A_n]: the product of the marginals of P."""
    p = normal(joint, "joint")
    out = torch.ones_like(p)
    for i in range(p.dim()):
        out = out * p.sum([d for d in range(p.dim()) if d != i], keepdim=True)
    return out


def invented(joint: Joint, draft: Joint | Tensor | None = None, most: int = 10) -> list[Cell]:
    """The sequences with the largest q - p: what the draft says too often, worst first.

    draft: a law on the joint's axes; default the product of its marginals. ValueError where the shapes differ.
    """
    instance("joint", joint, Joint, "pass what exact_joint() returns")
    p, q = _pair(joint, draft)
    worst = (q - p).flatten().topk(min(whole("most", most, 1), p.numel())).indices
    places = torch.stack(torch.unravel_index(worst, p.shape), -1).tolist()
    return [
        Cell(tuple(words[i] for words, i in zip(joint.words, at, strict=True)), float(p[*at]), float(q[*at]))
        for at in places
    ]


def incompatible(joint: Joint | Tensor, draft: Joint | Tensor | None = None, times: float = TIMES) -> float:
    """How often the draft says a sequence that the target says at least `times` times more rarely."""
    p, q = _pair(joint, draft)
    times = real("times", times, 0)
    return float(q[(p * times <= q) & (q > 0)].sum())


def _pair(joint, draft) -> tuple[Tensor, Tensor]:
    p = normal(joint, "joint")
    q = product(p) if draft is None else normal(draft, "draft").to(p)
    if p.shape != q.shape:
        raise ValueError(f"draft has the shape {tuple(q.shape)} and joint {tuple(p.shape)}: both need the same axes")
    return p, q


def costs(backbone, drafter, contexts: Iterable) -> list[Cost]:
    """The costs of every context (a string, or token ids), exactly, over the whole vocabulary.

    drafter: any that has a joint law; its own error is that of its marginal of x_2. ValueError for no context.
    """
    model("backbone", backbone), drafting("drafter", drafter)
    found = []
    for i, context in enumerate(bar("contexts", listed("contexts", contexts, "prompts", 0))):
        try:
            joint = exact_joint(backbone, context, n=2)
        except (TypeError, ValueError) as error:
            raise type(error)(f"contexts[{i}]: {error}") from error
        own = exact_joint(drafter, context, n=2, axes=joint)
        perfect = product(joint)
        error = divergence(joint.marginal(2), own.marginal(2))
        kept = [accepted(joint.law, q)[0] for q in (perfect, own.law)]
        numbers = torch.stack([total_correlation(joint), error, *kept]).tolist()
        found.append(Cost(context, *numbers, incompatible(joint, perfect)))
    if not found:
        raise ValueError("contexts is empty: give at least one")
    return found
