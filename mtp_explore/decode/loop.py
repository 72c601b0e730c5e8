"""The loop: one backbone call per step verifies the pending draft and yields what the next draft is drawn from.

Each step (docs/design.md, section 2): draw the draft from the belief, call the backbone on [y, d_1..d_n | slots], let
the rule decide, commit d_1..d_a and y', keep main rows 0..a in the cache, begin a new belief and absorb y'. The first
step is the prefill: prompt as main rows, no draft. `drafter=None` is ordinary decoding through the same code.
Rows of a batch are ragged: each accepts, ends and commits on its own. The device is read once per step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..backbone.layout import layout
from ..backbone.load import Backbone
from ..contract import Draft, Drafter, Plan, State, Verdict
from ..tensors.categorical import at, one_hot, pick

SET_ASIDE = 2048  # columns of the cache for new tokens at first; it grows when more come


class Call(NamedTuple):
    """What one step leaves on the device, for the recorder, the meter and the tests."""

    draft: Draft  # the pending draft that this call verified
    p: Tensor  # [B, n+1, V] the target's shaped laws at y and at every draft
    window: Tensor  # [B, K+1, K+1] W
    coins: Tensor  # [B, K]
    verdict: Verdict
    pending: Tensor | None  # [B] y; None at the prefill
    committed: Tensor  # [B] how many tokens each row gained (0 for rows that had ended)
    tokens: Tensor  # [B, L] the token buffer, prompt included
    length: Tensor  # [B]
    ended: Tensor  # [B] bool, by end of text
    belief: dict[str, Tensor]  # what the drafter believed when it drew the draft
    preference: Tensor | None  # [B, K, V] log q before shaping, where it was noted
    running: int  # rows that go on
    seconds: float
    draft_seconds: float


@torch.inference_mode()
def run(
    backbone: Backbone,
    drafter: Drafter | None,
    prompts: list[list[int]],
    max_new_tokens: int,
    shape: Callable[[Tensor], Tensor],
    rule,
    plan: Plan,
    tape: Callable[[int, Tensor], tuple[Tensor, Tensor]],
    eos: list[int],
    describe: bool = False,
) -> Iterator[Call]:
    """Decode a batch; yields one `Call` per backbone call until every row has ended.

    `shape` turns logits into laws (once, for p and q alike), `rule` is a module of `verify`, `tape(step, offset)` hands
    out W and coins.
    """
    device, batch = backbone.device, len(prompts)
    horizon = drafter.horizon if drafter else 0
    text = Text(prompts, max_new_tokens, horizon, backbone.context, eos, device)
    start, longest = text.length, max(map(len, prompts))
    cached = torch.zeros_like(start)
    cache = backbone.cache(longest + min(max_new_tokens, SET_ASIDE) + horizon + 1)
    empty = Draft(start.new_zeros(batch, 0), torch.zeros(batch, 0, backbone.vocabulary, device=device), cached)
    belief, draft, window, pending, preference, described = None, empty, None, None, None, {}
    step = 0
    while True:
        clock = time.perf_counter()
        if step > 0 and drafter:
            described = drafter.describe(belief) if describe else {}
            weighed: list[Tensor] = []  # log q before shaping: at temperature 0 only they still rank the tokens
            note = (lambda x, seen=weighed: seen.append(x) or shape(x)) if describe else shape
            draft = draw(drafter, belief, window, note, text.room())
            preference = torch.stack(weighed, 1) if weighed else None
        drafted = time.perf_counter() - clock
        if step == 0:
            main, first = text.tokens[:, :longest], start - 1
        else:
            pending = text.pending()
            main, first = torch.cat([pending[:, None], draft.tokens], 1), text.none
        W, coins = tape(step, text.length - start)
        n = draft.tokens.shape[1]
        slots = plan(drafter, draft)
        if slots.branch.shape[1]:
            where = first[:, None] + cached[:, None] + slots.branch + slots.index
            slots = slots._replace(branch=torch.where(where < backbone.context, slots.branch, -1))
        rows = 1 if step == 0 and text.shared and not slots.branch.shape[1] else batch
        logits, hidden = forward(backbone, drafter, main, first, n, slots, W, cached, cache, rows)
        p = shape(logits)
        verdict = rule.verify(p, draft, W[:, : n + 1], coins[:, :n])
        count = text.commit(draft.tokens, verdict)
        kept = torch.where(count > 0, start if step == 0 else verdict.accepted + 1, 0)
        cache.keep(cached, kept, most=longest if step == 0 else n + 1)
        cached = cached + kept
        if drafter:
            drafting = time.perf_counter()
            window = at(W, verdict.accepted)
            z, real = group(hidden[:, main.shape[1] :], slots, verdict.accepted, drafter.slots_per_branch)
            state = State(text.tokens, text.length, at(hidden, first + verdict.accepted), z, real, window)
            belief = drafter.absorb(drafter.begin(state), verdict.token)
            drafted += time.perf_counter() - drafting
        going = text.going()
        facts = cached.amax(), going.sum(), sound(logits.amax(-1)), sound(draft.q[..., :1], draft.n)
        cache.columns, running, *numbers = torch.stack(facts).tolist()  # the one read of the device
        _refuse_no_numbers(step + 1, backbone, drafter, *numbers)
        yield Call(
            *(draft, p, W, coins, verdict, pending, count, text.tokens, text.length, text.ended, described, preference),
            *(running, time.perf_counter() - clock, drafted),
        )
        if not running:
            return
        step += 1


class Text:
    """The tokens of a batch as they grow: `tokens` [B, L] left-aligned, `length` [B], `ended` [B] by end of text."""

    def __init__(self, prompts, max_new_tokens: int, horizon: int, context: int, eos: list[int], device):
        longest = max(map(len, prompts))
        rows = [p + [0] * (longest - len(p) + max_new_tokens + 1) for p in prompts]  # the last column is waste
        self.shared = len(prompts) > 1 and all(p == prompts[0] for p in prompts)
        self.tokens = torch.tensor(rows, device=device)
        self.length = torch.tensor([len(p) for p in prompts], device=device)
        self.limit = (self.length + max_new_tokens).clamp(max=context)
        self.none = torch.zeros_like(self.length)
        self.ended = self.none.bool()
        self.context, self.place = context, torch.arange(horizon + 1, device=device)
        self.ends = torch.tensor(eos, dtype=torch.long, device=device)

    def pending(self) -> Tensor:
        """[B] y, the last committed token."""
        return at(self.tokens, self.length - 1)

    def room(self) -> Tensor:
        """[B] positions the model has left; none for rows that have ended."""
        return torch.where(self.going(), self.context - self.length, 0)

    def going(self) -> Tensor:
        """[B] bool: rows that neither met an end of text nor their limit."""
        return ~self.ended & (self.length < self.limit)

    def commit(self, drafts: Tensor, verdict: Verdict) -> Tensor:
        """Append d_1..d_a and y', cut at the end of text and at the limit; how many tokens each row gained [B]."""
        n = drafts.shape[1]
        place, accepted = self.place[: n + 1], verdict.accepted[:, None]
        new = (
            torch.where(place == accepted, verdict.token[:, None], pad(drafts, (0, 1))) if n else verdict.token[:, None]
        )
        count = torch.minimum(verdict.accepted + 1, self.limit - self.length).masked_fill(self.ended, 0)
        if len(self.ends):
            last = (new[..., None] == self.ends).any(-1) & (place < count[:, None])
            stop = torch.where(last, place + 1, n + 2).amin(1)
            self.ended = self.ended | (stop <= n + 1)
            count = torch.minimum(count, stop)
        waste = self.tokens.shape[1] - 1
        self.tokens.scatter_(1, torch.where(place < count[:, None], self.length[:, None] + place, waste), new)
        self.length = self.length + count
        return count


def sound(x: Tensor, n: Tensor | None = None) -> Tensor:
    """[] 1 where all of x [B, K, ...] are finite numbers, of row r the first n[r], else 0. Asked of the greatest logit
    or of one probability, it speaks for all V: what is no number spreads over its row.
    """
    good = x.isfinite()
    if n is not None:
        good = good | (torch.arange(x.shape[1], device=x.device)[:, None] >= n[:, None, None])
    return good.all().long()


def _refuse_no_numbers(call: int, backbone: Backbone, drafter: Drafter | None, target: int, draft: int) -> None:
    """ValueError where the target's logits or the draft's distributions hold nan or inf."""
    remedy = "load the model in a wider precision (dtype=torch.float32 or torch.bfloat16), or look for damaged weights"
    if not target:
        raise ValueError(
            f"backbone={backbone.name!r}: its logits are not finite numbers in call {call} (precision "
            f"{str(backbone.dtype).removeprefix('torch.')}): {remedy}"
        )
    if not draft:
        raise ValueError(
            f"drafter={drafter.name!r}: the distributions that it drafted from before call {call} are not finite "
            f"numbers: {remedy}, or train the drafter again"
        )


def forward(backbone, drafter, main: Tensor, first: Tensor, n: int, slots, W: Tensor, cached: Tensor, cache, rows: int):
    """The backbone on main rows [B, Q] and slots: logits [B, n+1, V] at rows first..first+n, states [B, Q+S, D].

    `rows`: B, or 1 where all rows of the batch are equal and one stands for them.
    """
    batch, size = main.shape
    main, first, cached = main[:rows], first[:rows], cached[:rows]
    embeds, gate = backbone.embed(main), None
    if slots.branch.shape[1]:
        embeds = torch.cat([embeds, drafter.embed(slots, W).to(embeds.dtype)], 1)
        gate = drafter.gate(size)
    lay = layout(cached, cache.columns, size, first, slots, backbone.context)
    keep = first[:, None] + torch.arange(n + 1, device=main.device) if n else first[:, None]
    logits, hidden = backbone.call(embeds, lay, cache, keep, gate)
    if rows < batch:
        cache.expand(batch)
        logits, hidden = logits.expand(batch, -1, -1), hidden.expand(batch, -1, -1)
    return logits, hidden


def draw(drafter: Drafter, belief, window: Tensor, shape: Callable, room: Tensor) -> Draft:
    """Up to K tokens from the belief, with the uniforms window[:, 1:]; at most `room` [B] of them count.

    A law that is certain of its token (one-hot, greedy) does not say how sure the drafter was; the law before shaping
    does, and plans that buy slots want to know.
    """
    n = torch.minimum(drafter.left(belief).clamp(max=drafter.horizon), room)
    drawn, laws, sure = [], [], []
    for k in range(1, drafter.horizon + 1):
        logq = drafter.predict(belief)
        if drafter.one_hot:  # nothing to shape, nothing to draw; the law is that of the token, whatever predict weighs
            token = logq.argmax(-1)
        else:
            laws.append(shape(logq))
            token = pick(laws[-1], window[:, k])
        if drafter.slots_per_branch:
            sure.append(logq.gather(1, token[:, None])[:, 0].exp().double())
        belief = drafter.absorb(belief, token)
        drawn.append(token)
    tokens = torch.stack(drawn, 1)
    q = one_hot(tokens, logq.shape[-1]) if drafter.one_hot else torch.stack(laws, 1)
    if not sure:
        return Draft(tokens, q, n)
    shaped = q.gather(2, tokens[..., None])[..., 0]
    return Draft(tokens, q, n, torch.where(shaped < 1, shaped, torch.stack(sure, 1)))


def group(states: Tensor, slots, branch: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The slot states of one branch per row, in order: [B, M, D] and how many of them are real [B]."""
    if size == 0 or not states.shape[1]:
        return states[:, :0].new_zeros(len(states), size, states.shape[-1]), torch.zeros_like(branch)
    mine = slots.branch == branch[:, None]
    order = torch.sort(~mine, dim=1, stable=True).indices[:, :size]
    found = states.gather(1, order[..., None].expand(-1, -1, states.shape[-1]))
    if found.shape[1] < size:
        found = pad(found, (0, 0, 0, size - found.shape[1]))
    return found, mine.sum(1)
