"""Notebook 02: pairs that heads invent, contexts to measure them on, refusals of a trace, and the checks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from statistics import fmean, quantiles

import numpy as np

from ..trace.glyphs import quoted, visible
from ..trace.metrics import Table, interval
from ..trace.records import REFUSED, Trace
from ..trace.say import number, say
from . import answers
from .check import Check, blank, grade
from .close import Span, around, boxes, fixed, leaders, offers, percent
from .guessing import Guess, guess
from .waiting import watched

RARE = 100  # a draft so many times rarer under the target than drafted is as good as impossible
TAIL = 40  # characters of a text that a table shows


def nonsense(cells: Sequence) -> Table:
    """What `measure.independence.invented` found, as a table."""
    rows = [(_joined(c.words), number(c.p), number(c.q), _times(c.p, c.q)) for c in cells]
    hints = [f"the target says it with {number(c.p)}, the draft with {number(c.q)}" for c in cells]
    return Table(("tokens", "target's p", "draft's q", "said too often by"), rows, hints)


def _joined(words: Sequence[str]) -> str:
    return " | ".join(map(_dotted, words))


def _dotted(token: str) -> str:
    """A token by itself: a space that it begins or ends with would not be seen in a table."""
    return visible(token).replace(" ", "·")


def _times(p: float, q: float) -> str:
    return f"{q / p:,.0f} times" if p > 1e-9 * q else "never said by the target"


def guess_impossible(joint) -> Guess:
    """What share of the sequences that perfect, independent heads say can never occur?"""
    from ..measure.independence import product

    share = float(product(joint)[joint.law == 0].sum())
    said = "{:.3g}".format
    why = "Whatever the first head says, the second does not hear it, and is right about its own token all the same."
    question = "Each head draws from the true law of its own word. How much of what they say together can never be?"
    return guess(question, offers(share, (0.0, 0.125, 0.25, 0.5, 0.75), said, apart=0.02), said(share), why)


def guess_invented(joint) -> Guess:
    """Which of these pairs do perfect, independent heads say far too often? The others are the target's likeliest."""
    from ..measure.independence import invented

    worst = invented(joint, most=1)[0]
    best = joint.law.flatten().topk(3).indices.tolist()
    wide = len(joint.words[1])
    pairs = [quoted(joint.words[0][i // wide] + joint.words[1][i % wide]) for i in best]
    answer = quoted("".join(worst.words))
    pairs = sorted({*pairs, answer})
    why = f"The heads say it with probability {worst.q:.2f}, the target with {number(worst.p)}."
    return guess("Two perfect heads draw one token each. Which of these do they say far too often?", pairs, answer, why)


def guess_part(costs: Sequence) -> Guess:
    """How much of what the trained head loses is independence?"""
    lost, own = fmean(c.independence for c in costs), fmean(c.own for c in costs)
    share = lost / (lost + own)
    off = interval(c.independence - share * (c.independence + c.own) for c in costs)  # of a ratio of means
    half = (off.half or 0.0) / (lost + own)
    choices = ["less than a third", "between one and two thirds", "more than two thirds"]
    why = f"{lost:.2f} of {lost + own:.2f} nats, or {share:.0%}, on average over {len(costs)} contexts."
    return guess(
        "How much of what the trained head loses is the price of independence?",
        choices,
        boxes(choices, [1 / 3, 2 / 3], Span(share - half, share, share + half), percent),
        why,
    )


def guess_perfect(costs: Sequence) -> Guess:
    """How often would the draft of a perfect head be kept?"""
    low, high = fmean(c.trained for c in costs), fmean(c.perfect for c in costs)
    choices = offers(high, (low, (low + high) / 2, (1 + high) / 2, 1.0), apart=0.03)
    question = (
        f"The trained head's draft is kept {low:.0%} of the time. Train it until it knows the law of its own token "
        "exactly. How often then?"
    )
    why = "It is still drawn without a look at x₁. The rest up to 100% belongs to those who look."
    return guess(question, choices, percent(high), why)


def contexts(backbone, corpus, count: int = 40, longest: int = 80, seed: int = 0) -> list[list[int]]:
    """`count` beginnings of test documents, each cut at a random place after 8 to `longest` tokens."""
    draw, found = random.Random(seed), []
    for document in islice(corpus.documents("test"), count):
        ids = backbone.tokenizer(document, verbose=False)["input_ids"]
        found.append(ids[: draw.randint(min(8, len(ids)), min(longest, len(ids)))])
    return found


def prices(name: str, count: int = 24) -> list[float]:
    """The price of independence, nats, after `count` beginnings of test documents of a shipped backbone's corpus."""
    from ..backbone.load import load_backbone
    from ..corpora import load_corpus
    from ..measure.fidelity import total_correlation
    from ..measure.joint import exact_joint

    backbone = load_backbone(name)
    places = contexts(backbone, load_corpus(name), count)
    return [
        float(total_correlation(exact_joint(backbone, place, n=2))) for place in watched(places, f"{name}, context")
    ]


def guess_dearest(prices: Mapping[str, Sequence[float]]) -> Guess:
    """In which language does independence cost most on average?"""
    means = {name: interval(values) for name, values in prices.items()}
    why = "; ".join(f"{name}: {mean} nats" for name, mean in means.items()) + ", on average (95 %)."
    question = "In which of these languages does independence cost most, on average?"
    return guess(question, list(means), leaders({name: around(mean) for name, mean in means.items()}), why)


def dearest(backbone, costs: Sequence, most: int = 5) -> Table:
    """The contexts for which independence costs most, with the pair that perfect heads invent most often there."""
    from ..measure.independence import invented
    from ..measure.joint import exact_joint

    rows = []
    for cost in watched(sorted(costs, key=lambda c: -c.independence)[:most], "context"):
        worst = invented(exact_joint(backbone, cost.context, n=2), most=1)[0]
        before = cost.context if isinstance(cost.context, str) else backbone.decode(cost.context)
        rows.append(
            (f"… {visible(before)[-TAIL:]}", f"{cost.independence:.2f}", _joined(worst.words), _times(worst.p, worst.q))
        )
    hints = ["the pair of tokens that two perfect heads say too often, most often"] * len(rows)
    return Table(("context", "price, nats", "an invented pair", "said too often by"), rows, hints)


def refused(trace: Trace) -> list[tuple]:
    """(step, place, draft) of every refused draft of a trace."""
    return [(s, k, d) for s in trace.steps for k, d in enumerate(s.drafts) if d.verdict == REFUSED]


def guess_clashes(trace: Trace) -> Guess:
    """How many of the refused drafts were as good as impossible at their place?"""
    found = refused(trace)
    clashes = sum(d.p * RARE <= d.q for _, _, d in found)
    choices = sorted({0, len(found) // 4, len(found) // 2, clashes, len(found)})
    question = (
        f"{len(found)} drafts of this text were refused. How many were as good as impossible, that is, at least {RARE} "
        "times rarer under the target than under the draft?"
    )
    return guess(question, choices, clashes, "The rest were possible tokens that lost their toss.")


def clashes(trace: Trace, most: int = 8) -> Table:
    """Refused drafts that were as good as impossible where they stood, those first that were drafted most readily."""
    found = [(s, k, d) for s, k, d in refused(trace) if d.p * RARE <= d.q]
    rows, hints = [], []
    for step, k, d in sorted(found, key=lambda x: -x[2].q)[:most]:
        tokens = [t for s in trace.steps[: step.index] for t in s.tokens] + [x.token for x in step.drafts[:k]]
        text = visible(trace.prompt_text + "".join(map(trace.piece, tokens)))
        rows.append((step.index + 1, f"… {text[-TAIL:]}", _dotted(trace.piece(d.token)), number(d.q), number(d.p)))
        hints.append(say(trace, step))
    return Table(("call", "the text so far", "then drafted", "draft's q", "target's p"), rows, hints)


def blame(backbone, trace: Trace, most: int = 6) -> Table:
    """Refused first drafts, before and after y' was known: the head's q, and the target's p of the same token without
    and with y'. Those first that were the likeliest before. For traces at temperature 1 without top_k and top_p.
    """
    from ..measure.joint import exact_joint

    found = [(s, d) for s, k, d in refused(trace) if k == 0 and d.p * RARE <= d.q]
    found = sorted(found, key=lambda x: -x[1].q)[: 2 * most]
    strange = max(trace.prompt + trace.tokens, default=0) >= backbone.vocabulary
    if strange:
        raise ValueError(f"trace={trace!r}: it has tokens that {backbone.name!r} does not know; give its own backbone")
    lines = []
    for step, d in watched(found, "refused draft"):
        before = trace.prompt + [t for s in trace.steps[: step.index] for t in s.tokens][:-1]
        without = float(exact_joint(backbone, before, n=2).marginal(2)[d.token])
        text = visible(backbone.decode(before))[-TAIL:]
        words = [_dotted(trace.piece(t)) for t in (step.pending, d.token)]
        lines.append((without, (f"… {text}", *words, number(d.q), number(without), number(d.p)), say(trace, step)))
    lines = sorted(lines, key=lambda line: -line[0])[:most]
    columns = ("the text so far", "y'", "draft", "head's q", "p before y' is known", "p after y'")
    return Table(columns, [row for _, row, _ in lines], [hint for *_, hint in lines])


def check_total_correlation(function: Callable) -> Check:
    """The reader's `function(P)`: KL in nats between a joint of two tokens and the product of its marginals."""
    draw = np.random.default_rng(14)
    some = draw.gamma(0.4, size=(3, 4))
    cases = [
        np.eye(2) / 2,
        np.outer([0.2, 0.8], [0.5, 0.25, 0.25]),
        np.array([[0.5, 0.25], [0.25, 0.0]]),
        some / some.sum(),
    ]

    def price(p, log=np.log):
        q = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
        return float((p[p > 0] * log(p[p > 0] / q[p > 0])).sum())

    def turned(p):
        q = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
        return float((q * np.log(q / p)).sum()) if (p > 0).all() else None

    def judge(result, p):
        if math.isnan(result):
            return "not a number: a cell of probability 0 adds nothing, and 0 · log 0 must not be computed."
        wrong = f"{fixed(result, 4)} is not the KL of P to the product of its marginals."
        return None if abs(result - price(p)) < 1e-9 else wrong

    slips = {
        "{} is right in bits; asked are nats, the natural logarithm.": lambda p: price(p, np.log2),
        "{} is KL(Q ‖ P); asked is the other way round.": turned,
        "{} has the wrong sign: the logarithm is of P over the product.": lambda p: -price(p),
    }
    praise = "For a coin that both must agree on it is log 2: one coin's worth of news."
    return grade(function, ((p,) for p in cases), judge, praise, answers.number, slips=slips)


def check_kept(function: Callable) -> Check:
    """The reader's `function(P, q)`: the chance that a draft x_2 from q is kept, if x_1 is the target's own."""
    draw = np.random.default_rng(15)
    some, law = draw.gamma(0.5, size=(3, 4)), draw.gamma(0.8, size=4)
    cases = [
        (np.eye(2) / 2, np.array([0.5, 0.5])),
        (np.array([[0.3, 0.0], [0.0, 0.7]]), np.array([0.3, 0.7])),
        (np.outer([0.2, 0.8], [0.5, 0.5]), np.array([0.5, 0.5])),
        (some / some.sum(), law / law.sum()),
    ]

    def right(p, q):
        return float(np.minimum(p, p.sum(1, keepdims=True) * q).sum())

    def judge(result, p, q):
        wrong = f"{fixed(result, 4)} is not the chance that the draft is kept."
        return None if abs(result - right(p, q)) < 1e-9 else wrong

    rows = lambda p, q: np.minimum(p / p.sum(1, keepdims=True), q).sum(1)  # noqa: E731
    slips = {
        "{} is the chance that the draft is refused.": lambda p, q: 1 - right(p, q),
        "{} compares q with the law of x₂ before x₁ is known; the target judges after it.": lambda p, q: np.minimum(
            p.sum(0), q
        ).sum(),
        "{} adds up the rows as if each x₁ came every time: weigh row x₁ by p(x₁).": lambda p, q: rows(p, q).sum(),
        "{} is the plain mean of the rows: weigh row x₁ by p(x₁), they do not come equally often.": lambda p, q: rows(
            p, q
        ).mean(),
        "{} compares a joint with a law: each row of P sums to p(x₁), and q to 1.": lambda p, q: np.minimum(p, q).sum(),
    }
    praise = "Row by row: what p(· | x₁) and q share, weighted by how often x₁ comes."
    return grade(function, cases, judge, praise, answers.number, slips=slips)


def check_prices(backbone, cheap, dear, costs: Sequence) -> Check:
    """Is independence cheap after one text and dear after the other, compared with the contexts in `costs`?"""
    from ..measure.fidelity import total_correlation
    from ..measure.joint import exact_joint

    if blank(cheap) or blank(dear):
        return Check(0, 2, "Put two texts in place of the dots.", started=False)
    cuts = quantiles([c.independence for c in costs], n=10)
    below, above = cuts[2], cuts[6]
    try:
        low, high = (float(total_correlation(exact_joint(backbone, text, n=2))) for text in (cheap, dear))
    except (ValueError, TypeError) as error:
        return Check(0, 2, str(error))
    words = (
        f"After the cheap text it costs {low:.3f} nats (wanted: less than {below:.3f}, as after three contexts in ten)"
    )
    words += f"; after the dear one {high:.3f} (wanted: more than {above:.3f}, as after three in ten)."
    return Check((low < below) + (high > above), 2, words)
