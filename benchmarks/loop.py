"""What the loop costs beside the bare model call, and what perfect drafts save.

    python benchmarks/loop.py [--backbone code] [--device cpu] [--repeats 9]

Ratios are taken within one run, ours and theirs in turn, and their median is reported. Overhead: seconds per backbone
call of `generate` (oracle drafter, recording on) over bare model calls of the same shapes. Speed: seconds per token of
ordinary decoding by our loop and by transformers' generate, and of the oracle at K = 4. Writes data/results/loop.json.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from common import prompts, receipt, write

import mtp_explore as mtp
from mtp_explore.backbone.layout import additive, layout
from mtp_explore.contract import Slots

LENGTH, TOKENS = 32, 96


def timed(backbone, work) -> float:
    """Seconds of `work()`, the device's queue emptied before and after."""
    if backbone.device.type == "cuda":
        torch.cuda.synchronize()
    clock = time.perf_counter()
    work()
    if backbone.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - clock


def shapes(backbone, run) -> list[tuple[int, int, int]]:
    """(batch, rows, cached columns) of every backbone call that `run()` makes."""
    seen, call = [], backbone.call

    def note(embeds, lay, cache, keep):
        seen.append((*embeds.shape[:2], cache.columns))
        return call(embeds, lay, cache, keep)

    backbone.call = note
    try:
        run()
    finally:
        del backbone.call
    return seen


@torch.inference_mode()
def bare(backbone, calls: list[tuple[int, int, int]]):
    """A function that makes model calls of these shapes and nothing else."""
    prepared = []
    cache = backbone.cache(max(c + r for _, r, c in calls) + 1)
    for batch, rows, columns in calls:
        cached = torch.full((batch,), columns, device=backbone.device)
        none = Slots(cached[:, None][:, :0], cached[:, None][:, :0])
        lay = layout(cached, columns, rows, torch.zeros_like(cached), none, backbone.context)
        ids = torch.zeros(batch, rows, dtype=torch.long, device=backbone.device)
        prepared.append((columns, ids, lay.positions, additive(lay, backbone.dtype)))

    @torch.inference_mode()
    def work():
        for columns, ids, positions, mask in prepared:
            cache.columns = columns
            backbone.model(
                input_ids=ids, past_key_values=cache.hf, position_ids=positions, attention_mask=mask, use_cache=True
            )

    return work


def overhead(backbone, starts, batch: int, horizon: int, repeats: int) -> dict:
    """Median ratio of our seconds per call to the bare call's."""
    part = starts[:batch]
    plain = mtp.generate(backbone, None, part, TOKENS, temperature=0.0, eos=False)
    oracle = mtp.make_drafter("oracle", backbone, horizon=horizon, answer=plain)
    traces: list = []

    def ours():
        traces[:] = mtp.generate(backbone, oracle, part, TOKENS, temperature=0.0, eos=False)

    calls = shapes(backbone, ours)
    theirs = bare(backbone, calls)
    theirs()
    pairs = [(timed(backbone, ours), timed(backbone, theirs)) for _ in range(repeats)]
    ratios = [a / b for a, b in pairs]
    drafting = statistics.mean(s.draft_seconds for s in traces[0].steps[1:])
    return {
        "batch": batch,
        "horizon": horizon,
        "calls": len(calls),
        "ratio_median": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
        "ms_per_call": 1e3 * statistics.median(a for a, _ in pairs) / len(calls),
        "bare_ms_per_call": 1e3 * statistics.median(b for _, b in pairs) / len(calls),
        "drafter_ms_per_call": 1e3 * drafting,
    }


def speed(backbone, start: list[int], repeats: int) -> dict:
    """Seconds per token of ordinary decoding, ours and transformers', and of the oracle at K = 4."""
    ids = torch.tensor([start], device=backbone.device)
    plain = mtp.generate(backbone, None, start, TOKENS, temperature=0.0, eos=False)
    oracle = mtp.make_drafter("oracle", backbone, horizon=4, answer=plain)
    eos = backbone.model.generation_config.eos_token_id
    backbone.model.generation_config.eos_token_id = None

    def hf():
        backbone.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=TOKENS)

    work = {
        "transformers": hf,
        "plain": lambda: mtp.generate(backbone, None, start, TOKENS, temperature=0.0, eos=False),
        "oracle": lambda: mtp.generate(backbone, oracle, start, TOKENS, temperature=0.0, eos=False),
    }
    for f in work.values():
        f()
    rounds = [{k: timed(backbone, f) for k, f in work.items()} for _ in range(repeats)]
    backbone.model.generation_config.eos_token_id = eos
    calls = mtp.generate(backbone, oracle, start, TOKENS, temperature=0.0, eos=False).calls
    return {
        **{f"{k}_ms_per_token": 1e3 * statistics.median(r[k] for r in rounds) / TOKENS for k in work},
        "plain_over_transformers": statistics.median(r["plain"] / r["transformers"] for r in rounds),
        "oracle_speedup_over_plain": statistics.median(r["plain"] / r["oracle"] for r in rounds),
        "oracle_speedup_over_transformers": statistics.median(r["transformers"] / r["oracle"] for r in rounds),
        "oracle_tokens_per_call": TOKENS / calls,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="code", help="a shipped name, a directory or a Hub id")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    backbone = mtp.load_backbone(args.backbone, device=args.device)
    starts = prompts(backbone, args.backbone if args.backbone in ("stories", "arithmetic") else "code", 16, LENGTH)
    rows = []
    for batch in (1, 16):
        for horizon in (4, 8):
            rows.append(overhead(backbone, starts, batch, horizon, args.repeats))
            r = rows[-1]
            low, high = r["ratio_range"]
            ours, bare = f"{r['ms_per_call']:.2f} ms per call", f"bare {r['bare_ms_per_call']:.2f} ms"
            ratio = f"ratio {r['ratio_median']:.2f} ({low:.2f} to {high:.2f})"
            print(
                f"batch {batch:2d} K {horizon}: {ours}, {bare}, {ratio}; the drafter {r['drafter_ms_per_call']:.2f} ms"
            )
    fast = speed(backbone, starts[0], args.repeats)
    for key, value in fast.items():
        print(f"{key}: {value:.2f}")
    settings = dict(backbone=args.backbone, device=args.device, repeats=args.repeats, new_tokens=TOKENS)
    write(
        "loop" if args.device == "cpu" else f"loop-{args.device}",
        {"receipt": receipt(**settings), "overhead": rows, "speed": fast},
    )


if __name__ == "__main__":
    main()
