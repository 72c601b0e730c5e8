"""From what the calls left on the device to plain records.

Steps are turned into records several at a time: the tensors of equal shape are stacked, and the device is read once
for all of them.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from contextlib import contextmanager

import torch
from torch import Tensor

from ..contract import Draft
from ..tensors.categorical import at
from ..trace.records import BONUS, IGNORED, KEPT, PLAIN, REFUSED, RESIDUAL, TARGET, Drafted, Step
from ..verify import match
from .loop import Call

TOP = 5  # entries kept of every law
COLUMNS = "tokens", "q", "p", "chance", "coin", "rank", "p_ids", "p_top", "q_ids", "q_top"  # of a draft
# numbers of p and q kept before they become records: what a processor's cache holds; elsewhere, enough to read seldom
BUFFER = defaultdict(lambda: 1 << 22, cpu=1 << 18)


class Recorder:
    """Collects `Call`s of one generation; `rows[r]` is the list of Steps of batch row r."""

    def __init__(self, rule, batch: int):
        self.rule, self.waiting, self.held = rule, [], 0
        self.rows: list[list[Step]] = [[] for _ in range(batch)]

    def add(self, call: Call) -> None:
        """Note one call; it becomes a record when enough have gathered, or at `flush`."""
        if self.waiting and self.waiting[-1].p.shape != call.p.shape:
            self.flush()
        self.waiting.append(call)
        self.held += call.p.numel() + call.draft.q.numel()
        if self.held > BUFFER[call.p.device.type]:
            self.flush()

    def flush(self) -> list[list[Step | None]]:
        """Turn what waits into Steps; returns them per call and row, None for rows that had ended."""
        calls, self.waiting, self.held = self.waiting, [], 0
        if not calls:
            return []
        with _without_collection():
            return self._steps(calls)

    def _steps(self, calls: list[Call]) -> list[list[Step | None]]:
        facts = _facts(calls, self.rule)
        refusal = TARGET if self.rule is match else RESIDUAL
        out = []
        for c, call in enumerate(calls):
            steps = []
            for r in range(len(self.rows)):
                i = c * len(self.rows) + r
                step = _step(facts, i, len(self.rows[r]), call, refusal) if facts["committed"][i] else None
                if step:
                    self.rows[r].append(step)
                steps.append(step)
            out.append(steps)
        return out


def _stack(calls: list[Call], get) -> Tensor:
    return torch.cat([get(c) for c in calls]) if len(calls) > 1 else get(calls[0])


def _facts(calls: list[Call], rule) -> dict:
    """Everything the records need, one entry per (call, row), on the host."""
    p = _stack(calls, lambda c: c.p)
    n = p.shape[1] - 1
    draft = Draft(*(_stack(calls, lambda c, i=i: c.draft[i]) for i in range(3)))
    accepted, token = _stack(calls, lambda c: c.verdict.accepted), _stack(calls, lambda c: c.verdict.token)
    window, coins = _stack(calls, lambda c: c.window[:, : n + 1, 0]), _stack(calls, lambda c: c.coins[:, :n])
    final = rule.law(p, draft, accepted)
    final_top = (final / final.sum(-1, keepdim=True)).topk(min(TOP, p.shape[-1]), -1)
    place = torch.arange(n, device=p.device)
    stands = torch.where(place == accepted[:, None], token[:, None], draft.tokens)
    p_top = p.topk(min(TOP, p.shape[-1]), -1)
    if calls[0].preference is None:  # one-hot drafts
        rank = torch.where(stands == draft.tokens, 0, -1)
        q_ids, q_top = draft.tokens[..., None], torch.ones_like(coins)[..., None]
    else:
        liking = _stack(calls, lambda c: c.preference)
        rank = (liking > liking.gather(-1, stands[..., None])).sum(-1)
        q_top, q_ids = draft.q.topk(min(TOP, p.shape[-1]), -1)
    facts = dict(
        tokens=draft.tokens,
        n=draft.n,
        q=draft.q.gather(-1, draft.tokens[..., None])[..., 0],
        p=p[:, :-1].gather(-1, draft.tokens[..., None])[..., 0],
        chance=rule.chances(p, draft),
        coin=window[:, :n] if rule is match else coins,
        rank=rank,
        accepted=accepted,
        token=token,
        u=at(window, accepted),
        p_token=at(p, accepted).gather(-1, token[:, None])[:, 0],
        committed=_stack(calls, lambda c: c.committed),
        pending=_stack(calls, lambda c: c.verdict.token if c.pending is None else c.pending),
        p_ids=p_top.indices,
        p_top=p_top.values,
        q_ids=q_ids,
        q_top=q_top,
        final_ids=final_top.indices,
        final_top=final_top.values,
    )
    belief = {k: _stack(calls, lambda c, k=k: c.belief[k]).tolist() for k in calls[0].belief}
    return {name: value.tolist() for name, value in facts.items()} | {"belief": belief}


def _law(ids: list[int], values: list[float]) -> list[tuple[int, float]]:
    """The entries above 0; the values fall."""
    if values[-1] == 0:
        values = values[: values.index(0)]
    return list(zip(ids, values, strict=False))


@contextmanager
def _without_collection():
    """Many small records are made at once and none of them is garbage: the collector would only look at all of them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _step(f: dict, i: int, index: int, call: Call, refusal: str) -> Step:
    """The record of entry i of the facts."""
    n, a, committed = f["n"][i], f["accepted"][i], f["committed"][i]
    drafts = []
    columns = zip(*(f[name][i][:n] for name in COLUMNS), strict=True)
    for k, (token, q, p, chance, coin, rank, p_ids, p_top, q_ids, q_top) in enumerate(columns):
        if k <= a:
            rank = rank if rank >= 0 else None
            laws = _law(p_ids, p_top), _law(q_ids, q_top)
            drafts.append(Drafted(token, q, p, chance, coin, KEPT if k < a else REFUSED, rank, *laws))
        else:
            drafts.append(Drafted(token, q, p, chance, coin, IGNORED, None))
    source = PLAIN if n == 0 else BONUS if a == n else refusal
    return Step(
        index=index,
        pending=None if call.pending is None else f["pending"][i],
        drafts=drafts,
        accepted=a,
        token=f["token"][i],
        tokens=(f["tokens"][i][:a] + [f["token"][i]])[:committed],
        source=source,
        u=f["u"][i],
        p=f["p_token"][i],
        p_top=_law(f["p_ids"][i][a], f["p_top"][i][a]),
        residual_top=_law(f["final_ids"][i], f["final_top"][i]) if source == RESIDUAL else [],
        belief={k: v[i] for k, v in f["belief"].items()} or None,
        seconds=call.seconds,
        draft_seconds=call.draft_seconds,
    )
