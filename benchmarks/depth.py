"""How deep should an independent head be? Linear, one and two MLP blocks, the same steps on the same frozen backbone.

    python benchmarks/depth.py [--backbone stories] [--steps 800]

Validation loss per head and tokens per call on validation prompts (greedy): the choice is made on the validation split,
never on the test split. Writes data/results/depth.json.
"""

from __future__ import annotations

import argparse

from common import prompts, receipt, write

import mtp_explore as mtp
from mtp_explore.trace.metrics import interval

SEED, TOKENS, LENGTH, COUNT = 0, 96, 32, 40
FORMS = {"linear": dict(depth=0), "MLP": dict(depth=1, hidden=256), "two MLPs": dict(depth=2, hidden=128)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="stories")
    parser.add_argument("--steps", type=int, default=800)
    args = parser.parse_args()
    backbone, corpus = mtp.load_backbone(args.backbone), mtp.load_corpus(args.backbone)
    starts = prompts(backbone, args.backbone, COUNT, LENGTH, "validation")
    results = {}
    for name, options in FORMS.items():
        drafter = mtp.make_drafter("independent", backbone, seed=SEED, horizon=8, **options)
        report = mtp.fit(drafter, backbone, corpus, args.steps, SEED, every=args.steps, progress=False)
        traces = mtp.generate(backbone, drafter, starts, TOKENS, temperature=0.0)
        mean, half, _ = interval([len(t.tokens) / t.calls for t in traces])
        results[name] = {
            "parameters": sum(p.numel() for p in drafter.parameters()),
            "validation_nats_per_token": report.validation[-1],
            "seconds": round(report.seconds, 1),
            "tokens_per_call_greedy": [mean, half],
        }
        print(f"{name:9s} {report.validation[-1]['loss']:.4f} nats, {mean:.2f} ± {half:.2f} tokens per call")
    settings = dict(backbone=args.backbone, steps=args.steps, seed=SEED, prompts=COUNT, split="validation")
    write("depth", {"receipt": receipt(**settings), "forms": results})


if __name__ == "__main__":
    main()
