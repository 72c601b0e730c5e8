"""What a run of `fit` is told, checked before any work: plain numbers, and nothing that memory cannot hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from ..backbone.load import Backbone
from ..checks import choice, instance, path, real, refusal, seed, whole
from ..corpora import load_corpus
from ..corpora.corpus import Corpus
from ..drafters.base import DrafterBase
from ..tensors.room import WHY, fits
from .features import Features
from .texts import Texts, window

PRECISIONS = ("float32", "bfloat16")  # of the products in training
TEXTS = ("corpus", "own")  # what is learned
STEPS, RATE = 10**9, 10.0  # more than any run has


@dataclass(frozen=True)
class Recipe:
    """Numbers of numpy and torch become Python's, as a checkpoint can keep them; ValueError names what cannot be."""

    steps: int
    seed: int
    batch: int
    rate: float
    positions: int
    precision: str = "float32"
    text: str = "corpus"

    def __post_init__(self):
        plain = dict(
            steps=whole("steps", self.steps, 0, STEPS),
            seed=seed("seed", self.seed),
            batch=whole("batch", self.batch, 1),
            rate=real("rate", self.rate, above=0, below=RATE, why="AdamW moves a weight by about so much a step"),
            positions=whole("positions", self.positions, 1),
            precision=choice("precision", self.precision, PRECISIONS),
            text=choice("text", self.text, TEXTS),
        )
        for name, value in plain.items():
            object.__setattr__(self, name, value)

    def rate_at(self, step: int) -> float:
        """Learning rate of a step."""
        warm = max(1, self.steps // 20)
        if step < warm:
            return self.rate * (step + 1) / warm
        done = (step - warm) / max(1, self.steps - warm)
        return self.rate * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)

    def check(self, drafter: DrafterBase, backbone: Backbone) -> None:
        """ValueError unless this drafter can learn so on this backbone, as far as that can be known beforehand."""
        for name, value, usual in (("precision", self.precision, "float32"), ("text", self.text, "corpus")):
            if value != usual and not drafter.wants_text:
                raise ValueError(
                    f"{name}={value!r} is for drafters that run the backbone in training; {drafter.name!r} learns from "
                    "its states: leave it out"
                )
        if self.precision == "bfloat16" and drafter.backbone.dtype == torch.float16:
            raise ValueError(
                "precision='bfloat16': this backbone is in float16, and products do not mix the two: load it with "
                "dtype=torch.bfloat16 or torch.float32, or leave precision out"
            )
        if self.text == "own" and not backbone.eos:
            raise ValueError(
                f"text='own': backbone {backbone.name!r} has no end-of-text token, which separates documents: set one"
            )
        if drafter.wants_text:
            window(backbone, drafter.horizon)
        tokens = 8 * (drafter.horizon + 2)
        kept = tokens if drafter.wants_text else tokens + backbone.width * backbone.dtype.itemsize
        drawn = 8 * (drafter.horizon + 1) * backbone.width  # float32 states of a window, and their gradients
        whole("positions", self.positions, 1, fits(kept, backbone.device), WHY)
        whole("batch", self.batch, 1, fits(drawn, backbone.device), WHY)


def learner(drafter, backbone) -> None:
    """TypeError unless these are a drafter and a backbone; ValueError unless they belong together."""
    order = "the order is fit(drafter, backbone, corpus)"
    instance("drafter", drafter, DrafterBase, f"pass what make_drafter() or load_drafter() returns; {order}")
    instance("backbone", backbone, Backbone, f"pass what load_backbone() returns; {order}")
    drafter.check(backbone)


def text_of(corpus) -> Corpus:
    """A corpus, by itself or by a name that `load_corpus` knows; errors name `corpus`."""
    if not isinstance(corpus, str | Path):
        return instance("corpus", corpus, Corpus, "pass what load_corpus() returns, or a name that it knows")
    try:
        return load_corpus(corpus)
    except (ValueError, OSError) as error:
        raise type(error)(refusal("corpus", corpus, str(error))) from error


def listeners(callbacks: Iterable[Callable]) -> tuple[Callable, ...]:
    """The callbacks, whatever iterable brings them."""
    found = []
    with suppress(TypeError):
        for callback in callbacks:
            if not callable(callback):
                break
            found.append(callback)
        else:
            return tuple(found)
    raise TypeError(refusal("callbacks", callbacks, "pass a list of functions of one dictionary, callbacks=[f]"))


def directory(name: str, value) -> Path:
    """A directory that can be written to, made where it does not exist; OSError, by name, where that cannot be."""
    found = path(name, value)
    if found.exists() and not found.is_dir():
        raise FileExistsError(
            refusal(name, str(found), "it must be a directory, and there lies a file: choose another")
        )
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(refusal(name, str(found), f"it cannot be made ({error.strerror}): choose another")) from error
    return found


def fitting(prepared: tuple, drafter: DrafterBase, text: str) -> tuple:
    """What was prepared, if this drafter can learn from it and it is the text asked for; else TypeError, ValueError."""
    parts = prepared if isinstance(prepared, tuple | list) else ()
    if len(parts) != 2 or not all(isinstance(part, Features | Texts) for part in parts):
        raise TypeError(refusal("prepared", type(prepared).__name__, "pass what prepare() returns, both parts"))
    for part in parts:
        if not part.size:
            raise ValueError("prepared holds a part without places: make it with prepare() from more text")
        part.check(drafter)
        if drafter.wants_text and (part.greedy is not None) != (text == "own"):
            raise ValueError(
                f"text={text!r}, and prepared holds the other kind: make it with prepare(..., text={text!r})"
            )
    return tuple(parts)
