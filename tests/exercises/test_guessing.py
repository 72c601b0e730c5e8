"""Guesses: every choice has its answer, nothing is shown before, and nothing but HTML is needed."""

import re

import pytest
from trace_of import TRACE, WORDS

from mtp_explore.exercises import ask, guess, guess_faster, guess_kept
from mtp_explore.exercises.questions import QUESTIONS
from mtp_explore.trace.say import say


def replies(html: str) -> dict[str, str]:
    """Choice to what unfolds below it."""
    return dict(re.findall(r"<summary>(.*?)</summary><p>(.*?)</p>", html))


# One fold per choice, all closed; only the right one says yes, all give the reason.
def test_every_choice_unfolds_its_own_answer():
    html = guess("How many?", range(4), 2, "Because.")._repr_html_()
    found = replies(html)
    assert list(found) == ["0", "1", "2", "3"] and "<details open" not in html
    assert [c for c, text in found.items() if "Yes" in text] == ["2"]
    assert all("Because." in text for text in found.values())
    assert "Close" in found["1"] and "Close" not in found["0"]


# Only one fold of a question is open at a time: they share a name, and another question has another.
def test_folds_of_a_question_share_a_name():
    names = [set(re.findall(r'name="([^"]+)"', guess(q, "ab", "a")._repr_html_())) for q in ("one?", "two?")]
    assert len(names[0]) == len(names[1]) == 1 and names[0] != names[1]


# Text is shown, never executed; no script is needed.
def test_text_is_escaped():
    html = guess("<script>q</script>", ["<b>", "c"], "c", "<img src=x>")._repr_html_()
    assert "<script" not in html and "<img" not in html and "&lt;script" in html


@pytest.mark.parametrize("choices, answer", [([1], 1), ([], 1), ([1, 2], 3)])
def test_a_guess_needs_its_answer_among_two_choices(choices, answer):
    with pytest.raises(ValueError, match="choices"):
        guess("?", choices, answer)


# The answer is how many drafts of that call the trace says were kept; the reason is the player's sentence.
@pytest.mark.parametrize("call", [s.index + 1 for s in TRACE.steps if s.drafts])
def test_guess_kept_knows_the_trace(call):
    question, step = guess_kept(TRACE, call), TRACE.steps[call - 1]
    assert question.answer == sum(d.verdict == "kept" for d in step.drafts)
    assert question.choices == list(range(len(step.drafts) + 1))
    assert question.why == say(TRACE, step)


# Above the folds stand the drafts and the text before them, but no verdict.
def test_guess_kept_tells_nothing_in_advance():
    call = next(s.index + 1 for s in TRACE.steps if s.drafts and 0 < s.kept < len(s.drafts))
    scene = guess_kept(TRACE, call)._repr_html_().partition("<details")[0]
    assert all(WORDS[d.token].strip() in scene for d in TRACE.steps[call - 1].drafts)
    assert "refused" not in scene and "<s" not in scene.replace("<style", "").replace("<span", "").replace("<small", "")


# Left to choose, it takes a call that keeps something and refuses something.
def test_guess_kept_chooses_a_mixed_call():
    assert 0 < guess_kept(TRACE).answer < len(guess_kept(TRACE).choices) - 1


def test_a_call_without_drafts_is_refused():
    with pytest.raises(ValueError, match="call=1 has no drafts.*use one of"):
        guess_kept(TRACE, 1)


# The run with more tokens per call wins.
def test_guess_faster_compares_tokens_per_call():
    slow = type(TRACE)(prompt=[0], steps=TRACE.steps[:1])
    assert guess_faster({"slow": slow, "fast": TRACE}).answer == "fast"


# Every named question can be asked, and an unknown name gets the known ones.
def test_questions_have_names():
    assert all(ask(name).answer in ask(name).choices and ask(name).why for name in QUESTIONS)
    with pytest.raises(ValueError, match="did you mean 'how exact'"):
        ask("how exat")
