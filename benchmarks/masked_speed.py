"""Throughput for `masked.py`: the cheap form of training beside the plain one over n(K+1) rows; the price of a call.

Same windows, mask rows and losses, the gate on the mask rows in both (`plain_rows`), so only the way differs; all
places of a window as anchors, or some of them. Ratios are medians over rounds in which the forms take turns; on a CPU
seconds are the process' own. "frozen" is one forward pass over the text alone, without masks and gradients. Memory is
the peak of a process of its own for each case, above what it holds before the first step.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from common import prompts
from cost import resident
from masked_plan import CORPUS, EVERY, K, Run, Sizes
from masked_train import fresh

import mtp_explore as mtp
from mtp_explore.backbone.blocks import freeze
from mtp_explore.measure.masks import call_seconds
from mtp_explore.train.features import futures
from mtp_explore.train.fit import train_step
from mtp_explore.train.texts import TextBatch, Texts

AIMS = {128: 1.3, 256: 1.7, 512: 2.3}  # cheap over plain, all anchors, on a CPU
FORMS = ("cheap", "gated")
PROMPT = 128  # tokens before the calls that are timed


def problem(target, length: int, anchors: int, sizes: Sizes) -> TextBatch:
    """A batch of the train split: the recipe's anchors per step, or one window with all places."""
    count = max(1, sizes.batch // anchors) if anchors else 1
    text = mtp.load_corpus(CORPUS).tokens("train", target.tokenizer, limit=count * (length + 1))
    windows = text.view(count, length + 1).to(target.device)
    places = length - K
    held = Texts(windows, futures(windows, K, target.eos), min(anchors or places, places))
    return held.batch(0, count * held.anchors, 0)


def stepper(target, batch: TextBatch, form: str, sizes: Sizes) -> Callable[[], object]:
    """A function that takes one training step in a form; "frozen": the forward pass alone."""
    if form == "frozen":
        return lambda: freeze(target, batch.text)
    drafter, optimizer = fresh(Run(form=form), sizes, target)
    return lambda: train_step(drafter, optimizer, batch, 1e-4, sizes.precision)


def seconds(work: Callable[[], object], device: str) -> float:
    """Seconds of `work()`: of the process on a CPU, else of the clock with the device's queue empty."""
    if device == "cpu":
        clock = time.process_time()
        work()
        return time.process_time() - clock
    torch.cuda.synchronize()
    clock = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - clock


def training(target, length: int, anchors: int, sizes: Sizes, device: str) -> dict:
    """Throughput and memory of both forms at one length of the windows."""
    batch = problem(target, length, anchors, sizes)
    jobs = {form: stepper(target, batch, form, sizes) for form in (*FORMS, "frozen")}
    rounds = [{form: seconds(job, device) for form, job in jobs.items()} for _ in range(sizes.repeats + 1)][1:]
    rows, middle = batch.size * K, {form: statistics.median(r[form] for r in rounds) for form in jobs}
    peak = {form: peak_of(form, length, anchors, sizes, device) for form in jobs}
    return {
        "length": length,
        "anchors": anchors or "all",
        "windows": len(batch.text),
        "mask_rows": rows,
        "seconds_per_step": {form: round(s, 5) for form, s in middle.items()},
        "mask_rows_per_second": {form: round(rows / middle[form], 1) for form in FORMS},
        "text_tokens_per_second": {form: round(batch.text.numel() / s, 1) for form, s in middle.items()},
        "cheap_over_plain": statistics.median(r["gated"] / r["cheap"] for r in rounds),
        "peak_mb": {form: round(p / 1e6, 1) for form, p in peak.items()},
    }


def peak_of(form: str, length: int, anchors: int, sizes: Sizes, device: str) -> int:
    """Bytes at the peak of two steps, in a process of their own."""
    script = Path(__file__).with_name("masked.py")
    options = [form, str(length), str(anchors), str(sizes.batch), str(sizes.rank), sizes.precision]
    command = [sys.executable, str(script), "--peak", json.dumps(options), "--device", device]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def measure_peak(options: str, device: str) -> int:
    """Bytes that two steps add to a process that has its backbone and drafter and has taken a small step."""
    form, length, anchors, batch, rank, precision = json.loads(options)
    sizes = Sizes(batch=int(batch), rank=int(rank), precision=precision)
    target = mtp.load_backbone(CORPUS, device=device)
    stepper(target, problem(target, 32, 8, Sizes(batch=8)), form, sizes)()
    step = stepper(target, problem(target, int(length), int(anchors), sizes), form, sizes)
    gc.collect()
    if device == "cpu":
        before = resident(reset=True)
    else:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    step(), step()
    return (resident() if device == "cpu" else torch.cuda.max_memory_allocated()) - before


def calls(target, sizes: Sizes) -> dict[str, float]:
    """Seconds of one call behind a prompt: one token; K drafts with 0, K and K (K + 1) slot rows."""
    from mtp_explore.decode.plan import no_slots

    drafter, _ = fresh(Run(), sizes, target)
    plans = {"one token": None, "0 slots": no_slots, f"{K} slots": "linear", f"{K * (K + 1)} slots": "quadratic"}
    return call_seconds(drafter.eval(), prompts(target, CORPUS, 1, PROMPT)[0], plans, 12 * sizes.repeats)


def speed(sizes: Sizes, device: str) -> dict:
    """All of it, on one device."""
    target = mtp.load_backbone(CORPUS, device=device)
    cases = [(length, anchors) for anchors in (EVERY, sizes.anchors) for length in sizes.lengths]
    return {
        "aims": AIMS,
        "training": [training(target, length, anchors, sizes, device) for length, anchors in cases],
        "seconds_per_call": calls(target, sizes),
    }
