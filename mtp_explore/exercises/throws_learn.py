"""Notebook 07: can a network learn the function? A teacher so small that its future is enumerated, and three
students.

V = 4 words, K = 2 drafts behind y', one context; every step draws new futures and new dice, so nothing can be learned
by heart. What a student can reach (nats, mean over the drafts):

    slots carry all dice (O-PTP)              0                          Theorem 1: the token is certain
    slots carry the dice before (C-PTP)       H(t_k | t_0 .. t_{k-1})    Theorem 2: as if it knew the tokens before
    slots carry nothing                       H(t_k | context)           independent drafts
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from functools import cache
from statistics import fmean
from typing import NamedTuple

from .check import budget
from .guessing import Guess, guess
from .waiting import watched

WORDS, DRAFTS, CONTEXT, ROWS, EVERY = 4, 2, (1, 2), 64, 20
STUDENTS = {
    "O-PTP: all dice": dict(variant="one-hot"),
    "C-PTP: the dice before": dict(variant="categorical"),
    "no dice": dict(variant="one-hot", embedding="constant"),
}


class Teacher(NamedTuple):
    backbone: object
    futures: object  # [V^(K+1), K+1]
    chance: object  # [V^(K+1)]
    alone: float  # nats, mean over the drafts: H(t_k | context)
    given: float  # H(t_k | t_0 .. t_{k-1})


@cache
def teacher(seed: int = 7) -> Teacher:
    """A random GPT-2 of two layers whose drafts depend much on what came before; its law of the next K + 1 words."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from ..backbone.load import Backbone
    from ..measure.joint import exact_joint

    size = dict(vocab_size=WORDS, n_embd=32, n_layer=2, n_head=2, n_positions=16, initializer_range=0.3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPT2LMHeadModel(GPT2Config(**size, bos_token_id=None, eos_token_id=None))
    backbone = Backbone(model, name=f"tiny-{WORDS}")
    joint = exact_joint(backbone, list(CONTEXT), n=DRAFTS + 1).law
    heads = [joint.flatten(k).sum(-1) if k < DRAFTS + 1 else joint for k in range(1, DRAFTS + 2)]
    own = [joint.sum([d for d in range(DRAFTS + 1) if d != k]) for k in range(1, DRAFTS + 1)]
    steps = [entropy(heads[k]) - entropy(heads[k - 1]) for k in range(1, DRAFTS + 1)]
    futures = torch.cartesian_prod(*[torch.arange(WORDS)] * (DRAFTS + 1))
    return Teacher(backbone, futures, joint.flatten(), fmean(map(entropy, own)), fmean(steps))


def entropy(law) -> float:
    return float(-(law * law.clamp(min=1e-300).log()).sum())


def learn(steps: int | None = None) -> dict[str, dict[int, float]]:
    """{student: {step: loss of its drafts, nats, mean over the last 20 steps}}."""
    with one_thread():
        students = watched(STUDENTS.items(), "student")
        return {name: trained(options, steps or budget(120, 40)) for name, options in students}


@contextmanager
def one_thread():
    """While open, torch uses one thread: calls so small that threads only wait for one another, the more so where
    other programs want the processor too.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def trained(options: Mapping, steps: int) -> dict[int, float]:
    """A student's losses while it learns from new futures of the teacher."""
    import torch

    from ..drafters import make_drafter

    backbone, futures, chance, *_ = teacher()
    drafter = make_drafter("ptp", backbone, seed=1, horizon=DRAFTS, anchors=1, **options)
    optimizer = torch.optim.AdamW(drafter.parameters(), weight_decay=0.0)
    draw, seen = torch.Generator().manual_seed(0), []
    context = torch.tensor([CONTEXT]).expand(ROWS, -1)
    anchor = torch.full((ROWS, 1), len(CONTEXT) - 1)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-2 * min(1, (step + 1) / 20, 2 * (1 - step / steps))
        future = futures[chance.multinomial(ROWS, True, generator=draw)]
        losses = drafter.losses(torch.cat([context, future], 1), anchor, future[:, None], draw=step)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        seen.append(fmean(losses[f"slot {k}"].item() for k in range(1, DRAFTS + 1)))
    return {end: fmean(seen[end - EVERY : end]) for end in range(EVERY, steps + 1, EVERY)}


def learn_figure(lines: Mapping[str, Mapping[int, float]]):
    """The losses over the steps, and the two entropies that two of the students cannot get below."""
    from ..plots import curves
    from ..plots.style import INK, SIZE

    known = teacher()
    figure = curves(lines, "step", "loss per draft, nats", zero=True)
    for value, name in ((known.alone, "H(t | context)"), (known.given, "H(t | context, the tokens before)")):
        figure.add_hline(y=value, line=dict(color=INK, dash="dash", width=1.5))
        figure.add_annotation(
            x=0, xref="paper", y=value, text=name, showarrow=False, xanchor="left", yanchor="top",
            font=dict(size=SIZE - 1, color=INK),
        )  # fmt: skip
    return figure


def guess_learned(lines: Mapping[str, Mapping[int, float]]) -> Guess:
    """Where does the student with all dice end?"""
    known, last = teacher(), {name: line[max(line)] for name, line in lines.items()}
    names = [f"at {known.alone:.2f}: nobody sees the future", f"at {known.given:.2f}", "on its way to 0"]
    why = "; ".join(f"{name}: {x:.2f}" for name, x in last.items()) + " nats. Given all dice a token is certain."
    question = (
        f"Without dice the drafts of this teacher cost {known.alone:.2f} nats each; whoever knew the words before them "
        f"would pay {known.given:.2f}. Where does the student go whose slots carry all dice up to their own?"
    )
    return guess(question, names, names[2], why)
