"""Traces built by hand for the tests: the numbers obey the rule they claim, and the committed text is the script.

`make_trace(words, rule=...)` walks along `words`. At every place the draft either says the next word (and its coin lies
below its chance) or another one (and its coin lies above), so the text is known while p, q and coins vary with `seed`.
"""

from __future__ import annotations

import random

from mtp_explore.trace.records import Drafted, Step, Trace

FOX = (
    "Once there was a quiet fox who lived near the harbour . One morning Mia came by with a basket of pears , and the"
    " fox , who had never seen a pear , asked her for one . She gave him two . Since that day the fox waits for Mia at"
    " the harbour every morning ."
).split()
OTHERS = "evening old little river slept near then but under cat blue ship".split()
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    " </script><script>alert(2)</script>",
    "\x00\x07\x1b[31mred\x1b[0m",
    "\u202eright to left\u202c",
    " שלום",
    "⟨F0 9F⟩",
    "⟨98 80⟩",
    "\r\n\t",
    " ' \" & ` ${alert(3)} %3Cb%3E",
    "<!--",
    "\ud83d",
    "\u0301\u2028",
    "javascript:alert(4)",
    " constructor",
    "</style><svg onload=alert(5)>",
    "]]>-->",
    "__proto__",
    "   ",
]


def make_trace(words=FOX, rule="rejection", horizon=7, hit=0.75, seed=0, limit=None, **settings) -> Trace:
    """A trace whose text is `words`, drafted `horizon` ahead with about `hit` of the drafts right."""
    rng = random.Random(seed)
    greedy = settings.get("temperature") == 0
    pieces = [w if w in ".,;" or not i else " " + w for i, w in enumerate(words)] if words is FOX else list(words)
    vocabulary = list(dict.fromkeys(pieces + [" " + w for w in OTHERS]))
    ids = {w: i for i, w in enumerate(vocabulary)}
    target = [ids[w] for w in pieces][:limit]
    others = [ids[" " + w] for w in OTHERS]

    def law(entries: dict[int, float]) -> list[tuple[int, float]]:
        entries = dict(entries)
        left = 1 - sum(entries.values())
        for other in rng.sample([o for o in others if o not in entries], 4):
            left *= 0.4
            entries[other] = left
        return sorted(entries.items(), key=lambda pair: -pair[1])[:5]

    def plain(at: int, source: str) -> dict:
        p_top = [(target[at], 1.0)] if greedy else law({target[at]: rng.uniform(0.35, 0.95)})
        return dict(token=target[at], source=source, u=rng.random(), p=dict(p_top)[target[at]], p_top=p_top)

    steps = [Step(index=0, pending=None, drafts=[], accepted=0, tokens=target[:1], seconds=0.004, **plain(0, "plain"))]
    at = 1
    while at < len(target):
        drafts, accepted = [], 0
        n = min(horizon, len(target) - at)
        right = next((k for k in range(n) if rng.random() > hit), n)
        for k in range(n):
            drafts.append(_draft(rule, k, right, target, at, others, law, rng, greedy))
        accepted = right
        full = accepted == n and at + n >= len(target)
        tokens = target[at : at + accepted + 1]
        source = "bonus" if accepted == n else "target" if rule == "match" else "residual"
        after = plain(min(at + accepted, len(target) - 1), source)
        if accepted < n:
            fallen = drafts[accepted]
            after |= dict(p_top=fallen.p_top, p=dict(fallen.p_top)[after["token"]])
            if source == "target":
                after["u"] = fallen.coin
            else:
                after["residual_top"] = law({after["token"]: 0.8})
        belief = {"weights": [round(rng.random() / 4, 4) for _ in range(8)], "place": at}
        steps.append(
            Step(
                index=len(steps),
                pending=target[at - 1],
                drafts=drafts,
                accepted=accepted,
                tokens=tokens,
                belief=belief,
                seconds=0.005,
                draft_seconds=0.001,
                **after,
            )
        )
        at += accepted + 1
        if full:
            break
    settings = dict(drafter="stories/cp-r8", rule=rule, horizon=horizon, temperature=1.0, seed=seed) | settings
    text = "".join(vocabulary[t] for t in target)
    return Trace([0], steps, "A story:", text, dict(enumerate(vocabulary)), settings, "length", 0.1)


def _draft(rule, k, right, target, at, others, law, rng, greedy) -> Drafted:
    own, good = target[at + k], k < right
    token = own if good or k > right else rng.choice([o for o in others if o != own])
    verdict = "kept" if good else "refused" if k == right else "ignored"
    if k > right and rng.random() < 0.7:
        token = rng.choice(others)
    q = rng.uniform(0.2, 0.95)
    p = min(q * (rng.uniform(0.6, 1.6) if good else rng.uniform(0.02, 0.7)), 0.98)
    if greedy:
        q, p = 1.0, float(good)
    chance = p if rule == "match" else min(1.0, p / q)
    if rule == "match":
        coin = 0.5 if greedy else rng.random()
    else:
        coin = rng.uniform(0, chance) if good else rng.uniform(chance, 1)
    p_top = law({own: 0.8 * (1 - p), token: p})
    q_top = law({own: rng.choice([0.1, 0.6]) * (1 - q), token: q})
    if greedy:
        p_top, q_top = [(own, 1.0)], [(token, 1.0)]
    if rule == "block" and good and k + 1 < right and rng.random() < 0.3:
        chance, coin = 0.4, 0.7  # lost its own toss, carried by the longer block
    order = [t for t, _ in q_top]
    rank = None if verdict == "ignored" else order.index(own) if own in order else 11
    return Drafted(token, q, p, chance, coin, verdict, rank, p_top, q_top)


def hostile_trace() -> Trace:
    """Every nasty piece as a committed token, and as a belief's name and words."""
    trace = make_trace(HOSTILE, horizon=4, hit=0.7, seed=3)
    trace.settings["drafter"] = trace.prompt_text = HOSTILE[0]
    trace.steps[1].belief = {HOSTILE[0]: HOSTILE[1], "__proto__": [0.5, 0.25], "deep": [[0.1, 0.9], [0.4, 0.6]]}
    return trace


def worst_trace() -> Trace:
    """64 tokens, eight drafts a call, hardly anything accepted."""
    words = [f" token{i:02d}" for i in range(64)]
    trace = make_trace(words, horizon=8, hit=0.05, seed=1)
    for step in trace.steps:
        step.belief = {"weights": [0.12345678] * 64}
    return trace
