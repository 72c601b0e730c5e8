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
from dataclasses import asdict, dataclass, field
from numbers import Integral, Real
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..backbone.load import Backbone
from ..checks import number
from .checkpoint import load_checkpoint, read_facts, save_checkpoint
from .completions import own_texts
from .features import Batch, Features, features
from .texts import TextBatch, Texts, texts

CHECKPOINT = "checkpoint.safetensors"
PART = 8192  # places that are measured at a time
PRECISIONS = ("float32", "bfloat16")  # of the products in training
TEXTS = ("corpus", "own")  # what is learned
OWN = "completions-{}.safetensors"  # own text of a split, in `out`


@dataclass
class Report:
    """What a call of `fit` saw, from where it resumed: the drafter's losses, in nats, by their names."""

    settings: dict
    training: list[dict] = field(default_factory=list)  # {"step", "loss", "head 1", ...}
    validation: list[dict] = field(default_factory=list)
    seconds: float = 0.0  # of training, features not counted
    feature_seconds: float = 0.0

    def to_dataframe(self):
        """Both curves in one table, with the column `split`."""
        import pandas as pd

        parts = [("training", self.training), ("validation", self.validation)]
        return pd.DataFrame([{"split": name, **row} for name, rows in parts for row in rows])


@dataclass(frozen=True)
class Recipe:
    steps: int
    seed: int
    batch: int
    rate: float
    positions: int
    precision: str = "float32"
    text: str = "corpus"

    def rate_at(self, step: int) -> float:
        """Learning rate of a step."""
        warm = max(1, self.steps // 20)
        if step < warm:
            return self.rate * (step + 1) / warm
        done = (step - warm) / max(1, self.steps - warm)
        return self.rate * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)


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

    out: a directory for checkpoints and, at the end, the drafter itself; a checkpoint found there is resumed.
    callbacks: called with {"step", "loss", "head 1", ..., "seconds"} every 10 steps and with {"validation": {...}}
    added where measured. batch: positions per step, of texts anchors. positions: places of the text that are kept in
    memory, as states or as tokens. precision: of the products in training, "float32" or, for drafters with
    `wants_text`, "bfloat16".
    text: what is learned and measured on, "corpus" or, for drafters with `wants_text`, the backbone's "own" completions
    of the corpus' beginnings; they are kept in `out`.
    prepared: what `prepare` made of this corpus, where several drafters learn from the same states.
    Errors (ValueError): a drafter that has nothing to train or belongs to another backbone, a corpus too small for its
    windows, a checkpoint of another run in `out`, a loss that is no longer finite. OSError: a full disk. After an
    interrupt or an error the last checkpoint is whole, at most `every` steps old.
    """
    drafter.check(backbone)
    for name, value in dict(steps=steps, batch=batch, positions=positions, every=every).items():
        number(name, value, Integral, lambda x: x >= 1, "a whole number, at least 1")
    number("seed", seed, Integral, lambda x: True, "a whole number")
    number("rate", rate, Real, lambda x: 0 < x < math.inf, "a number above 0, the learning rate")
    check_options(drafter, precision, text)
    callbacks = tuple(callbacks)
    parameters = [p for p in drafter.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError(f"drafter {drafter.name!r} has no weights to train: use it as it is")
    recipe = Recipe(steps, seed, batch, rate, positions, precision, text)
    facts = {"recipe": asdict(recipe), "corpus": getattr(corpus, "name", None), "step": 0}
    facts |= {"drafter": {"name": drafter.name, **drafter.options}, "made_for": drafter.made_for}
    path = Path(out) / CHECKPOINT if out else None
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    if path and path.is_file():
        check_resumable(facts, read_facts(path), path)
    clock = time.perf_counter()
    if prepared is None:
        prepared = prepare(drafter, backbone, corpus, positions, seed, text, path and path.parent)
    known, held = fitting(prepared, drafter, text)
    report = Report(settings=facts, feature_seconds=time.perf_counter() - clock)
    if backbone.dtype.itemsize < 4:
        drafter.float()
    optimizer = torch.optim.AdamW(parameters, lr=0.0, betas=(0.9, 0.95), weight_decay=0.0)
    if path and path.is_file():
        facts |= load_checkpoint(path, drafter, optimizer)
    drafter.train()
    bar = tqdm(range(facts["step"], steps), initial=facts["step"], total=steps, disable=not progress, unit="step")
    clock = time.perf_counter()
    try:
        for step in bar:
            given = known.batch(step, batch, seed)
            losses = train_step(drafter, optimizer, given, recipe.rate_at(step), precision)
            facts |= {"step": step + 1}
            measured = (step + 1) % every == 0 or step + 1 == steps
            if measured or (step + 1) % 10 == 0:
                row = {"step": step + 1} | {k: v.item() for k, v in losses.items()}
                check_finite(row, recipe)
                report.training.append(row)
                bar.set_postfix(loss=f"{row['loss']:.3f}")
                note = {**row, "seconds": time.perf_counter() - clock}
                if measured:
                    note["validation"] = evaluate(drafter, held)
                    check_finite({"step": step + 1, **note["validation"]}, recipe)
                    report.validation.append({"step": step + 1, **note["validation"]})
                    if path:
                        save_checkpoint(path, drafter, optimizer, facts)
                for callback in callbacks:
                    callback(note)
    finally:
        drafter.to(backbone.dtype).eval()
    drafter.settle(batch.given(backbone.dtype) for batch in held.parts(PART))
    report.seconds = time.perf_counter() - clock
    if out:
        drafter.save_pretrained(out)
    return report


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
    drafter, backbone: Backbone, corpus, positions: int = 200_000, seed: int = 0, text: str = "corpus", out=None
) -> tuple:
    """States of the train and of the validation split (`Features`), or windows of their text (`Texts`), as `fit` makes
    them for this drafter; others of the same horizon and kind can learn from them too. out: a directory where own text
    is kept. Errors as in `fit`.
    """
    check_options(drafter, "float32", text)
    recipe = Recipe(1, seed, 1, 1.0, positions, text=text)
    return tuple(split_features(drafter, backbone, corpus, split, recipe, out) for split in ("train", "validation"))


def fitting(prepared: tuple, drafter, text: str) -> tuple:
    """What was prepared, if this drafter can learn from it and it is the text asked for; else ValueError."""
    for part in prepared:
        part.check(drafter)
        if drafter.wants_text and (part.greedy is not None) != (text == "own"):
            raise ValueError(
                f"text={text!r}, and prepared holds the other kind: make it with prepare(..., text={text!r})"
            )
    return prepared


def split_features(drafter, backbone: Backbone, corpus, split: str, recipe: Recipe, out=None) -> Features | Texts:
    """What `fit` makes of one split; out: a directory where own text is kept."""
    positions = recipe.positions if split == "train" else min(16_384, recipe.positions)
    own, name = recipe.text == "own", getattr(corpus, "name", None)
    tokens = corpus.tokens(split, backbone.tokenizer, limit=(3 if own else 2) * positions + 4096)
    try:
        if own:
            about = dict(file=out and Path(out) / OWN.format(split), law=drafter.law, corpus=name, split=split)
            return own_texts(backbone, tokens, drafter.horizon, positions, drafter.anchors, recipe.seed, **about)
        if drafter.wants_text:
            return texts(backbone, tokens, drafter.horizon, positions, drafter.anchors, recipe.seed)
        return features(backbone, tokens, drafter.horizon, positions, recipe.seed, drafter.wants_ahead)
    except ValueError as error:
        raise ValueError(f"corpus {getattr(corpus, 'name', corpus)!r}, split {split!r}: {error}") from error


def check_options(drafter, precision: str, text: str) -> None:
    """ValueError unless the drafter can learn this text in this precision on this backbone."""
    for name, value, known in (("precision", precision, PRECISIONS), ("text", text, TEXTS)):
        if value not in known:
            raise ValueError(f"{name}={value!r}: use one of {', '.join(map(repr, known))}")
        if value != known[0] and not drafter.wants_text:
            raise ValueError(
                f"{name}={value!r} is for drafters that run the backbone in training; {drafter.name!r} learns from its "
                "states: leave it out"
            )
    if precision == "bfloat16" and drafter.backbone.dtype == torch.float16:
        raise ValueError(
            "precision='bfloat16': this backbone is in float16, and products do not mix the two: load it with "
            "dtype=torch.bfloat16 or torch.float32, or leave precision out"
        )


def check_finite(row: dict, recipe: Recipe) -> None:
    """ValueError where training has diverged: nothing of it may reach a checkpoint."""
    if not all(map(math.isfinite, row.values())):
        raise ValueError(f"training diverged (step {row['step']}: loss {row['loss']}): choose less than {recipe.rate=}")


def check_resumable(now: dict, old: dict, path: Path) -> None:
    """ValueError unless the checkpoint belongs to this very run."""
    other = [k for k in ("recipe", "corpus", "drafter", "made_for") if now[k] != old.get(k)]
    if other:
        detail = "; ".join(f"{k}: {old.get(k)} there, {now[k]} here" for k in other)
        raise ValueError(
            f"out={str(path.parent)!r} holds a checkpoint of another run ({detail}): use another directory"
        )
