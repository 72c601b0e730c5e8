"""What rank 8 costs beside rank 1: a training step's time and memory, and a decoding call's time.

    python benchmarks/cost.py [--device cpu] [--states 1024] [--repeats 9] [--backbones stories arithmetic code]

Training: CP with n = 4 on the same frozen states of width 512, V = 1,024 and 32,000 (random weights: the work is the
same). Two counts of floating-point operations stand beside the time: "spelled out", every component's logits by its own
product with the unembedding, forward and back, as the papers' formula has it (rank 8: 8 times as many); and "made",
those that `tensors/components.py` needs. "Bare" is the time of the matrix products that are made, of the same shapes
and with nothing between them. Memory: the peak of one process per case that holds unembedding, states, drafter and
optimiser, above what it holds before them. Ratios are medians over rounds in which both ranks take turns. Decoding:
seconds per call on shipped backbones, T = 1. Writes data/results/cost.json (cost-cuda.json for CUDA).
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from common import BACKBONES, prompts, receipt, write
from transformers import LlamaConfig, LlamaForCausalLM

import mtp_explore as mtp
from mtp_explore.backbone.load import Backbone
from mtp_explore.tensors import components
from mtp_explore.tensors.logprob import ROOMY
from mtp_explore.train.features import Batch
from mtp_explore.train.fit import train_step

WIDTH, HORIZON, HEAD_RANK, RANKS, SIZES = 512, 3, 16, (1, 8), (1024, 32_000)
AIMS = {"time over spelled-out operations": 1.1, "memory": 1.3, "of bare products": 0.5, "decoding": 1.5}


def synthetic(size: int, device: str) -> Backbone:
    """A random backbone of the width and vocabulary asked for, with next to no trunk."""
    torch.manual_seed(0)
    shape = dict(hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=1, num_attention_heads=8)
    config = LlamaConfig(vocab_size=size, max_position_embeddings=64, tie_word_embeddings=True, **shape)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    return Backbone(LlamaForCausalLM(config).to(device, dtype))


def problem(backbone: Backbone, count: int) -> Batch:
    """Random states and tokens."""
    draw = torch.Generator().manual_seed(0)
    future = torch.randint(0, backbone.vocabulary, (count, HORIZON + 1), generator=draw)
    return Batch(torch.randn(count, WIDTH, generator=draw).to(backbone.device), future.to(backbone.device), None)


def stepper(backbone: Backbone, batch: Batch, rank: int):
    """A function that takes one training step, as `fit` does: weights in float32."""
    drafter = mtp.make_drafter("cp", backbone, rank=rank, horizon=HORIZON, head_rank=HEAD_RANK).float()
    optimizer = torch.optim.AdamW(drafter.parameters(), weight_decay=0.0)
    return lambda: train_step(drafter, optimizer, batch, 1e-3)


def products(backbone: Backbone, batch: Batch, rank: int):
    """A function that makes the matrix products of a step, of the same shapes, and nothing else."""
    count, size, n = len(batch.hidden), backbone.vocabulary, HORIZON + 1
    weight = backbone.unembedding.weight
    budget = components.CACHED if weight.device.type == "cpu" else ROOMY
    width = min(size, max(components.NARROW, budget // count))
    group = min(rank, max(1, budget // (count * width)))
    hidden = batch.hidden.to(weight.dtype)
    code, up = hidden.new_ones(group, count, HEAD_RANK), hidden.new_ones(n * rank * HEAD_RANK, WIDTH)
    flow = hidden.new_ones(group, count, width)

    def work():
        (hidden @ up.mT).mT @ hidden  # codes, and the gradient of what makes them
        for first in range(0, size, width):
            part = weight[first : first + width]
            for again in (False, True):
                hidden @ part.mT
                own = (up @ part.mT).view(n, rank, HEAD_RANK, -1)
                for i in range(n):
                    for a in range(0, rank, group):
                        some = own[i, a : a + group]
                        torch.bmm(code[: len(some)], some)
                        if again:
                            torch.bmm(flow[: len(some), :, : len(part)], some.mT)
                            torch.bmm(code[: len(some)].mT, flow[: len(some), :, : len(part)])
            own.flatten(0, 2) @ part

    return work


def operations(count: int, size: int, rank: int) -> tuple[int, int]:
    """Floating-point operations of a step on a frozen unembedding: (spelled out, made)."""
    parts = (HORIZON + 1) * rank
    spelled = 4 * count * parts * WIDTH * size
    made = 4 * count * WIDTH * size + 8 * count * parts * HEAD_RANK * size  # with U, and within the components
    made += (6 * size + 4 * count) * parts * HEAD_RANK * WIDTH  # B U^T twice and its gradient; codes and theirs
    return spelled, made


def seconds(work, device: str) -> float:
    """Seconds of `work()`, the device's queue emptied before and after."""
    if device != "cpu":
        torch.cuda.synchronize()
    clock = time.perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - clock


def training(size: int, count: int, device: str, repeats: int) -> dict:
    """Times, operations and memory of both ranks at one size of the vocabulary."""
    backbone = synthetic(size, device)
    batch = problem(backbone, count)
    work = {
        (r, kind): make(backbone, batch, r) for r in RANKS for kind, make in (("step", stepper), ("bare", products))
    }
    rounds = [{key: seconds(f, device) for key, f in work.items()} for _ in range(repeats + 1)][1:]
    low, high = RANKS
    made = {r: operations(count, size, r) for r in RANKS}
    peak = {r: peak_of(r, size, count, device) for r in RANKS}
    middle = {key: statistics.median(row[key] for row in rounds) for key in work}
    return {
        "vocabulary": size,
        "states": count,
        "ms_per_step": {r: 1e3 * middle[r, "step"] for r in RANKS},
        "time_ratio": statistics.median(row[high, "step"] / row[low, "step"] for row in rounds),
        "operations_ratio_spelled_out": made[high][0] / made[low][0],
        "operations_ratio_made": made[high][1] / made[low][1],
        "share_of_bare_products": {
            r: statistics.median(row[r, "bare"] / row[r, "step"] for row in rounds) for r in RANKS
        },
        "gflops_spelled_out": {r: made[r][0] / middle[r, "step"] / 1e9 for r in RANKS},
        "gflops_made": {r: made[r][1] / middle[r, "step"] / 1e9 for r in RANKS},
        "peak_mb": {r: peak[r] / 1e6 for r in RANKS},
        "memory_ratio": peak[high] / peak[low],
        "all_logits_would_be_mb": {r: 4e-6 * count * (HORIZON + 1) * r * size for r in RANKS},
    }


def peak_of(rank: int, size: int, count: int, device: str) -> int:
    """Bytes at the peak of two training steps, in a process of their own."""
    command = [sys.executable, __file__, "--peak", str(rank), str(size), str(count), "--device", device]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure_peak(rank: int, size: int, count: int, device: str) -> int:
    """Bytes that backbone, states, drafter and two steps add to a warm process, at their peak."""
    small = synthetic(64, device)
    stepper(small, problem(small, 64), 1)()
    del small
    gc.collect()
    before = resident(reset=True) if device == "cpu" else torch.cuda.memory_allocated()
    backbone = synthetic(size, device)
    step = stepper(backbone, problem(backbone, count), rank)
    resident(reset=True) if device == "cpu" else torch.cuda.reset_peak_memory_stats()  # not what making them took
    step(), step()
    return (resident() if device == "cpu" else torch.cuda.max_memory_allocated()) - before


def resident(reset: bool = False) -> int:
    """Peak resident bytes of this process; `reset`: those of this moment, from which the peak is counted anew where
    the system (Linux) can do so.
    """
    status, switch = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if reset and switch.exists():
        switch.write_text("5")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return 1024 * int(lines["VmHWM"].split()[0])


def call_seconds(backbone: Backbone, name: str, ranks, horizon: int, tokens: int, rounds: int = 5) -> dict:
    """{rank: [milliseconds per call, ratio to the first rank]} of decoding one text, the ranks in turn within every
    round; the heads are untrained (the work is the same).
    """
    start = prompts(backbone, name, 1, 32)[0]
    drafters = {r: mtp.make_drafter("cp", backbone, rank=r, horizon=horizon) for r in ranks}
    took = {r: [] for r in ranks}
    for _ in range(rounds + 1):
        for r, drafter in drafters.items():
            clock = time.perf_counter()
            made = mtp.sample(backbone, drafter, start, tokens, temperature=1.0, eos=False)
            took[r].append(1e3 * (time.perf_counter() - clock) / made.calls)
    first = took[ranks[0]]
    ratios = {r: statistics.median(a / b for a, b in zip(t[1:], first[1:], strict=True)) for r, t in took.items()}
    return {r: [statistics.median(took[r][1:]), ratios[r]] for r in ranks}


def report(row: dict) -> str:
    """One size of the vocabulary in words."""
    low, high = RANKS
    ms, share, peak = row["ms_per_step"], row["share_of_bare_products"], row["peak_mb"]
    time_ = f"{ms[low]:.1f} -> {ms[high]:.1f} ms per step, ratio {row['time_ratio']:.2f}"
    counts = f"{row['operations_ratio_spelled_out']:.2f} spelled out, {row['operations_ratio_made']:.2f} made"
    bare = f"{share[low]:.2f} and {share[high]:.2f} of the bare products' throughput"
    memory = f"{peak[low]:.0f} -> {peak[high]:.0f} MB, ratio {row['memory_ratio']:.2f}"
    return f"V = {row['vocabulary']}: {time_} (operations {counts}); {bare}; peak {memory}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--states", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--backbones", nargs="*", default=BACKBONES)
    parser.add_argument("--peak", nargs=3, type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak:
        return print(measure_peak(*args.peak, args.device))
    rows = [training(size, args.states, args.device, args.repeats) for size in SIZES]
    print(*map(report, rows), sep="\n")
    decoding = {}
    for name in args.backbones:
        backbone = mtp.load_backbone(name, device=args.device)
        decoding[name] = call_seconds(backbone, name, RANKS, HORIZON, args.tokens, args.repeats)
        ms, ratio = zip(*decoding[name].values(), strict=True)
        print(f"{name}: {ms[0]:.2f} -> {ms[1]:.2f} ms per call, ratio {ratio[1]:.2f}")
    print("aims:", json.dumps(AIMS))
    settings = dict(width=WIDTH, horizon=HORIZON, head_rank=HEAD_RANK, device=args.device, repeats=args.repeats)
    facts = {"receipt": receipt(**settings), "aims": AIMS, "training": rows, "decoding": decoding}
    write("cost" if args.device == "cpu" else f"cost-{args.device}", facts)


if __name__ == "__main__":
    main()
