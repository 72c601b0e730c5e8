"""Exact joints: the probability of every sequence of the next n tokens, as a tensor.

    P[x_1, ..., x_n] = p(x_1) p(x_2 | x_1) ... p(x_n | x_1..x_{n-1})

from a backbone, from a drafter's belief (x_1 from the target's law, because a drafter absorbs it: papers.md 1.6), or
from the grammar of the stories, word by word. Small enough to hold only because V is small or because each axis is cut
to its likeliest tokens; then P is the law given that every token lies on its axis, and `mass` is the chance of that.
n tokens, V vocabulary, A_k tokens on axis k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor

from ..backbone.load import Backbone
from ..checks import number, refusal, shaping, whole
from .sources import Belief, Target, Words

CELLS = 1 << 24  # cells of a joint
LAWS = 1 << 27  # entries of the laws that one offset needs before its axis is known
TOP = 64  # tokens per axis where not every one can stand


@dataclass(eq=False)
class Joint:
    """The law of the next n tokens on n axes."""

    law: Tensor  # [A_1, ..., A_n] float64, sums to 1: given that every token lies on its axis
    tokens: tuple[list, ...]  # what the places of each axis stand for: token ids, or the grammar's words
    words: tuple[list[str], ...]  # the same as text to show
    mass: float  # the chance that all n tokens lie on their axes

    @property
    def n(self) -> int:
        return self.law.dim()

    def marginal(self, k: int) -> Tensor:
        """[A_k] the law of the k-th token, k = 1..n."""
        k = whole("k", k, 1, self.n, "the tokens of this joint")
        return self.law.sum([d for d in range(self.n) if d != k - 1])

    def __repr__(self) -> str:
        best = [self.words[k][i] for k, i in enumerate(torch.unravel_index(self.law.argmax(), self.law.shape))]
        size = " x ".join(map(str, self.law.shape))
        return f"Joint of {self.n} tokens, {size}, mass {self.mass:.4f}; likeliest {best}: {float(self.law.max()):.4f}"


@torch.no_grad()
def exact_joint(
    source,
    prompt,
    n: int = 2,
    top: int | None = None,
    axes: Joint | Sequence[Sequence] | None = None,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Joint:
    """The exact joint law of the `n` tokens after one prompt: a `Joint`.

    source: a backbone; a drafter (its belief, given x_1 from the target); or the corpus "stories" (exact, in words).
    prompt: a string or a list of token ids; for the corpus a string or a list of words, "" being the start.
    top: tokens per axis, those that carry the most mass given the axes before. Default: all V of a model for n <= 2,
    else 64. axes: the axes themselves, or a `Joint` whose axes to take: a drafter then meets its target cell by cell.
    Shaping is that of decoding. Costs A_1 ... A_{n-1} positions of the model: a second or two with a shipped one.
    The grammar takes seconds, early in a story, where much is still open, up to a minute.
    Errors (ValueError): more cells than 2^24, a prompt or n too long, an unknown source, options that decoding refuses,
    axes that hold what is no token of the source, or one token twice.
    """
    n = number("n", n, Integral, lambda x: 1 <= x <= 8, "a whole number from 1 to 8, the tokens of the joint")
    if top is not None:
        top = number("top", top, Integral, lambda x: x >= 1, "a whole number >= 1 (tokens per axis), or None")
    options = shaping(temperature, top_k, top_p)
    asked = _source(source)(source, prompt, n, options)
    given = None if axes is None else [asked.ids(a, f"axes[{k}]") for k, a in enumerate(_axes(axes, n))]
    if given is None and top is None and (n > 2 or isinstance(asked, Words)):
        top = TOP
    _fits([len(a) for a in given] if given is not None else [min(top or asked.size, asked.size or TOP)] * n, asked.size)
    chosen, cells = [], None
    for k in range(n):
        axis, cells = _extend(asked, chosen, cells, None if given is None else given[k], top)
        if not float(cells.sum()) > 0:
            raise ValueError("axes: none of these sequences has any probability here; take axes=None or other tokens")
        chosen.append(axis)
    law = cells.view([len(a) for a in chosen])
    mass = float(law.sum())
    tokens, words = zip(*(asked.names(a) for a in chosen), strict=True)
    return Joint(law / law.sum(), tokens, words, mass)


def _source(source):
    """Which of the three answers for `source`."""
    if isinstance(source, Backbone):
        return Target
    if all(hasattr(source, verb) for verb in ("begin", "predict", "absorb", "backbone")):
        return Belief
    if hasattr(source, "next_word_law"):
        return Words
    remedy = "pass a backbone (load_backbone), a drafter (load_drafter), or load_corpus('stories')"
    raise ValueError(refusal("source", source, remedy))


def _axes(axes, n: int) -> Sequence:
    """One list of tokens for each of the n; ValueError where `axes` is no such thing."""
    given = axes.tokens if isinstance(axes, Joint) else axes
    if isinstance(given, str | type) or not hasattr(given, "__len__") or getattr(given, "shape", None) == ():
        raise ValueError(refusal("axes", axes, f"give a Joint, or one list of tokens for each of the {n} tokens"))
    if len(given) != n:
        raise ValueError(f"axes has {len(given)} axes for n={n} tokens: give one list of tokens for each")
    return given


def _fits(sizes: list[int], vocabulary: int) -> None:
    """ValueError where the joint, or the laws that its last axis is chosen from, would not fit into memory."""
    n, rows = len(sizes), math.prod(sizes[:-1])
    if rows * sizes[-1] > CELLS or rows * vocabulary > LAWS:
        most = min(CELLS ** (1 / n), (LAWS / max(1, vocabulary)) ** (1 / max(1, n - 1)))
        raise ValueError(
            f"{n} tokens on axes of {', '.join(map(str, sizes))} make too large a joint (2^24 cells and 2^27 entries of"
            f" the laws behind are the most): take top={int(most + 1e-9)} or fewer"
        )


def _extend(source, chosen: list[Tensor], weight: Tensor | None, axis: Tensor | None, top: int | None):
    """One more axis: from the weights [N] of all prefixes over the axes `chosen` to (axis [A], weights [N * A])."""
    if chosen:
        last, weight = chosen[-1], weight.view(-1, len(chosen[-1]))
        alive = torch.nonzero(weight.sum(1) > 0)[:, 0]  # what cannot happen is not asked for
        parents = torch.cartesian_prod(*chosen[:-1]).view(len(weight), -1) if chosen[1:] else last.new_zeros(1, 0)
        chunks = [_lean(law) for law in source.laws(parents[alive], last)]
    else:
        chunks = [source.first]
        weight, alive = torch.ones(1, 1, dtype=torch.float64, device=chunks[0].device), torch.zeros(1, dtype=torch.long)
    parts = weight[alive].flatten().split([len(c) for c in chunks])
    if axis is None:
        marginal = sum(w @ c.double() for w, c in zip(parts, chunks, strict=True))
        axis = marginal.topk(min(top, len(marginal))).indices if top else torch.arange(len(marginal)).to(weight.device)
    cells = weight.new_empty(weight[alive].numel(), len(axis))
    for w, c, out in zip(parts, chunks, cells.split([len(c) for c in chunks]), strict=True):
        torch.mul(w[:, None], c[:, axis].double(), out=out)
    if len(alive) == len(weight):
        return axis, cells.flatten()
    every = weight.new_zeros(*weight.shape, len(axis))
    every[alive] = cells.view(len(alive), -1, len(axis))
    return axis, every.flatten()


def _lean(law: Tensor) -> Tensor:
    """A law in float32 where that loses nothing: most were computed so."""
    half = law.float()
    return half if torch.equal(half.double(), law) else law
