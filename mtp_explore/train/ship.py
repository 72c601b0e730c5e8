"""Train and ship one drafter: python -m mtp_explore.train.ship stories cp --rank 8 --out data/models/stories/cp-r8

Fits the drafter on the shipped backbone of the same corpus, rounds its weights to bfloat16 (the rounded drafter is the
drafter: every figure is measured afterwards, in float32), saves it under data/models, in the place of an earlier one,
and writes its card. A drafter's own options are read from its signature: `ship stories cp --help` lists them.
"""

from __future__ import annotations

import argparse
import inspect
import platform
import shlex
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import torch
import transformers

from ..backbone.card import machine, read_card, write_card
from ..backbone.files import CONFIG, WEIGHTS, data_directory, read_json, shipped_directory
from ..backbone.load import load_backbone
from ..checks import choice, instance, refusal
from ..corpora import BUILT_IN, load_corpus
from ..drafters import DRAFTERS, load_drafter, make_drafter
from .alone import LOCK, alone
from .command import command
from .fit import PART, evaluate, fit, split_features
from .recipe import PRECISIONS, TEXTS, Recipe, directory

STEPS, QUICK = 1200, 300
TRAINING = "training"  # where a run lies in `out` until it is done
TRAINABLE = [name for name in DRAFTERS if name not in ("lookup", "oracle")]


def ship(corpus: str, name: str, out: Path, recipe: Recipe, start: str = "", **options) -> dict:
    """Train drafter `name` for backbone and corpus `corpus` into the directory `out`; returns the card's facts.

    A drafter that lies there stays as it is until the new one is done and takes its place; a run that was interrupted
    goes on from `out`/training. start: a drafter with slots, as `load_drafter` names it, from whose adapters this one
    goes on. Errors (ValueError): `out` holds something else, or another run is at work there.
    """
    choice("corpus", corpus, BUILT_IN)
    choice("name", name, TRAINABLE)
    instance("recipe", recipe, Recipe, "pass a Recipe of train/recipe.py")
    out = directory("out", out)
    if not is_drafter(out):
        raise ValueError(refusal("out", str(out), "it holds a model that is no drafter: use another directory"))
    with alone(out / LOCK, "out", out, {"recipe": asdict(recipe), "drafter": {"name": name, **options}}):
        return _ship(corpus, name, out, recipe, start, **options)


def is_drafter(directory: Path) -> bool:
    """Whether a directory holds no model, or one that may give way to a drafter: a drafter."""
    config = directory / CONFIG
    return "made_for" in read_json(config) if config.is_file() else not (directory / WEIGHTS).exists()


def _ship(corpus: str, name: str, out: Path, recipe: Recipe, start: str, **options) -> dict:
    backbone, text, training = load_backbone(corpus), load_corpus(corpus), out / TRAINING
    drafter = make_drafter(name, backbone, seed=recipe.seed, **options)
    if start:
        drafter.start_from(load_drafter(start, backbone))
    report = fit(drafter, backbone, text, **asdict(recipe), out=training, every=250)
    held = split_features(drafter, backbone, text, "validation", recipe, training)
    drafter.to(torch.bfloat16).to(backbone.dtype)
    drafter.settle(batch.given(backbone.dtype) for batch in held.parts(PART))
    with tempfile.TemporaryDirectory() as place:  # under data/models it would need its card
        drafter.to(torch.bfloat16).save_pretrained(place)
        rounded = load_drafter(place, backbone)
    facts = {
        "command": shlex.join(["python", "-m", "mtp_explore.train.ship", *sys.argv[1:]]),
        "drafter": name,
        "options": rounded.options,
        "backbone": f"{corpus}/backbone",
        "backbone_sha256": read_card(shipped_directory(corpus, "backbone")).get("sha256", ""),
        "corpus": corpus,
        **asdict(recipe),
        **({"started_from": start} if start else {}),
        "positions_seen": recipe.steps * recipe.batch,
        "parameters": sum(p.numel() for p in rounded.parameters()),
        "validation_nats": {k: round(v, 4) for k, v in evaluate(rounded, held).items()},
        "seconds": round(report.seconds + report.feature_seconds, 1),
        "machine": f"{machine()}, {torch.get_num_threads()} threads",
        "versions": f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}",
        "licence": "that of the project",
    }
    about = (
        f"A drafter for the `{corpus}` backbone beside it; load it with `mtp.load_drafter('{corpus}/{out.name}')`. "
        "Losses are means on the validation split (text own: on completions of its beginnings): `loss` is what was "
        "minimised, `joint` is that of a whole window, the others are per token."
    )
    drafter.save_pretrained(out)
    card = write_card(out, f"{corpus}/{out.name}", about, facts)
    shutil.rmtree(training)
    return card


def own_options(name: str) -> dict[str, inspect.Parameter]:
    """The options of a drafter with their defaults, as its signature has them."""
    parameters = inspect.signature(DRAFTERS[name].__init__).parameters
    return {k: p for k, p in parameters.items() if k not in ("self", "backbone")}


def read_arguments(argv: list[str]) -> tuple[argparse.Namespace, dict]:
    """The command line, and the drafter's own options."""
    parser = argparse.ArgumentParser(prog="python -m mtp_explore.train.ship", description=__doc__.splitlines()[0])
    parser.add_argument("corpus", help="stories, arithmetic or code")
    parser.add_argument("drafter", choices=TRAINABLE)
    parser.add_argument(
        "--out",
        type=Path,
        help="default: data/models/<corpus>/<drafter>; an earlier drafter there is replaced at the end",
    )
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} steps instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1024, help="positions per step")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--positions", type=int, default=400_000, help="places of the text that are kept")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="of the products in training")
    parser.add_argument(
        "--text", choices=TEXTS, default="corpus", help="what is learned: the corpus or own completions"
    )
    parser.add_argument("--start", default="", help="a trained drafter with slots to start from: arithmetic/masked-k8")
    parser.add_argument("--threads", type=int)
    before = ["", *argv]  # --out and --start may be called like a drafter
    free = [word for word, flag in zip(argv, before, strict=False) if flag not in ("--out", "--start")]
    name = next((word for word in free if word in TRAINABLE), None)
    own = own_options(name) if name else {}
    group = parser.add_argument_group(f"options of {name}" if name else "options of the drafter (name it to see them)")
    for key, parameter in own.items():
        flag, default = "--" + key.replace("_", "-"), parameter.default
        how = dict(action=argparse.BooleanOptionalAction) if isinstance(default, bool) else dict(type=type(default))
        group.add_argument(flag, dest=key, default=default, help=f"default {default}", **how)
    args = parser.parse_args(argv)
    return args, {key: getattr(args, key) for key in own}


def main(argv: list[str] | None = None) -> None:
    args, options = read_arguments(sys.argv[1:] if argv is None else argv)
    with command("ship"):
        run(args, options)


def run(args: argparse.Namespace, options: dict) -> None:
    """Ship what the command line asks for."""
    if args.threads:
        torch.set_num_threads(args.threads)
    clock = time.perf_counter()
    out = args.out or data_directory() / "models" / args.corpus / args.drafter
    steps = QUICK if args.quick else args.steps
    recipe = Recipe(steps, args.seed, args.batch, args.rate, args.positions, args.precision, args.text)
    facts = ship(args.corpus, args.drafter, out, recipe, args.start, **options)
    print(f"{out}: {facts['validation_nats']} in {time.perf_counter() - clock:.0f} s")


if __name__ == "__main__":
    main()
