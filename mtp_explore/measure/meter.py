"""The lossless meter: samples from the loop against the target's exact law, beside what pure chance would give.

The sequences of n tokens are put into cells: the likeliest ones each have their own (their probabilities are exact,
from whole forward passes), all others share one. The total variation between the samples' frequencies and the cells'
probabilities falls like 1/sqrt(N) when the loop is lossless; the band says how far chance alone brings it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from .. import checks
from ..backbone.load import Backbone
from ..checks import shaping
from ..contract import Drafter
from ..decode.arguments import pair
from ..decode.generate import sample
from ..decode.plan import resolve
from ..tensors.categorical import shape
from ..verify import rule_named
from .arguments import fitting, model, sound

NUMBERS = 1 << 27  # of the laws that the beam holds
ROWS = 1 << 20  # decoded at once


@dataclass
class Reading:
    """The meter after `samples` samples."""

    samples: int
    total_variation: float  # between frequencies and exact probabilities, over the cells
    expected: float  # its mean when the samples come from the target's law
    limit: float  # its 99 % quantile then: above it, something is wrong
    calls: int  # backbone calls so far
    accepted: float  # drafts accepted per row and call, so far

    @property
    def lossless(self) -> bool:
        """Is the distance within what chance explains?"""
        return self.total_variation <= self.limit


@dataclass
class Cells:
    """The likeliest sequences and their exact probabilities; the rest is one more cell."""

    tokens: Tensor  # [M, n]
    law: np.ndarray  # [M + 1], the last entry the rest

    def count(self, samples: Tensor) -> np.ndarray:
        """How many of samples [N, n] fall into each cell: [M + 1]."""
        table = {tuple(s): i for i, s in enumerate(self.tokens.tolist())}
        places = [table.get(tuple(s), len(table)) for s in samples.tolist()]
        return np.bincount(places, minlength=len(self.law))


@torch.inference_mode()
def likeliest(
    backbone: Backbone,
    prompt,
    n: int,
    most: int,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Cells:
    """About the `most` likeliest sequences of n tokens after `prompt`, found by a beam, with exact probabilities.

    Errors (ValueError): a value out of range; n beyond the end of the context.
    """
    most = _cells("most", most, model("backbone", backbone))
    ids = fitting(backbone, prompt, checks.whole("n", n, 1))
    law = partial(shape, **shaping(temperature, top_k, top_p))
    prefixes = torch.tensor([ids], device=backbone.device)
    weight = torch.ones(1, dtype=torch.float64, device=backbone.device)
    for _ in range(n):
        chunks = [sound(backbone.by_ids(c)[:, -1], backbone) for c in prefixes.split(256)]
        joint = weight[:, None] * law(torch.cat(chunks))
        best = joint.flatten().topk(min(most, joint.numel()))
        row, token = best.indices // joint.shape[1], best.indices % joint.shape[1]
        keep = best.values > 0
        prefixes = torch.cat([prefixes[row], token[:, None]], 1)[keep]
        weight = best.values[keep]
    law_of_cells = weight.cpu().numpy()
    rest = max(0.0, 1.0 - law_of_cells.sum())
    law_of_cells = np.append(law_of_cells, rest)
    return Cells(prefixes[:, len(ids) :].cpu(), law_of_cells / law_of_cells.sum())  # float32 models sum to 1 + 1e-7


def meter(
    backbone: Backbone,
    drafter: Drafter | None,
    prompt,
    n: int = 3,
    samples: int = 20_000,
    chunk: int = 2_000,
    cells: int = 256,
    seed: int = 0,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    rule=None,
    plan=None,
) -> Iterator[Reading]:
    """Sample the first `n` tokens after one prompt with the loop, `chunk` rows at a time, and read the meter after
    each. temperature to plan as in `generate`. The prompt's prefix is computed once per chunk and shared.
    cells: sequences with a cell of their own.
    Errors as in `generate`, when it is called; n beyond the end of the context (ValueError).
    """
    pair(backbone, drafter)
    n, samples = checks.whole("n", n, 1), checks.whole("samples", samples, 1)
    chunk = checks.whole("chunk", chunk, 1, ROWS, why="rows decoded at once")
    seed, cells = checks.seed("seed", seed), _cells("cells", cells, backbone)
    options = shaping(temperature, top_k, top_p)
    ids = fitting(backbone, prompt, n)
    resolve(plan, drafter)
    rule_named("match" if rule is None else rule)
    return _readings(backbone, drafter, ids, n, samples, chunk, cells, seed, options, dict(rule=rule, plan=plan))


def _cells(name: str, value, backbone: Backbone) -> int:
    most = max(1, NUMBERS // backbone.vocabulary)
    return checks.whole(name, value, 1, most, why=f"sequences, each with a law over {backbone.vocabulary} tokens")


def _readings(backbone, drafter, ids, n, samples, chunk, cells, seed, options, how) -> Iterator[Reading]:
    known = likeliest(backbone, ids, n, cells, **options)
    random = np.random.default_rng(seed)
    counts, done, calls, accepted, alive = np.zeros(len(known.law), dtype=int), 0, 0, 0, 0
    while done < samples:
        rows = min(chunk, samples - done)
        out = sample(backbone, drafter, [ids] * rows, n, seed=(seed, done), eos=False, **options, **how)
        counts += known.count(out.tokens)
        done += rows
        calls += out.calls
        accepted += int(out.accepted.sum())
        alive += int((out.drafted > 0).sum())
        distance = np.abs(counts / done - known.law).sum() / 2
        chance = np.abs(random.multinomial(done, known.law, size=400) / done - known.law).sum(1) / 2
        limit = float(np.quantile(chance, 0.99))
        yield Reading(done, float(distance), float(chance.mean()), limit, calls, accepted / max(1, alive))
