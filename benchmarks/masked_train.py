"""Training for `masked.py`: the recipe, with validation losses over steps and seconds, and the plain form beside it.

The plain form of papers.md 3.2 is one pass with gradients over all T text rows and A K mask rows of a window, with a
mask over all pairs. With the gate on the mask rows it is what `Masked` computes in two passes; with the gate on all
rows (`first` 0) it is plain LoRA, which moves the text's own rows: their next-token loss is then learned too.
"""

from __future__ import annotations

import time
from functools import lru_cache, partial

import torch
from common import adam, learned
from masked_plan import CORPUS, K, Run, Sizes, plan
from torch import Tensor

import mtp_explore as mtp
from mtp_explore.backbone.together import together
from mtp_explore.drafters.masked import Rows
from mtp_explore.drafters.slots import at_places
from mtp_explore.tensors.logprob import target_logprob
from mtp_explore.train.fit import Recipe, evaluate, split_features
from mtp_explore.train.texts import Texts


def plain_rows(drafter, gated: bool, text: Tensor, anchors: Tensor, future: Tensor, *_) -> Rows:
    """`Masked.rows` in one pass over [text | masks of all anchors]; arguments as there."""
    masks, place = drafter.masks.expand(*anchors.shape, -1, -1), drafter.behind(anchors)
    with drafter.gate(text.shape[1] if gated else 0):
        hidden, z = (x.to(masks.dtype) for x in together(drafter.backbone, text, anchors, masks))
    states = at_places(hidden, place)
    z = torch.cat([states[:, :, :1], z], 2)
    before = text.gather(1, place.flatten(1)).view_as(place)
    return Rows(z, drafter.sampled(z, before), future, states[:, :, 1:], place[..., 1:])


@lru_cache(1)
def usual() -> tuple:
    """The backbone and the corpus of the ablations."""
    return mtp.load_backbone(CORPUS), mtp.load_corpus(CORPUS)


@lru_cache(8)
def windows(target, corpus, split: str, positions: int, text: str, cache=None) -> Texts:
    """Windows of a corpus or of own text, with horizon K."""
    model = mtp.make_drafter("masked", target, horizon=K, rank=1)
    return split_features(model, target, corpus, split, Recipe(1, 0, 1, 1.0, positions, text=text), cache)


def seen(drafter, sizes: Sizes, target, corpus, text: str = "corpus", cache=None) -> tuple[Texts, Texts]:
    """What a drafter learns, with its own anchors per window, and the corpus' validation text, alike for all."""
    known = windows(target, corpus, "train", sizes.positions, text, cache)
    held = windows(target, corpus, "validation", sizes.held, "corpus")
    most = known.future.shape[1]
    return known._replace(anchors=min(drafter.anchors or most, most)), held._replace(anchors=min(sizes.anchors, most))


def fresh(run: Run, sizes: Sizes, target):
    """An untrained drafter in the run's form, and its optimiser."""
    drafter = mtp.make_drafter("masked", target, seed=run.seed, **run.options(sizes))
    if run.form != "cheap":
        drafter.rows = partial(plain_rows, drafter, run.form == "gated")
    return drafter, adam(drafter)


def trained(run: Run, sizes: Sizes, steps: int, target, corpus, cache=None) -> tuple:
    """(drafter, facts) of a run: "curve" has {"step", "seconds", validation losses} at the start and on the way;
    seconds are the process' own, of training alone.
    """
    drafter, optimizer = fresh(run, sizes, target)
    clock = time.process_time()
    known, held = seen(drafter, sizes, target, corpus, run.text, cache)
    prepared = time.process_time() - clock
    facts = learned(drafter, optimizer, known, sizes, steps, run.seed, lambda: measured(drafter, held, run))
    return drafter.eval(), {**facts, "seconds_text": round(prepared, 2)}


def measured(drafter, held: Texts, run: Run) -> dict[str, float]:
    """Validation losses; of the runs that compare gates also what has become of the model itself: `next`, the mean loss
    of its next tokens in nats, and `top1`, how often its first choice is right, on rows that the gate may have moved.
    """
    losses = {k: round(v, 5) for k, v in evaluate(drafter, held).items()}
    if run not in plan()["gate"]:
        return losses
    loss, right = next_tokens(drafter, held, run.form != "plain")
    return {**losses, "next": round(loss, 6), "top1": round(right, 6)}


@torch.no_grad()
def next_tokens(drafter, held: Texts, gated: bool) -> tuple[float, float]:
    """(mean loss, share of right first choices) of the tokens after the anchors, from one pass over text and masks."""
    backbone, found = drafter.backbone, []
    for text, anchors, future, *_ in held.parts(8192):
        rows = plain_rows(drafter, gated, text, anchors, future)
        z, target = rows.z[:, :, 0].flatten(0, 1), future[:, :, 0].flatten()
        z, target = z[target >= 0], target[target >= 0]
        right = backbone.logits(z).argmax(-1) == target
        found.append(torch.stack([-target_logprob(z, target, backbone.unembedding), right.to(z.dtype)]))
    return tuple(torch.cat(found, 1).mean(1).tolist())
