"""Notebook 00: checks of the first exercises."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

from ..checks import refusal
from ..trace.glyphs import visible
from ..trace.metrics import Interval, Table, table
from ..trace.records import Drafted, Step, Trace
from . import answers
from .check import Check, blank, grade
from .close import around, leaders
from .guessing import Guess, guess

RATES = (
    "draft_acceptance_rate", "tested_acceptance_rate", "per_position_rate", "conditional_rate",
    "mean_acceptance_length", "tokens_per_call",
)  # fmt: skip
RECORDED = {"temperature 1": "independent T=1 rejection", "temperature 0": "independent greedy match"}
CASES = [  # drafts, the target's own tokens at the same places and one more
    ([4, 8, 15], [4, 8, 15, 16]),
    ([4, 8, 15], [4, 9, 15, 16]),
    ([4, 8, 15], [5, 8, 15, 16]),
    ([7, 7, 7, 7], [7, 7, 3, 7, 7]),
    ([], [9]),
    ([1], [1, 1]),
]


def rates(trace: Trace) -> Table:
    """The rows of `trace.metrics.table` that people call acceptance rate or length, on this run."""
    whole = table(trace)
    kept = [(row, hint) for row, hint in zip(whole.rows, whole.hints, strict=True) if row[0] in RATES]
    return Table(whole.columns, *map(list, zip(*kept, strict=True)))


def guess_temperature(corpus: str = "stories") -> Guess:
    """At which temperature do the trained heads bring more tokens per call? By the recorded means over many prompts;
    ValueError where nothing is recorded for that corpus.
    """
    from ..backbone.files import data_directory

    path = data_directory() / "results" / "tokens_per_call.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(corpus, str) or corpus not in facts["backbones"]:
        raise ValueError(refusal("corpus", corpus, f"recorded are {', '.join(facts['backbones'])}"))
    prompts, rows = facts["receipt"]["prompts"], facts["backbones"][corpus]
    means = {
        name: Interval(rows[run]["tokens_per_call_mean"], rows[run]["half_width_95"], prompts)
        for name, run in RECORDED.items()
    }
    why = (
        "; ".join(f"{name}: {mean} tokens per call" for name, mean in means.items())
        + f" (mean of {prompts} prompts, 95 %)."
    )
    question = f"The same heads on {prompts} prompts: at which temperature does a call bring more tokens, on average?"
    return guess(question, list(means), leaders({name: around(mean) for name, mean in means.items()}), why)


def check_verifier(function: Callable) -> Check:
    """The reader's `function(drafts, target)`: the tokens that one call commits at temperature 0.

    target[i] is what the target itself says after drafts[:i], so it has one entry more than drafts.
    """

    def judge(result, drafts, target):
        a = next((i for i, d in enumerate(drafts) if d != target[i]), len(drafts))
        right = target[: a + 1]
        if result == right:
            return None
        if result == right[:-1]:
            return f"{result}: the target's own token after the kept drafts is missing; it comes for free."
        if len(result) > len(right):
            return f"{result}: the first refusal ends the call; what the target says after a wrong draft is void."
        return f"{result} is not what the target would have written itself."

    praise = "One call commits the drafts that agree, and one token of the target's own."
    return grade(function, CASES, judge, praise, answers.tokens)


def check_tokens_per_call(function: Callable) -> Check:
    """The reader's `function(trace)`: committed tokens per backbone call, the prefill counted."""
    cases = [(_trace([1, 3, 1, 5]),), (_trace([1]),), (_trace([1, 9, 9]),), (_trace([1, 1, 1, 1, 2]),)]

    def judge(result, trace):
        tokens, calls = len(trace.tokens), trace.calls
        if abs(result - tokens / calls) < 1e-9:
            return None
        if calls > 1 and abs(result - tokens / (calls - 1)) < 1e-9:
            return f"{result:.3f} leaves the prefill out; it is a call like any other."
        return f"{result:.3f} is not {tokens} tokens over {calls} calls."

    praise = "The headline of this project: what a call buys, whatever the machine."
    return grade(function, cases, judge, praise, answers.number)


def check_lookup_wins(name, prompt, max_new_tokens: int = 64) -> Check:
    """Does copying from the text need fewer calls than the trained heads after this prompt, at temperature 0?

    name: a shipped backbone that has a drafter "independent" beside it.
    """
    from ..decode.generate import generate  # here, so that the other checks need no torch
    from ..drafters import make_drafter

    if blank(prompt):
        return Check(0, 1, "Put a prompt in place of the dots.", started=False)
    try:
        backbone, heads = _shipped(name)
        copied, foreseen = (
            generate(backbone, drafter, prompt, max_new_tokens, temperature=0, eos=False)
            for drafter in (make_drafter("lookup", backbone, horizon=heads.horizon), heads)
        )
    except (ValueError, TypeError) as error:
        return Check(0, 1, str(error))
    words = f"{len(copied.tokens)} tokens: lookup takes {copied.calls} calls, the trained heads {foreseen.calls}."
    if copied.calls < foreseen.calls:
        return Check(
            1, 1, f"{words} It writes {visible(copied.text[-60:])!r}: a text that repeats itself foresees itself."
        )
    return Check(0, 1, f"{words} What would make the text ahead look like the text behind?")


@cache
def _shipped(name: str):
    from ..backbone.load import load_backbone
    from ..drafters import load_drafter

    backbone = load_backbone(name)
    return backbone, load_drafter(f"{name}/independent", backbone)


def _trace(counts: list[int]) -> Trace:
    """A trace whose calls committed so many tokens."""
    steps = []
    for i, n in enumerate(counts):
        drafts = [Drafted(k, 1.0, 1.0, 1.0, 0.0, "kept", 0) for k in range(n - 1)]
        source = "bonus" if drafts else "plain"
        steps.append(Step(i, 0 if i else None, drafts, n - 1, 9, [*range(n - 1), 9], source, 0.5, 1.0))
    return Trace(prompt=[0], steps=steps)
