"""Record the generations that ship in data/traces, so that the first notebook speaks before any model is loaded.

    python benchmarks/record_traces.py [--backbones stories arithmetic code] [--out data/traces]

Per backbone, after one held-out prompt: the independent heads at temperature 1 under `rejection`, the same with laws
cut to five tokens (so that a trace holds them whole), the same greedy, and lookup at temperature 1 (under `match`, its
default). 64 tokens, K = 8, fixed seeds: the same models give the same files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from common import BACKBONES, prompts

import mtp_explore as mtp
from mtp_explore.backbone.files import replace

TOKENS, LENGTH, HORIZON, SEED = 64, 24, 8, 0
PLACE = {"stories": 0, "arithmetic": 0, "code": 2}  # which of the first test documents is continued
KINDS = {
    "independent-t1": ("independent", dict(temperature=1.0, rule="rejection")),
    "independent-top5": ("independent", dict(temperature=1.0, top_k=5, rule="rejection")),
    "independent-greedy": ("independent", dict(temperature=0.0)),
    "lookup-t1": ("lookup", dict(temperature=1.0)),
}


def record(name: str, out: Path) -> None:
    """The traces of one backbone."""
    backbone = mtp.load_backbone(name)
    drafters = {
        "independent": mtp.load_drafter(f"{name}/independent", backbone),
        "lookup": mtp.make_drafter("lookup", backbone, horizon=HORIZON),
    }
    prompt = prompts(backbone, name, PLACE[name] + 1, LENGTH)[-1]
    for kind, (drafter, options) in KINDS.items():
        trace = mtp.generate(backbone, drafters[drafter], prompt, TOKENS, seed=SEED, **options)
        path = out / f"{name}-{kind}.json"
        replace(path, lambda file, trace=trace: Path(file).write_text(trace.to_json() + "\n", encoding="utf-8"))
        calls = f"{len(trace.tokens)} tokens in {trace.calls} calls"
        print(f"{path.name:34s} {path.stat().st_size / 1000:4.0f} kB  {calls}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "data" / "traces")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.backbones:
        record(name, args.out)


if __name__ == "__main__":
    main()
