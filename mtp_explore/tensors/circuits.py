"""What the three joint laws of a window share: CP, HMM and BTree as mixtures with hidden states.

Letters: n window length, R rank (states of every latent), V vocabulary; `...` any batch shape, broadcast. Everything is
a log-probability, in float64 or float32. A **circuit** (`cp.CP`, `hmm.HMM`, `btree.BTree`) holds the weights of the
sums; each window token hangs from one latent, and the **factors** logphi [..., n, R, V] say what a latent's state makes
of it. A **leaf** [..., n, R] is the factors at given tokens; a missing token has leaf 0 and is summed out exactly. So
the vocabulary enters at the leaves only, and losses never need [..., n, R, V]. Every circuit has the same drawers:

    start() -> seen            nothing is absorbed; seen.state [..., R] is the law of the latent of the next token
    absorb(seen, leaf)         fold in one token's leaf [..., R] and move on by one
    evidence(leaf)             [..., R] log-probability of the tokens, given the root's state
    responsibilities(leaf)     [..., n, R] law of every token's latent, given all tokens
    latents(u, n)              [..., n] states of the tokens' latents, drawn with uniforms u [..., draws(n)]

Source: Grivas et al. (arXiv 2511.11346), sections 2 and 3.2; Basharin et al. (arXiv 2410.17765).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..checks import refusal
from .categorical import pick
from .given import tensor

MOST = 1 << 20  # windows that `whole` spells out


def leaves(logphi: Tensor, tokens: Tensor) -> Tensor:
    """The factors [..., n, R, V] at tokens [..., n]: [..., n, R]; 0 where a token is -1 (missing)."""
    tensor("logphi", logphi, "..., n, R, V", "numbers")
    tensor("tokens", tokens, "..., n", "whole numbers")
    if tokens.shape[-1] != logphi.shape[-3]:
        raise ValueError(f"tokens has {tokens.shape[-1]} places and logphi {logphi.shape[-3]}: give a token for each")
    index = tokens.clamp(min=0)[..., None, None].expand(*tokens.shape, logphi.shape[-2], 1)
    found = logphi.expand(*tokens.shape, *logphi.shape[-2:]).gather(-1, index)[..., 0]
    return found.masked_fill(tokens[..., None] < 0, 0.0)


def predicted(state: Tensor, logphi: Tensor) -> Tensor:
    """log q [..., V] of the next token: its latent's law [..., R] mixes the factors [..., R, V] of its place."""
    return (state[..., None] + logphi).logsumexp(-2)


def filtered(circuit, leaf: Tensor, tilt: Tensor | None = None) -> Tensor:
    """The law [..., n, R] of every token's latent, given the tokens before it.

    `tilt` [..., R], where given, is added to the first leaf once its own probability is known: what the first token
    says beyond its factor. The law of the later tokens stays a law, given the first.
    """
    _meets(circuit, leaf)
    seen, states = circuit.start(), []
    for k in range(leaf.shape[-2]):
        states.append(seen.state.expand_as(leaf[..., k, :]))
        said = leaf[..., k, :]
        seen = circuit.absorb(seen, said if k or tilt is None else said + tilt)
    return torch.stack(states, -2)


def _meets(circuit, leaf, name: str = "leaf") -> None:
    """Errors where `circuit` is none, or the leaves [..., n, R] are not its own."""
    if not hasattr(circuit, "logw") or not hasattr(circuit, "evidence"):
        raise TypeError(refusal("circuit", circuit, "pass a CP, HMM or BTree of mtp_explore.tensors"))
    states, places = tensor(name, leaf, "..., n, R", "numbers").shape[-1], leaf.shape[-2]
    wanted = getattr(circuit, "n", None) or (1 + circuit.logT.shape[-3] if hasattr(circuit, "logT") else places)
    if states != circuit.logw.shape[-1] or places != wanted:
        raise ValueError(
            f"{name} speaks of {places} places and {states} states, and this circuit has {wanted} and "
            f"{circuit.logw.shape[-1]}: give it its own"
        )


def conditionals(circuit, leaf: Tensor, tilt: Tensor | None = None) -> Tensor:
    """log q(x_k | x_1..x_{k-1}) [..., n]; 0 at missing tokens."""
    return (filtered(circuit, leaf, tilt) + leaf).logsumexp(-1)


def prefixes(circuit, leaf: Tensor, tilt: Tensor | None = None) -> Tensor:
    """log q(x_1..x_k) [..., n] for k = 1..n, the tokens after x_k summed out (papers.md 1.4: m_1..m_n)."""
    return conditionals(circuit, leaf, tilt).cumsum(-1)


def joint(circuit, leaf: Tensor) -> Tensor:
    """log q(x_1..x_n) [...], bottom-up: the root's law meets the evidence."""
    _meets(circuit, leaf)
    return (circuit.logw + circuit.evidence(leaf)).logsumexp(-1)


def whole(circuit, logphi: Tensor) -> Tensor:
    """log q of every window: [..., V, ..., V] with n axes of the vocabulary, from factors [..., n, R, V].

    ValueError: more than about a million windows.
    """
    _meets(circuit, tensor("logphi", logphi, "..., n, R, V", "numbers")[..., 0], "logphi")
    n, size = logphi.shape[-3], logphi.shape[-1]
    if size**n > MOST:
        raise ValueError(f"{size} tokens in windows of n={n} are {size**n} windows: at most {MOST} are spelled out")
    axes = [torch.arange(size, device=logphi.device)] * n
    tokens = torch.cartesian_prod(*axes).view(-1, n).expand(*logphi.shape[:-3], -1, -1)
    every = type(circuit)(circuit.logw.unsqueeze(-2), *(weights.unsqueeze(-4) for weights in circuit[1:]))
    return joint(every, leaves(logphi.unsqueeze(-4), tokens)).unflatten(-1, [size] * n)


def ancestral(circuit, logphi: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """A window drawn top-down: states [..., n] of the tokens' latents, then all tokens [..., n] at once.

    u: uniforms [..., draws(n) + n], first those of the latents. The law is that of drawing token after token.
    """
    n = logphi.shape[-3]
    above, below = u.split([circuit.draws(n), n], -1)
    states = circuit.latents(above, n)
    return states, drawn(logphi, states, below)


def rooted(logw: Tensor, u: Tensor) -> Tensor:
    """The root's state [...] from its log law [..., R], with uniforms u [...]."""
    return pick(logw.expand(*u.shape, logw.shape[-1]).exp(), u)


def drawn(rows: Tensor, state: Tensor, u: Tensor) -> Tensor:
    """Draw [...] from row `state` [...] of the log laws [..., R, V] (or [..., R, R]), with uniforms u [...]."""
    index = state[..., None, None].expand(*state.shape, 1, rows.shape[-1])
    return pick(rows.expand(*state.shape, *rows.shape[-2:]).gather(-2, index)[..., 0, :].exp(), u)
