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
from typing import NamedTuple

import torch
from torch import Tensor

from ..backbone.load import Backbone
from ..checks import real, refusal, shaping, whole
from ..contract import Drafter
from ..decode.arguments import pair
from ..decode.loop import run
from ..decode.plan import resolve
from ..decode.tape import PositionTape
from ..tensors.categorical import WATCH, shape
from ..verify import match, rule_named
from .arguments import fitting, listed, sound
from .boxes import Boxes, TooMany, cut, joined, unit
from .progress import bar

ROWS = 4096  # boxes per batch, where the laws are small
MOST = 2_000_000  # boxes in all
NUMBERS = 1 << 23  # of one tensor of laws
BYTES = 1 << 28  # of boxes that wait
PROBES, FAR = 64, 2  # draws of the estimate; so many times MOST is refused on its word


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

    The number of boxes grows like V^(n + K) and faster: take a small vocabulary, or cut the laws with `top_k`. End of
    text is an ordinary token here. `cells`: places in (0, 1) where a drafter that reads the uniforms themselves (PTP)
    changes its mind. `tape(values, K)`: another way to hand out the numbers, for planting faults. A bar shows how far
    it has come where that takes more than two seconds.
    Errors (ValueError): what `generate` refuses; n beyond 8 or the end of the context; more than two million boxes,
    noticed before they are made, with what would fit.
    """
    pair(backbone, drafter)
    n = whole("n", n, 1, 8, why="tokens to enumerate")
    options = shaping(temperature, top_k, top_p)
    exact = drafter is None or drafter.one_hot or temperature == 0
    rule = rule_named(("match" if exact else "rejection") if rule is None else rule)
    cells = _cells(cells)
    if tape is not None and not callable(tape):
        raise TypeError(refusal("tape", tape, "it must be None, or a function (values, K) that makes a tape"))
    ids = fitting(backbone, prompt, n)
    job = _Job(backbone, drafter, ids, n, partial(shape, **options), rule, resolve(plan, drafter, temperature == 0))
    tape = tape or ((lambda v, k: PositionTape(v, k, v.device)) if rule is match else FreshBoxes)
    try:
        _foresee(job, cells, tape)
        found, boxes, accepted = _enumerate(job, cells, tape)
    except TooMany:
        raise ValueError(_too_many(job, cells)) from None
    target = _target(backbone, ids, n, job.law)
    every = sorted(found.keys() | target.keys())
    return ExactLaw(
        torch.tensor(every),
        torch.tensor([found.get(s, 0.0) for s in every], dtype=torch.float64),
        torch.tensor([target.get(s, 0.0) for s in every], dtype=torch.float64),
        boxes,
        accepted,
    )


class _Job(NamedTuple):
    """What is enumerated."""

    backbone: Backbone
    drafter: Drafter | None
    ids: list[int]
    n: int
    law: Callable
    rule: object
    plan: Callable

    @property
    def horizon(self) -> int:
        return self.drafter.horizon if self.drafter else 0

    @property
    def tolerance(self) -> float:
        """Edges closer than this to a box's wall are the wall: calls of other shapes change the last bits."""
        return 1e-12 if self.backbone.dtype == torch.float64 else 2e-6

    def digits(self, n: int, horizon: int) -> int:
        """How many numbers of the tape can matter."""
        return n + 2 * horizon + 1 if self.rule is match else n * (2 * horizon + 1)

    def unit(self, cells: list[float]) -> Boxes:
        return unit(self.digits(self.n, self.horizon), cells, MOST, self.backbone.device)


def _cells(cells) -> list[float]:
    if cells is None:
        return []
    return [real(f"cells[{i}]", x, 0, 1) for i, x in enumerate(listed("cells", cells, "places in (0, 1)", 0))]


def _foresee(job: _Job, cells: list[float], tape) -> None:
    """TooMany where an estimate of the boxes is far beyond MOST. Asked only where they may be: it takes a second."""
    if _fits(job, job.n, job.horizon, _support(job), cells):
        return
    draw, boxes, seen = torch.Generator().manual_seed(0), job.unit(cells), 0.0
    boxes = boxes.at(torch.randint(boxes.count, (PROBES,), generator=draw).to(boxes.low.device))
    while True:
        _, _, done, pieces = _run_boxes(job, tape, boxes, PROBES, draw)
        seen += float((1 / boxes.share[done]).sum())
        if not pieces:
            return
        boxes = joined(pieces)
        if seen + float((1 / boxes.share).sum()) > FAR * MOST * PROBES:  # it only grows
            raise TooMany


def _enumerate(job: _Job, cells: list[float], tape) -> tuple[dict[tuple[int, ...], float], int, float]:
    """(probability of each sequence, boxes, drafts accepted). TooMany: more than MOST boxes."""
    size = max(1, min(ROWS, NUMBERS // ((job.horizon + 1) * job.backbone.vocabulary)))
    waiting = [job.unit(cells)]
    held = BYTES // (16 * waiting[0].low.shape[1])  # boxes that may wait
    found: dict[tuple[int, ...], float] = {}
    boxes, accepted = 0, 0.0
    with bar("exact law of decoding", total=1.0) as shown:
        while waiting:
            some = waiting.pop()
            if some.count > size:
                waiting += some.split(size)
                continue
            room = min(MOST - boxes, held) - sum(w.count for w in waiting)
            tokens, kept, done, pieces = _run_boxes(job, tape, some, room)
            waiting += pieces
            volume = some.volume()[done]
            for sequence, weight in zip(tokens[done].tolist(), volume.tolist(), strict=True):
                found[tuple(sequence)] = found.get(tuple(sequence), 0.0) + weight
            accepted += float((volume * kept[done]).sum())
            boxes += len(volume)
            shown.update(float(some.share[done].sum()))
            if boxes + sum(w.count for w in waiting) > MOST:
                raise TooMany
    return found, boxes, accepted


def _run_boxes(job: _Job, tape, boxes: Boxes, room: int, draw: torch.Generator | None = None):
    """Run the loop on one batch of boxes: tokens [B, n], drafts accepted [B], which boxes are whole [B], and the pieces
    of the others, cut in the first event in which a law decides inside of them (one drawn of each, with `draw`).
    TooMany: more than `room` pieces.
    """
    low, high, values, tolerance = boxes.low, boxes.high, boxes.inside(), job.tolerance
    alive = torch.ones(len(low), dtype=torch.bool, device=low.device)
    fresh = alive.clone()
    pieces, batch = [], torch.arange(len(low), device=low.device)

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
            left = room - sum(p.count for p in pieces)
            pieces.append(cut(boxes.at(rows), digit[rows], edges[rows], tolerance, left, draw))

    kept = torch.zeros(len(low), dtype=torch.float64, device=low.device)
    greedy = job.law.keywords["temperature"] == 0  # one-hot laws: no uniform decides anything
    start, end = len(job.ids), len(job.ids) + job.n
    prompts, thrown = [job.ids] * len(low), tape(values, job.horizon)
    before = WATCH.watcher
    try:  # no context manager: an interrupt at its end would leave the watcher in the thread
        WATCH.watcher = None if greedy else watch
        for call in run(job.backbone, job.drafter, prompts, job.n, job.law, job.rule, job.plan, thrown, []):
            kept += torch.where(alive, call.verdict.accepted, 0)
            alive &= call.length < end
            tokens = call.tokens[:, start:end]
            if not bool(fresh.any()):  # no box stands for one text: what they would write is not asked
                break
    finally:
        WATCH.watcher = before
    return tokens.clone(), kept, fresh, pieces


@torch.inference_mode()
def _target(backbone: Backbone, ids: list[int], n: int, law: Callable) -> dict[tuple[int, ...], float]:
    """The target's law of the next n tokens, by whole forward passes over every prefix, without cache or loop."""
    prefixes = torch.tensor([ids], device=backbone.device)
    weight = torch.ones(1, dtype=torch.float64, device=backbone.device)
    for k in range(n):
        size = max(1, min(ROWS, 4 * NUMBERS // (prefixes.shape[1] * backbone.vocabulary)))
        grown = []
        parts = list(zip(prefixes.split(size), weight.split(size), strict=True))
        for some, w in bar(f"target's law of token {k + 1}", parts):
            p = law(sound(backbone.by_ids(some)[:, -1], backbone))
            row, token = torch.nonzero(p > 0, as_tuple=True)
            grown.append((torch.cat([some[row], token[:, None]], 1), w[row] * p[row, token]))
        prefixes, weight = (torch.cat(x) for x in zip(*grown, strict=True))
    return dict(zip(map(tuple, prefixes[:, len(ids) :].tolist()), weight.tolist(), strict=True))


def _support(job: _Job) -> int:
    """How many tokens the law of the first token keeps."""
    return len(_target(job.backbone, job.ids, 1, job.law))


def _fits(job: _Job, n: int, k: int, support: int, cells: list[float]) -> bool:
    """Would it fit with `support` tokens in every law and every coin undecided? An estimate from above."""
    if n == 1 or not k:
        boxes = support**n
    elif job.rule is match:  # at every place the edges of p and those of q
        boxes = (2 * support) ** (n + k)
    else:  # a call has the drafts, their coins and the rule's own token
        boxes = support * (support ** (k + 1) * 2**k) ** (n - 1)
    return boxes * (len(cells) + 1) ** job.digits(n, k) <= MOST


def _too_many(job: _Job, cells: list[float]) -> str:
    """The refusal, with what would fit."""
    n, k, support = job.n, job.horizon, _support(job)
    shorter = next((m for m in range(n - 1, 0, -1) if _fits(job, m, k, support, cells)), None)
    fewer = next((j for j in range(k - 1, 0, -1) if _fits(job, n, j, support, cells)), None)
    narrow = next((v for v in range(min(support, 1500) - 1, 0, -1) if _fits(job, n, k, v, cells)), None)
    remedies = {
        f"n={shorter}": shorter,
        f"a drafter with horizon {fewer} (exercises.shorter)": fewer,
        "no drafter": k and _fits(job, n, 0, support, cells),
        f"top_k={narrow}": narrow,
    }
    return (
        f"n={n} with horizon {k} and {support} tokens in a law needs over {MOST:,} boxes of uniforms: what fits is "
        f"{', or '.join(r for r, fits in remedies.items() if fits) or 'fewer cells'}"
    )
