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

from ..backbone.load import Backbone
from ..contract import Drafter
from ..decode.generate import sample
from ..tensors.categorical import shape


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
def likeliest(backbone: Backbone, prompt, n: int, most: int, **shaping) -> Cells:
    """About the `most` likeliest sequences of n tokens after `prompt`, found by a beam, with exact probabilities."""
    (ids,) = backbone.encode([prompt])
    law = partial(shape, **shaping)
    prefixes = torch.tensor([ids], device=backbone.device)
    weight = torch.ones(1, dtype=torch.float64, device=backbone.device)
    for _ in range(n):
        chunks = [backbone.model(c, use_cache=False).logits[:, -1] for c in prefixes.split(256)]
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
    **options,
) -> Iterator[Reading]:
    """Sample the first `n` tokens after one prompt with the loop, `chunk` rows at a time, and read the meter after
    each. Options as in `generate` (rule=, plan=). The prompt's prefix is computed once per chunk and shared.
    Errors as in `generate`.
    """
    if samples < 1 or chunk < 1 or cells < 1:
        raise ValueError(f"samples={samples}, chunk={chunk}, cells={cells}: all must be at least 1")
    shaping = dict(temperature=temperature, top_k=top_k, top_p=top_p)
    (ids,) = backbone.encode([prompt])
    known = likeliest(backbone, ids, n, cells, **shaping)
    random = np.random.default_rng(seed)
    counts, done, calls, accepted, alive = np.zeros(len(known.law), dtype=int), 0, 0, 0, 0
    while done < samples:
        rows = min(chunk, samples - done)
        out = sample(backbone, drafter, [ids] * rows, n, seed=(seed, done), eos=False, **shaping, **options)
        counts += known.count(out.tokens)
        done += rows
        calls += out.calls
        accepted += int(out.accepted.sum())
        alive += int((out.drafted > 0).sum())
        distance = np.abs(counts / done - known.law).sum() / 2
        chance = np.abs(random.multinomial(done, known.law, size=400) / done - known.law).sum(1) / 2
        limit = float(np.quantile(chance, 0.99))
        yield Reading(done, float(distance), float(chance.mean()), limit, calls, accepted / max(1, alive))
