"""Tokens per backbone call of every drafter on the shipped backbones, greedy and at temperature 1.

    python benchmarks/tokens_per_call.py [--prompts 200] [--tokens 128] [--backbones stories arithmetic code]
                                         [--drafters masked-k8 ptp-k8]

Held-out prompts of 32 tokens from the test split, which nothing was trained or tuned on; the mean over prompts with a
95 % interval. Writes data/results/tokens_per_call.json; with --drafters the other lines stay as they are.
"""

from __future__ import annotations

import time

from common import arguments, prompts, read, receipt, shipped, write

import mtp_explore as mtp
from mtp_explore.trace.metrics import interval, pooled

SEED, LENGTH, BATCH, HORIZON = 0, 32, 50, 8


def traces(backbone, make, starts, tokens, **options) -> list:
    """One trace per prompt, BATCH prompts at a time; `make(first, last)` gives the drafter of a slice."""
    out = []
    for first in range(0, len(starts), BATCH):
        part = starts[first : first + BATCH]
        out += mtp.generate(backbone, make(first, first + len(part)), part, tokens, seed=(SEED, first), **options)
    return out


def row(found: list) -> dict:
    """The figures of one line of the table."""
    mean, half, _ = interval([len(t.tokens) / t.calls for t in found])
    whole = pooled(found)
    keys = ("mean_acceptance_length", "draft_acceptance_rate", "tested_acceptance_rate", "tokens_per_call")
    return {"tokens_per_call_mean": mean, "half_width_95": half, "pooled": {k: whole[k] for k in keys}}


def measure(name: str, count: int, tokens: int, only: list[str] | None) -> dict:
    """All lines of one backbone, or those of some drafters."""
    backbone = mtp.load_backbone(name)
    starts = prompts(backbone, name, count, LENGTH)
    drafters = shipped(name, backbone)
    drafters["lookup"] = mtp.make_drafter("lookup", backbone, horizon=HORIZON)
    drafters = {k: d for k, d in drafters.items() if only is None or k in only}
    lines = {}
    for label, temperature in (("greedy", 0.0), ("T=1", 1.0)):
        for drafter, made in drafters.items():
            for rule in ("match",) if temperature == 0 or made.one_hot else ("rejection", "block", "match"):
                options = dict(temperature=temperature, rule=rule)
                found = traces(backbone, lambda a, b, made=made: made, starts, tokens, **options)
                lines[f"{drafter} {label} {rule}"] = row(found)
        if only is not None:
            continue
        plain = traces(backbone, lambda a, b: None, starts, tokens, temperature=temperature)
        lines[f"plain {label}"] = row(plain)

        def answers(first, last, plain=plain):
            return mtp.make_drafter("oracle", backbone, horizon=HORIZON, answer=plain[first:last])

        lines[f"oracle {label} match"] = row(traces(backbone, answers, starts, tokens, temperature=temperature))
    return lines


def main() -> None:
    args = arguments(__doc__)
    results = read("tokens_per_call").get("backbones", {})
    for name in args.backbones:
        clock = time.perf_counter()
        found = measure(name, args.prompts, args.tokens, args.drafters)
        results[name] = {**results.get(name, {}), **found} if args.drafters else found
        print(f"{name} ({time.perf_counter() - clock:.0f} s)")
        for label, line in results[name].items():
            print(f"  {label:28s} {line['tokens_per_call_mean']:.2f} ± {line['half_width_95']:.2f}")
        settings = dict(seed=SEED, prompts=args.prompts, prompt_tokens=LENGTH, new_tokens=args.tokens, horizon=HORIZON)
        write("tokens_per_call", {"receipt": receipt(**settings), "backbones": results})


if __name__ == "__main__":
    main()
