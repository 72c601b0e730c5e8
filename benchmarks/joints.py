"""Rank against fidelity of the exact joint: how well each decomposition, and each trained drafter, can stand for it.

    python benchmarks/joints.py [--contexts 24] [--backbones stories arithmetic code] [--quick]

Contexts are the beginnings of test documents, cut after 12 to 31 tokens (seeded). For each: the exact joint of the next
three tokens on the 32 likeliest of every axis, its total correlation, the prices of EM (CP, HMM), non-negative CP, CP
and tensor trains of ranks 1 to 16, and of every shipped drafter's own belief on the same axes; of trained mixtures and
chains also what EM makes of them on this context. A drafter's law is cut to the axes too, so it is flattered by the
share that it gives to other tokens: its own mass on the axes stands beside it. Means over contexts with 95 % intervals.
Also, for one context per backbone: seconds of the joints of two tokens (all V^2) and of three (64 per axis), and how
far their marginals are from the backbone's own laws. Writes data/results/joints.json.
"""

from __future__ import annotations

import argparse
import math
import random
import time

import torch
from common import BACKBONES, prompts, receipt, shipped, write

import mtp_explore as mtp
from mtp_explore.measure.decompose import decompose
from mtp_explore.measure.fidelity import effective_rank, price, spectra, sweep, total_correlation
from mtp_explore.measure.heads import head_chain
from mtp_explore.trace.metrics import interval

SEED, TOP, RANKS, SHORTEST, LONGEST = 0, 32, (1, 2, 4, 8, 16), 12, 32
METHODS = ("em-cp", "em-hmm", "nncp-mu", "cp", "tt")
PRICES = ("kl", "tv", "negative", "token", "block", "mass")


def clock(work) -> tuple[float, object]:
    """(seconds, what `work()` returns)."""
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


@torch.inference_mode()
def timed(backbone, prompt: list[int]) -> dict:
    """Seconds of two exact joints, and the largest error of the marginal of the first two tokens."""
    two, pair = clock(lambda: mtp.exact_joint(backbone, prompt, n=2))
    three, _ = clock(lambda: mtp.exact_joint(backbone, prompt, n=3, top=64))
    own = backbone.model(torch.tensor([prompt])).logits[0, -1].double().softmax(-1)
    follow = torch.tensor([[*prompt, x] for x in range(backbone.vocabulary)])
    second = backbone.model(follow).logits[:, -1].double().softmax(-1)
    errors = (pair.marginal(1) - own).abs().max(), (pair.marginal(2) - own @ second).abs().max()
    return {"seconds_n2": two, "seconds_n3_top64": three, "marginal_errors": [float(e) for e in errors]}


def context(backbone, prompt: list[int], drafters: dict) -> list[dict]:
    """Rows of prices of one context."""
    joint = mtp.exact_joint(backbone, prompt, n=3, top=TOP)
    bonds = {name: float(effective_rank(v)[0]) for name, v in spectra([joint]).items()}
    rows = [{"method": "joint", "rank": 0, "kl": float(total_correlation(joint)), "mass": joint.mass, "bonds": bonds}]
    rows += sweep(joint, METHODS, RANKS, restarts=2, iterations=100)
    for name, drafter in drafters.items():
        belief = mtp.exact_joint(drafter, prompt, n=3, axes=joint)
        own, rank = price(joint, belief), drafter.options.get("rank", 1)
        rows.append({"method": name, "rank": rank, "mass": belief.mass} | own._asdict())
        if drafter.name in ("cp", "hmm"):
            chain = head_chain(drafter, prompt, joint)
            after = decompose(joint, f"em-{drafter.name}", len(chain.weights), 1, 100, start=chain)[0]
            better = price(joint, after)
            assert better.kl <= own.kl + 1e-9, f"{name}: EM made KL {own.kl} {better.kl}"
            rows.append({"method": f"{name}, then EM", "rank": rank} | better._asdict())
    return rows


def summary(found: list[list[dict]]) -> dict[str, dict]:
    """Per method and rank the mean of every price over contexts, [mean, half a 95 % interval]. Of two starts the better
    counts: in KL for EM, in Frobenius distance for the others. Infinite KLs are counted apart.
    """
    best: dict[tuple, list[dict]] = {}
    for rows in found:
        of_context: dict[tuple, dict] = {}
        for row in rows[1:]:
            key, by = (row["method"], row["rank"]), "kl" if row["method"].startswith("em-") else "frobenius"
            if key not in of_context or row[by] < of_context[key][by]:
                of_context[key] = row
        for key, row in of_context.items():
            best.setdefault(key, []).append(row)
    out = {}
    for (method, rank), rows in best.items():
        line = {}
        for name in PRICES:
            values = [r[name] for r in rows if math.isfinite(r.get(name, math.inf))]
            line[name] = list(interval(values)[:2])
        out[f"{method} {rank}"] = line | {"infinite_kl": sum(not math.isfinite(r["kl"]) for r in rows)}
    return out


def measure(name: str, count: int) -> dict:
    """Everything about one backbone."""
    backbone = mtp.load_backbone(name)
    draw = random.Random(SEED)
    starts = [p[: draw.randrange(SHORTEST, LONGEST)] for p in prompts(backbone, name, count, LONGEST)]
    drafters = shipped(name, backbone)
    found = [context(backbone, start, drafters) for start in starts]
    joints = [rows[0] for rows in found]
    facts = {
        "total_correlation": list(interval(j["kl"] for j in joints)[:2]),
        "mass": list(interval(j["mass"] for j in joints)[:2]),
        "effective_rank": {
            bond: {
                "mean": list(interval(j["bonds"][bond] for j in joints)[:2]),
                "most": max(j["bonds"][bond] for j in joints),
            }
            for bond in joints[0]["bonds"]
        },
    }
    return {"timing": timed(backbone, starts[0]), **facts, "prices": summary(found)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contexts", type=int, default=24)
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--quick", action="store_true", help="three contexts, and nothing is written")
    args = parser.parse_args()
    count, results = 3 if args.quick else args.contexts, {}
    for name in args.backbones:
        seconds, results[name] = clock(lambda name=name: measure(name, count))
        found = results[name]
        print(f"{name} ({seconds:.0f} s): total correlation {found['total_correlation']}, {found['timing']}")
        for key, line in found["prices"].items():
            told = "  ".join(f"{k} {line[k][0]:.3f} ± {line[k][1] or 0:.3f}" for k in PRICES if line[k][0] is not None)
            print(f"  {key:24s} {told}  ({line['infinite_kl']} infinite)", flush=True)
    if not args.quick:
        settings = dict(seed=SEED, contexts=count, top=TOP, n=3, threads=torch.get_num_threads())
        write("joints", {"receipt": receipt(**settings), "backbones": results})


if __name__ == "__main__":
    main()
