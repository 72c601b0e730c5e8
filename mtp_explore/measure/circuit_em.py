"""Expectation maximisation for any circuit, by differentiation: the tree of latents beside the mixture and the chain.

Write Q(x) with free, not normalised, log-parameters. Then d log Q(x) / d log theta is how often the parameter theta is
expected to be used in writing x, so the gradient of sum_x P(x) log Q(x) is the table of expected counts, and the next
parameters are the counts, divided by the sum of their row. A round never raises KL(P || Q). `em.py` spells the same out
for CP and HMM, and is faster; here the circuit may be any of `tensors/`, because it is only evaluated.

n tokens, R states of every latent, V tokens on every axis; everything float64.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import choice
from ..checks import seed as seeded
from ..tensors.btree import BTree
from ..tensors.circuits import whole
from ..tensors.cp import CP
from ..tensors.hmm import HMM
from .em import counted, divergence, normal
from .progress import bar

LEAST = 1e-12  # of a parameter
STAY = 2 / 3  # of a start's transitions, the identity (papers.md 2.2)
SUMS = {"cp": (CP, lambda n: 0), "hmm": (HMM, lambda n: n - 1), "btree": (BTree, lambda n: n - 2)}


class Circuit(NamedTuple):
    """A circuit with its factors, all log-probabilities."""

    sums: CP | HMM | BTree
    logphi: Tensor  # [n, R, V]
    kl: Tensor  # [rounds + 1] KL(P || Q) in nats before every round and after the last

    def dense(self) -> Tensor:
        """[V, ..., V] the law itself."""
        return whole(self.sums, self.logphi).exp()


def circuit_em(law, kind: str, rank: int, iterations: int = 200, restarts: int = 3, seed: int = 0) -> Circuit:
    """The best of `restarts` circuits of `kind` "cp", "hmm" or "btree" that EM reaches for a joint [V, ..., V].

    law: a tensor of probabilities whose n axes have the same size (btree: n >= 3); starts are drawn by seed, ...
    ValueError: an unknown kind, a rank below 1, axes of different sizes, more than a million windows.
    """
    choice("kind", kind, SUMS)
    rank, iterations, restarts = map(counted, ("rank", "iterations", "restarts"), (rank, iterations, restarts))
    law, seed = normal(law), seeded("seed", seed)
    if len(set(law.shape)) != 1 or law.dim() < (3 if kind == "btree" else 2):
        raise ValueError(f"law has the shape {tuple(law.shape)}: a {kind} needs axes of one size, and at least "
                         f"{3 if kind == 'btree' else 2} of them")  # fmt: skip
    found = [_climb(law, *random_circuit(law, kind, rank, s), iterations) for s in range(seed, seed + restarts)]
    return min(found, key=lambda circuit: float(circuit.kl[-1]))


def random_circuit(law: Tensor, kind: str, rank: int, seed: int) -> tuple:
    """(sums, logphi) to start from: factors are marginals times draws of Exp(1), transitions two thirds identity."""
    law, rank = normal(law), counted("rank", rank)
    draw = torch.Generator().manual_seed(seeded("seed", seed))
    n, size = law.dim(), law.shape[0]

    def rows(*shape: int) -> Tensor:
        drawn = -torch.rand(*shape, generator=draw, dtype=law.dtype).clamp(min=LEAST).log()
        return (drawn / drawn.sum(-1, keepdim=True)).to(law.device)

    make, inner = SUMS[choice("kind", kind, SUMS)]
    marginals = torch.stack([law.sum([d for d in range(n) if d != k]) for k in range(n)])
    logphi = _logs(marginals[:, None] * rows(n, rank, size))
    if not inner(n):
        return make(_logs(rows(rank)), *([] if kind == "cp" else [logphi.new_zeros(0, rank, rank)])), logphi
    stay = torch.eye(rank, dtype=law.dtype, device=law.device)
    return make(_logs(rows(rank)), _logs(STAY * stay + (1 - STAY) * rows(inner(n), rank, rank))), logphi


def em_round(law: Tensor, sums, logphi: Tensor) -> tuple:
    """(sums, logphi, KL(P || Q) before) after one round: every parameter becomes its expected share."""
    logs = [x.detach().requires_grad_() for x in (*sums, logphi)]
    with torch.enable_grad():
        logq = whole(type(sums)(*logs[:-1]), logs[-1])
        counts = torch.autograd.grad((law * logq).sum(), logs)
    *weights, factors = map(_logs, counts)
    return type(sums)(*weights), factors, divergence(law, logq.detach().exp())


def _climb(law: Tensor, sums, logphi: Tensor, iterations: int) -> Circuit:
    kl = []
    for _ in bar("EM of a circuit", range(iterations)):
        sums, logphi, before = em_round(law, sums, logphi)
        kl.append(before)
    last = divergence(law, whole(sums, logphi).exp())
    return Circuit(sums, logphi, torch.stack([*kl, last]))


def _logs(counts: Tensor) -> Tensor:
    """Rows of counts as log-laws, nothing quite 0."""
    share = counts / counts.sum(-1, keepdim=True).clamp(min=LEAST)
    return share.clamp(min=LEAST).log().log_softmax(-1)
