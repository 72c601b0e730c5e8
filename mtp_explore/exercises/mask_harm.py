"""Notebook 06: what gated adapters leave alone, what the same adapters do to the model when every row gets them, and
what a call costs.

Rows of a call: main rows (the text) before `first`, masks from there on. Gate states: "off" no adapter, "on masks" the
gate of decoding, "on all rows" plain LoRA.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from ..plots.price import Rounds
from ..trace.metrics import Table
from .close import Span, boxes, fixed, leaders
from .guessing import Guess, guess
from .waiting import watched

OFF, MASKS, ALL = "off", "on masks", "on all rows"
ORDINARY = "ordinary decoding"


def gates(drafter, first: int) -> dict:
    """{state: the gate of one call whose main rows end before `first`}."""
    return {OFF: None, MASKS: drafter.gate(first), ALL: drafter.gate(0)}


def shaken(drafter, size: float = 0.1, seed: int = 0):
    """The drafter's adapters as they would be after a wild training: every weight random. Changes the drafter."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    for weight in drafter.lora.parameters():
        weight.data.copy_(torch.randn(weight.shape, generator=draw) * size)
    return drafter


def call(drafter, tokens, gate: str):
    """Logits [B, T, V] of all T main rows of texts [B, T], and states [B, T+K, D], of one call with K masks behind."""
    import torch

    from ..backbone.layout import layout
    from ..contract import Slots

    backbone, (batch, size) = drafter.backbone, tokens.shape
    index = torch.arange(drafter.horizon, device=tokens.device).expand(batch, -1)
    slots, none = Slots(torch.zeros_like(index), index + drafter.first_slot), tokens.new_zeros(batch)
    window = torch.zeros(batch, drafter.horizon + 1, drafter.horizon + 1, device=tokens.device)
    with torch.no_grad():
        embeds = torch.cat([backbone.embed(tokens), drafter.embed(slots, window).to(backbone.dtype)], 1)
        made = layout(none, 0, size, none + size - 1, slots, backbone.context)
        keep = torch.arange(size, device=tokens.device).expand(batch, -1)
        return backbone.call(embeds, made, backbone.cache(size + drafter.horizon), keep, gates(drafter, size)[gate])


def unharmed(drafter, prompt: str) -> Table:
    """One call three times, with the gate in its three states: are the main rows bit-equal to the untouched model's?"""
    import torch

    tokens = torch.tensor(drafter.backbone.encode(prompt), device=drafter.backbone.device)
    size, found = tokens.shape[1], {state: call(drafter, tokens, state) for state in (OFF, MASKS, ALL)}
    rows = []
    for state, (logits, hidden) in found.items():
        equal = torch.equal(logits, found[OFF][0]) and torch.equal(hidden[:, :size], found[OFF][1][:, :size])
        apart = [(x - y).abs().max().item() for x, y in ((logits, found[OFF][0]), (hidden, found[OFF][1]))]
        rows.append((state, str(equal), f"{apart[0]:.3g}", f"{(hidden - found[OFF][1])[:, size:].abs().max():.3g}"))
    columns = ("adapters", "torch.equal", "main rows: logits apart by", "mask rows: states apart by")
    return Table(columns, rows, [f"adapters {row[0]}, against adapters off, largest difference" for row in rows])


def next_token_loss(drafter, text, gate: str) -> float:
    """Mean -log p of the next tokens of a `Text`, nats, under the main rows of a call with masks behind."""
    from ..tensors.logprob import target_logprob

    _, hidden = call(drafter, text.tokens, gate)
    target = text.future[:, :, 0]
    real = target >= 0
    states = hidden[:, : target.shape[1]][real]
    return float(-target_logprob(states, target[real], drafter.backbone.unembedding).mean())


def harm(drafters: Mapping, text) -> dict[str, float]:
    """{"<name>, adapters <state>": next-token loss}: the untouched model once, then every drafter's gate on masks and
    on all rows.
    """
    first = next(iter(drafters.values()))
    found = {"untouched model": next_token_loss(first, text, OFF)}
    for name, drafter in drafters.items():
        found |= {f"{name}, {state}": next_token_loss(drafter, text, state) for state in (MASKS, ALL)}
    return found


def texts_under(drafter, prompt: str, max_new_tokens: int = 48) -> dict:
    """{what is done: greedy `Trace`}: ordinary decoding, decoding with masks, and ordinary decoding while the adapters
    act on all rows.
    """
    from ..decode.generate import generate

    backbone, options = drafter.backbone, dict(temperature=0, eos=False)
    found = {"ordinary decoding": generate(backbone, None, prompt, max_new_tokens, **options)}
    found["with masks, gated"] = generate(backbone, drafter, prompt, max_new_tokens, **options)
    with drafter.gate(0):
        found["adapters on all rows"] = generate(backbone, None, prompt, max_new_tokens, **options)
    return found


def guess_main_rows(drafter, prompt: str) -> Guess:
    """By how much do the main rows change when the gate opens on the masks?"""
    row = next(row for row in unharmed(drafter, prompt) if row[0] == MASKS)
    names = ["by nothing, bit for bit", "in the last digits", "visibly"]
    answer = names[0] if row[1] == "True" else names[1] if float(row[2]) < 1e-3 else names[2]
    why = f"The largest difference of any logit is {row[2]}, while the masks' own states move by up to {row[3]}."
    return guess("The gate opens on the masks. By how much do the main rows' logits change?", names, answer, why)


def guess_harm(losses: Mapping[str, float]) -> Guess:
    """What becomes of the next-token loss when the last drafter's adapters act on all rows? `losses` of `harm`."""
    before, after = losses["untouched model"], list(losses.values())[-1]
    names = ["it hardly moves", "it grows, by less than half", "it grows to twice or less", "it grows beyond twice"]
    answer = boxes(names, [1.05, 1.5, 2.0], after / before, fixed)
    why = f"From {before:.2f} to {after:.2f} nats per token."
    return guess("The same adapters on every row, as plain LoRA has it. The next-token loss:", names, answer, why)


def price(drafter, prompt: str) -> dict[str, float]:
    """{what a call behind a prompt holds: milliseconds}: one token; K drafts and 0, K or K (K + 1) masks."""
    from ..decode.plan import no_slots
    from ..measure.masks import call_seconds

    k = drafter.horizon
    plans = {"one token": None, f"{k} drafts, no masks": no_slots, f"{k} drafts, {k} masks": "linear"}
    plans |= {f"{k} drafts, {k * (k + 1)} masks": "quadratic"}
    seconds = call_seconds(drafter, drafter.backbone.encode(prompt)[0], plans)
    return {name: 1000 * s for name, s in seconds.items()}


def paid(drafters: Mapping, prompts: list[str], tokens: int = 24, rounds: int = 5) -> dict[str, Rounds]:
    """{name: (seconds per call as multiples of ordinary decoding's in the same round, tokens per call)}, medians of
    several rounds; greedy, one prompt at a time.

    drafters: {name: (drafter, plan)}. Whole steps are timed, drafting and the sampler's turns included. Every prompt
    runs under all of them in turn, so that a machine that is busy for a while is busy for all.
    """
    ways = {ORDINARY: (None, None), **drafters}
    backbone = next(iter(drafters.values()))[0].backbone
    once(backbone, ways, prompts[:1], 4)
    runs = [once(backbone, ways, prompts, tokens) for _ in watched(range(rounds), "round")]
    cost = lambda run, name: run[name][0] / run[ORDINARY][0]  # noqa: E731
    return {name: Rounds([(cost(run, name), run[name][1]) for run in runs]) for name in ways}


def once(backbone, ways: Mapping, prompts: list[str], tokens: int) -> dict[str, tuple[float, float]]:
    """{name: (seconds per call, tokens per call)} of one round."""
    import time

    from ..decode.generate import sample

    calls, clock, new = ({name: 0 for name in ways} for _ in range(3))
    for prompt in prompts:
        for name, (drafter, plan) in ways.items():
            start = time.perf_counter()
            out = sample(backbone, drafter, prompt, tokens, temperature=0, plan=plan, eos=False)
            clock[name] += time.perf_counter() - start
            calls[name] += out.calls
            new[name] += int(out.length[0])
    return {name: (clock[name] / calls[name], new[name] / calls[name]) for name in ways}


def guess_paid(points: Mapping[str, tuple[float, float]]) -> Guess:
    """Who is fastest in seconds? `points` of `paid`, or one (cost, gain) per name where it is known for sure.

    Of several rounds the median is graded, and whoever their ranges do not tell from the fastest counts as fastest too.
    """
    spans = {}
    for name, point in points.items():
        speeds = [gain / cost for cost, gain in getattr(point, "rounds", [point])]
        spans[name] = Span(min(speeds), median(speeds), max(speeds))
    said = lambda one: f"{one.value:.2f}" + (f" ({one.low:.2f} to {one.high:.2f})" if one.low < one.high else "")  # noqa: E731
    speeds = ", ".join(f"{name} {said(one)}" for name, one in spans.items() if name != ORDINARY)
    rounds = max(len(getattr(point, "rounds", [point])) for point in points.values())
    why = f"Times as fast as ordinary decoding: {speeds}." + f" Medians of {rounds} rounds (and range)." * (rounds > 1)
    question = "Tokens per second, on this machine, with this small model: who is fastest?"
    return guess(question, list(points), leaders(spans), why)
