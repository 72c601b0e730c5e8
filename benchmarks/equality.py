"""Is the text the model's own? Greedy output against transformers, and `match` against ordinary decoding.

    python benchmarks/equality.py [--prompts 200] [--tokens 128] [--drafters masked-k8 ptp-k8]

For each shipped backbone: transformers' generate(do_sample=False) is run once and kept in
data/results/reference-greedy-<backbone>.json (SHA-256 per prompt, tied to the weights' own SHA-256); every drafter's
greedy output is held against it. At temperature 1, `match` is held against ordinary decoding on the same tape, and a
batch of 8 against eight single runs. A difference is listed with its margin: the gap between the two best logits, or
the distance of u (of a coin) to its edge. Writes data/results/equality.json.
"""

from __future__ import annotations

import hashlib
import time

import torch
from common import arguments, prompts, read, receipt, shipped, write

import mtp_explore as mtp
from mtp_explore.backbone.card import read_card
from mtp_explore.backbone.files import shipped_directory

SEED, LENGTH, HORIZON, BATCH = 0, 32, 8, 40
TIE = 1e-4  # greedy gaps below this are near-ties
EDGE = 1e-5  # so is a uniform this close to the edge of its bin


def digest(tokens: list[int]) -> str:
    """SHA-256 of token ids."""
    return hashlib.sha256(" ".join(map(str, tokens)).encode()).hexdigest()


@torch.inference_mode()
def greedy_by_transformers(backbone, starts: list[list[int]], tokens: int) -> list[list[int]]:
    """transformers' own greedy continuation of prompts of one length, cut after the end of text."""
    out, eos = [], backbone.eos[0]
    for first in range(0, len(starts), BATCH):
        ids = torch.tensor(starts[first : first + BATCH])
        rows = backbone.model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=tokens, pad_token_id=eos
        )
        for row in rows[:, ids.shape[1] :].tolist():
            out.append(row[: row.index(eos) + 1] if eos in row else row)
    return out


def reference(name: str, backbone, starts: list[list[int]], tokens: int, keep: bool = True) -> list[str]:
    """Digests of the greedy reference: from the file where it was made by these weights from these prompts (the code
    corpus differs between Python versions), else made now, and kept if `keep`.
    """
    known = {"sha256": read_card(shipped_directory(name, "backbone"))["sha256"], "tokens": tokens}
    kept = read(f"reference-greedy-{name}")
    texts = [digest(s) for s in starts]
    if {k: kept.get(k) for k in known} != known or kept["prompts"][: len(texts)] != texts:
        made = [digest(t) for t in greedy_by_transformers(backbone, starts, tokens)]
        kept = {**known, "prompts": texts, "digests": made}
        if keep:
            write(f"reference-greedy-{name}", kept)
    return kept["digests"][: len(texts)]


@torch.inference_mode()
def margin(backbone, prompt: list[int], one: list[int], other: list[int], uniforms=None) -> dict:
    """Where two continuations part, and how narrow the decision was there."""
    place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    logits = backbone.model(torch.tensor([prompt + one[:place]]), use_cache=False).logits[0, -1].double()
    if uniforms is None:
        best = logits.topk(2).values
        return {"place": place, "gap": float(best[0] - best[1])}
    edges = logits.softmax(-1).cumsum(-1)
    return {"place": place, "edge": float((edges - uniforms[place]).abs().min())}


def differences(backbone, starts, ours, theirs, uniforms=None) -> list[dict]:
    """One entry per row that differs."""
    rows = zip(range(len(starts)), starts, ours, theirs, strict=True)
    pairs = [(r, s, a, b) for r, s, a, b in rows if a != b]
    return [{"row": r} | margin(backbone, s, a, b, None if uniforms is None else uniforms[r]) for r, s, a, b in pairs]


def measure(name: str, count: int, tokens: int, only: list[str] | None) -> dict:
    """All checks of one backbone, or those of some drafters (ordinary decoding is always there)."""
    backbone = mtp.load_backbone(name)
    starts = prompts(backbone, name, count, LENGTH)
    wanted = reference(name, backbone, starts, tokens)
    draw = torch.Generator().manual_seed(SEED)
    uniforms = torch.rand(count, tokens + 2 * HORIZON + 1, generator=draw, dtype=torch.float64)
    drafters = {
        "plain": lambda plain: None,
        "lookup": lambda plain: mtp.make_drafter("lookup", backbone, horizon=HORIZON),
        "oracle": lambda plain: mtp.make_drafter("oracle", backbone, horizon=HORIZON, answer=plain),
    }
    drafters |= {own: lambda plain, made=made: made for own, made in shipped(name, backbone).items()}
    drafters = {k: make for k, make in drafters.items() if only is None or k in ("plain", *only)}
    results: dict = {}
    plain_greedy, plain_tape = None, None
    for label, make in drafters.items():
        greedy, tape = [], []
        for first in range(0, count, BATCH):
            part, last = starts[first : first + BATCH], min(first + BATCH, count)
            known = plain_greedy[first:last] if plain_greedy else None
            greedy += mtp.generate(backbone, make(known), part, tokens, temperature=0.0)
            known = plain_tape[first:last] if plain_tape else None
            tape += mtp.generate(backbone, make(known), part, tokens, uniforms=uniforms[first:last], rule="match")
        plain_greedy, plain_tape = plain_greedy or greedy, plain_tape or tape
        wrong = [r for r, t in enumerate(greedy) if digest(t.tokens) != wanted[r]]
        theirs = greedy_by_transformers(backbone, [starts[r] for r in wrong], tokens) if wrong else []
        ours = [greedy[r].tokens for r in wrong]
        singles = [
            mtp.generate(backbone, make(plain_tape[r]), starts[r], tokens, uniforms=uniforms[r : r + 1], rule="match")
            for r in range(8)
        ]
        results[label] = {
            "greedy differs from transformers": differences(backbone, [starts[r] for r in wrong], ours, theirs),
            "match differs from ordinary decoding": differences(
                backbone, starts, [t.tokens for t in tape], [t.tokens for t in plain_tape], uniforms
            ),
            "batch differs from single runs": differences(
                backbone, starts[:8], [t.tokens for t in tape[:8]], [t.tokens for t in singles], uniforms
            ),
        }
    return results


def main() -> None:
    args = arguments(__doc__)
    results = read("equality").get("backbones", {})
    real = 0
    for name in args.backbones:
        clock = time.perf_counter()
        found = measure(name, args.prompts, args.tokens, args.drafters)
        results[name] = {**results.get(name, {}), **found} if args.drafters else found
        print(f"{name} ({time.perf_counter() - clock:.0f} s)")
        for label, checks in results[name].items():
            for what, found in checks.items():
                bad = [d for d in found if d.get("gap", 0) > TIE or d.get("edge", 0) > EDGE]
                real += len(bad)
                print(f"  {label:12s} {what}: {len(found)} rows, {len(bad)} beyond a near-tie {found or ''}")
        settings = dict(seed=SEED, prompts=args.prompts, prompt_tokens=LENGTH, new_tokens=args.tokens, horizon=HORIZON)
        write("equality", {"receipt": receipt(**settings), "near_tie": TIE, "edge": EDGE, "backbones": results})
    raise SystemExit(f"{real} real differences" if real else 0)


if __name__ == "__main__":
    main()
