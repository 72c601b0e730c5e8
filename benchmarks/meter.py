"""How fast the loop samples, and whether what it samples has the model's law.

    python benchmarks/meter.py [--backbone stories] [--samples 20000]

Three tokens after one prompt, K = 2, recording off, in chunks of 2,000 rows that share the prompt's prefix. Writes
data/results/meter.json.
"""

from __future__ import annotations

import argparse
import time

from common import prompts, receipt, write

import mtp_explore as mtp
from mtp_explore.exercises.live import shorter
from mtp_explore.measure.meter import meter

SEED, LENGTH, TOKENS, CHUNK = 0, 16, 3, 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="stories")
    parser.add_argument("--samples", type=int, default=20_000)
    args = parser.parse_args()
    backbone = mtp.load_backbone(args.backbone)
    prompt = prompts(backbone, args.backbone, 1, LENGTH)[0]
    heads = mtp.load_drafter(f"{args.backbone}/independent", backbone)
    results = {}
    for label, drafter, rule in (
        ("plain", None, None),
        ("independent rejection", shorter(heads, 2), "rejection"),
        ("independent block", shorter(heads, 2), "block"),
        ("lookup rejection", mtp.make_drafter("lookup", backbone, horizon=2), "rejection"),
    ):
        clock = time.perf_counter()
        for first in range(0, args.samples, CHUNK):
            mtp.sample(backbone, drafter, [prompt] * CHUNK, TOKENS, seed=(SEED + 1, first), eos=False, rule=rule)
        seconds = time.perf_counter() - clock
        *_, last = meter(backbone, drafter, prompt, TOKENS, args.samples, CHUNK, seed=SEED, rule=rule)
        results[label] = {
            "sampling_seconds": round(seconds, 2),
            "total_variation": last.total_variation,
            "expected_by_chance": last.expected,
            "limit_99": last.limit,
            "accepted_per_call": last.accepted,
            "lossless": last.lossless,
        }
        band = f"chance {last.expected:.4f}, 99 % {last.limit:.4f}"
        print(f"{label:22s} {seconds:5.1f} s, total variation {last.total_variation:.4f} ({band})")
    write("meter", {"receipt": receipt(backbone=args.backbone, samples=args.samples, seed=SEED), "drafters": results})


if __name__ == "__main__":
    main()
