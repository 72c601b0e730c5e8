"""Notebook 06: the checks of its exercises."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import answers
from .check import Check, grade
from .close import fixed
from .masks import closed_forms

SHAPE = 2, 3  # masks and tokens of the layout that is asked


def check_sees(function: Callable) -> Check:
    """The reader's `function(i, j, a, b)`: in the training layout, may row (i, j) see key (a, b)? Row (i, 0) is token
    i, (i, j) mask j behind it; so are the keys. Compared with the library's layout.
    """
    from .mask_layouts import layouts

    masks, text = SHAPE
    view = layouts(masks, text)["training"]
    order = [(i, j) for i in range(text) for j in range(masks + 1)]
    seen = {(*q, *k): on for q, row in zip(order, view.allowed, strict=True) for k, on in zip(order, row, strict=True)}

    def judge(result, i, j, a, b):
        if result == seen[i, j, a, b]:
            return None
        row, key = _name(i, j), _name(a, b)
        if result:
            if b == 0:
                why = "it would read the answer" if a > i else "the microscope says no"
            elif j == 0:
                why = "if text saw masks, the model's own law would change"
            else:
                why = "a block is a guess of its own" if a != i else "masks go from left to right"
            return f"{row} must not see {key}: {why}."
        return f"{row} sees {key}: {'the text up to its place' if b == 0 else 'its own block up to itself'}."

    cases = [(*q, *k) for q in order for k in order]
    praise = "That is the whole mask, and in every call of decoding it is the same."
    return grade(function, cases, judge, praise, answers.truth)


def _name(i: int, j: int) -> str:
    return f"mask {j} behind x{i}" if j else f"x{i}"


def check_prefix(function: Callable) -> Check:
    """The reader's `function(drafts, picks)`: how many drafts are kept, where `picks` are the target's own tokens."""
    draw = np.random.default_rng(6)
    cases = [([5, 7, 9], [5, 7, 9]), ([5, 7, 9], [5, 8, 9]), ([5, 7, 9], [4, 7, 9]), ([1], [2])]
    cases += [tuple(draw.integers(0, 2, (2, 6)).tolist()) for _ in range(4)]

    def judge(result, drafts, picks):
        same = np.asarray(drafts) == np.asarray(picks)
        right, every = int(same.cumprod().sum()), int(same.sum())
        if result == right:
            return None
        if result == every:
            return f"{every} drafts match, but behind the first wrong one the target was asked about another text."
        return f"{result}; the first {right} match, and what follows a wrong draft does not count."

    cases = ((np.array(d), np.array(p)) for d, p in cases)
    praise = "cumprod, not sum: a published implementation has this bug."
    return grade(function, cases, judge, praise, answers.whole)


def check_closed_forms(function: Callable) -> Check:
    """The reader's `function(a)` -> (linear, quadratic) tokens per call from the chances a_1..a_K (papers.md 3.6)."""

    def judge(result, a):
        linear, quadratic = result
        good = closed_forms(a)
        wrong = [name for name, x, y in zip(("linear", "quadratic"), (linear, quadratic), good, strict=True)
                 if abs(x - y) > 1e-9]  # fmt: skip
        if not wrong:
            return None
        if abs(quadratic - (good[1] - 1)) < 1e-9:
            return "the target's own token comes on top of the kept drafts."
        if wrong == ["linear"] and abs(linear - good[1]) < 1e-9:
            return "linear has no drafts in the call after a refusal; such calls bring one token."
        return f"{' and '.join(wrong)} should be {', '.join(fixed(y, 4) for y in good)} (linear, quadratic)."

    chances = [[1.0], [0.0, 0.5], [0.85, 0.75, 0.7, 0.65], [0.9] * 8, [0.3, 1.0]]
    pair = answers.numbers("(linear, quadratic), two numbers", 2)
    return grade(function, ((np.array(a),) for a in chances), judge, "Two lines, and no model was asked.", pair)
