"""Independent heads beside the slots of `ptp.py`: the same text and anchors, correct tokens under the same numbers.

Slots see one another and run the whole backbone; heads read one state, so a step of theirs costs less and, as they know
nothing of u or of one another, teaches less: hence a curve over steps and seconds. Letters as in `ptp_train.py`; the
heads are `independent`, with a rate of their own. Their drafts are Pick(w_k, q_k), or arg-max.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from common import adam, learned
from ptp_plan import LONG, Run, Sizes
from ptp_town import usual
from ptp_train import correct, fresh, held, means, windows
from torch import Tensor

import mtp_explore as mtp
from mtp_explore.backbone.blocks import freeze
from mtp_explore.drafters.slots import at_places
from mtp_explore.drafters.throws import throw
from mtp_explore.tensors.categorical import pick, shape
from mtp_explore.tensors.uniforms import places
from mtp_explore.train.features import Batch
from mtp_explore.train.texts import Texts


class Anchored(NamedTuple):
    """Windows of text as heads learn them: the frozen states of the anchors."""

    texts: Texts
    backbone: object

    def batch(self, step: int, size: int, seed: int) -> Batch:
        made = self.texts.batch(step, size, seed)
        hidden = at_places(freeze(self.backbone, made.text).hidden, made.anchors[..., None])
        return Batch(hidden.flatten(0, 2), made.future.flatten(0, 1), None)


class Judge:
    """Heads as `correct` asks slots: `slots`, an untrained drafter of the same horizon, knows the numbers."""

    def __init__(self, heads, slots, argmax: bool):
        self.heads, self.slots, self.argmax, self.horizon = heads, slots, argmax, heads.horizon

    def right(self, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor, draw: int) -> tuple[Tensor, Tensor]:
        """Of a batch of text: (is draft k right?, is there a token to be right about?) [N, K] bool."""
        frozen, where = freeze(self.heads.backbone, text), places(future, 1.0, draw)
        u, target = (x.flatten(0, 1) for x in throw(self.slots, frozen, anchors, future, greedy, where, "teacher"))
        states = self.heads.states(at_places(frozen.hidden, anchors[..., None]).flatten(0, 2)).transpose(0, 1)

        def draft(z: Tensor, u: Tensor) -> Tensor:
            logits = self.heads.backbone.logits(z)
            return logits.argmax(-1) if self.argmax else pick(shape(logits), u)

        best = self.slots.in_parts(draft, states.flatten(0, 1), u[:, 1:].flatten()).view_as(target[:, 1:])
        return best == target[:, 1:], target[:, 1:] >= 0


def heads(sizes: Sizes, cache: Path) -> dict:
    """Train heads for the longest window; facts as those of `trained`."""
    target, _ = usual(sizes.trunk_steps, cache)
    slots = fresh(Run(horizon=LONG, variant="categorical"), sizes, target)[0]
    drafter = mtp.make_drafter("independent", target, horizon=LONG)
    known = Anchored(windows(LONG, sizes, "own", cache)._replace(anchors=sizes.anchors), target)
    test = held(LONG, sizes, "own", cache)
    few = test._replace(windows=test.windows[: sizes.few], future=test.future[: sizes.few])
    ways = {way: Judge(drafter, slots, way == "arg-max") for way in ("arg-max", "pick")}

    def measure() -> dict:
        return {way: means(correct(judge, few)) for way, judge in ways.items()}

    recipe = replace(sizes, rate=sizes.heads_rate, precision="float32")
    facts = learned(drafter, adam(drafter), known, recipe, sizes.heads_steps, 0, measure)
    return facts | {"correct": {way: correct(judge, test) for way, judge in ways.items()}}
