"""A trace from JSON. A file may come from anywhere, so every value is checked, at every depth, before a trace is made.

What is refused is named by its path, as in `steps[3].drafts[0].q=-1: it must be ...`. A trace that passes can be
played, measured and drawn: kinds of values, words, sizes, and what one field says about another hold as `records` has
them. Numbers are compared with `checks` one by one only where a whole list of them is not as it should be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import MISSING, fields

from .. import checks
from .records import BONUS, IGNORED, KEPT, PLAIN, REFUSED, RESIDUAL, TARGET, VERSION, Drafted, Law, Step, Trace

IDS = 2**53  # beyond it a page could not tell two ids apart
HORIZON = 2**16
DEPTH = 16  # of a belief
SLACK = 1e-6  # of a probability: half precision rounds
ENDS = ("length", "eos", "context")
REMEDY = "pass what Trace.to_json() wrote"


def read(text: str | bytes) -> Trace:
    """The trace of `Trace.to_json`. ValueError, with the field's path, where it is none; TypeError for no text."""
    data = parsed(checks.instance("text", text, (str, bytes, bytearray), REMEDY))
    if isinstance(data, dict) and data.get("version", VERSION) != VERSION:
        raise ValueError(checks.refusal("version", data["version"], f"it must be {VERSION}; record the trace again"))
    return made(
        Trace,
        entries("trace", data, Trace),
        prompt=lambda x: ids("prompt", x),
        steps=lambda x: each("steps", x, step),
        prompt_text=lambda x: words("prompt_text", x),
        text=lambda x: words("text", x),
        pieces=pieces,
        settings=settings,
        finish=lambda x: checks.choice("finish", x, ENDS),
        seconds=lambda x: seconds("seconds", x),
    )


def parsed(text: str | bytes):
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        why = "it nests too deeply" if isinstance(error, RecursionError) else f"it is not JSON ({error})"
        raise ValueError(checks.refusal("text", text, f"{why}; {REMEDY}")) from error


def step(name: str, value) -> Step:
    at = lambda field: f"{name}.{field}"  # noqa: E731
    found = made(
        Step,
        entries(name, value, Step),
        index=lambda x: number_of(at("index"), x),
        pending=lambda x: None if x is None else number_of(at("pending"), x),
        drafts=lambda x: each(at("drafts"), x, drafted),
        accepted=lambda x: number_of(at("accepted"), x),
        token=lambda x: number_of(at("token"), x),
        tokens=lambda x: ids(at("tokens"), x),
        source=lambda x: checks.choice(at("source"), x, (PLAIN, BONUS, RESIDUAL, TARGET)),
        u=lambda x: share(at("u"), x),
        p=lambda x: share(at("p"), x),
        p_top=lambda x: law(at("p_top"), x),
        residual_top=lambda x: law(at("residual_top"), x),
        belief=lambda x: None if x is None else plain(at("belief"), mapping(at("belief"), x)),
        seconds=lambda x: seconds(at("seconds"), x),
        draft_seconds=lambda x: seconds(at("draft_seconds"), x),
    )
    agreeing(name, found)
    return found


def agreeing(name: str, found: Step) -> None:
    """ValueError where what a step says about its drafts is not what they say."""
    n, a = len(found.drafts), found.accepted
    checks.whole(f"{name}.accepted", a, 0, n, "the number of its drafts")
    wanted = [KEPT if k < a else REFUSED if k == a else IGNORED for k in range(n)]
    for k, (draft, verdict) in enumerate(zip(found.drafts, wanted, strict=True)):
        if draft.verdict != verdict:
            why = f"it must be {verdict!r}, as {name}.accepted is {a}"
            raise ValueError(checks.refusal(f"{name}.drafts[{k}].verdict", draft.verdict, why))
    sources = (PLAIN,) if n == 0 else (BONUS,) if a == n else (RESIDUAL, TARGET)
    checks.choice(f"{name}.source (of a call that keeps {a} of {n} drafts)", found.source, sources)
    if not 1 <= len(found.tokens) <= a + 1:
        why = f"a call that keeps {a} drafts commits from 1 to {a + 1} tokens"
        raise ValueError(checks.refusal(f"{name}.tokens", found.tokens, why))


def drafted(name: str, value) -> Drafted:
    at = lambda field: f"{name}.{field}"  # noqa: E731
    return made(
        Drafted,
        entries(name, value, Drafted),
        token=lambda x: number_of(at("token"), x),
        q=lambda x: share(at("q"), x),
        p=lambda x: share(at("p"), x),
        chance=lambda x: share(at("chance"), x),
        coin=lambda x: share(at("coin"), x),
        verdict=lambda x: checks.choice(at("verdict"), x, (KEPT, REFUSED, IGNORED)),
        rank=lambda x: None if x is None else number_of(at("rank"), x),
        p_top=lambda x: law(at("p_top"), x),
        q_top=lambda x: law(at("q_top"), x),
    )


# --- the kinds of values --------------------------------------------------------------------------------------------


def made(kind: type, given: dict, **read: Callable):
    """`kind` of the fields that are given, each as its reader has it."""
    return kind(**{field: read[field](value) for field, value in given.items() if field in read})


def entries(name: str, value, kind: type) -> dict:
    """A JSON object with the fields of `kind`: all that have no default, and no others."""
    own = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(kind)}
    for field in mapping(name, value):
        checks.choice(f"a field of {name}", field, own)
    missing = [field for field, needed in own.items() if needed and field not in value]
    if missing:
        raise ValueError(checks.refusal(name, value, f"it lacks {', '.join(map(repr, missing))}; {REMEDY}"))
    return value


def mapping(name: str, value) -> dict:
    if not isinstance(value, dict):
        raise ValueError(checks.refusal(name, value, f"it must be a JSON object; {REMEDY}"))
    return value


def each(name: str, value, item: Callable) -> list:
    """A JSON list, each item as `item(its path, it)` has it."""
    if not isinstance(value, list):
        raise ValueError(checks.refusal(name, value, f"it must be a list; {REMEDY}"))
    return [item(f"{name}[{i}]", x) for i, x in enumerate(value)]


def ids(name: str, value) -> list[int]:
    good = isinstance(value, list) and all(type(x) is int and 0 <= x < IDS for x in value)
    return value if good else each(name, value, number_of)


def number_of(name: str, value) -> int:
    return checks.whole(name, value, 0, IDS - 1)


def share(name: str, value) -> float:
    """A probability, or a place in [0, 1]."""
    if type(value) is float and 0 <= value <= 1:
        return value
    return checks.real(name, value, -SLACK, 1 + SLACK, "a probability")


def seconds(name: str, value) -> float:
    return checks.real(name, value, -SLACK, math.inf, "a time")


def law(name: str, value) -> Law:
    def pair(name: str, value) -> tuple[int, float]:
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError(checks.refusal(name, value, "it must be a pair [token id, probability]"))
        return number_of(f"{name}[0]", value[0]), share(f"{name}[1]", value[1])

    return each(name, value, pair)


def words(name: str, value) -> str:
    if not isinstance(value, str):
        raise ValueError(checks.refusal(name, value, "it must be a string"))
    return value


def pieces(value) -> dict[int, str]:
    found = {}
    for key, piece in mapping("pieces", value).items():
        if not (key.isascii() and key.isdigit() and len(key) < 17):
            raise ValueError(checks.refusal("a key of pieces", key, "it must be a token id"))
        found[number_of("a key of pieces", int(key))] = words(f"pieces[{key}]", piece)
    return found


def settings(value) -> dict:
    """Flat: names to text, numbers, truth values, nothing, or lists of these; what others read is what it says."""
    at = lambda key: f"settings[{checks.shown(key)}]"  # noqa: E731
    for key, x in mapping("settings", value).items():
        plain(at(key), x, 1 + isinstance(x, list))
    for key in ("drafter", "rule"):
        if value.get(key) is not None:
            words(at(key), value[key])
    if value.get("horizon") is not None:
        checks.whole(at("horizon"), value["horizon"], 0, HORIZON)
    if value.get("temperature") is not None:
        checks.real(at("temperature"), value["temperature"], -SLACK)
    return value


def plain(name: str, value, depth: int = DEPTH):
    """`value`, JSON that nests less than `depth` levels and whose numbers are finite and no longer than 64 bits."""
    if not depth:
        raise ValueError(checks.refusal(name, value, "it nests too deeply"))
    if isinstance(value, int | float) and not (
        math.isfinite(value) if isinstance(value, float) else abs(value) < 2**64
    ):
        raise ValueError(checks.refusal(name, value, "it must be a finite number of at most 64 bits"))
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, x in inner:
        plain(f"{name}[{checks.shown(key)}]", x, depth - 1)
    return value
