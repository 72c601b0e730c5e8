"""What a joint law of the window is trained on, from log-probabilities of the tokens that came.

Letters: N windows, n = K+1 tokens of each, x_1 = y' (never drafted), R rank. logq [N, n] are the conditionals
log q(x_k | x_1..x_{k-1}); real [N, n] says which tokens exist. All losses are means in nats per token.

    joint        -log q(x_1..x_n) over the number of tokens
    conditional  sum_k g^{k-1} CE_k / sum_k g^{k-1},  g = discount; g = 1 is the joint, where no token is missing (each
                 offset is a mean over its own tokens, and late ones are missing more often)
    kl           the same with KL(p(. | x_<k) || q(. | x_<k)) for CE_k: the target's whole law, after what came
    dpace        half the joint of the drafts plus half -log S, S = sum_k a_2 .. a_k, a_k = q(x_k | x_<k): the number of
                 drafts that come true, if they are drawn one by one until one does not

The gradient of -log S is that of sum_k w_k CE_k / S with D-PACE's weights w_k = dS / dlog a_k. Without the division
by S windows that are not yet predicted would hardly be heard, and without the joint late tokens never are: their
weights are products of chances that start near zero.

The mixed beta * KL + (1 - beta) * CE of papers.md 1.2 is not offered: "kl" is its beta = 1, "conditional" its beta = 0.

A balancing loss is added with a weight lambda, `balance`. It stands beside a loss per token here and beside one per
window, L_joint, in the papers: lambda = 0.1 here is their 0.1 K (0.1 n where y' counts). It speaks of the root's
weights alone, which is all there is in a CP; what HMM and BTREE mix further down is not balanced.

Sources: papers.md 1.2 and 1.3 (Basharin et al., arXiv 2410.17765), 2.3 (Grivas et al., arXiv 2511.11346), 5.9 (D-PACE,
arXiv 2605.18810).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..checks import choice, flag, number
from ..tensors.circuits import predicted
from ..tensors.logprob import chunk, exact

OBJECTIVES = ("joint", "conditional", "kl", "dpace")
BALANCING = ("kl", "switch", "square")
NUMBERS = 1 << 24  # of laws alive at once on a CPU


def check(objective: str, discount: float, first: bool, balance: float, balancing: str) -> dict:
    """The options, numbers as floats; ValueError for those that do not exist or do not go together."""
    objective = choice("objective", objective, OBJECTIVES)
    discount = number("discount", discount, Real, lambda x: 0 < x <= 1, "a number above 0 and at most 1")
    first, balancing = flag("first", first), choice("balancing", balancing, BALANCING)
    balance = number("balance", balance, Real, lambda x: 0 <= x < math.inf, "a number, 0 or more")
    if discount < 1 and objective not in ("conditional", "kl"):
        raise ValueError(f"discount={discount}: objective {objective!r} has none; use 'conditional' or 'kl'")
    if first and objective == "dpace":
        raise ValueError("first=True: objective 'dpace' speaks of the drafts alone; leave first=False or take another")
    return dict(objective=objective, discount=discount, first=first, balance=balance, balancing=balancing)


def offsets(values: Tensor, real: Tensor) -> Tensor:
    """Mean [n] of values [N, n] over the tokens that exist; 0 where none does."""
    return (values * real).sum(0) / real.sum(0).clamp(min=1)


def per_token(values: Tensor, real: Tensor) -> Tensor:
    """Mean of values [N, n] over all tokens that exist."""
    return (values * real).sum() / real.sum().clamp(min=1)


def discounted(each: Tensor, discount: float) -> Tensor:
    """sum_k g^{k-1} each_k / sum_k g^{k-1}, from offsets' means [n]."""
    weight = discount ** torch.arange(len(each), dtype=each.dtype, device=each.device)
    return (weight * each).sum() / weight.sum()


def dpace(logq: Tensor, real: Tensor) -> Tensor:
    """-log S from log a [N, K], the mean over the windows that have a draft; what follows a missing token is left out.
    Where log a is D-PACE's, the gradient of one window is -(w_1, .., w_K) / S, w_k = sum_{m>=k} a_1 .. a_m.
    """
    least = torch.finfo(logq.dtype).min
    log_s = logq.cumsum(-1).masked_fill(~real, least).logsumexp(-1)
    return per_token(-log_s, real[:, 0])


def balancing_loss(logw: Tensor, posterior: Tensor, form: str) -> Tensor:
    """A penalty on uneven use of R components, from log weights [N, R] and the posterior [N, R] of each window's.

    kl: sum_a m_a log(R m_a), from 0 to log R; switch: R sum_a f_a m_a; square: R sum_a (m_a - 1/R)^2; where m is the
    mean of w over the batch and f_a the share of windows whose most responsible component is a. The paper's own form
    is not known to us (papers.md 1.3).
    """
    mean = logw.exp().mean(0)
    rank = len(mean)
    if form == "kl":
        return math.log(rank) - torch.special.entr(mean).sum()
    if form == "square":
        return rank * (mean - 1 / rank).square().sum()
    share = torch.nn.functional.one_hot(posterior.argmax(-1), rank).to(mean.dtype).mean(0)
    return rank * (share * mean).sum()


def mixture_kl(
    state: Tensor,
    z: Tensor,
    teacher: Tensor,
    factors: Callable[[Tensor], Tensor],
    budget: int | None = None,
) -> Tensor:
    """KL(p || q) [M] in nats, q = sum_a exp(state_a) softmax(U z_a) and p = softmax(U teacher), over the vocabulary.

    state [M, R] log-laws; z [M, R, D]; teacher [M, D]; factors: states [..., D] to log-laws [..., V]. At most `budget`
    numbers of component laws, by default as many as the device likes, are alive at once; they are made again in the
    backward pass.
    """
    with torch.no_grad():
        size = factors(teacher[:1]).shape[-1]
    rows = max(1, chunk(z, budget, NUMBERS) // (size * z.shape[1]))
    parts = zip(state.split(rows), z.split(rows), teacher.split(rows), strict=True)
    if len(state) <= rows:
        return _kl(state, z, teacher, factors)
    return torch.cat([checkpoint(_kl, *part, factors, use_reentrant=False) for part in parts])


def _kl(state: Tensor, z: Tensor, teacher: Tensor, factors: Callable) -> Tensor:
    logp, logq = factors(teacher), predicted(state, factors(z))
    return (logp.exp() * (logp - logq)).sum(-1)


def divergence(
    a: Tensor,
    b: Tensor,
    logits: Callable[[Tensor], Tensor],
    budget: int | None = None,
    other: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """KL(P || Q) [N] in nats of P = softmax(logits(a)), Q = softmax(other(b)), states a [N, D], b [N, D']; other: by
    default `logits`. At most `budget` logits of each, by default as many as the device likes, are alive at once; they
    are made again in the backward pass.
    """
    other = other or logits

    def part(a: Tensor, b: Tensor) -> Tensor:
        a, b = exact(logits(a)).log_softmax(-1), exact(other(b)).log_softmax(-1)
        return (a.exp() * (a - b)).sum(-1)

    with torch.no_grad():
        rows = max(1, chunk(a, budget, NUMBERS) // logits(a[:1]).shape[-1])
    pairs = list(zip(a.split(rows), b.split(rows), strict=True))
    if len(pairs) == 1:
        return part(a, b)
    return torch.cat([checkpoint(part, *pair, use_reentrant=False) for pair in pairs])
