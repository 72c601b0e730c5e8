"""Notebook 01: guesses know their ranks, kinds part a table, texts are coloured, checks tell right from wrong."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch

from mtp_explore.exercises import (
    below,
    by_kind,
    check_best_guess,
    check_foretold,
    check_rank,
    foresight,
    guess_below,
    guess_best,
    guess_ceiling,
    guess_lens,
    guess_within,
    outlook,
)
from mtp_explore.exercises.seen import COLOURS, Foresight
from mtp_explore.measure import knowledge

# two texts of four places, three distances: the first choice is right at 8, 4 and 0 of 8 places
RANKS = torch.tensor([[0, 0, 9]] * 4 + [[0, 7, 9]] * 4)


# The first distance below the limit is found, the shares and their intervals stand beside it, and "never" has a word.
def test_below_and_its_guess_know_the_ranks():
    rows = {row[0]: row[1:] for row in below({"heads": RANKS, "oracle": RANKS * 0, "none": RANKS * 0 + 5}, texts=2)}
    assert rows["heads"] == ("3", "50.0% (0.0% to 100.0%)", "0.0% (0.0% to 0.0%)")
    assert rows["oracle"][0] == "farther" and rows["none"][:2] == ("1", "–")
    assert guess_below(RANKS, texts=2).answer == "k = 3" and "100%, 50%, 0%" in guess_below(RANKS, texts=2).why
    assert "farther" in guess_below(RANKS * 0, texts=2).answer


# The answers of the other guesses follow from the ranks too, whichever way they fall.
def test_guesses_follow_the_ranks():
    never = RANKS * 0 + 5
    assert "not even" in guess_lens(RANKS * 0 + torch.tensor([0, 5, 5]), RANKS).answer
    assert (
        "above the floor" in guess_lens(RANKS, never).answer and "about as often" in guess_lens(never * 0, never).answer
    )
    assert guess_best({"a": RANKS, "b": never}, 2, "which").answer == "a"
    assert guess_best({"a": RANKS, "b": never * 0}, 2, "which").answer == "b"
    question = guess_within(torch.tensor([[0, 4], [1, 0], [1, 9], [1, -1]]), k=2, within=5)
    assert question.answer == "67%" and "33%" in question.question
    question = guess_ceiling(RANKS, RANKS * 0, k=2)
    assert question.answer == "100%" and "50%" in question.question and "50%" in question.choices


class Letters:
    """What `by_kind` and `foresight` need of a backbone: single letters as tokens, 0 ends a text."""

    eos = (0,)

    class tokenizer:
        all_special_ids = (0,)
        texts = ("<end>", "a", " b", "7", ".", "<b>&", "\n")

        def __len__(self):
            return len(self.texts)

        def convert_ids_to_tokens(self, index):
            return self.texts[index]

        def decode(self, ids, **_):
            return self.texts[ids[0]]

    def __init__(self):
        self.tokenizer = type(self).tokenizer()


def spelled(rows, horizon=2):
    """A `Text` of these ids, each row ended by 0, without states."""
    tokens = torch.tensor([[0, *row] for row in rows])
    wide = torch.nn.functional.pad(tokens, (0, horizon), value=-1)
    return knowledge.Text(tokens, wide.unfold(1, horizon, 1)[:, 1:][:, : tokens.shape[1]], None)


# Every known rank goes to the kind of the token that it is about, and to no other.
def test_by_kind_parts_the_table():
    text = spelled([[1, 2, 1, 4, 3], [2, 2, 4, 3, 3]])
    ranks = torch.where(text.future >= 0, torch.arange(24).view(2, 6, 2), -1).flatten(0, 1)
    parts = by_kind(ranks, Letters(), text, least=1)
    together = np.full(ranks.shape, -1)
    for kind, table in parts.items():
        assert ((together == -1) | (table == -1)).all(), kind
        together = np.maximum(together, table)
    known = {"a mark": 4, "a new number": 3}
    for kind, token in known.items():
        mine = (text.future == token).flatten(0, 1).numpy()
        assert (parts[kind][mine] == ranks.numpy()[mine]).all() and (parts[kind][~mine] == -1).all()
    assert set(by_kind(ranks, Letters(), text, least=3)) < set(parts)


# A token at place i carries the rank that the state k places before gave it; its text is shown and never executed.
def test_foresight_looks_back():
    text = spelled([[1, 5, 4, 6, 3]])
    ranks = torch.arange(12).view(6, 2)
    seen = foresight(Letters(), text, ranks)
    assert seen.texts == ["a", "<b>&", ".", "\n", "7"]
    assert seen.ranks.tolist() == [[0, -1], [2, 1], [4, 3], [6, 5], [8, 7]]
    html = seen._repr_html_()
    assert "<b>&" not in html and "&lt;b&gt;&amp;" in html and "<script" not in html and html.count("↵<br>") == 1
    assert 'title="rank by distance: 1: 3, 2: 2"' in html
    with pytest.raises(ValueError, match="row=1"):
        foresight(Letters(), text, ranks, row=1)


# One distance is chosen at a time; its rules colour every box, and two texts on one page do not share buttons.
def test_foresight_has_a_button_per_distance():
    pages = [Foresight(["a", "b"], np.array(r))._repr_html_() for r in ([[0, -1], [1, 500]], [[0, -1], [1, 4]])]
    names = [set(re.findall(r'name="([^"]+)"', page)) for page in pages]
    assert all(len(n) == 1 for n in names) and names[0] != names[1]
    assert pages[0].count("<input") == 2 and len(re.findall(r"<input[^>]* checked[ >]", pages[0])) == 1
    for i, colour in enumerate(COLOURS):
        assert all(re.search(rf"-{k}:checked ~ .tx .k{k}b{i} {{ background: {colour}", pages[0]) for k in (1, 2))


# The checks accept right answers and say what is wrong with others.
def best_guess(tokens, k):
    after = defaultdict(Counter)
    for now, later in zip(tokens, tokens[k:], strict=False):
        after[now][later] += 1
    return {now: counts.most_common(1)[0][0] for now, counts in after.items()}


@pytest.mark.parametrize(
    "check, answer, hint",
    [
        (check_rank, lambda s, t: int((s > s[t]).sum()), None),
        (check_rank, lambda s, t: int((s >= s[t]).sum()), "strictly better"),
        (check_rank, lambda s, t: int((s < s[t]).sum()), "scores are higher"),
        (check_best_guess, best_guess, None),
        (check_best_guess, lambda tokens, k: best_guess(tokens, 1), "places later"),
        (check_best_guess, lambda tokens, k: {t: t for t in best_guess(tokens, k)}, "another does"),
        (check_best_guess, lambda tokens, k: {}, "one entry for each"),
    ],
)
def test_checks(check, answer, hint):
    verdict = check(answer)
    assert bool(verdict) == (hint is None), repr(verdict)
    assert hint is None or hint in verdict.message
    assert not check(lambda *a: None).started and "Error" in check(lambda *a: 1 / 0).message


# The answer printed in the notebook holds for the shipped heads; others are told how sure the heads are.
def test_a_text_that_foretells_itself():
    problem = "One part is 162 / 9 = 18. Taken: 18 * 5 = 90. Left: 162 - 90 = 72 melons"
    assert check_foretold("arithmetic", problem)
    assert (
        "with probability" in check_foretold("stories", "Once, a").message
        and not check_foretold("stories", ...).started
    )
    assert "no shipped backbone" in check_foretold("novels", "x").message


# The table of one state: k = 1 is the model's own law, the true tokens are those of the document.
def test_outlook_reads_one_state():
    import mtp_explore as mtp

    backbone, heads = mtp.load_backbone("stories"), mtp.load_drafter("stories/independent")
    document = "Once, a kind girl named Una lived in Hartwell."
    ids = backbone.tokenizer(document)["input_ids"]
    found = outlook(backbone, heads, document, place=7)
    law = backbone.model(torch.tensor([[*backbone.eos, *ids[:7]]])).logits[0, -1].softmax(-1)
    assert [p for _, p in found.choices[0]] == pytest.approx(law.topk(3).values.tolist(), abs=1e-5)
    assert [text for text, _ in found.truth] == [backbone.decode([t]) for t in ids[7:15]]
    assert found.truth[0][1] == int((law > law[ids[7]]).sum())
    assert all(pair is None for pair in outlook(backbone, heads, document).truth)
    with pytest.raises(ValueError, match="place=99"):
        outlook(backbone, heads, document, place=99)
