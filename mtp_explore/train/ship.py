"""Train and ship one drafter: python -m mtp_explore.train.ship stories independent [--steps N] [--quick]

Fits the drafter on the shipped backbone of the same corpus, rounds its weights to bfloat16 (the rounded drafter is the
drafter: every figure is measured afterwards, in float32), saves it under data/models and writes its card.
"""

from __future__ import annotations

import argparse
import platform
import shlex
import sys
import time
from pathlib import Path

import torch
import transformers

from ..backbone.card import machine, read_card, write_card
from ..backbone.files import data_directory, shipped_directory
from ..backbone.load import load_backbone
from ..corpora import load_corpus
from ..drafters import load_drafter, make_drafter
from .fit import CHECKPOINT, Recipe, evaluate, fit, split_features

STEPS, QUICK = 1200, 300


def ship(corpus: str, name: str, out: Path, steps: int, seed: int, batch: int, rate: float, positions: int, **options):
    """Train drafter `name` for backbone and corpus `corpus` into the directory `out`; returns the card's facts."""
    backbone, text = load_backbone(corpus), load_corpus(corpus)
    torch.manual_seed(seed)
    drafter = make_drafter(name, backbone, **options)
    report = fit(drafter, backbone, text, steps, seed, out, batch=batch, rate=rate, positions=positions, every=250)
    drafter.to(torch.bfloat16).save_pretrained(out)
    (out / CHECKPOINT).unlink(missing_ok=True)
    rounded = load_drafter(out, backbone)
    held = split_features(rounded, backbone, text, "validation", Recipe(steps, seed, batch, rate, positions))
    facts = {
        "command": shlex.join(["python", "-m", "mtp_explore.train.ship", *sys.argv[1:]]),
        "drafter": name,
        "options": rounded.options,
        "backbone": f"{corpus}/backbone",
        "backbone_sha256": read_card(shipped_directory(corpus, "backbone")).get("sha256", ""),
        "corpus": corpus,
        "seed": seed,
        "steps": steps,
        "positions_seen": steps * batch,
        "parameters": sum(p.numel() for p in rounded.parameters()),
        "validation_nats_per_token": {k: round(v, 4) for k, v in evaluate(rounded, held).items()},
        "seconds": round(report.seconds + report.feature_seconds, 1),
        "machine": f"{machine()}, {torch.get_num_threads()} threads",
        "versions": f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}",
        "licence": "that of the project",
    }
    about = f"A drafter for the `{corpus}` backbone beside it; load it with `mtp.load_drafter('{corpus}/{out.name}')`."
    return write_card(out, f"{corpus}/{out.name}", about, facts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", help="stories, arithmetic or code")
    parser.add_argument("drafter", help="independent")
    parser.add_argument("--out", type=Path, help="default: data/models/<corpus>/<drafter>")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} steps instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--positions", type=int, default=400_000)
    parser.add_argument("--horizon", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    clock = time.perf_counter()
    out = args.out or data_directory() / "models" / args.corpus / args.drafter
    facts = ship(
        *(args.corpus, args.drafter, out, QUICK if args.quick else args.steps, args.seed),
        *(args.batch, args.rate, args.positions),
        **dict(horizon=args.horizon, hidden=args.hidden, depth=args.depth),
    )
    print(f"{out}: {facts['validation_nats_per_token']} in {time.perf_counter() - clock:.0f} s")


if __name__ == "__main__":
    main()
