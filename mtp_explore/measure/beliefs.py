"""What a drafter believes, token by token: its latents' laws along one text, as plain arrays for the figures.

    weights  a mixture: law of the component                     [m + 1, R], row i after i tokens
    forward  a hidden chain: law of the state that writes next   [m + 1, R]
    nodes    a tree: law of every inner node's latent            [m + 1, N, R]

m tokens are absorbed after the prompt, the first of which is y'. A node's law is read off by differentiation: the
derivative of log q(tokens) by a log-weight is how likely that weight was used.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import refusal, whole
from ..tensors.btree import BTree
from .arguments import drafting, listed
from .sources import Belief

MOST = 100_000  # tokens under a tree


class Path(NamedTuple):
    """A drafter's belief along a text."""

    laws: Tensor  # [m + 1, R] of the latent from which the next token hangs (after the last one: as it was left)
    tokens: list[str]  # the m absorbed tokens' texts
    nodes: Tensor | None  # [m + 1, N, R] of a tree's inner nodes, root first
    spans: list[tuple[int, int]] | None  # their (first, last) places in the window, from 1
    chances: Tensor  # [m] q of each absorbed token given those before it; of the first: the target's p


@torch.no_grad()
def follow(drafter, prompt, tokens) -> Path:
    """What a drafter "cp", "hmm" or "btree" believes after `prompt`, before the first and after each of `tokens`.

    tokens: ids, or a text to encode; at most K + 1. ValueError: another drafter, none or too many tokens.
    """
    backbone = drafting("drafter", drafter).backbone
    if isinstance(tokens, str) and backbone.tokenizer is None:
        raise ValueError(refusal("tokens", tokens, "this backbone has no tokenizer: pass token ids"))
    text = isinstance(tokens, str)
    ids = backbone.tokenizer.encode(tokens, add_special_tokens=False) if text else listed("tokens", tokens, "ids", 0)
    ids = [whole(f"tokens[{i}]", t, 0, backbone.vocabulary - 1, why="token ids") for i, t in enumerate(ids)]
    if not 1 <= len(ids) <= drafter.horizon + 1:
        raise ValueError(f"tokens has {len(ids)}: drafter {drafter.name!r} absorbs 1 to {drafter.horizon + 1} tokens")
    asked = Belief(drafter, prompt, len(ids), {})
    absorbed = torch.tensor([ids], device=backbone.device)
    belief = drafter.begin(asked.state(absorbed[:, 0]))
    if not hasattr(belief, "circuit"):
        raise ValueError(f"drafter {drafter.name!r} has no latents: take one made as 'cp', 'hmm' or 'btree'")
    tree = isinstance(belief.circuit, BTree)
    said, laws, chances = leaves_of(drafter, belief, absorbed[0]), [belief.seen.state], []
    for token in absorbed.unbind(1):
        chances.append(drafter.predict(belief)[0, token].exp())
        belief = drafter.absorb(belief, token)
        laws.append(belief.seen.state)
    spans = places(belief.circuit.n) if tree else None
    nodes = torch.stack([nodes_of(belief.circuit, said, k) for k in range(len(ids) + 1)]) if tree else None
    return Path(torch.cat(laws).double().exp(), asked.names(absorbed[0])[1], nodes, spans, torch.cat(chances).double())


def leaves_of(drafter, belief, tokens: Tensor) -> Tensor:
    """[m, R] what each of tokens [m] says of the latent it hangs from, as `absorb` has it."""
    logphi = drafter.factors(belief.z[0, : len(tokens)]).double()  # [m, R, V]
    said = logphi.gather(-1, tokens[:, None, None].expand(-1, logphi.shape[1], 1))[..., 0]
    if drafter.tilt is not None:
        said[0] += drafter.said(tokens[:1])[0]
    return said


def nodes_of(tree: BTree, said: Tensor, k: int) -> Tensor:
    """[N, R] the law of every inner node's latent, given the first k tokens; row 0 of the batch."""
    leaf = torch.zeros(tree.n, said.shape[1], dtype=said.dtype, device=said.device)
    leaf[:k] = said[:k]
    with torch.enable_grad():
        logw, logA = (x[0].double().detach().requires_grad_() for x in tree)
        total = (logw + BTree(logw, logA).evidence(leaf)).logsumexp(-1)
        root, inner = torch.autograd.grad(total, (logw, logA), materialize_grads=True)
    return torch.cat([root[None], inner.sum(-2)])


def places(n: int) -> list[tuple[int, int]]:
    """(first, last) place of every inner node of a tree over n tokens, in pre-order, counted from 1."""
    n = whole("n", n, 1, MOST)

    def below(first: int, size: int) -> list[tuple[int, int]]:
        if size == 1:
            return []
        m = size // 2
        return [(first, first + size - 1), *below(first, m), *below(first + m, size - m)]

    return below(1, n)
