"""Low-rank approximations of a joint, side by side: which is best depends on the distance one minimises.

    name       form                                                     minimises   by
    cp         sum_a lambda_a u_a (x) v_a (x) ..., any sign             squares     tensorly `parafac`
    nncp-mu    the same, all parts >= 0                                 squares     `non_negative_parafac`
    nncp-hals  the same, all parts >= 0                                 squares     `non_negative_parafac_hals`
    tucker     a core of at most R^n numbers, a factor per axis         squares     `tucker`
    tt         a tensor train of bonds R (a matrix product state)       squares     `tensor_train`, by SVDs
    em-cp      a mixture of products                                    KL          `measure.em`
    em-hmm     a hidden Markov chain                                    KL          `measure.em`

cp, tucker and tt may have negative cells and need not sum to 1: `measure.fidelity` says what that costs. All optima but
that of tt are local, so every fit is started several times from random parts and all results are kept: show the spread.
P [A_1, ..., A_n] the joint, Q its approximation, R the rank. What is more than the axes allow is left out of a tt or a
tucker, and `Fit.rank` is then what is left: the largest bond, or side of the core.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..checks import choice, real
from ..checks import seed as seeded
from .em import Chain, counted, em, normal
from .progress import bar


@dataclass(eq=False)
class Fit:
    """One approximation from one start."""

    method: str
    rank: int  # R, or as much of it as the axes allow (tt and tucker)
    seed: int | None  # None: from the start that was given
    law: Tensor  # [A_1, ..., A_n] float64 Q as it was found, negative cells included
    parts: object  # what it is made of: tensorly's CP, Tucker or TT tensor, or an `em.Chain`
    numbers: int  # how many numbers the parts hold
    history: Tensor | None = None  # EM only: KL in nats before every round and after the last

    def __repr__(self) -> str:
        return f"Fit({self.method}, rank {self.rank}, seed {self.seed}, {self.numbers} numbers)"


def decompose(
    joint,
    method: str,
    rank: int,
    restarts: int = 3,
    iterations: int = 200,
    seed: int = 0,
    tolerance: float = 1e-8,
    start: Chain | Fit | None = None,
) -> list[Fit]:
    """Approximations of a joint (a `Joint`, or probabilities as a tensor or array) of one method and rank: a `Fit` per
    start.

    Starts are seed, seed + 1, ...; `tt` has no start and is fitted once. start, for EM only: one more fit from these
    parts (a `Chain`, or the `Fit` that has them), put first, never worse in KL than they are (`heads.head_chain` reads
    them off a drafter). tolerance ends a fit early: the change of the relative error, for EM the gain of ten rounds in
    nats. A start at rank 16 and 200 iterations takes, on one core and a joint of 64 x 64 x 64 or 512 x 512, 0.1 s
    (tucker, tt), 0.5 s (cp, nncp-mu), 1 to 2 s (em-cp, em-hmm, nncp-hals).
    Errors (ValueError): an unknown method; a rank, restarts or iterations below 1; cells that are no probabilities.
    """
    choice("method", method, METHODS)
    rank, restarts, iterations = map(counted, ("rank", "restarts", "iterations"), (rank, restarts, iterations))
    seed, tolerance = seeded("seed", seed), real("tolerance", tolerance)
    law = normal(joint, "joint")
    if law.dim() < 2:
        raise ValueError("joint: one axis has nothing to decompose, take n=2 or more")
    if start is not None and METHODS[method] is not _divergence:
        raise ValueError(f"start= goes with em-cp and em-hmm, and method is {method!r}")
    start = start.parts if isinstance(start, Fit) else start
    seeds = range(seed, seed + (1 if method == "tt" else restarts))
    given = [_divergence(method, law, rank, None, iterations, tolerance, start)] if start is not None else []
    starts = bar(f"{method}, rank {rank}", seeds)
    return given + [METHODS[method](method, law, rank, one, iterations, tolerance) for one in starts]


def _squares(method: str, law: Tensor, rank: int, seed: int, iterations: int, tolerance: float) -> Fit:
    """A fit by tensorly, with its torch backend for this call only."""
    import tensorly as tl
    from tensorly import decomposition as td

    cp = dict(rank=rank, n_iter_max=iterations, tol=tolerance, random_state=seed, init="random")
    with tl.backend_context("pytorch"):
        if method == "tt":
            parts = td.tensor_train(law, [1, *[rank] * (law.dim() - 1), 1])
            dense, tensors, rank = tl.tt_to_tensor(parts), parts.factors, max(parts.rank)
        elif method == "tucker":
            parts = td.tucker(law, **cp | {"rank": [min(rank, a) for a in law.shape]})
            dense, tensors, rank = tl.tucker_to_tensor(parts), [parts[0], *parts[1]], max(parts[0].shape)
        else:
            fit = {"cp": td.parafac, "nncp-mu": td.non_negative_parafac, "nncp-hals": td.non_negative_parafac_hals}
            parts = fit[method](law, **cp)
            dense, tensors = tl.cp_to_tensor(parts), parts[1]
    return Fit(method, rank, seed, dense, parts, sum(t.numel() for t in tensors))


def _divergence(method: str, law: Tensor, rank: int, seed, iterations: int, tolerance: float, start=None) -> Fit:
    """A fit by expectation maximisation."""
    chain, history = em(law, rank, method == "em-hmm", start, iterations, seed or 0, tolerance)  # a start needs no seed
    parts = [chain.weights, *chain.factors, *(chain.transitions or ())]
    return Fit(method, rank, seed, chain.dense(), chain, sum(t.numel() for t in parts), history)


METHODS = {name: _squares for name in ("cp", "nncp-mu", "nncp-hals", "tucker", "tt")}
METHODS |= {name: _divergence for name in ("em-cp", "em-hmm")}
