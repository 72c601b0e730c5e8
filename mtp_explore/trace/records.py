"""What a generation leaves behind: plain data, no tensors, no model.

A `Trace` is one row of a batch: its prompt, one `Step` per backbone call, and in each step one `Drafted` per pending
draft that the call verified. Metrics, figures, the player and the tests read traces and nothing else.
Probabilities are those the rule saw (after temperature, top-k, top-p); `p` is the target's law, `q` the draft's.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field

from ..checks import instance

VERSION = 1
KEPT, REFUSED, IGNORED = "kept", "refused", "ignored"
PLAIN, BONUS, RESIDUAL, TARGET = "plain", "bonus", "residual", "target"
Law = list[tuple[int, float]]  # the likeliest tokens of a law with their probabilities, best first


@dataclass(slots=True)
class Drafted:
    """One pending draft, as the call that verified it saw it."""

    token: int
    q: float  # its probability under the law it was drawn from
    p: float  # its probability under the target, given the drafts before it
    chance: float  # the probability with which the rule keeps it once reached: min(1, p/q), block's h, or p for match
    coin: float  # the number held against it: a coin, block's eta, or the tape's u for match
    verdict: str  # "kept" | "refused" (the first that fell) | "ignored" (after it: never looked at)
    rank: int | None  # where q, before shaping, ranked the token that came to stand here (0 = first); None: not ranked
    p_top: Law = field(default_factory=list)
    q_top: Law = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """p/q of the drafted token (infinite where q is 0)."""
        return self.p / self.q if self.q > 0 else float("inf")


@dataclass(slots=True)
class Step:
    """One backbone call: which drafts it verified, what it committed."""

    index: int
    pending: int | None  # y, the committed token whose state this call computed; None at the prefill
    drafts: list[Drafted]
    accepted: int  # a, how many drafts the rule accepted (before any cut by end of text or length)
    token: int  # y', the rule's own token after them
    tokens: list[int]  # what was committed: d_1..d_a, y', cut at the end of text or at the length limit
    source: (
        str  # of y': "plain" (no drafts) | "bonus" (all kept) | "residual" | "target" (match: the target's own pick)
    )
    u: float  # the uniform that decided y'
    p: float  # probability of y' under the target's law at its place
    p_top: Law = field(default_factory=list)  # the target's law at the place of y'
    residual_top: Law = field(default_factory=list)  # the law y' was drawn from, where that is a residual
    belief: dict | None = None  # what the drafter believed when it drew these drafts (plain data), if it says
    seconds: float = 0.0  # the whole step
    draft_seconds: float = 0.0  # of these, spent in the drafter

    @property
    def kept(self) -> int:
        """Drafts that were committed; differs from `accepted` only in the step that a cut ended."""
        return min(self.accepted, len(self.tokens))


@dataclass
class Trace:
    """One generation: prompt, steps, texts. `pieces` maps every token id that occurs to the text shown for it."""

    prompt: list[int]
    steps: list[Step]
    prompt_text: str = ""
    text: str = ""  # the new tokens, decoded together
    pieces: dict[int, str] = field(default_factory=dict)
    settings: dict = field(default_factory=dict)  # drafter, rule, plan, horizon, temperature, top_k, top_p, seed, ...
    finish: str = "length"  # "length" | "eos" | "context"
    seconds: float = 0.0
    version: int = VERSION

    def __post_init__(self):
        for name, kind in (("prompt", list), ("steps", list), ("pieces", dict), ("settings", dict)):
            instance(name, getattr(self, name), kind, f"it must be a {kind.__name__}")
        for i, step in enumerate(self.steps):
            instance(f"steps[{i}]", step, Step, "it must be a Step")

    @property
    def tokens(self) -> list[int]:
        """Ids of the new tokens, in order."""
        return [t for step in self.steps for t in step.tokens]

    @property
    def calls(self) -> int:
        """Backbone calls, the prefill counted."""
        return len(self.steps)

    def metrics(self) -> dict:
        from .metrics import metrics

        return metrics(self)

    def to_json(self) -> str:
        """A JSON string from which `from_json` builds an equal trace."""
        text = json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))
        return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)  # UTF-8 cannot hold half a pair

    @classmethod
    def from_json(cls, text: str) -> Trace:
        """The trace of `to_json`. ValueError, with the path of the field, where the text is none."""
        from .reading import read

        return read(text)

    def to_dataframe(self):
        """One row per draft and per target's token: step, place, source, token, piece, q, p, ratio, coin, ..."""
        from .frames import Frame

        rows = []
        for s in self.steps:
            for k, d in enumerate(s.drafts, 1):
                rows.append(
                    dict(
                        step=s.index,
                        place=k,
                        source="draft",
                        token=d.token,
                        piece=self.piece(d.token),
                        q=d.q,
                        p=d.p,
                    )
                    | dict(ratio=d.ratio, chance=d.chance, coin=d.coin, verdict=d.verdict, rank=d.rank)
                    | dict(committed=k <= s.kept)
                )
            rows.append(
                dict(
                    step=s.index,
                    place=s.accepted + 1,
                    source=s.source,
                    token=s.token,
                    piece=self.piece(s.token),
                    p=s.p,
                )
                | dict(coin=s.u, verdict="target", committed=len(s.tokens) > s.accepted)
            )
        return Frame(rows)

    def piece(self, token: int) -> str:
        """The text shown for a token id."""
        return self.pieces.get(token, f"⟨{token}⟩")

    def _repr_html_(self) -> str:
        from .html import player

        return player(self)

    def __repr__(self) -> str:
        s = self.settings
        n = len(self.tokens)
        return f"Trace({s.get('drafter', 'plain')}: {n} tokens in {self.calls} calls, {self.text[:60]!r})"
