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

from ..backbone.layout import layout
from ..backbone.load import Backbone
from ..contract import Draft, Drafter, Plan, State, Verdict
from ..tensors.categorical import at, one_hot, pick


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
    start = torch.tensor([len(p) for p in prompts], device=device)
    longest = max(len(p) for p in prompts)
    limit = (start + max_new_tokens).clamp(max=backbone.context)
    room = max_new_tokens + 1  # the last column is waste
    tokens = torch.tensor([p + [0] * (longest - len(p) + room) for p in prompts], device=device)
    ends = torch.tensor(eos, dtype=torch.long, device=device)
    length, cached, ended = start, torch.zeros_like(start), torch.zeros_like(start, dtype=torch.bool)
    cache = backbone.cache(longest + max_new_tokens + horizon + 1)
    shared = batch > 1 and (not drafter or drafter.slots_per_branch == 0) and all(p == prompts[0] for p in prompts)
    empty = Draft(tokens[:, :0], torch.zeros(batch, 0, backbone.vocabulary, device=device), torch.zeros_like(start))
    belief, draft, window, pending, preference, described = None, empty, None, None, None, {}
    step = 0
    while True:
        clock = time.perf_counter()
        if step > 0 and drafter:
            described = drafter.describe(belief) if describe else {}
            room = (backbone.context - length).clamp(min=0)
            weighed: list[Tensor] = []  # log q before shaping: at temperature 0 only they still rank the tokens
            note = (lambda x, seen=weighed: seen.append(x) or shape(x)) if describe else shape
            draft = draw(drafter, belief, window, note, room)
            preference = torch.stack(weighed, 1) if weighed else None
        drafted = time.perf_counter() - clock
        # the call: main rows [y, draft] (the prompt, at first), then slots
        if step == 0:
            main, first = tokens[:, :longest], start - 1
        else:
            pending = at(tokens, length - 1)
            main, first = torch.cat([pending[:, None], draft.tokens], 1), torch.zeros_like(start)
        rows = main.shape[1]
        W, coins = tape(step, length - start)
        slots = plan(drafter, draft)
        where = first[:, None] + cached[:, None] + slots.branch + slots.index
        slots = slots._replace(branch=torch.where(where < backbone.context, slots.branch, -1))
        keep = first[:, None] + torch.arange(draft.tokens.shape[1] + 1, device=device)
        if step == 0 and shared:
            lay = layout(
                cached[:1],
                0,
                rows,
                first[:1],
                type(slots)(slots.branch[:1], slots.index[:1]),
                backbone.context,
            )
            logits, hidden = backbone.call(backbone.embed(main[:1]), lay, cache, keep[:1])
            logits, hidden = logits.expand(batch, -1, -1), hidden.expand(batch, -1, -1)
            cache.expand(batch)
        else:
            embeds = backbone.embed(main)
            lay = layout(cached, cache.columns, rows, first, slots, backbone.context)
            if slots.branch.shape[1]:
                embeds = torch.cat([embeds, drafter.embed(slots, W).to(embeds.dtype)], 1)
                with drafter.gate(rows):
                    logits, hidden = backbone.call(embeds, lay, cache, keep)
            else:
                logits, hidden = backbone.call(embeds, lay, cache, keep)
        # the verdict
        p = shape(logits)
        n = draft.tokens.shape[1]
        verdict = rule.verify(p, draft, W[:, : n + 1], coins[:, :n])
        accepted = verdict.accepted
        # commit: d_1..d_a, y', cut at the end of text and at the limit
        place = torch.arange(n + 1, device=device)
        new = torch.where(
            place == accepted[:, None], verdict.token[:, None], torch.nn.functional.pad(draft.tokens, (0, 1))
        )
        count = torch.minimum(accepted + 1, limit - length).masked_fill(ended, 0)
        if len(ends):
            last = (new[..., None] == ends).any(-1) & (place < count[:, None])
            stop = torch.where(last, place + 1, n + 2).amin(1)
            ended = ended | (stop <= n + 1)
            count = torch.minimum(count, stop)
        spare = tokens.shape[1] - 1
        tokens.scatter_(1, torch.where(place < count[:, None], length[:, None] + place, spare), new)
        kept = torch.where(count > 0, start if step == 0 else accepted + 1, 0)
        cache.keep(cached, kept, most=rows if step == 0 else n + 1)
        cached, length = cached + kept, length + count
        if drafter:
            window = at(W, accepted)
            z, real = group(hidden[:, rows:], slots, accepted, drafter.slots_per_branch)
            state = State(tokens, length, at(hidden, first + accepted), z, real, window)
            drafting = time.perf_counter()
            belief = drafter.absorb(drafter.begin(state), verdict.token)
            drafted += time.perf_counter() - drafting
        # the one read of the device
        going = ~ended & (length < limit)
        cache.columns, running = torch.stack([cached.amax(), going.sum()]).tolist()
        yield Call(
            *(draft, p, W, coins, verdict, pending, count, tokens, length, ended, described, preference, running),
            *(time.perf_counter() - clock, drafted),
        )
        if not running:
            return
        step += 1


def draw(drafter: Drafter, belief, window: Tensor, shape: Callable, room: Tensor) -> Draft:
    """Up to K tokens from the belief, with the uniforms window[:, 1:]; at most `room` [B] of them count."""
    n = torch.minimum(drafter.left(belief).clamp(max=drafter.horizon), room)
    drawn, laws = [], []
    for k in range(1, drafter.horizon + 1):
        if drafter.one_hot:  # nothing to shape, nothing to draw; the law is that of the token, whatever predict weighs
            logq = drafter.predict(belief)
            token = logq.argmax(-1)
            q = one_hot(token, logq.shape[-1])
        else:
            q = shape(drafter.predict(belief))
            token = pick(q, window[:, k])
        belief = drafter.absorb(belief, token)
        drawn.append(token)
        laws.append(q)
    return Draft(torch.stack(drawn, 1), torch.stack(laws, 1), n)


def group(states: Tensor, slots, branch: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The slot states of one branch per row, in order: [B, M, D] and how many of them are real [B]."""
    if size == 0 or not states.shape[1]:
        return states[:, :0].new_zeros(len(states), size, states.shape[-1]), torch.zeros_like(branch)
    mine = slots.branch == branch[:, None]
    order = torch.sort(~mine, dim=1, stable=True).indices[:, :size]
    found = states.gather(1, order[..., None].expand(-1, -1, states.shape[-1]))
    if found.shape[1] < size:
        found = torch.nn.functional.pad(found, (0, 0, 0, size - found.shape[1]))
    return found, mine.sum(1)
