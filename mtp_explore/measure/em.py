"""The mixture or hidden Markov model closest to a joint in KL divergence, found by expectation maximisation.

    CP     Q = sum_a w_a prod_i phi_i[a, x_i]                                                    (papers.md 1.1)
    HMM    Q = sum_{z_1..z_n} w[z_1] phi_1[z_1, x_1] prod_{i>=2} T_{i-1}[z_{i-1}, z_i] phi_i[z_i, x_i]   (2.1)

CP is the chain whose transitions T are the identity, and one code serves both: with W = P / Q, the new w, phi and T
are the old ones times what W sends them through forward messages F_i (before token i) and backward messages B_i
(after it), normalised. Each round lowers KL(P || Q) or leaves it, Q's marginals are P's after every round, and with
R = 1 the first round ends at the product of marginals, whose KL is the total correlation. The optimum is local: start
several times, or from a trained head. n tokens, R components or states, A_i tokens on axis i.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import flag, items, real, refusal, whole
from ..checks import seed as seeded
from ..tensors.given import tensor
from .progress import bar

TINY = 1e-300  # keeps 0/0 at 0
MOST = 1_000_000  # of ranks, rounds, starts
LOOK = 10  # rounds between two looks at the clockwork: each makes the device wait


class Chain(NamedTuple):
    """A CP mixture (`transitions` None) or an inhomogeneous HMM, all parts float64."""

    weights: Tensor  # [R]
    factors: tuple[Tensor, ...]  # n times [R, A_i]
    transitions: tuple[Tensor, ...] | None  # n-1 times [R, R], rows sum to 1

    def dense(self) -> Tensor:
        """[A_1, ..., A_n] the law itself."""
        return _law(self, *_messages(self)).view([f.shape[1] for f in self.factors])


def em(
    law: Tensor,
    rank: int,
    hmm: bool = False,
    start: Chain | None = None,
    iterations: int = 300,
    seed: int = 0,
    tolerance: float = 1e-9,
) -> tuple[Chain, Tensor]:
    """The chain of `rank` R that EM reaches for a joint `law` [A_1, ..., A_n], and the KL(P || Q) in nats before every
    round and after the last.

    start: parts to begin with, of the same R, normalised or not; its Q counts as Q / sum Q. By default random parts
    drawn by `seed`. Stops when ten rounds gain less than `tolerance` nats. A round multiplies the A_1...A_n cells by R
    about n + 1 times (HMM: 2n): on one core, R = 32, 6 ms for 512 x 512 and 8 ms for 64 x 64 x 64 (HMM: 9 and 13 ms).
    """
    law, rank, iterations = normal(law), counted("rank", rank), counted("iterations", iterations)
    hmm, seed, tolerance = flag("hmm", hmm), seeded("seed", seed), real("tolerance", tolerance)
    if start is None:
        chain = random_chain(law, rank, hmm, seed)
    else:
        chain = _checked(start, law, rank, hmm)
    kls: list[Tensor] = []
    for done in bar("EM", range(iterations)):
        forward, backward = _messages(chain)
        q = _law(chain, forward, backward)
        kls.append(divergence(law.view(q.shape), q / q.sum()))
        if done % LOOK == 0 and done >= 2 * LOOK and bool(kls[done - LOOK] - kls[done] < tolerance):
            return chain, torch.stack(kls)
        ratio = law.view(q.shape) / q.clamp(min=TINY)
        chain = _round(chain, forward, backward, ratio)
    kls.append(divergence(law, chain.dense()))
    return chain, torch.stack(kls)


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) in nats over all cells; infinite where q is 0 and p is not."""
    if tensor("p", p, "...").shape != tensor("q", q, "...").shape:
        raise ValueError(f"q has the shape {tuple(q.shape)} and p {tuple(p.shape)}: both need the same axes")
    return torch.where(p > 0, p * (p.clamp(min=TINY).log() - q.log()), 0.0).sum()


def counted(name: str, value) -> int:
    """`value` as an int; ValueError where it is no whole number from 1 to a million."""
    return whole(name, value, 1, MOST)


def cells(x, called: str = "law") -> Tensor:
    """The tensor of a `Joint`, of a `Fit`, of an array, or itself; ValueError where there is none."""
    x, remedy = getattr(x, "law", x), "pass a Joint, a Fit, or an array or tensor of probabilities"
    try:
        found = torch.as_tensor(x if hasattr(x, "shape") else items(called, x))
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ValueError(refusal(called, x, remedy)) from error
    if found.is_complex():
        raise ValueError(refusal(called, x, remedy))
    return found


def normal(law, called: str = "law") -> Tensor:
    """A joint (as `cells` takes it) in float64 that sums to 1; ValueError where it is none."""
    law = cells(law, called).double()
    if law.dim() < 1 or not bool(torch.isfinite(law).all()) or bool((law < 0).any()) or not bool(law.sum() > 0):
        raise ValueError(f"{called}: a joint has finite, non-negative cells and some mass; clip an approximation first")
    return law / law.sum()


def random_chain(law: Tensor, rank: int, hmm: bool, seed: int) -> Chain:
    """Random parts: each factor is the marginal with every entry multiplied by a draw of Exp(1); each transition is two
    parts identity, one part random rows, because a chain that starts near the mixture ends lower (papers.md 2.2).
    """
    law, rank, hmm = normal(law), counted("rank", rank), flag("hmm", hmm)
    draw = torch.Generator().manual_seed(seeded("seed", seed))

    def some(*size: int) -> Tensor:
        return -torch.rand(*size, generator=draw, dtype=torch.float64).clamp(min=TINY).log().to(law.device)

    n = law.dim()
    marginals = [law.sum([d for d in range(n) if d != i]) if n > 1 else law for i in range(n)]
    factors = tuple(_rows(m * some(rank, len(m))) for m in marginals)
    stay = torch.eye(rank, dtype=torch.float64, device=law.device)
    moves = tuple((2 * stay + _rows(some(rank, rank))) / 3 for _ in range(n - 1)) if hmm else None
    return Chain(_rows(some(1, rank))[0], factors, moves)


def _messages(chain: Chain) -> tuple[list[Tensor], list[Tensor]]:
    """Forward F_i [A_1...A_{i-1}, R] before token i is written and backward B_i [A_{i+1}...A_n, R] after it."""
    moves = chain.transitions
    n = len(chain.factors)
    forward, backward = [chain.weights[None]], [torch.ones_like(chain.weights)[None]]
    for i in range(n - 1):
        written = _before(forward[-1], chain.factors[i])
        forward.append(written if moves is None else written @ moves[i])
    for i in range(n - 1, 0, -1):
        written = _after(chain.factors[i], backward[0])
        backward.insert(0, written if moves is None else written @ moves[i - 1].T)
    return forward, backward


def _before(message: Tensor, factor: Tensor) -> Tensor:
    """[L, R] and [R, A] -> [L A, R]: the token stands after what the message has seen."""
    return (message[:, None] * factor.T).flatten(0, 1)


def _after(factor: Tensor, message: Tensor) -> Tensor:
    """[R, A] and [M, R] -> [A M, R]: the token stands before what the message has seen."""
    return (factor.T[:, None] * message).flatten(0, 1)


def _law(chain: Chain, forward: list[Tensor], backward: list[Tensor]) -> Tensor:
    """All cells, as a matrix cut in the middle: tokens up to the cut x the rest."""
    cut = (len(chain.factors) - 1) // 2
    return _before(forward[cut], chain.factors[cut]) @ backward[cut].T


def _round(chain: Chain, forward: list[Tensor], backward: list[Tensor], ratio: Tensor) -> Chain:
    """One round: every part times what P / Q sends through it, normalised."""
    factors, moves = [], []
    for i, (factor, f, b) in enumerate(zip(chain.factors, forward, backward, strict=True)):
        factors.append(factor * _through(ratio, f, b, factor.shape[1]))
        if chain.transitions is not None and i + 1 < len(chain.factors):
            before, after = _before(f, factor), _after(chain.factors[i + 1], backward[i + 1])
            sent = before.T @ (ratio.reshape(len(before), len(after)) @ after)
            moves.append(_rows(chain.transitions[i] * sent))
    weights = factors[0].sum(1)  # expected uses of each component at the first token
    return Chain(weights / weights.sum(), tuple(map(_rows, factors)), tuple(moves) if moves else None)


def _through(ratio: Tensor, f: Tensor, b: Tensor, size: int) -> Tensor:
    """[R, A_i]: sum over l, m of ratio[l, a, m] f[l, r] b[m, r], the smaller intermediate first."""
    if len(b) <= len(f):
        half = (f.T @ ratio.reshape(len(f), -1)).view(-1, size, len(b))
        return (half * b.T[:, None]).sum(-1)
    half = (ratio.reshape(-1, len(b)) @ b).view(len(f), size, -1)
    return (half * f[:, None]).sum(0).T


def _rows(x: Tensor) -> Tensor:
    """Rows that sum to 1; an empty row stays empty."""
    return x / x.sum(-1, keepdim=True).clamp(min=TINY)


def _checked(start: Chain, law: Tensor, rank: int, hmm: bool) -> Chain:
    """The start in float64 on the law's device; ValueError where it does not fit."""
    if not isinstance(start, Chain):
        raise ValueError(f"start={start!r:.60}: pass a Chain, or a Fit of em-cp or em-hmm, whose parts are one")
    sizes, moves = [tuple(f.shape) for f in start.factors], start.transitions
    if sizes != [(rank, a) for a in law.shape] or start.weights.shape != (rank,):
        raise ValueError(
            f"start has factors of shapes {sizes}, but a chain of rank {rank} for a joint of {tuple(law.shape)} needs "
            f"{[(rank, a) for a in law.shape]}: cut its factors to the joint's axes"
        )
    if hmm != (moves is not None) or (hmm and len(moves) != law.dim() - 1):
        raise ValueError(f"start: an HMM over {law.dim()} tokens has {law.dim() - 1} transitions, a CP mixture None")
    to = dict(dtype=torch.float64, device=law.device)
    factors = tuple(f.to(**to) for f in start.factors)
    return Chain(start.weights.to(**to), factors, tuple(t.to(**to) for t in moves) if hmm else None)
