"""Real bugs, planted in the real loop, so that one can see the exact law catch them.

    with planted("no residual"):
        exact_law(backbone, drafter, prompt)

While the block is open one function of the package is replaced by the buggy one that somebody shipped; each entry
names where it was seen. Some faults hide under some settings: `Fault.shows` gives settings under which it bites.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..backbone import cache as cache_file
from ..backbone import load as load_file
from ..checks import choice
from ..contract import Draft, Verdict
from ..decode import loop, tape
from ..tensors.categorical import at, excess, one_hot, pick
from ..verify import rejection
from . import law as law_file


@dataclass(frozen=True)
class Fault:
    """A bug: what it does, who shipped it, settings in which it shows, and the functions it replaces."""

    name: str
    story: str
    seen: str
    plant: Callable[[], list[tuple[object, str, object]]]
    shows: dict = field(default_factory=lambda: {"rule": "rejection"})  # options of `exact_law`
    harmless: bool = False  # a decoy: looks wrong, is exact


@contextmanager
def planted(name: str):
    """Plant one fault of `FAULTS` while the block is open; ValueError for an unknown name."""
    choice("name", name, FAULTS)
    with ExitStack() as stack:
        for place, attribute, buggy in FAULTS[name].plant():
            healthy = getattr(place, attribute)
            setattr(place, attribute, buggy)
            stack.callback(setattr, place, attribute, healthy)
        yield FAULTS[name]


def _redraw(change: Callable) -> Callable:
    """`loop.draw`, with (token, law the rule will be told) of each draft changed: change(logq, law, u)."""

    def draw(drafter, belief, window, shape, room) -> Draft:
        n = torch.minimum(drafter.left(belief).clamp(max=drafter.horizon), room)
        drawn, laws = [], []
        for k in range(1, drafter.horizon + 1):
            logq = drafter.predict(belief)
            token, told = change(logq, shape(logq), window[:, k])
            belief = drafter.absorb(belief, token)
            drawn.append(token)
            laws.append(told)
        return Draft(torch.stack(drawn, 1), torch.stack(laws, 1), n)

    return draw


def _greedy_draft():
    return [(loop, "draw", _redraw(lambda logq, q, u: (q.argmax(-1), q)))]


def _raw_q():
    return [(loop, "draw", _redraw(lambda logq, q, u: (pick(q, u), logq.double().softmax(-1))))]


def _no_residual():
    return [(rejection, "law", lambda p, draft, accepted: at(p, accepted))]


def _whole_draft_ratio():
    def chances(p: Tensor, draft: Draft) -> Tensor:
        return rejection.ratios(p, draft).prod(1, keepdim=True).clamp(max=1).expand_as(draft.tokens)

    return [(rejection, "chances", chances)]


def _dropped_correction():
    def law(p: Tensor, draft: Draft, accepted: Tensor) -> Tensor:
        target = at(p, accepted)
        if not draft.q.shape[1]:
            return target
        q = at(draft.q, accepted.clamp(max=draft.q.shape[1] - 1))
        first = (accepted == 0) & (draft.n > 0)
        return torch.where(first[:, None], excess(target, q), target)

    return [(rejection, "law", law)]


def _all_matches():
    def verify(p: Tensor, draft: Draft, window: Tensor, coins: Tensor) -> Verdict:
        place = torch.arange(draft.tokens.shape[1], device=p.device)
        kept = rejection.flip(rejection.chances(p, draft), coins) & (place < draft.n[:, None])
        accepted = kept.long().sum(1)
        return Verdict(accepted, pick(rejection.law(p, draft, accepted), at(window[:, :, 0], accepted)))

    return [(rejection, "verify", verify)]


def _late_bonus():
    healthy = rejection.law

    def law(p: Tensor, draft: Draft, accepted: Tensor) -> Tensor:
        early = at(p, (accepted - 1).clamp(min=0))
        return torch.where((accepted == draft.n)[:, None], early, healthy(p, draft, accepted))

    return [(rejection, "law", law)]


def _stale_row():
    return [(cache_file.RowsCache, "keep", lambda self, *args, **options: None)]


def _boolean_mask():
    return [(load_file, "additive", lambda lay, dtype, window=None: lay.allowed[:, None].to(dtype))]


def _remembered() -> tuple[dict, Callable]:
    """`loop.draw`, and a dictionary in which it leaves the uniforms of the window it drew last."""
    last, healthy = {}, loop.draw

    def draw(drafter, belief, window, shape, room) -> Draft:
        last["window"] = window
        return healthy(drafter, belief, window, shape, room)

    return last, draw


def _own_coin():
    """The coin of a draft is the uniform that drew it."""
    last, draw = _remembered()
    healthy = rejection.verify

    def verify(p: Tensor, draft: Draft, window: Tensor, coins: Tensor) -> Verdict:
        return healthy(p, draft, window, last["window"][:, 1:] if draft.tokens.shape[1] else coins)

    return [(loop, "draw", draw), (rejection, "verify", verify)]


def _refused_uniform():
    """The residual is drawn with the uniform that drew the refused draft."""
    last, draw = _remembered()

    def verify(p: Tensor, draft: Draft, window: Tensor, coins: Tensor) -> Verdict:
        place = torch.arange(draft.tokens.shape[1], device=p.device)
        kept = rejection.flip(rejection.chances(p, draft), coins) & (place < draft.n[:, None])
        accepted = kept.long().cumprod(1).sum(1)
        u = at(window[:, :, 0], accepted)
        if draft.tokens.shape[1]:
            drew = at(last["window"][:, 1:], accepted.clamp(max=draft.tokens.shape[1] - 1))
            u = torch.where(accepted < draft.n, drew, u)
        return Verdict(accepted, pick(rejection.law(p, draft, accepted), u))

    return [(loop, "draw", draw), (rejection, "verify", verify)]


def _reused_uniforms():
    """W by absolute position under a rule that refuses: a draft's uniform comes back after the refusal."""

    def boxes(self, step: int, offset: Tensor) -> tuple[Tensor, Tensor]:
        flat, k = self.values.flatten(1), torch.arange(self.horizon + 1, device=self.values.device)
        place = offset[:, None, None] + k[:, None] + k
        window = flat.gather(1, place.flatten(1)).view(place.shape)
        first = flat.shape[1] - (self.values.shape[1] - step) * self.horizon
        return window, flat[:, first : first + self.horizon]

    def fresh(self, step: int, offset: Tensor) -> tuple[Tensor, Tensor]:
        if step == 0:
            self.line = torch.stack([torch.from_numpy(g.random(4096)) for g in self.generators]).to(self.device)
            self.coin = tape.FreshTape(self.generators, self.horizon, self.device)
        k = torch.arange(self.horizon + 1, device=self.device)
        place = offset[:, None, None] + k[:, None] + k
        return self.line.gather(1, place.flatten(1)).view(place.shape), healthy(self.coin, step, offset)[1]

    healthy = tape.FreshTape.__call__
    return [(law_file.FreshBoxes, "__call__", boxes), (tape.FreshTape, "__call__", fresh)]


def _one_hot_ratio():
    """A sampled draft is told to the rule as if it were certain."""
    return [(loop, "draw", _redraw(lambda logq, q, u: (pick(q, u), one_hot(pick(q, u), q.shape[-1]))))]


FAULTS: dict[str, Fault] = {
    f.name: f
    for f in [
        Fault(
            "greedy draft, soft q",
            "The draft is the arg-max, but the rule is told the soft law it did not come from.",
            "transformers #32867; the R re-implementation of MTPC",
            _greedy_draft,
        ),
        Fault(
            "raw q",
            "The draft is drawn after temperature and top-k, but q is noted before them.",
            "transformers #47932",
            _raw_q,
            {"rule": "rejection", "temperature": 0.7},
        ),
        Fault(
            "no residual",
            "After a refusal the token is drawn from p instead of (p - q)_+.",
            "TJDNet's spec_sample",
            _no_residual,
        ),
        Fault(
            "whole-draft ratio",
            "Every coin is held against p/q of the whole draft instead of the one token.",
            "TJDNet's spec_sample",
            _whole_draft_ratio,
        ),
        Fault(
            "dropped correction",
            "Once a draft has been kept, the residual's token is thrown away and its place drawn afresh from p.",
            "MTPC, Algorithm 2",
            _dropped_correction,
        ),
        Fault(
            "all matches",
            "Kept drafts are counted with sum instead of cumprod, so drafts after a refusal count too.",
            "BatchSpec's greedy acceptance",
            _all_matches,
        ),
        Fault(
            "late bonus",
            "After a fully kept draft the bonus is drawn from the law one place too early.",
            "an off-by-one that users of LLMSpeculativeSampling #29 argue about",
            _late_bonus,
            {"rule": "rejection", "n": 4},
        ),
        Fault(
            "stale row",
            "Rows of the batch that kept fewer drafts are not moved: they attend to refused drafts.",
            "the class of bug behind transformers #47720 (crop)",
            _stale_row,
            {"rule": "rejection", "n": 5, "top_k": 2},
        ),
        Fault(
            "boolean mask",
            "The attention mask is boolean; eager attention adds True and False to the scores.",
            "transformers with attn_implementation='eager'",
            _boolean_mask,
        ),
        Fault(
            "own coin",
            "The coin that accepts a draft is the uniform that drew it.",
            "the condition 'the accept draw is independent of the draft', papers.md 5.5",
            _own_coin,
        ),
        Fault(
            "refused draft's uniform",
            "The residual is drawn with the uniform that drew the refused draft.",
            "one shared stream of uniforms for drafts and corrections",
            _refused_uniform,
        ),
        Fault(
            "uniforms by position",
            "A uniform belongs to a position and comes back after a refusal; rejection forgives that, block does not.",
            "a tape meant for matching, used with block verification",
            _reused_uniforms,
            {"rule": "block"},
        ),
        Fault(
            "certain draft",
            "A sampled draft is verified as if its law were one-hot: kept with probability p(d), else p without d.",
            "vLLM #40149 (draft_probs=None): exact all the same, it only keeps less",
            _one_hot_ratio,
            harmless=True,
        ),
    ]
}
