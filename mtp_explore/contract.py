"""The words that drafters, rules, plans and the loop exchange (docs/design.md, section 2).

Letters: B batch, T context, K drafted tokens per step (the horizon), V vocabulary, D width, S slots of a call,
M slots per branch, L length of the token buffer. p is always the target's law, q the draft's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from .backbone.now import Gate

Belief = Any  # a named tuple of tensors, batch first, that knows how many tokens it has absorbed


class Draft(NamedTuple):
    """What is carried from call to call; entries k >= n are padding and never verified."""

    tokens: Tensor  # [B, K] long
    q: Tensor  # [B, K, V] the law each token was drawn from, shaped; one-hot if deterministic
    n: Tensor  # [B] 0..K
    sure: Tensor | None = None  # [B, K] how sure the drafter is of each, for plans; None: as q says


class Verdict(NamedTuple):
    accepted: Tensor  # [B] a <= n
    token: Tensor  # [B] y'


class Slots(NamedTuple):
    """Extra input positions of a call; S is the same for all rows."""

    branch: Tensor  # [B, S] b, the main row the slot hangs from; -1 = padding
    index: Tensor  # [B, S] j, it stands at position(row b) + j


class State(NamedTuple):
    """What `begin` sees, after the verdict of a call."""

    tokens: Tensor  # [B, L] committed, y' included, left-aligned
    length: Tensor  # [B]
    hidden: Tensor  # [B, D] main row a
    slots: Tensor  # [B, M, D] slot group a, in order
    count: Tensor  # [B] how many of them are real
    window: Tensor  # [B, K+1] W[:, a]: decided y', will draw the drafts


class Drafter(Protocol):
    """A belief and three verbs. `check`, `advise`, `gate` and `describe` have defaults in `drafters.base`."""

    name: str
    horizon: int  # K
    slots_per_branch: int  # M: 0 | K | K+1
    first_slot: int  # 0 for O-PTP, 1 for the others
    one_hot: bool  # its laws are deterministic: the default rule is `match`

    def check(self, backbone) -> None:
        """ValueError where it was made for another backbone."""
        ...

    def embed(self, slots: Slots, window: Tensor) -> Tensor:
        """[B, S, D] input embeddings of the slots; `window` is the tape's W [B, K+1, K+1]."""
        ...

    def advise(self, temperature: float, top_k: int, top_p: float) -> None:
        """May warn that text will be decoded under a law that it was not made for."""
        ...

    def gate(self, first: int) -> Gate | None:
        """For one backbone call: its adapters act on rows `first`.. only, the slots; None: it has none."""
        ...

    def begin(self, state: State) -> Belief: ...

    def predict(self, belief: Belief) -> Tensor:
        """log q of the next token [B, V], -inf allowed."""
        ...

    def absorb(self, belief: Belief, token: Tensor) -> Belief: ...

    def left(self, belief: Belief) -> Tensor:
        """[B] how many tokens it can still predict."""
        ...

    def describe(self, belief: Belief) -> dict[str, Tensor]:
        """What a trace keeps of the belief: names to tensors [B, ...]."""
        ...


Rule = Callable[[Tensor, Draft, Tensor, Tensor], Verdict]  # p [B, K+1, V], draft, W [B, K+1, K+1], coins [B, K]
Plan = Callable[[Drafter, Draft], Slots]
