"""Other methods beside the slots of `ptp.py`: the same backbone, text, K and places learned, and tokens per call.

Masks run the backbone as slots do and learn by the same recipe and as many steps; heads read one state, and have the
steps and the rate of `ptp_heads.py`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from common import adam, learned
from ptp_decode import decoded
from ptp_heads import Anchored
from ptp_plan import K, Sizes
from ptp_town import beginnings, usual
from ptp_train import windows

import mtp_explore as mtp

RANK = 8  # of cp


def options(name: str, sizes: Sizes) -> dict:
    """What `make_drafter` gets."""
    return {"masked": dict(rank=sizes.rank, anchors=sizes.anchors), "cp": dict(rank=RANK)}.get(name, {})


def method(name: str, times: int, sizes: Sizes, cache: Path) -> dict:
    """Train a drafter of another method, `times` the usual steps, and decode with it."""
    sizes = sizes.longer(times)
    target, corpus = usual(sizes.trunk_steps, cache)
    drafter = mtp.make_drafter(name, target, horizon=K, **options(name, sizes))
    known, recipe, steps = windows(K, sizes, "own", cache)._replace(anchors=sizes.anchors), sizes, sizes.steps
    if not drafter.wants_text:
        known, steps = Anchored(known, target), sizes.heads_steps
        recipe = replace(sizes, rate=sizes.heads_rate, precision="float32")
    facts = learned(drafter, adam(drafter), known, recipe, steps, 0, dict)
    drafter.save_pretrained(cache / f"{name}-x{times}")
    prompts = beginnings(target, corpus, sizes.prompts)
    return facts | {"decoding": decoded(target, drafter.eval(), prompts, sizes.tokens)}
