"""Guess first: a question whose answer stays folded until the reader has chosen.

Plain HTML: each choice is a fold of its own (`<details>`), so it works without a kernel, without JavaScript, in a saved
notebook and on an exported page; where styles are stripped it is a list of folds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from ..checks import refusal, shown
from ..trace.glyphs import visible
from ..trace.markup import Html, join, style, tag, view
from ..trace.records import KEPT, Trace
from ..trace.say import number, say
from .close import leaders, looks

STYLE = """
.mtp-guess { font: 14px/1.5 var(--jp-ui-font-family, system-ui, sans-serif); max-width: 62em; margin: 6px 0;
  border-left: 3px solid #0072b2; padding: 2px 0 2px 14px; }
.mtp-guess .q { font-size: 15px; margin: 0 0 8px; }
.mtp-guess .row { position: relative; display: flex; flex-wrap: wrap; gap: 6px; padding-bottom: 4.6em; }
.mtp-guess summary { list-style: none; cursor: pointer; min-width: 2.4em; text-align: center; padding: 3px 12px;
  border: 1px solid #8888; border-radius: 7px; background: #8881; }
.mtp-guess summary::-webkit-details-marker { display: none; }
.mtp-guess summary:hover { background: #8883; }
.mtp-guess summary:focus-visible { outline: 2px solid #0072b2; outline-offset: 1px; }
.mtp-guess details[open] > summary { border-color: #0072b2; box-shadow: inset 0 0 0 1px #0072b2; font-weight: 600; }
.mtp-guess .row p { position: absolute; left: 0; right: 0; bottom: 0; height: 4.2em; margin: 0; padding-top: .3em;
  overflow: auto; }
.mtp-guess .row::after { content: "Choose, then the answer appears here."; position: absolute; left: 0; bottom: 2.4em;
  opacity: .6; font-style: italic; }
.mtp-guess .row:has(details[open])::after { content: none; }
.mtp-guess tr { background: none !important; }
.mtp-guess .word { font-family: var(--jp-code-font-family, monospace); padding: 1px 5px; white-space: pre;
  border: 1px solid #8886; border-radius: 5px; }
""".strip()


class Guess:
    """What `guess` returns: shows itself in a notebook; `answers` are the right choices, `answer` is the first of them.

    ValueError for fewer than two choices, for two that look alike on the page, for an answer that is none of them.
    """

    def __init__(self, question: str, choices: Sequence, answer, why: str, scene: Html | None = None):
        self.question, self.choices, self.why = question, list(choices), why
        self.answers = list(answer) if isinstance(answer, list) else [answer]
        self._scene = scene  # above the question
        if len(self.choices) < 2:
            raise ValueError(refusal("choices", self.choices, "a guess needs at least two"))
        for i, one in enumerate(self.choices):
            twin = [other for other in self.choices[:i] if looks(other) == looks(one)]
            if twin:
                raise ValueError(f"choices={self.choices!r}: {twin[0]!r} and {one!r} look alike, offer one of them")
        known = {looks(one) for one in self.choices}
        if not self.answers or not all(looks(one) in known for one in self.answers):
            raise ValueError(refusal("answer", answer, f"it is none of the choices {shown(self.choices)}, so give one"))

    @property
    def answer(self):
        return self.answers[0]

    def _verdict(self, choice) -> tuple[str, bool]:
        """What is said of a choice, and whether it is right."""
        names = [str(one) for one in self.answers]
        if len(names) > 1:
            level = f"It is too close to call between {', '.join(names[:-1])} and {names[-1]}: each counts as right."
            return (f"Yes. {level}" if choice in self.answers else level), choice in self.answers
        if choice == self.answer:
            return f"Yes, {choice}.", True
        near = all(isinstance(x, int) for x in (choice, self.answer)) and abs(choice - self.answer) == 1
        return f"Close: it is {self.answer}." if near else f"It is: {self.answer}.", False

    def _repr_html_(self) -> Html:
        asked = join([self._scene, tag("div", tag("b", "Guess first."), f" {self.question}", class_="q")])
        name = "guess-" + hashlib.sha256(asked.encode()).hexdigest()[:8]
        replies = (tag("p", tag("b", self._verdict(c)[0]), f" {self.why}") for c in self.choices)
        folds = (
            tag("details", tag("summary", str(c)), reply, name=name)
            for c, reply in zip(self.choices, replies, strict=True)
        )
        return view("mtp-guess", style(STYLE), asked, tag("div", *folds, class_="row"))

    def __repr__(self) -> str:
        return f"Guess first. {self.question} [{' | '.join(map(str, self.choices))}]"


def guess(question: str, choices: Sequence, answer, why: str = "") -> Guess:
    """A question with its choices as buttons; the answer and `why` stay folded until one is chosen.

    answer: the right choice, or a list of all that are right where they cannot be told apart. ValueError where one is
    none of the `choices`, where there are fewer than two, or where two look alike on the page.
    """
    return Guess(question, choices, answer, why)


def guess_kept(trace: Trace, call: int | None = None) -> Guess:
    """How many drafts of one call (counted from 1) will be kept? Shows the text so far, and every draft with p and q.

    Without `call` it is the first from call 6 on that keeps two drafts or more and refuses one.
    ValueError where the call does not exist or has no drafts.
    """
    steps = trace.steps
    drafted = [c for c, s in enumerate(steps, 1) if s.drafts]
    if call is None:
        mixed = [c for c in drafted if 2 <= steps[c - 1].kept < len(steps[c - 1].drafts)]
        call = ([c for c in mixed if c >= 6] or mixed or drafted or [1])[0]
    if call not in drafted:
        raise ValueError(f"call={call} has no drafts in this trace: use one of {drafted[:12]}")
    step = steps[call - 1]
    before = [t for s in steps[: call - 1] for t in s.tokens]
    text = trace.prompt_text + "".join(trace.piece(t) for t in before)
    rows = [
        ("drafted", [tag("span", visible(trace.piece(d.token)), class_="word") for d in step.drafts]),
        ("draft's q", [number(d.q) for d in step.drafts]),
        ("target's p", [number(d.p) for d in step.drafts]),
    ]
    cell = lambda x: tag("td", x, style="padding:1px 8px;text-align:center;border:0")  # noqa: E731
    table = (tag("tr", cell(tag("small", name)), *map(cell, row)) for name, row in rows)
    before = tag("p", f"… {visible(text[-160:])}", style="margin:0 0 6px;white-space:pre-wrap")
    scene = join([before, tag("table", *table, style="border-collapse:collapse;margin:0 0 8px;font-size:13px")])
    kept = sum(d.verdict == KEPT for d in step.drafts)
    question = f"Call {call} checks these {len(step.drafts)} drafted tokens at once. How many will be kept?"
    return Guess(question, range(len(step.drafts) + 1), kept, say(trace, step), scene)


def guess_faster(runs: Mapping[str, Trace]) -> Guess:
    """Which of these runs gets more tokens out of a backbone call? ValueError for fewer than two, or no calls."""
    if empty := [name for name, t in runs.items() if not t.steps]:
        raise ValueError(f"runs[{empty[0]!r}] has no calls: give a trace that generated something")
    rates = {name: t.metrics()["tokens_per_call"] for name, t in runs.items()}
    why = "; ".join(
        f"{name}: {len(t.tokens)} tokens in {t.calls} calls, {rates[name]:.2f} per call" for name, t in runs.items()
    )
    return guess("Which run gets more tokens out of each call?", list(runs), leaders(rates), why + ".")
