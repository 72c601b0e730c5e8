"""Masks in miniature: tokens per call against their number, what each part of the recipe gives, what training costs.

    python benchmarks/masked.py [--only table text ablations speed ...] [--list] [--part 1/2] [--quick] [--summary]

Every job (`masked_plan.py`) writes one JSON under data/results/masked and is skipped where that exists, so the script
may be killed and started again; `--part 1/2` and `--part 2/2` share the work between two processes. The forecast comes
first, from one timed step, and is corrected as jobs end.

table      the shipped `masked-k8` with k = 1..8 of its masks beside as many independent heads (the shipped ones, and
           wider ones trained here by their best recipe), on test prompts of the three backbones, greedy and at T = 1,
           plans quadratic and linear (`masked_decode.py`)
text       the same on text of others (`--data`), with a small backbone that is trained here (`masked_text.py`)
ablations  on `arithmetic`, one recipe and one thing changed in each run (`masked_train.py`); also by their own names
speed      training in the cheap and the plain form, and calls with 0, 8 and 72 slot rows (`masked_speed.py`)

Tokens per call keep one figure per prompt. `--quick` is next to nothing of everything, into runs/quick/masked, with
masks that have learned nothing where none are shipped.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from common import receipt, shipped
from jobs import Forecast, Skip, carry_out, least, parser
from masked_decode import PLANS, compared, decoded, fewer, starts
from masked_plan import GROUPS, Run, Sizes, jobs, plan, work
from masked_speed import measure_peak, speed
from masked_tables import summary
from masked_text import DATA, FILES, VOCABULARY, corpus, trunk
from masked_train import fresh, seen, trained, usual

import mtp_explore as mtp
from mtp_explore.train.evaluate import evaluate as quality
from mtp_explore.train.fit import fit, train_step
from mtp_explore.train.pretrain import Recipe

SHIPPED, HEADS = "masked-k8", "independent"


def table(name: str, sizes: Sizes, quick: bool) -> dict:
    """k = 1..8 masks of a shipped drafter."""
    target = mtp.load_backbone(name)
    text, drafters = mtp.load_corpus(name), shipped(name, target)
    facts: dict = {"drafter": SHIPPED}
    if SHIPPED not in drafters:
        if not quick:
            raise Skip(f"{name}/{SHIPPED} is not shipped: python -m mtp_explore.train.ship {name} masked")
        drafters[SHIPPED], training = trained(Run(), sizes, sizes.steps, target, text)
        facts = {"drafter": "trained here, for nothing but to try the script", "training": training}
    prompts = starts(target, text, sizes.table_prompts)
    heads, facts["heads"] = best_heads(target, text, sizes)
    heads = {HEADS: drafters[HEADS], "heads": heads}
    found = compared(target, drafters[SHIPPED], heads, prompts, sizes.table_tokens, sizes.table_masks)
    return {**facts, "decoding": found}


def best_heads(target, text, sizes: Sizes) -> tuple:
    """(independent heads, facts): as wide as 2 MB allow, by the best recipe that is known for them."""
    heads, recipe = mtp.make_drafter(HEADS, target, hidden=320), dict(rate=sizes.heads_rate, batch=sizes.batch)
    recipe |= dict(steps=sizes.heads_steps, positions=sizes.heads_positions)
    report = fit(heads, target, text, **recipe, every=sizes.heads_steps, progress=False)
    return heads, {**recipe, "seconds": round(report.seconds, 1), **report.validation[-1]}


def other_text(name: str, sizes: Sizes, data: Path, runs: Path) -> dict:
    """The same on a backbone, masks and heads that are trained here."""
    text = corpus(name, data)
    if text is None:
        raise Skip(f"{FILES[name]} is not in the folder given by --data")
    clock = time.perf_counter()
    target = trunk(text, Recipe(name, VOCABULARY, sizes.trunk_steps), runs)
    facts: dict = {"seconds_trunk": round(time.perf_counter() - clock, 1)}
    facts["trunk"] = quality(target.model, target.tokenizer, text, target.context, documents=50)
    drafter, facts["training"] = trained(Run(), sizes, sizes.text_steps, target, text)
    heads, facts["heads"] = best_heads(target, text, sizes)
    prompts = starts(target, text, sizes.text_prompts)
    found = compared(target, drafter, {"heads": heads}, prompts, sizes.table_tokens, sizes.table_masks)
    return {**facts, "decoding": found}


def ablation(run: Run, sizes: Sizes, runs: Path) -> dict:
    """One training with its curve, and what its masks are worth; a harmed model is not decoded with."""
    target, text = usual()
    drafter, facts = trained(run, sizes, sizes.steps, target, text, runs / "own")
    facts |= {"run": asdict(run), "decoding": {}}
    if run.form == "plain":
        return facts
    prompts = starts(target, text, sizes.prompts)
    ways = [("greedy", k, "quadratic") for k in sizes.masks] + [("greedy", k, "linear") for k in sizes.masks]
    for mode, k, how in [*ways, *(("T=1", sizes.masks[-1], how) for how in PLANS)]:
        made = decoded(target, fewer(drafter, k), prompts, sizes.tokens, mode, how)
        facts["decoding"].setdefault(mode, {}).setdefault(str(k), {})[how] = made
    return facts


def do(kind: str, what, runs: Path, sizes: Sizes, args) -> dict:
    """One job from beginning to end."""
    if kind == "table":
        facts = table(what, sizes, args.quick)
    elif kind == "text":
        facts = other_text(what, sizes, args.data, runs)
    elif kind == "ablation":
        facts = ablation(what, sizes, runs)
    else:
        facts = speed(sizes, args.device)
    return {**facts, "sizes": asdict(sizes), "receipt": receipt(device=args.device)}


def forecast(sizes: Sizes) -> Forecast:
    """From one timed step of the plainest run."""
    run, (target, text) = Run(), usual()
    drafter, optimizer = fresh(run, sizes, target)
    known, _ = seen(drafter, Sizes(positions=8192, held=1024), target, text)
    seconds = least(lambda i: train_step(drafter, optimizer, known.batch(i, sizes.batch, 0), 1e-4, sizes.precision))
    one = Sizes(batch=sizes.batch, anchors=sizes.anchors, steps=1, held=0, prompts=0)
    return Forecast(seconds / work("ablation", run, one), lambda kind, what: work(kind, what, sizes))


def main() -> None:
    command = parser(__doc__, [*GROUPS, *plan()], GROUPS)
    command.add_argument("--data", type=Path, default=DATA, help="folder with the text of others")
    command.add_argument("--device", default="cpu", help="of speed")
    command.add_argument("--peak", help=argparse.SUPPRESS)
    args = command.parse_args()
    if args.peak:
        torch.set_num_threads(args.threads)
        return print(measure_peak(args.peak, args.device))
    sizes = Sizes().quick() if args.quick else Sizes()
    wanted = jobs(args.only, args.device)
    carry_out("masked", args, wanted, partial(forecast, sizes), partial(do, sizes=sizes, args=args), summary)


if __name__ == "__main__":
    main()
