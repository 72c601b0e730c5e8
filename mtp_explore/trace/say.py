"""The sentence of a step: one backbone call in plain words.

It is caption, alternative text and live region of the player at once, and reads well in a terminal. Numbers are those
of the record: `p` the target's probability of the draft, `q` the draft's own, the coin against the chance of being kept
(rejection: min(1, p/q), Leviathan et al. 2211.17192; block: h, Sun et al. 2403.10444), or the uniform u that picks from
the target's law (match; at temperature 0 the target's first choice).
"""

from __future__ import annotations

from .glyphs import quoted
from .records import TARGET, Drafted, Step, Trace

ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
ENDS = {
    "eos": "The text ends here.",
    "length": "The length limit cut the rest.",
    "context": "The context is full.",
}


def say(trace: Trace, step: Step) -> str:
    """What `step`, one of `trace.steps`, did and why, in one to three sentences."""
    word = lambda token: quoted(trace.piece(token))  # noqa: E731
    head, cut = f"Call {step.index + 1}", len(step.tokens) <= step.accepted
    if not step.drafts:
        did = "reads the prompt" if step.pending is None else "has no drafts to check"
        parts = [f"{head} {did}; the target says {word(step.token)}{_odds(trace, step)}."]
    else:
        parts = [f"{head}: {_tally(step)}.", *_carried(trace, step)]
        if cut:
            only = "" if step.kept == step.accepted else f"Only {step.kept} of them count: "
            last = f"{word(step.tokens[-1])} is the last token of the text." if step.tokens else "nothing is left."
            parts += [only + last]
        elif step.accepted == len(step.drafts):
            parts += [f"The target adds {word(step.token)}{_odds(trace, step)}."]
        else:
            parts += [_refusal(trace, step, word)]
    if step is trace.steps[-1] and trace.finish in ENDS and (cut or trace.finish != "length"):
        parts += [ENDS[trace.finish]]
    return " ".join(parts)


def rule_of(trace: Trace) -> str:
    """ "match", "rejection" or "block": as the settings say, else as the records show."""
    rule = trace.settings.get("rule")
    if isinstance(rule, str):
        return rule
    return "match" if any(s.source == TARGET for s in trace.steps) else "rejection"


def greedy(trace: Trace) -> bool:
    """Whether the trace was decoded at temperature 0."""
    return trace.settings.get("temperature") == 0


def number(x: float) -> str:
    """A probability for reading: two decimals, more where it is small; 0 and 1 only where they are exact."""
    if x in (0, 1):
        return str(int(x))
    if x < 1e-4:
        return f"{x:.0e}"
    return f"{x:.2f}" if x >= 0.01 else f"{x:.1g}"


def against(coin: float, chance: float) -> str:
    """ "0.33 > 0.20": both numbers, with as many decimals as it takes to tell them apart."""
    sign = "<" if coin < chance else "≥" if coin == chance else ">"
    left, right = number(coin), number(chance)
    if left == right and coin != chance:
        digits = next((d for d in range(3, 9) if round(coin, d) != round(chance, d)), 9)
        left, right = f"{coin:.{digits}f}", f"{chance:.{digits}f}"
    return f"{left} {sign} {right}"


def choice(rank: int) -> str:
    """Rank 0, 1, ... as "first choice", "second choice", ..., "42nd choice"."""
    n = rank + 1
    if n <= len(ORDINALS):
        return f"{ORDINALS[rank]} choice"
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending} choice"


def standing(draft: Drafted) -> str:
    """Where the draft ranked the token that came to stand at its place; "" where there is no ranking to tell."""
    return "" if draft.rank is None else f"the draft's {choice(draft.rank)}"


def _tally(step: Step) -> str:
    n, a = len(step.drafts), step.accepted
    if n == 1:
        return "its one draft kept" if a else "its one draft not kept"
    return f"all {n} drafts kept" if a == n else f"{a or 'none'} of {n} drafts kept"


def _carried(trace: Trace, step: Step) -> list[str]:
    """Block only: drafts that lost their own toss and stay because a longer block won its own."""
    if rule_of(trace) != "block":
        return []
    places = [str(k) for k, d in enumerate(step.drafts[: step.accepted], 1) if d.coin >= d.chance]
    if not places:
        return []
    plural = "s" if len(places) > 1 else ""
    return [f"Draft{plural} {', '.join(places)} stayed because the longer block of {step.accepted} won its toss."]


def _refusal(trace: Trace, step: Step, word) -> str:
    k, d = step.accepted + 1, step.drafts[step.accepted]
    head, own = f"Draft {k} {word(d.token)}", word(step.token)
    if rule_of(trace) == "match":
        if greedy(trace):
            reason = f"the target's first choice is {own}"
        else:
            reason = f"u = {number(d.coin)} picks {own} ({number(step.p)}) from the target's law"
        rank = standing(d)
        return f"{head}: {reason}: refused{f'; {own} was {rank}' if rank else ''}."
    of_block = f" (the chance of a block of {k}; no longer one won)" if rule_of(trace) == "block" else ""
    odds = f"target {number(d.p)}, draft {number(d.q)}, coin {against(d.coin, d.chance)}{of_block}"
    rank = standing(d)
    return f"{head}: {odds}: refused; the target's own {own} {f'was {rank}' if rank else 'takes its place'}."


def _odds(trace: Trace, step: Step) -> str:
    return ", its first choice" if greedy(trace) else f", probability {number(step.p)}"
