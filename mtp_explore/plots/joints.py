"""Joints of the next tokens: the target's beside a shadow of it (a decomposition, a draft), and their difference.

    joint(P, Q, texts)     two tokens: P, Q [a, b]
    slices(P, Q, texts)    three tokens: P, Q [a, b, c], one slice per first token, with a slider

P is a law. Q may be any array of its shape: the best fit in squares has cells below 0, and they are marked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import choice
from . import given
from .heat import SCALES, SMALL, Pair, dressed, layers, likeliest, pair, slider, three
from .style import literal, token_names

NAMES = ("target p", "draft q")


def joint(
    p: np.ndarray,
    q: np.ndarray,
    texts: tuple[Sequence[str], Sequence[str]],
    names: tuple[str, str] = NAMES,
    most: int = 12,
    scale: str = "sqrt",
):
    """The joint p of two tokens, its shadow q, and p - q, as heat maps over the `most` likeliest tokens of each axis.

    p, q [a, b]: probabilities, row: first token, column: second; `texts`: the tokens of both axes; `scale`: "sqrt",
    "linear" or "log". Each panel states the mass that is shown, the third the total variation of the whole.
    ValueError where p is no law or the shapes disagree.
    """
    p, (q,) = checked(p, [q], texts, 2)
    names, scale = given.texts("names", names, 2), choice("scale", scale, SCALES)
    rows, columns = (likeliest(p, [q], axis, most) for axis in (0, 1))
    one = pair(p, q, rows, columns, [literal(name) for name in names])
    return panels(one, (chosen(texts[0], rows), chosen(texts[1], columns)), scale, brightest([one]))


def slices(
    p: np.ndarray,
    q: np.ndarray,
    texts: tuple[Sequence[str], Sequence[str], Sequence[str]],
    names: tuple[str, str] = NAMES,
    most: int = 12,
    scale: str = "sqrt",
):
    """Three tokens: for each of the `most` likeliest first tokens, the laws of the two that follow it.

    p, q [a, b, c]: joint probabilities; a slice is p(x2, x3 | x1), beside q(x2, x3 | x1). The slider chooses x1; it
    needs no kernel. Otherwise as `joint`. A first token without mass in q has the empty slice.
    """
    p, (q,) = checked(p, [q], texts, 3)
    names, scale = given.texts("names", names, 2), choice("scale", scale, SCALES)
    first, rows, columns = (likeliest(p, [q], axis, most) for axis in (0, 1, 2))
    first = first[p[first].sum((1, 2)) > 0]
    short, _ = token_names(chosen(texts[0], first))
    pairs = []
    for i, name in zip(first, short, strict=True):
        said = f"“{name}”"
        odds = [law[i].sum() for law in (p, q)]
        after = [f"{literal(n)} after {said}" for n in names]
        one = pair(p[i] / odds[0], q[i] / odds[1] if odds[1] > 1e-12 else q[i] * 0, rows, columns, after)
        itself = [f"{said} itself: {v}" for v in (*(f"{o:.3f}" for o in odds), f"{odds[0] - odds[1]:+.3f}")]
        pairs.append(one._replace(heads=[f"{h}<br>{SMALL.format(m)}" for h, m in zip(one.heads, itself, strict=True)]))
    axes = (chosen(texts[1], rows), chosen(texts[2], columns))
    figure = panels(pairs[0], axes, scale, brightest(pairs))
    steps = [step(one, label, scale) for one, label in zip(pairs, short, strict=True)]
    beneath = 44 + 6 * max(len(name) for name in token_names(axes[1])[0])  # the slanted names, and the axis' title
    figure.update_layout(sliders=[slider(steps, "first token x₁: ", beneath)], margin_b=beneath + 72)
    figure.update_layout(height=figure.layout.height + beneath + 12)
    figure.update_xaxes(title_text="third token x₃").update_yaxes(title_text="second token x₂", col=1)
    return figure


def panels(one: Pair, texts: tuple[Sequence[str], Sequence[str]], scale: str, top: float):
    """A figure of one row with the three panels of a pair."""
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 3, subplot_titles=one.heads, shared_yaxes=True, horizontal_spacing=0.025)
    three(figure, one, texts, scale, top)
    figure.update_xaxes(title_text="second token x₂").update_yaxes(title_text="first token x₁", col=1)
    return dressed(figure, 190 + 24 * max(6, len(texts[0])))


def step(one: Pair, label: str, scale: str, **layout) -> dict:
    """A slider's step that puts `one` into the three panels; `layout` is relaid with it."""
    heads = {f"annotations[{i}].text": head for i, head in enumerate(one.heads)}
    return dict(label=label, method="update", args=[layers(one, scale), heads | layout, [0, 1, 2]])


def brightest(pairs: Sequence[Pair]) -> float:
    """The largest probability shown: it gets the full colour in every panel and at every step."""
    return max(float(max(one.p.max(), np.abs(one.q).max())) for one in pairs)


def chosen(texts: Sequence[str], order: np.ndarray) -> list[str]:
    return [texts[i] for i in order]


def checked(
    p, shadows: Sequence, texts: Sequence[Sequence[str]], n: int, name: str = "q"
) -> tuple[np.ndarray, list[np.ndarray]]:
    """p and its shadows as arrays. ValueError where p is no law of n tokens, or a shape disagrees with p's."""
    p, shadows = given.law("p", p, None), [given.numbers(name, q, finite=False) for q in shadows]
    texts = given.texts("texts", texts)
    sizes = tuple(len(given.texts(f"texts[{i}]", t)) for i, t in enumerate(texts))
    if p.ndim != n:
        raise ValueError(f"p has {p.ndim} axes: this figure is for the joint of {n} tokens")
    if p.shape != sizes:
        raise ValueError(f"p has the shape {p.shape} and texts name {sizes} tokens: they must agree")
    for q in shadows:
        if q.shape != p.shape or not np.isfinite(q).all():
            raise ValueError(f"q: the shape {q.shape} must be p's, {p.shape}, and its entries finite")
    return p, shadows
