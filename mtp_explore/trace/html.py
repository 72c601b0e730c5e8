"""The token player: a trace as one self-contained piece of HTML, in two layers.

    markup   the text with every token as a chip, a line of figures, and per call a <details> with its sentence and a
             table of its drafts. Complete without JavaScript; it also survives JupyterLab's sanitizer of untrusted
             notebooks, which drops <style>, <script>, data-* and aria-*, because it leans on plain tags (<u> accepted,
             <s> refused, <sup>★</sup> the target's own) and a few inline styles.
    player   `player.js` builds controls and lanes on top and filters the same markup down to the current call.

Nothing is fetched. Every string goes through `markup` here, and into text nodes only there. Probabilities are embedded
with four significant digits, top lists only for drafts that were looked at: 64 tokens with K = 8 take 50 to 150 kB.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from importlib.resources import files
from pathlib import Path

from .. import checks
from .definitions import GLOSSARY
from .glyphs import visible
from .markup import Html, data, join, save, script, short, style, tag, view
from .records import IGNORED, KEPT, REFUSED, Drafted, Step, Trace
from .say import greedy, number, rule_of, say, standing

VERDICTS = {KEPT: 0, REFUSED: 1, IGNORED: 2}
BELIEF_NUMBERS = 64  # of a belief, per call: more would not fit the page
CHIP = "margin-right:2px"
GAP = tag("i", " ")  # the style sheet puts a dot into it
STAR = tag("sup", "★")
HEADLINES = {  # metrics of the line of figures, by the words beside them
    "calls": "calls",
    "tokens": "tokens",
    "tokens_per_call": "tokens per call",
    "mean_acceptance_length": "mean acceptance length",
    "draft_acceptance_rate": "draft acceptance rate",
}


def player(trace: Trace, start: int | None = None) -> Html:
    """The player of `trace` as HTML for a notebook or a page.

    `start` is the call it opens on, counted from 1 (the prefill); None opens on the last, with the whole text.
    TypeError if `trace` is none, ValueError if there is no such call.
    """
    start = opened(trace, start)
    inside = data(_data(trace, start - 1))
    name = "mtp-" + hashlib.sha256(inside.encode()).hexdigest()[:10]
    return view(
        f"mtp {name}",
        style(_asset("player.css")),
        tag("div", _text(trace), class_="mtp-text", style="white-space:pre-wrap;margin:0 0 8px"),
        tag("div", _facts(trace), class_="mtp-facts"),
        tag("div", *(_call(trace, s) for s in trace.steps), class_="mtp-calls"),
        inside,
        script(f'({_asset("player.js")})("{name}")'),
        style="max-width:75em",
    )


def opened(trace: Trace, start: int | None) -> int:
    """The call to open on, from 1; TypeError if `trace` is no Trace, ValueError if there is no such call."""
    checks.instance("trace", trace, Trace, "pass what generate() or recorded() returns")
    calls = len(trace.steps)
    if start is None:
        return calls
    return checks.whole("start", start, 1, max(calls, 1), f"this trace has {calls} calls")


class Player:
    """What `play` returns: shows itself in a notebook; `save(path)` writes a page that needs nothing else."""

    def __init__(self, trace: Trace, start: int | None = None):
        self.trace, self.start = trace, opened(trace, start)

    def _repr_html_(self) -> Html:
        return player(self.trace, self.start)

    def __repr__(self) -> str:
        return "\n".join(say(self.trace, step) for step in self.trace.steps)

    def save(self, path) -> Path:
        """Write the player as a page of its own; returns its path. OSError, with the old page whole, if it cannot."""
        return save(path, "Token player", self._repr_html_())


def play(trace: Trace, start: int | None = 1) -> Player:
    """The token player of `trace`, opened on its first call. TypeError and ValueError as in `player`."""
    return Player(trace, start)


def _text(trace: Trace) -> Html:
    prompt = tag("bdi", _word(trace.prompt_text), class_="mtp-prompt", style="opacity:.75;margin-right:6px")
    star = STAR if any(s.drafts for s in trace.steps) else None
    chunks = (tag("span", _chips(trace, s, star)) for s in trace.steps)
    return join([prompt if trace.prompt_text else None, *chunks])


def _chips(trace: Trace, step: Step, star: Html | None) -> Html:
    """The committed tokens of one call; the refused draft stands small beneath the token that took its place."""
    kept = [tag("bdi", tag("u", _word(trace.piece(t))), style=CHIP) for t in step.tokens[: step.kept]]
    if len(step.tokens) <= step.accepted:
        return join(kept)
    own = tag("bdi", _word(trace.piece(step.token)), star, style=CHIP)
    refused = next((d for d in step.drafts if d.verdict == REFUSED), None)
    if refused:
        struck = tag("s", _word(trace.piece(refused.token), breaks=False), style="font-size:75%")
        own = tag("span", own, struck, style="display:inline-flex;flex-direction:column;line-height:1.2")
    return join([*kept, own])


def _word(piece: str, breaks: bool = True) -> Html:
    """A piece as HTML: spaces marked, a line broken after its sign."""
    lines = (join(line.split(" "), GAP) for line in visible(piece).split("↵"))
    return join(lines, join(["↵", tag("br") if breaks else None]))


def _facts(trace: Trace) -> Html:
    """One line of figures, each with its formula on hover, and what the trace was made with."""
    s, drafted = trace.settings, any(step.drafts for step in trace.steps)
    made = [s.get("drafter"), rule_of(trace) if drafted else None]
    made += [f"T={s['temperature']:g}" if isinstance(s.get("temperature"), int | float) else None]
    facts = [_fact(name, GLOSSARY[name].function(trace)) for name in HEADLINES]
    return join([f for f in [*facts, *(tag("span", visible(str(x))) for x in made if x)] if f], " · ")


def _fact(name: str, value) -> Html | None:
    metric = GLOSSARY[name]
    if value is None:
        return None
    shown = str(value) if isinstance(value, int) else f"{value:.2f}"
    title = f"{metric.name} = {metric.formula}. {metric.meaning}"
    return tag("span", tag("b", shown), f" {HEADLINES[name]}", title=title)


def _call(trace: Trace, step: Step) -> Html:
    """One call folded: what it committed, the sentence, the table of its drafts."""
    count = f"{step.kept} of {len(step.drafts)} drafts kept" if step.drafts else "no drafts"
    committed = tag("bdi", *(_word(trace.piece(t), False) for t in step.tokens))
    head = tag("summary", f"Call {step.index + 1} · {count} · ", committed)
    return tag("details", head, tag("p", say(trace, step)), _table(trace, step) if step.drafts else None)


def _table(trace: Trace, step: Step) -> Html:
    """A row per draft, and one for the target's own token. The chance is shown where it is not p or min(1, p/q)."""
    rule = rule_of(trace)
    names = ["", "token", "draft q", "target p", "p/q", "chance", "u" if rule == "match" else "coin", "verdict"]
    word = lambda token: _word(trace.piece(token), False)  # noqa: E731
    rows = [
        [k, word(d.token), number(d.q), number(d.p), f"{d.ratio:.2f}", number(d.chance), f"{d.coin:.3f}", d.verdict]
        + [f"its place took {standing(d)}" if d.verdict == REFUSED and standing(d) else ""]
        for k, d in enumerate(step.drafts, 1)
    ]
    rows += [["y′", word(step.token), "", number(step.p), "", "", f"{step.u:.3f}", step.source]]
    for row in [names, *rows] if rule != "block" else []:
        del row[5]
    body = (tag("tr", *(tag("td", cell) for cell in row)) for row in rows)
    return short(tag("table", tag("tr", *(tag("th", n) for n in names)), *body, style="border-collapse:collapse"))


def _data(trace: Trace, start: int) -> dict:
    """What the player needs."""
    steps, used = [], set()

    def law(pairs) -> list:
        used.update(t for t, _ in pairs)
        return [x for t, v in pairs[:5] for x in (t, _short(v))]

    for s in trace.steps:
        used.update(t for t in (s.pending, s.token, *s.tokens) if t is not None)
        used.update(d.token for d in s.drafts)
        drafts = [_draft(trace, d, law) for d in s.drafts]
        fell = any(d.verdict == REFUSED for d in s.drafts)  # then the target's law is that draft's p_top
        own = [s.token, _short(s.p), _short(s.u), visible(s.source), [] if fell else law(s.p_top), law(s.residual_top)]
        steps.append([s.pending, drafts, s.accepted, len(s.tokens), own, _belief(s.belief)])
    kind = "greedy" if greedy(trace) else rule if (rule := rule_of(trace)) in ("match", "block") else "rejection"
    pieces = {t: visible(trace.piece(t)) for t in sorted(used)}
    return {"rule": kind, "start": start, "pieces": pieces, "steps": steps}


def _draft(trace: Trace, d: Drafted, law) -> list:
    """[token, q, p, chance, coin, verdict], chance 0 where it is min(1, p/q) or p; more if the draft was looked at."""
    chance = _short(d.chance) if rule_of(trace) == "block" else 0
    verdict = VERDICTS[checks.choice("verdict", d.verdict, VERDICTS)]
    row = [d.token, _short(d.q), _short(d.p), chance, _short(d.coin), verdict]
    return row if d.verdict == IGNORED else [*row, standing(d), law(d.p_top), law(d.q_top)]


def _short(x, digits: int = 4):
    """That many significant digits; None where it is not a finite number."""
    return float(f"{x:.{digits}g}") if isinstance(x, int | float) and math.isfinite(x) else None


def _belief(belief: dict | None):
    """A belief as [name, numbers or rows of numbers or text] pairs, cut to what a page can hold."""
    room, pairs = BELIEF_NUMBERS, []
    for name, value in (belief or {}).items():
        rows = value if isinstance(value, list | tuple) else [value]
        nested = [r for r in rows if isinstance(r, list | tuple)]
        flat = [x for r in nested for x in r] if nested else list(rows)
        if flat and all(isinstance(x, int | float) for x in flat) and len(flat) <= room:
            room -= len(flat)
            short = [[_short(x, 3) for x in r] for r in nested] if nested else [_short(x, 3) for x in rows]
            pairs.append([visible(str(name)), short])
        else:
            said = visible(str(value))
            pairs.append([visible(str(name)), said if len(said) <= 80 else said[:79] + "…"])
    return pairs


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8").strip()
