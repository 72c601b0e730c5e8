"""What a reader may return, and what is said then: checks judge answers and never blame their own stumbling on them."""

import numpy as np
import pytest
import torch

from mtp_explore import exercises as ex
from mtp_explore.exercises.check import grade
from mtp_explore.exercises.expert_checks import _em

CHECKS = {
    "check_best_guess": "a dict from token to token",
    "check_block_length": "one number",
    "check_closed_forms": "(linear, quadratic), two numbers",
    "check_em_step": "(w, A, B), three arrays",
    "check_forward": "an array of numbers",
    "check_kept": "one number",
    "check_overlap": "one number",
    "check_pick": "a token is one whole number",
    "check_posterior": "an array of numbers",
    "check_prefix": "one whole number",
    "check_rank": "one whole number",
    "check_rule": "a pair (kept, token)",
    "check_sees": "True or False",
    "check_theorem_2": "an array of numbers",
    "check_tokens_per_call": "one number",
    "check_total_correlation": "one number",
    "check_unpick": "u is one number",
    "check_verifier": "a list of tokens",
}
ODD = {
    "pairs": [(0, [1, 2]), (1, [3])],
    "text": "0.5",
    "lists": [[1], [2, 3]],
    "object": object(),
    "set": {1, 2},
    "truths": np.array([True, False, True]),
    "complex": 1j,
    "nested": {0: [1, 2]},
    "gradient": torch.ones(3, 3, requires_grad=True),
    "kind": int,
    "words": ["a", "b"],
    "deep": (1, (2, 3), {}),
}


def wordless(*a):
    print(a)


# Whatever is returned, no error of ours is reported as the reader's, and the check says what to return instead.
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", CHECKS)
def test_odd_answers_are_told_what_to_return(name, odd):
    verdict = getattr(ex, name)(lambda *a: ODD[odd])
    assert verdict.started and not verdict and "raised" not in verdict.message
    if odd in ("object", "complex", "kind"):
        assert CHECKS[name] in verdict.message


# A function that prints its answer has been started: it is told that it returned nothing.
@pytest.mark.parametrize("name", CHECKS)
def test_printing_is_not_returning(name, capsys):
    verdict = getattr(ex, name)(wordless)
    assert verdict.started and not verdict
    assert "your function returned None: does every path end in a return?" in verdict.message


# "Not started" is said of the stub's dots and of what does as little; not of lines that lead to no return.
def test_only_the_stub_is_not_started():
    def stub(p, q): ...

    def documented(p, q):
        """What it will do."""

    def passing(p, q):
        pass

    def dots(p, q):
        return ...

    def begun(p, q):
        np.minimum(p, q).sum()

    def half(p, q):
        if len(p) == 3:
            return np.minimum(p, q).sum()

    def chosen(p, q):
        found = ...
        return found

    assert not any(ex.check_overlap(f).started for f in (stub, documented, passing, dots))
    assert "returned None" in ex.check_overlap(begun).message and ex.check_overlap(begun).started
    assert "returned None" in ex.check_overlap(half).message and ex.check_overlap(half).passed > 0
    assert "returned the dots" in ex.check_overlap(chosen).message


# An error in the reader's function comes with the line of his code in which it came up, not with a line of ours.
def test_an_error_shows_the_readers_line():
    def answer(p, q):
        share = 1
        return share / (p.sum() - p.sum())[0]

    verdict = ex.check_overlap(answer)
    line = answer.__code__.co_firstlineno + 2
    assert f"in line {line}: return share / (p.sum() - p.sum())[0]" in verdict.message
    assert "in line" not in ex.check_overlap(lambda: 1).message, "the call itself failed, in no line of his"


# Nor does an error inside numpy, called by him, point into numpy.
def test_an_error_inside_a_library_points_at_the_reader():
    def answer(p, q):
        return np.searchsorted(p, "x" * 2).reshape(9)

    assert "np.searchsorted" in ex.check_overlap(answer).message


# The reader's function may change what it is given, in a list or an array: neither the judge nor the next call see it.
def test_arguments_are_the_readers_own():
    def verify(drafts, target):
        kept = 0
        while kept < len(drafts) and drafts[kept] == target[kept]:
            kept += 1
        while len(target) > kept + 1:
            target.pop()
        return target

    def rule(p, q, draft, coin, u):
        if coin * q[draft] < p[draft]:
            return True, draft
        p -= q
        np.maximum(p, 0, out=p)
        return False, int(np.searchsorted(np.cumsum(p) / p.sum(), u, side="right"))

    assert ex.check_verifier(verify) and ex.check_rule(rule)


# A slip is named only where it explains every result; what only looks like it in one case is not blamed on it.
def test_slips_explain_all_cases():
    judge = lambda result, x: None if result == x else "no"  # noqa: E731
    slips = {"{} is doubled": lambda x: 2 * x}
    assert "is doubled" in grade(lambda x: 2.0 * x, [(4,), (5,)], judge, "", float, slips=slips).message
    assert "is doubled" not in grade(lambda x: 8.0, [(4,), (5,)], judge, "", float, slips=slips).message


# The diagnoses of EM: factors in the wrong order, cells not weighed by P, and neither where it is something else.
def test_em_step_is_diagnosed():
    good = lambda P, w, A, B: _em(P, w, A, B)  # noqa: E731
    assert ex.check_em_step(good)
    assert "exchanged" in ex.check_em_step(lambda *a: (_em(*a)[0], _em(*a)[2], _em(*a)[1])).message

    def unweighted(P, w, A, B):
        claim = w[:, None, None] * A[:, :, None] * B[:, None, :]
        dealt = claim / claim.sum(0)
        w = dealt.sum((1, 2))
        return w, dealt.sum(2) / w[:, None], dealt.sum(1) / w[:, None]

    def scaled(P, w, A, B):
        w, A, B = unweighted(P, w, A, B)
        return w / w.sum(), A, B

    assert all("by P before you add" in ex.check_em_step(slip).message for slip in (unweighted, scaled))
    other = ex.check_em_step(lambda P, w, A, B: (_em(P, w, A, B)[0][::-1], A, B)).message
    assert "before you add" not in other and "exchanged" not in other


# The diagnoses of a kept draft: rows that are not weighed are not told that they look at the wrong law.
def test_kept_is_diagnosed():
    def unweighted(P, q):
        return np.minimum(P / P.sum(1, keepdims=True), q).sum()

    assert "weigh row" in ex.check_kept(unweighted).message
    assert "weigh row" in ex.check_kept(lambda P, q: unweighted(P, q) / len(P)).message
    assert "before x₁" in ex.check_kept(lambda P, q: np.minimum(P.sum(0), q).sum()).message
    assert "refused" in ex.check_kept(lambda P, q: 1 - np.minimum(P, P.sum(1, keepdims=True) * q).sum()).message


# A joint of four tokens has four axes, and one that has two is told so; so is one that does not sum to 1.
def test_a_language_of_four_tokens_has_four_axes():
    assert "four axes" in ex.check_order(np.eye(2) / 2).message and "(2, 2)" in ex.check_order(np.eye(2) / 2).message
    assert "four axes" in ex.check_order(np.full((2, 2, 2), 1 / 8)).message
    assert "sum to 0.500" in ex.check_order(np.full((2, 2, 2, 2), 1 / 32)).message
    assert "probabilities" in ex.check_order(np.full((2, 2, 2, 2), np.nan)).message


# Zero has no sign.
def test_no_minus_zero():
    near = lambda P: -1e-6  # noqa: E731
    assert "-0.0000" not in ex.check_total_correlation(near).message
    assert "-0" not in ex.check_one_bit(np.outer([0.5, 0.5], [0.25, 0.75])).message
