"""Notebook 01: tables and guesses made from the ranks of the tokens ahead, and the checks.

`ranks` [n L, K] are made by `measure.knowledge`: n texts of L places, distances k = 1..K, 0 = first choice, -1 = none.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from ..plots.verdicts import wilson
from ..trace.metrics import Table
from . import answers
from .check import Check, blank, grade
from .close import Span, boxes, first_below, leaders, offers, percent
from .guessing import Guess, guess

SMALL = 0.1  # "under a tenth"
APART = 0.03  # nearer to the answer than this no other is offered


def below(ranks: Mapping[str, np.ndarray], texts: int, share: float = SMALL) -> Table:
    """By method: from which distance on its first choice is right at fewer than `share` of the places, and the shares
    there and one nearer, with 95% intervals over whole texts.
    """
    from ..measure.knowledge import shares

    rows = []
    for name, table in ranks.items():
        found = shares(table, texts)
        said = [f"{m:.1%} ({a:.1%} to {b:.1%})" for m, a, b in zip(*(x.tolist() for x in found), strict=True)]
        k = _first_below(found.share, share)
        seen = (str(k), said[k - 2] if k > 1 else "–", said[k - 1]) if k else ("farther", said[-1], "–")
        rows.append((name, *seen))
    columns = ("what is asked", f"under {share:.0%} from k =", "one nearer (95% interval)", "there")
    hints = [f"{name}: the share of places whose true token is the first choice, k places ahead" for name, *_ in rows]
    return Table(columns, rows, hints)


def guess_below(ranks: np.ndarray, texts: int, share: float = SMALL) -> Guess:
    """From which distance on is the first choice right at fewer than `share` of the places?"""
    from ..measure.knowledge import shares

    found, far = shares(ranks, texts), "farther than all of these"
    spans = [Span(low, mean, high) for mean, low, high in zip(*(x.tolist() for x in found), strict=True)]
    firsts = first_below({max(k, 2): one for k, one in enumerate(spans, 1)}, share, percent)
    choices = [f"k = {i}" for i in range(2, len(spans) + 1)] + [far]
    why = f"From k = 1 on the shares are {', '.join(f'{one.value:.0%}' for one in spans)}."
    question = f"From which distance k on is the heads' first choice right at fewer than {share:.0%} of the places?"
    return guess(question, choices, [f"k = {k}" if k else far for k in firsts], why)


def _first_below(found, share: float) -> int:
    """The first distance, counted from 1, whose share is below; 0 for none."""
    return next((k for k, x in enumerate(found.tolist(), 1) if x < share), 0)


def guess_lens(lens: np.ndarray, floor: np.ndarray) -> Guess:
    """How good is the first choice for the next token as a guess at the one after it? Ranks of the lens, of a floor."""
    at_one, at_two, least = _share(lens, 1), _share(lens, 2), _share(floor, 2)
    choices = [
        "about as often as for the next token",
        "less often, but above the floor",
        "not even as often as the floor",
    ]
    edges = [least, max(least, 0.8 * at_one)]
    answer = boxes(choices[::-1], edges, at_two, "{:.1%}".format)
    why = f"{at_two:.1%} of the places; for the next token {at_one:.0%}. The most frequent token gets {least:.1%}."
    question = (
        "Take the first choice for the next token as a guess at the token after it. How often is it right? "
        "(The floor: always saying the most frequent token.)"
    )
    return guess(question, choices, answer, why)


def by_kind(ranks: np.ndarray, backbone, text, least: int = 40) -> dict[str, np.ndarray]:
    """The same table once per kind of the true token, -1 at all others; kinds of fewer than `least` places are out.

    text: the `Text` that the ranks belong to.
    """
    from ..measure.kinds import KINDS, common_words, kinds

    found = pieces(backbone, text)
    common = common_words("".join(row) for row in found)
    number = {kind: i for i, kind in enumerate(KINDS)}
    of = np.array([[number[kind] for kind in kinds(row, common)] for row in found])
    n, length = text.tokens.shape
    wide = by_text(ranks, n, length)
    seen = np.stack([np.pad(of, ((0, 0), (0, k)), constant_values=-1)[:, k:] for k in range(1, wide.shape[2] + 1)], -1)
    tables = {kind: np.where(seen == i, wide, -1).reshape(-1, wide.shape[2]) for kind, i in number.items()}
    return {
        kind: table for kind, table in tables.items() if (table >= 0).any(0).all() and (table[:, 0] >= 0).sum() >= least
    }


def by_text(ranks: np.ndarray, n: int, length: int) -> np.ndarray:
    """Ranks [n L, K] as [n, L, K]; ValueError where they belong to another text."""
    ranks = np.asarray(ranks)
    if ranks.ndim != 2 or len(ranks) != n * length:
        raise ValueError(
            f"ranks have the shape {list(ranks.shape)}: the text has {n} times {length} places, so {n * length} rows "
            "are wanted; take the ranks of this text"
        )
    return ranks.reshape(n, length, -1)


def guess_best(tables: Mapping[str, np.ndarray], k: int, what: str) -> Guess:
    """Which table has the true token as its first choice most often, k places ahead? `what` says what they are."""
    share = {name: _share_span(table, k) for name, table in tables.items()}
    why = (
        "; ".join(f"{name}: {x.value:.0%}" for name, x in sorted(share.items(), key=lambda item: -item[1].value)) + "."
    )
    question = f"{k} places ahead: {what} is the first choice most often?"
    return guess(question, list(share), leaders(share, percent), why)


def guess_ceiling(read: np.ndarray, target: np.ndarray, k: int = 3) -> Guess:
    """How often is the target's own summed law right where the heads are right so often?"""
    low, high = _share(read, k), _share(target, k)
    said = offers(high, (low, (low + high) / 2, (1 + high) / 2, 1.0, 0.0), apart=APART)
    why = "The rest is open: after this text nobody can know it, neither a reading of hₜ nor the target itself."
    question = (
        f"{k} places ahead the heads' first choice is right at {low:.0%} of the places. The target may run on, over "
        "many continuations, and take the sum: how often is its first choice right?"
    )
    return guess(question, said, f"{high:.0%}", why)


def guess_within(ranks: np.ndarray, k: int = 2, within: int = 5) -> Guess:
    """How often is the true token among the first `within` choices, where the first is right so often?"""
    one, some = _share(ranks, k), _share(ranks, k, within)
    said = offers(some, (one, (one + some) / 2, (1 + some) / 2, min(1.0, within * one), 1.0), apart=APART)
    said = said if len(said) > 1 else offers(some, (0.0, 1.0))
    question = (
        f"{k} places ahead the first choice is the true token at {one:.0%} of the places. At how many is it among the "
        f"first {within}?"
    )
    return guess(question, said, f"{some:.0%}", f"{within} choices win {some - one:.0%} of all places.")


def _column(table: np.ndarray, k: int) -> np.ndarray:
    """The ranks k places ahead. ValueError for a distance that the table does not know."""
    table = np.asarray(table)
    if table.ndim != 2 or k > table.shape[1] or not (table[:, k - 1] >= 0).any():
        raise ValueError(
            f"k={k}: the ranks, of shape {list(table.shape)}, must be a table [places, distances] that knows tokens so "
            "far ahead; take a smaller k or other ranks"
        )
    return table[:, k - 1]


def _share(table: np.ndarray, k: int, within: int = 1) -> float:
    """The share of ranks below `within`, k places ahead."""
    column = _column(table, k)
    return float(((column >= 0) & (column < within)).sum() / (column >= 0).sum())


def _share_span(table: np.ndarray, k: int) -> Span:
    """The share of first choices k places ahead, with its 95% interval (Wilson; places as independent)."""
    column = np.asarray(table)[:, k - 1]
    hits, places = int((column == 0).sum()), int((column >= 0).sum())
    low, high = wilson(hits, places)
    return Span(low, hits / places, high)


class Study(NamedTuple):
    """What `study` returns."""

    backbone: object
    text: object  # `knowledge.Text`
    ranks: np.ndarray  # [n L, K] of the trained heads


def documents(name: str, count: int) -> list[str]:
    """The first `count` test documents of a corpus: nothing was trained on them."""
    from ..corpora import load_corpus

    return list(islice(load_corpus(name).documents("test"), count))


def study(name: str, count: int = 24, length: int = 200) -> Study:
    """The ranks of a shipped backbone's trained heads on the first test documents of its corpus."""
    from ..measure import knowledge

    backbone, heads = _shipped(name)
    text = knowledge.read(backbone, documents(name, count), length)
    return Study(backbone, text, knowledge.drafted(heads, text))


def pieces(backbone, text) -> list[list[str]]:
    """The tokens' texts, place by place; the end-of-text token at the start is empty."""
    from ..corpora.tokenizer import piece

    names = {t: piece(backbone.tokenizer, t) for t in text.tokens.unique().tolist()}
    names |= dict.fromkeys(backbone.eos, "")
    return [[names[t] for t in row] for row in text.tokens.tolist()]


def check_rank(function: Callable) -> Check:
    """The reader's `function(scores, token)`: how many tokens have a higher score (0 = first choice)."""
    cases = [([0.1, 0.7, 0.2], 1), ([0.1, 0.7, 0.2], 0), ([3.0, -1.0, 0.0, 2.5], 1), ([5.0], 0), ([0.2, 0.5, 0.3], 2)]

    def judge(result, scores, token):
        right = sum(x > scores[token] for x in scores)
        if result == right:
            return None
        if result == right + 1:
            return f"{result}: the first choice has the rank 0, so count the tokens that are strictly better."
        return f"{result}, and {right} of the scores are higher than {scores[token]:g}."

    praise = "Rank 0 is a first choice, rank 4 makes the top five."
    return grade(function, ((np.array(s), t) for s, t in cases), judge, praise, answers.whole)


def check_best_guess(function: Callable) -> Check:
    """The reader's `function(tokens, k)`: a dict from every token to the one that most often stands k places later."""
    draw = random.Random(14)
    cases = [([0, 1, 2, 0, 1, 2, 0, 1], 1), ([0, 1, 2, 0, 1, 2, 0, 1], 2), ([5, 5, 5], 1)]
    cases += [([draw.choices(range(4), (4, 3, 2, 1))[0] for _ in range(60)], k) for k in (1, 3)]

    def judge(result, tokens, k):
        counts: dict[int, dict[int, int]] = {}
        for a, b in zip(tokens, tokens[k:], strict=False):
            counts.setdefault(a, {}).setdefault(b, 0)
            counts[a][b] += 1
        if set(result) != set(counts):
            odd = sorted(set(counts) ^ set(result))
            return f"it should have one entry for each token with a token {k} places later; look at {odd}."
        for a, b in result.items():
            best = max(counts[a].values())
            if counts[a].get(b, 0) < best:
                mine = counts[a].get(b, 0)
                return f"after {a} it says {b}, which stands {k} places later {mine} times; another does {best} times."
        return None

    praise = "This is what the last token alone can tell. Anything better comes from the context."
    return grade(function, cases, judge, praise, answers.table)


def check_foretold(name, prompt, k: int = 4, sure: float = 0.5) -> Check:
    """Are the trained heads of a shipped backbone surer than `sure` of the token `k` places after this prompt?"""
    from ..measure import knowledge

    if blank(prompt):
        return Check(0, 1, "Put a text in place of the dots.", started=False)
    try:
        backbone, heads = _shipped(name)
        text = knowledge.read(backbone, [prompt], min(backbone.context, 512), k)
        at = len(backbone.encode(prompt)[0])
        row, place = text.tokens.new_zeros(1), text.tokens.new_tensor([at])
        *_, last = knowledge.ahead(heads, text, row, place)
    except (ValueError, TypeError) as error:
        return Check(0, 1, str(error))
    p, token = last[0].exp().max(-1)
    said = f"{k} places after it the heads say {backbone.decode([int(token)])!r} with probability {float(p):.2f}."
    if float(p) > sure:
        return Check(1, 1, f"{said} Everything between is skipped: they never saw it.")
    return Check(0, 1, f"{said} Where does the form of a text leave no choice, whatever word comes next?")


@cache
def _shipped(name: str):
    from ..backbone.load import load_backbone
    from ..drafters import load_drafter

    backbone = load_backbone(name)
    return backbone, load_drafter(f"{name}/independent", backbone)
