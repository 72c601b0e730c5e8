"""`fit`: train a drafter on a frozen backbone, in a plain loop.

Hidden states are computed once (they do not change); each step draws a batch of positions by (seed, step). The
learning rate warms up over the first 5 % and falls by a cosine to 5 %; gradients are clipped at norm 1. Checkpoints
are whole files, so a run that was killed goes on to the same weights as one that was not. Heads of a half-precision
backbone are trained in float32 and cast at the end. With precision "bfloat16" a drafter that runs the backbone itself
makes the products of a training step in bfloat16 (torch.autocast around its losses); weights, moments and every
measurement stay float32.

A drafter's side of the contract: `losses(hidden [N, D], future [N, K+1])` gives named scalars in nats. "loss" among
them is what is minimised; without it, their mean. A drafter with `wants_ahead` is also given `ahead` [N, K, D], the
frozen states of the next K places. One with `wants_text` runs the backbone itself: it is given windows of text and
anchors in them (train/texts.py) instead of states, of the corpus or, with text "own", of the backbone's own completions
of its beginnings (train/completions.py). `settle` is called at the end with the validation split.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..backbone.files import CARD, CONFIG, WEIGHTS, read_json
from ..backbone.load import Backbone
from ..checks import flag, whole
from ..corpora.corpus import Corpus
from ..drafters.base import DrafterBase
from .alone import LOCK, alone, differences
from .checkpoint import load_checkpoint, read_curves, read_facts, save_checkpoint
from .completions import own_texts
from .features import Batch, Features, features
from .recipe import STEPS, Recipe, directory, fitting, learner, listeners, text_of
from .report import Report
from .texts import TextBatch, Texts, texts
from .windows import TooSmall

CHECKPOINT = "checkpoint.safetensors"
THE_SAME = ("recipe", "corpus", "drafter", "made_for")  # facts by which a run is known
PART = 8192  # places that are measured at a time
OWN = "completions-{}.safetensors"  # own text of a split, in `out`


def fit(
    drafter,
    backbone: Backbone,
    corpus,
    steps: int = 500,
    seed: int = 0,
    out: str | Path | None = None,
    callbacks: Iterable[Callable[[dict], None]] = (),
    batch: int = 1024,
    rate: float = 2e-3,
    positions: int = 200_000,
    every: int = 100,
    progress: bool = True,
    precision: str = "float32",
    text: str = "corpus",
    prepared: tuple[Features | Texts, Features | Texts] | None = None,
) -> Report:
    """Train `drafter` on the train split of `corpus`; every `every` steps measure it on the validation split.

    corpus: what `load_corpus` returns, or a name that it knows. out: a directory for checkpoints and, at the end, the
    drafter itself; a checkpoint found there is resumed, one run at a time is at work there, and another finished
    drafter there is not written over.
    callbacks: called with {"step", "loss", "head 1", ..., "seconds"} every 10 steps and with {"validation": {...}}
    added where measured. batch: positions per step, of texts anchors. positions: places of the text that are kept in
    memory, as states or as tokens. precision: of the products in training, "float32" or, for drafters with
    `wants_text`, "bfloat16".
    text: what is learned and measured on, "corpus" or, for drafters with `wants_text`, the backbone's "own" completions
    of the corpus' beginnings; they are kept in `out`.
    prepared: what `prepare` made of this corpus, where several drafters learn from the same states.
    The report is that of the whole run, also where it was resumed or has long been finished.
    Errors, before any work: TypeError for what is no drafter, backbone, corpus or callback; ValueError for numbers that
    cannot be or do not fit into memory, a drafter that has nothing to train or belongs to another backbone, an `out`
    that holds another run, or where one is at work. Later, ValueError: a corpus too small for its windows, a loss that
    is no longer finite; OSError: a full disk. After an interrupt or an error the last checkpoint is whole, at most
    `every` steps old.
    """
    learner(drafter, backbone)
    recipe = Recipe(whole("steps", steps, 1, STEPS), seed, batch, rate, positions, precision, text)
    every, progress, callbacks = whole("every", every, 1), flag("progress", progress), listeners(callbacks)
    if not any(p.requires_grad for p in drafter.parameters()):
        raise ValueError(f"drafter {drafter.name!r} has no weights to train: use it as it is")
    recipe.check(drafter, backbone)
    prepared = None if prepared is None else fitting(prepared, drafter, recipe.text)
    corpus = text_of(corpus)
    facts = {"recipe": asdict(recipe), "corpus": corpus.name, "step": 0}
    facts |= {"drafter": {"name": drafter.name, **drafter.options}, "made_for": drafter.made_for}
    run = Run(drafter, backbone, corpus, recipe, facts, callbacks, every, progress)
    if out is None:
        return run.go(prepared, None)
    place = directory("out", out)
    with alone(place / LOCK, "out", place, {k: facts[k] for k in THE_SAME}):
        check_free(place, facts)
        return run.go(prepared, place)


class Run(NamedTuple):
    """A run that was checked."""

    drafter: DrafterBase
    backbone: Backbone
    corpus: Corpus
    recipe: Recipe
    facts: dict
    callbacks: tuple[Callable[[dict], None], ...]
    every: int
    progress: bool

    def go(self, prepared: tuple | None, out: Path | None) -> Report:
        """Prepare, resume what lies in `out`, train, and save."""
        drafter, clock = self.drafter, time.perf_counter()
        if prepared is None:
            about = self.recipe, out, self.progress
            splits = ("train", "validation")
            prepared = [split_features(drafter, self.backbone, self.corpus, split, *about) for split in splits]
        report = Report(settings=self.facts, feature_seconds=time.perf_counter() - clock)
        if self.backbone.dtype.itemsize < 4:
            drafter.float()
        weights = [p for p in drafter.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=0.0, betas=(0.9, 0.95), weight_decay=0.0)
        if out and (out / CHECKPOINT).is_file():
            self.facts.update(load_checkpoint(out / CHECKPOINT, drafter, optimizer))
            seen = read_curves(out / CHECKPOINT)
            report.training, report.validation = seen.get("training", []), seen.get("validation", [])
        clock = time.perf_counter()
        try:
            self.train(*prepared, optimizer, report, out and out / CHECKPOINT)
        finally:
            drafter.to(self.backbone.dtype).eval()
        drafter.settle(batch.given(self.backbone.dtype) for batch in prepared[1].parts(PART))
        report.seconds = time.perf_counter() - clock
        if out:
            drafter.save_pretrained(out)
        return report

    def train(self, known, held, optimizer, report: Report, checkpoint: Path | None) -> None:
        """The steps that are left, every tenth of them reported."""
        drafter, recipe, first = self.drafter.train(), self.recipe, self.facts["step"]
        clock, steps = time.perf_counter(), recipe.steps
        bar = tqdm(range(first, steps), initial=first, total=steps, disable=not self.progress, unit="step")
        for step in bar:
            given = known.batch(step, recipe.batch, recipe.seed)
            losses = train_step(drafter, optimizer, given, recipe.rate_at(step), recipe.precision)
            self.facts["step"] = step + 1
            measured = (step + 1) % self.every == 0 or step + 1 == steps
            if not measured and (step + 1) % 10:
                continue
            row = {"step": step + 1} | {k: v.item() for k, v in losses.items()}
            check_finite(row, recipe)
            report.training.append(row)
            bar.set_postfix(loss=f"{row['loss']:.3f}")
            note = {**row, "seconds": time.perf_counter() - clock}
            if measured:
                note["validation"] = evaluate(drafter, held)
                check_finite({"step": step + 1, **note["validation"]}, recipe)
                report.validation.append({"step": step + 1, **note["validation"]})
                if checkpoint:
                    seen = {"training": report.training, "validation": report.validation}
                    save_checkpoint(checkpoint, drafter, optimizer, self.facts, seen)
            for callback in self.callbacks:
                callback(note)


def train_step(drafter, optimizer, batch: Batch | TextBatch, rate: float, precision: str = "float32") -> dict:
    """One step of AdamW; returns every loss and the one that was minimised, "loss", detached."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    device = next(drafter.parameters()).device.type
    with torch.inference_mode(False), torch.enable_grad():  # an interrupt may have left the thread without gradients
        with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            losses = losses_of(drafter, batch)
        optimizer.zero_grad()
        losses["loss"].backward()
    torch.nn.utils.clip_grad_norm_(drafter.parameters(), 1.0)
    optimizer.step()
    return {k: v.detach() for k, v in losses.items()}


def losses_of(drafter, batch: Batch | TextBatch) -> dict[str, Tensor]:
    """The drafter's losses on a batch, "loss" first: its own, or else the mean of all."""
    losses = drafter.losses(*batch.given(next(drafter.parameters()).dtype))
    loss = losses["loss"] if "loss" in losses else torch.stack(list(losses.values())).mean()
    return {"loss": loss, **{k: v for k, v in losses.items() if k != "loss"}}


@torch.no_grad()
def evaluate(drafter, held: Features | Texts, size: int = PART) -> dict[str, float]:
    """Losses on held-out features or texts, in nats, measured as decoding will be (`eval`); batches weigh as many
    targets as they have.
    """
    training, total, count = drafter.training, {}, 0
    drafter.eval()
    for batch in held.parts(size):
        weight = int((batch.future >= 0).sum())
        for k, v in losses_of(drafter, batch).items():
            total[k] = total.get(k, 0.0) + v.item() * weight
        count += weight
    drafter.train(training)
    return {k: v / max(count, 1) for k, v in total.items()}


def prepare(
    drafter,
    backbone: Backbone,
    corpus,
    positions: int = 200_000,
    seed: int = 0,
    text: str = "corpus",
    out=None,
    progress: bool = True,
) -> tuple:
    """States of the train and of the validation split (`Features`), or windows of their text (`Texts`), as `fit` makes
    them for this drafter; others of the same horizon and kind can learn from them too. out: a directory where own text
    is kept. Errors as in `fit`.
    """
    learner(drafter, backbone)
    recipe = Recipe(1, seed, 1, 1.0, positions, text=text)
    recipe.check(drafter, backbone)
    about = recipe, None if out is None else directory("out", out), flag("progress", progress)
    corpus = text_of(corpus)
    return tuple(split_features(drafter, backbone, corpus, split, *about) for split in ("train", "validation"))


def split_features(
    drafter, backbone: Backbone, corpus: Corpus, split: str, recipe: Recipe, out=None, progress: bool = False
) -> Features | Texts:
    """What `fit` makes of one split; out: a directory where own text is kept."""
    positions = recipe.positions if split == "train" else min(16_384, recipe.positions)
    own, horizon = recipe.text == "own", drafter.horizon
    tokens = corpus.tokens(split, backbone.tokenizer, (3 if own else 2) * positions + 4096, progress)
    try:
        if own:
            file = out and Path(out) / OWN.format(split)
            about = dict(file=file, law=drafter.law, progress=progress, corpus=corpus.name, split=split)
            return own_texts(backbone, tokens, horizon, positions, drafter.anchors, recipe.seed, **about)
        if drafter.wants_text:
            return texts(backbone, tokens, horizon, positions, drafter.anchors, recipe.seed)
        return features(backbone, tokens, horizon, positions, recipe.seed, drafter.wants_ahead, progress)
    except TooSmall as error:
        raise ValueError(f"corpus {corpus.name!r}, split {split!r}: {error}") from error


def check_finite(row: dict, recipe: Recipe) -> None:
    """ValueError where training has diverged: nothing of it may reach a checkpoint."""
    if not all(map(math.isfinite, row.values())):
        raise ValueError(f"training diverged (step {row['step']}: loss {row['loss']}): choose less than {recipe.rate=}")


def check_free(out: Path, now: dict) -> None:
    """ValueError unless `out` is free for this run: a checkpoint there is of this very run, and without one a finished
    drafter there is of this kind and has not been shipped.
    """
    if (out / CHECKPOINT).is_file():
        if other := differences({k: now[k] for k in THE_SAME}, read_facts(out / CHECKPOINT)):
            raise ValueError(f"out={str(out)!r} holds a checkpoint of another run ({other}): use another directory")
        return
    config = read_json(out / CONFIG) if (out / CONFIG).is_file() else {}
    kind = {k: now["drafter"][k] for k in now["drafter"] if k != "name"}
    mine = config == {"name": now["drafter"]["name"], "options": kind, "made_for": now["made_for"]}
    if (out / CARD).exists() or ((config or (out / WEIGHTS).exists()) and not mine):
        raise ValueError(
            f"out={str(out)!r} holds a finished model, and no checkpoint of this run: use another directory, or move "
            "what lies there"
        )
