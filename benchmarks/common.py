"""What the benchmarks share: held-out prompts, training with a curve, the receipt that goes with every figure."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import torch
import transformers

import mtp_explore as mtp
from mtp_explore.backbone.card import machine
from mtp_explore.backbone.files import shipped_names
from mtp_explore.train.fit import Recipe, train_step

RESULTS = Path(__file__).resolve().parent.parent / "data" / "results"
BACKBONES = ("stories", "arithmetic", "code")


def prompts(backbone, name: str, count: int, length: int, split: str = "test") -> list[list[int]]:
    """The first `length` tokens of the first `count` documents of the split that are longer than that."""
    found = []
    for text in mtp.load_corpus(name).documents(split):
        ids = backbone.tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) > length:
            found.append(ids[:length])
        if len(found) == count:
            return found
    raise ValueError(f"count={count}: the {split} split of {name!r} has only {len(found)} documents of {length} tokens")


def shipped(name: str, backbone) -> dict:
    """The drafters that ship for a backbone, by the name of their directory."""
    names = [n for n in shipped_names() if n.startswith(f"{name}/")]
    return {n.split("/")[1]: mtp.load_drafter(n, backbone) for n in names}


def receipt(**settings) -> dict:
    """Where, when and with what a figure was measured."""
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else machine()
    return {
        "commit": git.stdout.strip(),
        "machine": device,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        **settings,
    }


def write(name: str, facts: dict) -> None:
    """Write data/results/<name>.json and say so."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"wrote {path.relative_to(RESULTS.parent.parent)}")


def read(name: str) -> dict:
    """data/results/<name>.json, {} where there is none yet."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def arguments(about: str) -> argparse.Namespace:
    """--prompts, --tokens, --backbones and --drafters of a benchmark whose docstring is `about`."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--drafters", nargs="+", help="only these; what is known of others stays")
    return parser.parse_args()


def adam(drafter) -> torch.optim.Optimizer:
    """The optimiser that `fit` uses."""
    return torch.optim.AdamW(drafter.parameters(), betas=(0.9, 0.95), weight_decay=0.0)


def learned(drafter, optimizer, known, sizes, steps: int, seed: int, measure: Callable[[], dict]) -> dict:
    """Train on windows `known` and say what was seen: "curve" has {"step", "seconds", **measure()} at the start and
    `sizes.measured` times on the way; seconds are the process' own, of training alone.
    """
    recipe = Recipe(steps, seed, sizes.batch, sizes.rate, sizes.positions, sizes.precision)
    seconds, curve = 0.0, [{"step": 0, "seconds": 0.0, **measure()}]
    for step in range(steps):
        clock, batch = time.process_time(), known.batch(step, sizes.batch, seed)
        train_step(drafter, optimizer, batch, recipe.rate_at(step), sizes.precision)
        seconds += time.process_time() - clock
        if (step + 1) * sizes.measured // steps > step * sizes.measured // steps:
            curve.append({"step": step + 1, "seconds": round(seconds, 2), **measure()})
    facts = {"curve": curve, "seconds_training": round(seconds, 2), "steps": steps}
    facts |= {"anchors_per_step": batch.size, "windows_per_step": len(getattr(batch, "text", ()))}
    return {**facts, "parameters": sum(p.numel() for p in drafter.parameters())}
