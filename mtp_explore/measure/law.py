"""The exact law of decoding: the loop itself, enumerated.

A uniform meets a law in two functions only (`tensors.categorical.pick` and `flip`), so what decoding emits is constant
on boxes of uniforms. `exact_law` hands the real loop a tape with one box per batch row, watches against which edges
each uniform is held, cuts the boxes there, and runs the loop again until no box is cut: every row then stands for a
box whose volume is its probability. Nothing is assumed about the rule or the drafter: re-used, swapped or badly
thrown uniforms come out as what they are, a different law.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..backbone.load import Backbone
from ..contract import Drafter
from ..decode.loop import run
from ..decode.plan import resolve
from ..decode.tape import PositionTape
from ..tensors.categorical import shape, watching
from ..verify import match, rule_named

ROWS = 4096  # boxes per batch
MOST = 2_000_000  # boxes in all


@dataclass
class ExactLaw:
    """What decoding emits as its first n tokens, beside the target's own law."""

    tokens: Tensor  # [N, n] every sequence that either law gives a chance
    law: Tensor  # [N] its probability under decoding
    target: Tensor  # [N] its probability under the target
    boxes: int  # boxes of uniforms that were enumerated
    accepted: float  # expected number of drafts accepted in the calls that matter

    @property
    def error(self) -> float:
        """Largest difference of the two laws over all sequences."""
        return float((self.law - self.target).abs().max())

    @property
    def total_variation(self) -> float:
        """Half the sum of the differences."""
        return float((self.law - self.target).abs().sum() / 2)

    def __repr__(self) -> str:
        n = self.tokens.shape[1]
        return (
            f"ExactLaw of {n} tokens: {len(self.law)} sequences, {self.boxes} boxes of uniforms, largest error "
            f"{self.error:.1e}, total variation {self.total_variation:.1e}"
        )


class FreshBoxes:
    """A tape over boxes [B, digits]: per step K+1 numbers W and K coins, as `decode.tape.FreshTape` throws them."""

    def __init__(self, values: Tensor, horizon: int):
        self.values, self.horizon = values.view(len(values), -1, 2 * horizon + 1), horizon

    def __call__(self, step: int, offset: Tensor) -> tuple[Tensor, Tensor]:
        w, coins = self.values[:, step].split([self.horizon + 1, self.horizon], 1)
        return w[:, None].expand(-1, self.horizon + 1, -1), coins


def exact_law(
    backbone: Backbone,
    drafter: Drafter | None,
    prompt,
    n: int = 3,
    rule=None,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    plan=None,
    cells: list[float] | None = None,
    tape: Callable[[Tensor, int], Callable] | None = None,
) -> ExactLaw:
    """The law of the first `n` tokens that `decode` emits after `prompt`, by enumeration, beside the target's law.

    The number of boxes grows like V^(n + K): take a small vocabulary, or cut the laws with `top_k`. End of text is an
    ordinary token here. `cells`: places in (0, 1) where a drafter that reads the uniforms themselves (PTP) changes its
    mind. `tape(values, K)`: another way to hand out the numbers, for planting faults.
    Errors: an unknown rule; more than two million boxes (cut with top_k).
    """
    if not 1 <= n <= 8:
        raise ValueError(f"n={n}: enumerate between 1 and 8 tokens")
    exact = drafter is None or drafter.one_hot or temperature == 0
    rule = rule_named(rule or ("match" if exact else "rejection"))
    (ids,) = backbone.encode([prompt])
    law = partial(shape, temperature=temperature, top_k=top_k, top_p=top_p)
    horizon = drafter.horizon if drafter else 0
    if tape is None:
        tape = (lambda v, k: PositionTape(v, k, v.device)) if rule is match else FreshBoxes
    digits = n + 2 * horizon + 1 if rule is match else n * (2 * horizon + 1)
    plan = resolve(plan, drafter, temperature == 0)
    job = partial(_run_boxes, backbone, drafter, ids, n, law, rule, plan, lambda values: tape(values, horizon))
    # edges closer than this to a box's wall are the wall: calls of other shapes change the last bits
    tolerance = 1e-12 if backbone.dtype == torch.float64 else 2e-6
    waiting = [_first(digits, cells, backbone.device)]
    found: dict[tuple[int, ...], float] = {}
    boxes, accepted = 0, 0.0
    while waiting:
        low, high = waiting.pop()
        if len(low) > ROWS:
            waiting += list(zip(low.split(ROWS), high.split(ROWS), strict=True))
            continue
        tokens, kept, events = job(low, high, tolerance)
        cut = torch.zeros(len(low), dtype=torch.bool, device=low.device)
        for rows, digit, edges in events:
            cut[rows] = True
            waiting.append(_cut(low[rows], high[rows], digit, edges, tolerance))
        volume = (high - low).prod(1)[~cut]
        for sequence, weight in zip(tokens[~cut].tolist(), volume.tolist(), strict=True):
            found[tuple(sequence)] = found.get(tuple(sequence), 0.0) + weight
        accepted += float((volume * kept[~cut]).sum())
        boxes += int((~cut).sum())
        if boxes + sum(len(w[0]) for w in waiting) > MOST:
            raise ValueError(
                f"n={n} with horizon {horizon} and these laws needs over {MOST} boxes: use a smaller n or horizon, "
                "or cut the laws with top_k="
            )
    target = _target(backbone, ids, n, law)
    every = sorted(found.keys() | target.keys())
    return ExactLaw(
        torch.tensor(every),
        torch.tensor([found.get(s, 0.0) for s in every], dtype=torch.float64),
        torch.tensor([target.get(s, 0.0) for s in every], dtype=torch.float64),
        boxes,
        accepted,
    )


def _first(digits: int, cells: list[float] | None, device) -> tuple[Tensor, Tensor]:
    """The unit box, or its cells."""
    walls = torch.tensor([0.0, *sorted(cells or []), 1.0], dtype=torch.float64, device=device)
    low, high = (torch.cartesian_prod(*[w] * digits).view(-1, digits) for w in (walls[:-1], walls[1:]))
    return low, high


def _inside(low: Tensor, high: Tensor) -> Tensor:
    """A number inside each interval, at another fraction for each digit, so that a number tells its digit."""
    digit = torch.arange(low.shape[1], device=low.device, dtype=torch.float64)
    return low + (high - low) * (0.2 + 0.6 * ((digit * 0.618033988749895 + 0.137) % 1))


def _run_boxes(backbone, drafter, ids, n, law, rule, plan, tape, low, high, tolerance):
    """Run the loop on one batch of boxes: tokens [B, n], drafts accepted [B], and for each event that cuts boxes
    (rows, digits [r, m], edges [r, m, E]); each row appears in its first event only.
    """
    values = _inside(low, high)
    alive = torch.ones(len(low), dtype=torch.bool, device=low.device)
    fresh = alive.clone()
    events, batch = [], torch.arange(len(low), device=low.device)

    def watch(edges: Tensor, u: Tensor) -> None:
        u, edges = u.reshape(len(low), -1), edges.reshape(len(low), -1, edges.shape[-1])
        if not u.shape[1]:
            return
        same = u[:, :, None] == values[:, None]
        digit = same.long().argmax(-1)
        if not bool(same.any(-1)[alive].all()):
            raise ValueError("a law met a number that the tape did not hand out: it cannot be enumerated")
        lo, hi = (x.gather(1, digit)[..., None] for x in (low, high))
        cuts = ((edges > lo + tolerance) & (edges < hi - tolerance)).flatten(1).any(1) & alive & fresh
        rows = batch[cuts]
        if len(rows):
            fresh[rows] = False
            events.append((rows, digit[rows], edges[rows]))

    kept = torch.zeros(len(low), dtype=torch.float64, device=low.device)
    greedy = law.keywords["temperature"] == 0  # one-hot laws: no uniform decides anything
    with watching(None if greedy else watch):
        for call in run(backbone, drafter, [ids] * len(low), n, law, rule, plan, tape(values), []):
            kept += torch.where(alive, call.verdict.accepted, 0)
            alive &= call.length < len(ids) + n
            tokens = call.tokens[:, len(ids) : len(ids) + n]
    return tokens.clone(), kept, events


def _cut(low: Tensor, high: Tensor, digits: Tensor, edges: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """Cut each box at the edges of its digits [r, m], [r, m, E], one digit after the other."""
    for j in range(digits.shape[1]):
        at = digits[:, j : j + 1]
        lo, hi = low.gather(1, at), high.gather(1, at)
        walls = edges[:, j].clone()
        walls = torch.where(walls < lo + tolerance, lo, torch.where(walls > hi - tolerance, hi, walls))
        walls = torch.cat([lo, walls.sort(1).values, hi], 1)
        row, piece = torch.nonzero(walls.diff(dim=1) > 0, as_tuple=True)
        low, high = low[row], high[row]
        low.scatter_(1, at[row], walls[row, piece][:, None])
        high.scatter_(1, at[row], walls[row, piece + 1][:, None])
        digits, edges = digits[row], edges[row]
    return low, high


@torch.inference_mode()
def _target(backbone: Backbone, ids: list[int], n: int, law: Callable) -> dict[tuple[int, ...], float]:
    """The target's law of the next n tokens, by whole forward passes over every prefix, without cache or loop."""
    prefixes = torch.tensor([ids], device=backbone.device)
    weight = torch.ones(1, dtype=torch.float64, device=backbone.device)
    for _ in range(n):
        chunks = [backbone.model(c, use_cache=False).logits[:, -1] for c in prefixes.split(ROWS)]
        p = law(torch.cat(chunks))
        row, token = torch.nonzero(p > 0, as_tuple=True)
        prefixes = torch.cat([prefixes[row], token[:, None]], 1)
        weight = weight[row] * p[row, token]
    return dict(zip(map(tuple, prefixes[:, len(ids) :].tolist()), weight.tolist(), strict=True))
