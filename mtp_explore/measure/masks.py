"""What the rows of masks know about the tokens ahead: their ranks behind any place of a text, and what a call costs.

Mask j = 1..K behind place t of a text speaks of x_{t+j+1}; place t itself speaks of x_{t+1}. So the distances here are
k = 1..K+1, and k = 1 is the target's own law (papers.md 3.1; Samragh et al., arXiv 2507.11851, figure 1).
Ranks are those of `measure.knowledge`: 0 = first choice, -1 = no such token, or a place that was not asked.
n texts of L places, V vocabulary, D width.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from statistics import median

import torch
from torch import Tensor

from ..backbone.blocks import block_states, freeze
from ..checks import instance, refusal, whole
from ..contract import Draft
from ..decode.loop import forward
from ..decode.plan import resolve
from .arguments import drafting, fitting, spots
from .knowledge import Text, rank_of
from .progress import bar


@torch.no_grad()
def behind(drafter, text: Text, at: Sequence[int], adapters: bool = True) -> Tensor:
    """Final states [n, A, K+1, D] of the places `at` (A of them, the same in every text) and of the masks behind them.

    adapters: let the gate stand open; without it masks are only strange tokens to an untouched model.
    """
    at, backbone = _asked(drafter, text, at), drafter.backbone
    frozen = freeze(backbone, text.tokens)
    anchors = torch.tensor(at, device=text.tokens.device).expand(len(text.tokens), -1)
    masks = drafter.masks[: drafter.horizon].to(backbone.dtype).expand(*anchors.shape, -1, -1)
    z = block_states(backbone, frozen, anchors, masks, drafter.first_slot, drafter.gate(0) if adapters else None)
    return torch.cat([frozen.hidden[:, anchors[0], None], z], 2)


@torch.no_grad()
def ahead(drafter, text: Text, at: Sequence[int], sampler: bool = True, adapters: bool = True) -> Tensor:
    """Logits [n, A, K+1, V] of the tokens 1..K+1 behind the places `at`. sampler: the drafter's own law, which is told
    the true token before the one it speaks of; else the unembedding reads the mask's state as it is.
    ValueError where the text's tokens ahead do not reach over the masks, or a place lies outside.
    """
    at, k = _asked(drafter, text, at), drafter.horizon
    if text.future.shape[2] < k + 1:
        raise ValueError(f"the text knows {text.future.shape[2]} tokens ahead, {k} masks need {k + 1}: read it anew")
    states = behind(drafter, text, at, adapters)
    if sampler and drafter.sampler is not None:
        before = text.future[:, at, :k].clamp(min=0)
        states = torch.cat([states[:, :, :1], drafter.sampled(states[:, :, 1:], before)], 2)
    return drafter.backbone.logits(states)


@torch.no_grad()
def ranks(drafter, text: Text, at: Sequence[int], sampler: bool = True, adapters: bool = True) -> Tensor:
    """Ranks [n A, K+1] of the true tokens behind the places `at`, text by text, for `plots.ranks` and `plots.accuracy`.
    Arguments and errors as in `ahead`.
    """
    at = _asked(drafter, text, at)
    scores = ahead(drafter, text, at, sampler, adapters)
    future = text.future[:, at, : drafter.horizon + 1]
    return rank_of(scores, future).flatten(0, 1).cpu()


def _asked(drafter, text: Text, at) -> list[int]:
    """The places in order; an error where one lies outside the text, or its masks beyond the backbone's context."""
    if not hasattr(drafting("drafter", drafter), "masks"):
        raise ValueError(refusal("drafter", drafter.name, "it has no masks; take one made as 'masked'"))
    instance("text", text, Text, "pass what measure.knowledge.read() returns")
    last = drafter.backbone.context - drafter.horizon - drafter.first_slot
    return sorted(spots("at", at, min(text.tokens.shape[1] - 1, last)))


@torch.inference_mode()
def call_seconds(drafter, prompt: list[int], plans: dict, times: int = 20) -> dict[str, float]:
    """{name: median seconds of one backbone call behind a prompt}, of `times` calls each, taken in turn.

    plans: {name: None, or a plan with its name as in `generate`}: None is one main row and nothing else, an ordinary
    step; a plan is y', K drafts and its slots. Only the call is timed, not what is made of it.
    """
    backbone, k = drafting("drafter", drafter).backbone, drafter.horizon
    prompt, times = fitting(backbone, prompt, 2 * k + 1, "2 K + 1"), whole("times", times, 1)
    instance("plans", plans, Mapping, "it must be {name: plan}")
    if len(prompt) < k:
        raise ValueError(refusal("prompt", prompt, f"it must have at least K = {k} tokens: they stand for the drafts"))
    device, tokens = backbone.device, torch.tensor([prompt], device=drafter.backbone.device)
    none, cached = tokens.new_zeros(1), tokens.new_full((1,), tokens.shape[1])
    cache = backbone.cache(tokens.shape[1] + (k + 1) ** 2)
    empty = Draft(tokens[:, :0], torch.zeros(1, 0, backbone.vocabulary, device=device), none)
    bare = resolve(None, None)(None, empty)
    W = torch.full((1, k + 1, k + 1), 0.5, dtype=torch.float64, device=device)
    forward(backbone, None, tokens, cached - 1, 0, bare, W, none, cache, 1)
    cache.columns = tokens.shape[1]
    draft = Draft(tokens[:, -k:], torch.ones(1, k, backbone.vocabulary, device=device) / backbone.vocabulary, none + k)
    jobs = {}
    for name, plan in plans.items():
        slots = bare if plan is None else resolve(plan, drafter)(drafter, draft)
        rows = tokens[:, -1:] if plan is None else torch.cat([tokens[:, -1:], draft.tokens], 1)
        jobs[name] = rows, slots, rows.shape[1] - 1
    found: dict[str, list[float]] = {name: [] for name in plans}
    for _ in bar("calls", range(times + 2)):
        for name, (rows, slots, n) in jobs.items():
            clock = time.perf_counter()
            forward(backbone, drafter, rows, none, n, slots, W, cached, cache, 1)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            found[name].append(time.perf_counter() - clock)
    return {name: median(seconds[2:]) for name, seconds in found.items()}
