"""How far an approximation Q is from the joint P, and what that costs: distances, accepted tokens, spectra.

A drafter with this Q draws x_2..x_n from Q given x_1, and x_1 is the target's own. With p_i, q_i the laws of x_i given
x_1..x_{i-1}, the expected number of accepted drafts of a window of n - 1 is

    token rule   sum_{i=2..n} sum_x p(x_1) prod_{j=2..i} min(p_j, q_j)                        (papers.md 5.5)
    block rule   sum_{i=2..n} sum_x p(x_1) q(x_2..x_i | x_1) P_i,   P_1 = 1, P_i = min(1, P_{i-1} p_i / q_i)     (5.7)

P, Q [A_1, ..., A_n]; nats. Where P is a law on cut axes, so are the accepted drafts: those given that all tokens lie
on the axes.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import number, refusal, shown
from ..tensors.given import tensor
from .arguments import listed
from .decompose import Fit, decompose
from .em import TINY, cells, divergence, normal
from .joint import Joint
from .progress import bar


class Price(NamedTuple):
    """What an approximation costs; of a clipped Q where it had negative cells."""

    kl: float  # KL(P || Q) in nats, infinite where Q is 0 and P is not
    tv: float  # total variation, half the sum of |P - Q|
    frobenius: float  # square root of the sum of (P - Q)^2, of Q as it was found
    negative: float  # mass that was clipped: the sum of the negative cells' sizes
    token: float  # expected accepted drafts under the token rule
    block: float  # the same under the block rule


def price(joint, fit) -> Price:
    """All prices of `fit` (a `Fit`, a `Joint`, a tensor or array Q) to `joint` (a `Joint`, a tensor or array P).

    Negative cells of Q are set to 0 and the rest divided by its sum, as one must before it can draft. ValueError where
    the shapes differ, or two `Joint`s stand on other tokens.
    """
    if isinstance(joint, Joint) and isinstance(fit, Joint) and joint.tokens != fit.tokens:
        raise ValueError(
            f"fit={fit!r:.60} stands on other tokens than joint: cells of different windows cannot be compared; take "
            "exact_joint(..., axes=joint)"
        )
    p, raw = normal(joint, "joint"), cells(fit, "fit").double()
    if raw.shape != p.shape:
        raise ValueError(f"fit has the shape {tuple(raw.shape)} and joint {tuple(p.shape)}: both need the same axes")
    q, negative = clipped(raw)
    token, block = accepted(p, q)
    every = divergence(p, q), (p - q).abs().sum() / 2, (p - raw).norm(), negative, token, block
    return Price(*torch.stack(every).tolist())


def clipped(fit) -> tuple[Tensor, Tensor]:
    """(a law, the mass that was clipped): negative cells of Q set to 0, the rest divided by its sum."""
    raw = cells(fit, "fit").double()
    kept = raw.clamp(min=0)
    if not bool(torch.isfinite(raw).all()) or not bool(kept.sum() > 0):
        raise ValueError("fit: an approximation has finite cells and some positive mass; this one cannot draft")
    return kept / kept.sum(), (kept - raw).sum()


def total_correlation(joint) -> Tensor:
    """KL of P to the product of its marginals, nats: what the best rank 1 costs, and independent heads at the least."""
    p = normal(joint, "joint")
    product = torch.ones_like(p)
    for i in range(p.dim()):
        product = product * p.sum([d for d in range(p.dim()) if d != i], keepdim=True)
    return divergence(p, product)


def accepted(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """Expected accepted drafts (token rule, block rule), 0 to n - 1, of laws P and Q [A_1, ..., A_n]; Q has no draft
    after an x_1 that it excludes.
    """
    if tensor("p", p, "...", "numbers").shape != tensor("q", q, "...", "numbers").shape or not p.dim():
        raise ValueError(f"q has the shape {tuple(q.shape)} and p {tuple(p.shape)}: both need the same axes")
    ps, qs = _conditionals(p), _conditionals(q)
    kept, stood, drawn = ps[0], ps[0], ps[0]  # by the token rule, by the block rule, drafted: each with its x_1
    token = block = torch.zeros((), dtype=p.dtype, device=p.device)
    for pi, qi in zip(ps[1:], qs[1:], strict=True):
        drawn = drawn[..., None] * qi
        kept = kept[..., None] * torch.minimum(pi, qi)
        stood = torch.minimum(drawn, stood[..., None] * pi)  # q(x_2..x_i | x_1) P_i
        token, block = token + kept.sum(), block + stood.sum()
    return token, block


def _conditionals(law: Tensor) -> list[Tensor]:
    """[A_1], [A_1, A_2], ...: the laws of each token given those before it; 0 after what cannot happen."""
    prefix = [law.sum(list(range(i, law.dim()))) if i < law.dim() else law for i in range(1, law.dim() + 1)]
    return [prefix[0]] + [b / a[..., None].clamp(min=TINY) for a, b in zip(prefix, prefix[1:], strict=False)]


def spectra(joints: Iterable) -> dict[str, Tensor]:
    """Singular values [contexts, n_cut] of every cut of the joints, largest first, shorter rows padded with 0.

    Keys name the cut. "x1 | x2 x3" parts the window in time (the bonds of a tensor train); "x2 | x1 x3" sets one token
    apart (the ranks of Tucker). A joint that a cut's two sides decide independently has one singular value.
    """
    found: dict[str, list[Tensor]] = {}
    for i, joint in enumerate(listed("joints", joints, "joints", 0)):
        law = normal(joint, f"joints[{i}]")
        for name, left in _cuts(law.dim()).items():
            rest = [d for d in range(law.dim()) if d not in left]
            rows = law.permute(*left, *rest).flatten(0, len(left) - 1).flatten(1)
            found.setdefault(name, []).append(torch.linalg.svdvals(rows))
    if not found:
        raise ValueError("joints is empty: give at least one joint of two or more tokens")
    return {name: torch.nn.utils.rnn.pad_sequence(rows, batch_first=True) for name, rows in found.items()}


def _cuts(n: int) -> dict[str, list[int]]:
    """Every bond, then every single token that no bond sets apart."""
    bonds = [list(range(i)) for i in range(1, n)]
    singles = [[i] for i in range(1, n - 1)]
    names = [f"x{i + 1}" for i in range(n)]
    return {
        " | ".join(" ".join(names[d] for d in range(n) if (d in left) == side) for side in (True, False)): left
        for left in bonds + singles
    }


def effective_rank(values: Tensor) -> Tensor:
    """[...] exp of the entropy of the squared singular values [..., n] divided by their sum: 1 for a product, n for n
    equal ones (Roy and Vetterli 2007, with squares).
    """
    share = _shares(values)
    return torch.exp(-torch.where(share > 0, share * share.clamp(min=TINY).log(), 0.0).sum(-1))


def rank_of_mass(values: Tensor, mass: float = 0.99) -> Tensor:
    """[...] how many singular values [..., n] it takes for `mass` of the sum of their squares."""
    mass = number("mass", mass, Real, lambda x: 0 < x <= 1, "a share above 0, at most 1")
    return (_shares(values).cumsum(-1) < mass - 1e-12).sum(-1) + 1


def _shares(values: Tensor) -> Tensor:
    if bool((tensor("values", values, "..., n") < 0).any()):
        raise ValueError(
            "values holds numbers below 0, and singular values are 0 or more: pass torch.linalg.svdvals(x)"
        )
    square = values.double() ** 2
    return square / square.sum(-1, keepdim=True)


def sweep(joint, methods: Iterable[str], ranks: Iterable[int], restarts: int = 3, **options) -> list[dict]:
    """Prices of every method, rank and start: rows with "method", "rank", "seed", "numbers" and the fields of `Price`,
    as `plots.fidelity` and a DataFrame take them; "rank" is the one the fit really has. Options go to `decompose`.
    ValueError where `methods` or `ranks` is no list.
    """
    for name, given in (("methods", methods), ("ranks", ranks)):
        if isinstance(given, str) or not isinstance(given, Iterable) or getattr(given, "shape", None) == ():
            raise ValueError(refusal(name, given, f"give a list, {name}=[{shown(given)}]"))
    ranks = tuple(ranks)
    pairs = [(m, r) for m in methods for r in ranks]
    fits: list[Fit] = [f for m, r in bar("fits", pairs) for f in decompose(joint, m, r, restarts, **options)]
    rows = [dict(method=f.method, rank=f.rank, seed=f.seed, numbers=f.numbers) for f in fits]
    return [row | price(joint, f)._asdict() for row, f in zip(rows, fits, strict=True)]
