"""The token player: a trace as one self-contained piece of HTML, in two layers.

    markup   the text with every token as a chip, a line of figures, and per call a <details> with its sentence and a
             table of its drafts. Complete without JavaScript; it also survives JupyterLab's sanitizer of untrusted
             notebooks, which drops <style>, <script>, data-* and aria-*, because it leans on plain tags (<u> accepted,
             <s> refused, <sup>★</sup> the target's own) and a few inline styles.
    player   `player.js` builds controls and lanes on top and filters the same markup down to the current call.

Nothing is fetched. Pieces pass `visible` and `html.escape` here, and only text nodes there. Probabilities are embedded
with four significant digits, top lists only for drafts that were looked at: 64 tokens with K = 8 take 50 to 150 kB.
"""

from __future__ import annotations

import hashlib
import json
import math
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from .. import atomic, checks
from .definitions import GLOSSARY
from .glyphs import visible
from .records import IGNORED, KEPT, REFUSED, Drafted, Step, Trace
from .say import greedy, number, rule_of, say, standing

VERDICTS = {KEPT: 0, REFUSED: 1, IGNORED: 2}
BELIEF_NUMBERS = 64  # of a belief, per call: more would not fit the page
SAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
CHIP = '<bdi style="margin-right:2px">'
HEADLINES = {  # metrics of the line of figures, by the words beside them
    "calls": "calls",
    "tokens": "tokens",
    "tokens_per_call": "tokens per call",
    "mean_acceptance_length": "mean acceptance length",
    "draft_acceptance_rate": "draft acceptance rate",
}


def player(trace: Trace, start: int | None = None) -> str:
    """The player of `trace` as HTML for a notebook or a page.

    `start` is the call it opens on, counted from 1 (the prefill); None opens on the last, with the whole text.
    ValueError if there is no such call.
    """
    calls = len(trace.steps)
    start = calls if start is None else start
    if calls and not 1 <= start <= calls:
        raise ValueError(f"start={start!r} is not a call of this trace: use 1..{calls}")
    data = _data(trace, start - 1)
    name = "mtp-" + hashlib.sha256(data.encode()).hexdigest()[:10]
    return (
        f'<div class="mtp {name}" style="max-width:75em"><style>{_asset("player.css")}</style>\n'
        f'<div class="mtp-text" style="white-space:pre-wrap;margin:0 0 8px">{_text(trace)}</div>\n'
        f'<div class="mtp-facts">{_facts(trace)}</div>\n'
        f'<div class="mtp-calls">{"".join(_call(trace, s) for s in trace.steps)}</div>\n'
        f'<script type="application/json">{data}</script>'
        f'<script>({_asset("player.js")})("{name}")</script></div>'
    )


class Player:
    """What `play` returns: shows itself in a notebook; `save(path)` writes a page that needs nothing else."""

    def __init__(self, trace: Trace, start: int | None = None):
        self.trace, self.start = trace, start

    def _repr_html_(self) -> str:
        return player(self.trace, self.start)

    def __repr__(self) -> str:
        return "\n".join(say(self.trace, step) for step in self.trace.steps)

    def save(self, path) -> Path:
        """Write the player as a page of its own; returns its path."""
        head = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        path = checks.path("path", path)
        atomic.write_text(path, f"{head}<title>Token player</title><body>{self._repr_html_()}</body></html>")
        return path


def play(trace: Trace, start: int | None = 1) -> Player:
    """The token player of `trace`, opened on its first call."""
    return Player(trace, start)


def _text(trace: Trace) -> str:
    prompt = (
        f'<bdi class="mtp-prompt" style="opacity:.75;margin-right:6px">{_word(trace.prompt_text)}</bdi>'
        if trace.prompt_text
        else ""
    )
    star = "<sup>★</sup>" if any(s.drafts for s in trace.steps) else ""
    return prompt + "".join(f"<span>{_chips(trace, s, star)}</span>" for s in trace.steps)


def _chips(trace: Trace, step: Step, star: str) -> str:
    """The committed tokens of one call; the refused draft stands small beneath the token that took its place."""
    kept = [f"{CHIP}<u>{_word(trace.piece(t))}</u></bdi>" for t in step.tokens[: step.kept]]
    if len(step.tokens) <= step.accepted:
        return "".join(kept)
    own = f"{CHIP}{_word(trace.piece(step.token))}{star}</bdi>"
    refused = next((d for d in step.drafts if d.verdict == REFUSED), None)
    if refused:
        struck = f'<s style="font-size:75%">{_word(trace.piece(refused.token), breaks=False)}</s>'
        own = f'<span style="display:inline-flex;flex-direction:column;line-height:1.2">{own}{struck}</span>'
    return "".join(kept) + own


def _word(text: str, breaks: bool = True) -> str:
    """A piece as HTML: spaces marked (the style sheet puts a dot into them), a line broken after its sign."""
    shown = escape(visible(text)).replace(" ", "<i> </i>")
    return shown.replace("↵", "↵<br>") if breaks else shown


def _facts(trace: Trace) -> str:
    """One line of figures, each with its formula on hover, and what the trace was made with."""
    facts = [_fact(name, GLOSSARY[name].function(trace)) for name in HEADLINES]
    s, drafted = trace.settings, any(step.drafts for step in trace.steps)
    made = [s.get("drafter"), rule_of(trace) if drafted else None]
    made += [f"T={s['temperature']:g}" if isinstance(s.get("temperature"), int | float) else None]
    return " · ".join([f for f in facts if f] + [f"<span>{escape(visible(str(x)))}</span>" for x in made if x])


def _fact(name: str, value) -> str:
    metric = GLOSSARY[name]
    if value is None:
        return ""
    shown = str(value) if isinstance(value, int) else f"{value:.2f}"
    title = escape(f"{metric.name} = {metric.formula}. {metric.meaning}")
    return f'<span title="{title}"><b>{shown}</b> {HEADLINES[name]}</span>'


def _call(trace: Trace, step: Step) -> str:
    """One call folded: what it committed, the sentence, the table of its drafts."""
    count = f"{step.kept} of {len(step.drafts)} drafts kept" if step.drafts else "no drafts"
    committed = "".join(_word(trace.piece(t), False) for t in step.tokens)
    head = f"Call {step.index + 1} · {count} · <bdi>{committed}</bdi>"
    return (
        f"<details><summary>{head}</summary><p>{escape(say(trace, step))}</p>"
        f"{_table(trace, step) if step.drafts else ''}</details>"
    )


def _table(trace: Trace, step: Step) -> str:
    """A row per draft, and one for the target's own token. The chance is shown where it is not p or min(1, p/q)."""
    rule = rule_of(trace)
    names = ["", "token", "draft q", "target p", "p/q", "chance", "u" if rule == "match" else "coin", "verdict"]
    rows = [
        [k, d.token, number(d.q), number(d.p), f"{d.ratio:.2f}", number(d.chance), f"{d.coin:.3f}", d.verdict]
        + [f"its place took {standing(d)}" if d.verdict == REFUSED and standing(d) else ""]
        for k, d in enumerate(step.drafts, 1)
    ]
    rows += [["y′", step.token, "", number(step.p), "", "", f"{step.u:.3f}", step.source]]
    for row in [names, *rows] if rule != "block" else []:
        del row[5]
    cell = lambda i, c: f"<td>{_word(trace.piece(c), False) if i == 1 else c}"  # noqa: E731
    body = "".join("<tr>" + "".join(cell(i, c) for i, c in enumerate(row)) for row in rows)
    return f'<table style="border-collapse:collapse"><tr>{"".join(f"<th>{n}" for n in names)}{body}</table>'


def _data(trace: Trace, start: int) -> str:
    """What the player needs, as JSON that cannot leave its <script>."""
    steps, used = [], set()

    def law(pairs) -> list:
        used.update(t for t, _ in pairs)
        return [x for t, v in pairs[:5] for x in (t, _short(v))]

    for s in trace.steps:
        used.update(t for t in (s.pending, s.token, *s.tokens) if t is not None)
        used.update(d.token for d in s.drafts)
        drafts = [_draft(trace, d, law) for d in s.drafts]
        fell = any(d.verdict == REFUSED for d in s.drafts)  # then the target's law is that draft's p_top
        own = [s.token, _short(s.p), _short(s.u), s.source, [] if fell else law(s.p_top), law(s.residual_top)]
        steps.append([s.pending, drafts, s.accepted, len(s.tokens), own, _belief(s.belief)])
    kind = "greedy" if greedy(trace) else rule_of(trace)
    pieces = {t: visible(trace.piece(t)) for t in sorted(used)}
    data = {"rule": kind, "start": start, "pieces": pieces, "steps": steps}
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(SAFE)


def _draft(trace: Trace, d: Drafted, law) -> list:
    """[token, q, p, chance, coin, verdict], chance 0 where it is min(1, p/q) or p; more if the draft was looked at."""
    chance = _short(d.chance) if rule_of(trace) == "block" else 0
    row = [d.token, _short(d.q), _short(d.p), chance, _short(d.coin), VERDICTS[d.verdict]]
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
            text = visible(str(value))
            pairs.append([visible(str(name)), text if len(text) <= 80 else text[:79] + "…"])
    return pairs


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8").strip()
