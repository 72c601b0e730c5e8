"""What cannot be told apart is neither offered as two answers nor graded as if it could be."""

from itertools import pairwise

import pytest

from mtp_explore.exercises import guess, guess_chance, guess_temperature, telling
from mtp_explore.exercises.close import Span, boxes, first_below, fixed, leaders, offers, percent
from mtp_explore.exercises.hidden_states import guess_below, guess_best
from mtp_explore.exercises.independent_heads import guess_dearest
from mtp_explore.exercises.lossless import Place
from mtp_explore.exercises.mask_harm import guess_paid
from mtp_explore.exercises.throws import guess_window
from mtp_explore.plots.price import Rounds, break_even
from mtp_explore.trace import recorded as room
from mtp_explore.trace.records import Trace
from tests.exercises.trace_of import step


# Two answers that would be shown alike are refused, whatever they are made of: a reader could not choose between them.
@pytest.mark.parametrize(
    "choices",
    [
        ["Σ p·q = 0.51", "Σ min(p, q) = 0.51"],
        ["38%", "38 %"],
        [1, 1.0],
        ["1", 1],
        ["0.50", "50%"],
        ["a  b", "a b"],
        ["", ""],
    ],
)
def test_choices_that_look_alike_are_refused(choices):
    with pytest.raises(ValueError, match="look alike"):
        guess("?", choices, choices[0])


# What differs on the page is offered, also where a part of it agrees.
@pytest.mark.parametrize(
    "choices",
    [["k = 2", "k = 3"], ["heads, budget=16", "masks, budget=16"], ["a", "A"], ["inf", "Infinity"]],
)
def test_choices_that_differ_are_offered(choices):
    assert guess("?", choices, choices[0]).choices == choices


# A tie has several right answers: each is greeted as right, and all are told that it was too close to call.
def test_a_tie_accepts_every_tied_answer():
    question = guess("?", ["a", "b", "c"], ["a", "b"], "Because.")
    html = question._repr_html_()
    assert question.answers == ["a", "b"] and question.answer == "a"
    assert html.count("Yes.") == 2 and html.count("too close to call between a and b") == 3
    with pytest.raises(ValueError, match="none of the choices"):
        guess("?", ["a", "b"], ["a", "z"])
    with pytest.raises(ValueError, match="none of the choices"):
        guess("?", ["a", "b"], [])


# The largest leads, and with it what is shown like it or whose span meets its span; the rest does not.
def test_leaders():
    assert leaders({"a": 0.368, "b": 0.371, "c": 0.3}, percent) == ["b", "a"]
    assert leaders({"a": 1.0, "b": 2.0}) == ["b"] and leaders({"a": 1.0, "b": 2.0}, least=True) == ["a"]
    assert leaders({"a": Span(1.0, 1.5, 2.1), "b": Span(2.0, 3.0, 4.0), "c": 1.9}) == ["b", "a"]


# A value lies in its box; on a shown edge, or with a span over it, in the neighbour's as well.
def test_boxes():
    names = ["low", "middle", "high"]
    assert boxes(names, [1, 2], 1.5) == ["middle"] and boxes(names, [1, 2], 2) == ["middle"]
    assert boxes(names, [1, 2], 1.003, fixed) == ["middle", "low"]
    assert boxes(names, [1, 2], Span(0.5, 1.5, 2.5)) == ["middle", "low", "high"]


# The first below a limit: those before it whose span reaches below may be the first too, those after a sure one not.
def test_first_below():
    assert first_below({"a": 3.0, "b": 1.0, "c": 0.5}, 2) == ["b"]
    assert first_below({"a": Span(1.9, 2.1, 2.3), "b": 1.0}, 2) == ["b", "a"]
    assert first_below({"a": Span(1.7, 1.9, 2.3), "b": Span(0.5, 1.0, 2.5)}, 2) == ["a", "b", None]
    assert first_below({"a": 3.0}, 2) == [None]


# Other numbers are offered only where they are shown otherwise than the answer, and not just beside it.
def test_offers():
    assert offers(0.38, [0.379, 0.4, 0.6, 0.601], apart=0.03) == ["38%", "60%"]
    assert fixed(-1e-17, 4) == "0.0000" and percent(-0.001) == "0%" and fixed(-0.5) == "-0.50"


# The place of notebook 03 tells: no token is nearly certain under either law, and the four numbers lie apart.
@pytest.mark.parametrize("corpus", ["stories", "arithmetic", "code"])
def test_the_telling_place_is_spread(corpus):
    place = telling(room.recorded(f"{corpus}-independent-top5"))
    numbers = sorted(place.numbers.values())
    assert max(place.p) < 0.66 and max(place.q) < 0.66 and min(b - a for a, b in pairwise(numbers)) >= 0.05
    question = guess_chance(place)
    assert question.answers == [f"Σ min(p, q) = {place.overlap:.2f}"] and len(question.choices) == 4
    if corpus == "stories":
        assert place.text.endswith("Olaf Baxter the") and f"{place.overlap:.2f}" == "0.34"


# Where the target is sure of one token nothing is proved there, and a trace of such places has none to show.
def test_a_sure_target_tells_nothing():
    one = step(1, "r")
    one.drafts[0].p_top, one.drafts[0].q_top = [(4, 1.0)], [(4, 0.5), (5, 0.5)]
    with pytest.raises(ValueError, match="no place.*longer text"):
        telling(Trace(prompt=[0], steps=[one], pieces={4: "a", 5: "b", 6: "c"}))


# At a place where two of the numbers are equal, only the right one of them is offered.
def test_equal_numbers_are_offered_once():
    question = guess_chance(Place(["a", "b"], [1.0, 0.0], [0.51, 0.49], "a", ""))
    assert question.answer == "Σ min(p, q) = 0.51" and not any("p·q" in choice for choice in question.choices)


# A recorded mean is graded with its interval: stories and arithmetic decide, code does not.
def test_temperature_is_graded_by_recorded_means():
    for corpus in ("stories", "arithmetic"):
        assert guess_temperature(corpus).answers == ["temperature 0"]
    assert len(guess_temperature("code").answers) == 2
    with pytest.raises(ValueError, match="recorded are"):
        guess_temperature("novels")


# What was timed is graded by medians, and runs whose ranges meet count as level; one slow round decides nothing.
def test_timings_are_graded_by_their_rounds():
    masks = Rounds([(2.0, 2.4), (2.1, 2.4), (9.0, 2.4), (2.0, 2.4), (2.2, 2.4)])
    plain = Rounds([(1.0, 1.0)] * 5)
    question = guess_paid({"ordinary decoding": plain, "masks": masks})
    assert set(question.answers) == {"masks", "ordinary decoding"} and "0.27 to 1.20" in question.why
    assert break_even({"masks": masks}).layout.xaxis.range[1] > 9, "the bar ends within the figure"
    sure = guess_paid({"ordinary decoding": plain, "masks": Rounds([(2.0, 2.4), (2.1, 2.4), (1.9, 2.4)])})
    assert sure.answers == ["masks"] and tuple(masks) == (2.1, 2.4)


# Guesses over methods accept whoever is level with the best: equal shares, equal sums, means within their intervals.
def test_ties_among_methods():
    import numpy as np

    half = np.array([[0, 0], [0, 1]] * 200)
    assert set(guess_best({"a mark": half, "a common word": half.copy(), "x": half + 1}, 2, "which").answers) == {
        "a mark",
        "a common word",
    }
    assert set(guess_window({"a": {2: 1.501}, "b": {2: 1.499}, "c": {2: 1.2}}).answers) == {"a", "b"}
    assert len(guess_dearest({"a": [1.0, 3.0, 2.0], "b": [2.1, 1.9, 2.2]}).answers) == 2
    assert guess_dearest({"a": [1.0, 1.1, 1.0], "b": [2.1, 1.9, 2.2]}).answers == ["b"]


# The first distance below a share: one whose interval reaches below may be the first as well.
def test_the_first_distance_below_has_an_interval():
    import torch

    sure = torch.tensor([[0] + [9] * 7] * 40)
    assert guess_below(sure, texts=4).answers == ["k = 2"]
    mixed = sure.clone()
    mixed[:2, 1] = 0  # 5 % at k = 2, all in one text
    mixed[:30, 2] = 0
    assert guess_below(mixed, texts=4).answers[0] == "k = 2" and len(guess_below(mixed, texts=4).answers) > 1
