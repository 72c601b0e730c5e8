"""The ruler from Python: what the page is given, what it is answered, and what is refused."""

import json
import re

import pytest

from mtp_explore.widgets import ruler
from mtp_explore.widgets.ruler import FINE, bridge
from tests.widgets.throws import PARTS, PIECES, PLACES, START, grid, throw


def made(ask=None):
    return ruler(throw(START), grid(START), PIECES.__getitem__, "Once <b>upon", ask)


def embedded(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])


def whole(data: dict, k: int, i: int):
    """The target's picks and strips, and every drafter's, of die k at place i, put together as the page does."""
    cut = lambda x: [] if x < 0 else data["bins"][x]  # noqa: E731
    picks, strips, sides = data["start"]
    p, s, others = data["states"][k][i]
    full = [picks[:k] + p, [cut(x) for x in strips[: k + 1] + s]]
    for (a, b, _), (c, d, _) in zip(sides, others, strict=True):
        full += [a[: max(k - 1, 0)] + c, [cut(x) for x in b[:k] + d]]
    return full


# What is embedded is the grid itself: every place of every die gives the throw it was made of, token by token and edge
# by edge, though only what follows the die is stored.
def test_every_place_of_every_die_is_there():
    data = embedded(made()._repr_html_())
    assert len(data["states"]) == PLACES and all(len(row) == PARTS for row in data["states"])
    flat = lambda bins: [round(x * (FINE if j else 1)) for b in bins or () for j, x in enumerate(b)]  # noqa: E731
    for k, row in enumerate(grid(START)):
        for i, wanted in enumerate(row):
            parts = [wanted.picks, [flat(b) for b in wanted.bins]]
            for name, side in wanted.sides.items():
                known = throw(START).sides[name].bins[:k]  # strips of dice that did not move
                parts += [list(side.picks), [flat(b) for b in [*known, *side.bins[k:]]]]
            assert whole(data, k, i) == parts, (k, i)


# Dice are embedded as they are: asked about again, they make the same throw.
def test_dice_are_not_rounded():
    w = (0.2, 1 - 2**-53, 0.49999999, 0.9)
    data = embedded(ruler(throw(w), grid(w), PIECES.__getitem__)._repr_html_())
    assert data["w"] == list(w) and throw(data["w"]).picks == throw(w).picks


# Text of the model cannot leave its place: no tag of a token or a prompt reaches the page as one.
def test_hostile_text_is_escaped():
    html = made()._repr_html_()
    assert "<img" not in html and "upon" in html and "<b>upon" not in html and html.count("<script") == 2
    assert embedded(html)["pieces"]["2"] == "<img src=x>" and embedded(html)["pieces"]["5"] == "↵"


# Without scripts the first throw stands there as a table: right drafts underlined, wrong ones struck.
def test_table_without_scripts():
    table = made()._repr_html_().partition("<script")[0]
    right = sum(len([1 for a, b in zip(s.picks, throw(START).picks[1:], strict=True) if a == b])
                for s in throw(START).sides.values())  # fmt: skip
    assert table.count("<u>") == right and table.count("<s>") == 3 * (PLACES - 1) - right > 0
    assert "0.700" in table and "deaf" in table


# The kernel answers any dice with the throw they make; dice from outside are brought inside [0, 1).
def test_answer_is_the_throw():
    asked = []
    seen = made(lambda w, full: asked.append((w, full)) or throw(w, full))
    told = seen.answer({"w": [0.9, 1.5, -1, 0.5], "full": True, "id": 7})
    assert told["id"] == 7 and told["ms"] >= 0 and "error" not in told
    (w, full), wanted = asked[0], throw([0.9, 1 - 2**-53, 0.0, 0.5])
    assert full and w == wanted.w and told["state"][0] == wanted.picks
    assert {int(t) for t in told["pieces"]} >= set(wanted.picks)
    assert seen.answer({"w": list(START), "id": 8})["state"][2][2][1] == [-1] * (
        PLACES - 1
    )  # "mute" was not asked fully


# An error becomes a sentence for the page, whatever went wrong.
@pytest.mark.parametrize("question, word", [({"w": [0.1]}, "4 dice"), ({}, "KeyError"), ({"w": list("abcd")}, "float")])
def test_errors_are_told(question, word):
    assert word in made(throw).answer(question)["error"]


# The bridge hands what the page sends to `answer`, and sends the answer back; it knows the name of its ruler.
def test_bridge_carries_questions_and_answers():
    seen = made(throw)
    one, sent = bridge(seen), []
    one.send = lambda message, buffers=None: sent.append(message)
    one._msg_callbacks(one, {"w": list(START), "full": False, "id": 3}, [])
    assert sent[0]["id"] == 3 and sent[0]["state"][0] == throw(START).picks
    assert json.dumps(seen.name) in one._esm and "mtp-ruler-ask" in one._esm


# Sizes that disagree and dice outside are refused in words.
@pytest.mark.parametrize(
    "start, rows, word",
    [
        (throw(START), grid(START)[:2], "grid"),
        (throw(START), [[], *grid(START)[1:]], "grid"),
        (throw(START)._replace(w=[0.2, 1.0, 0.3, 0.9]), grid(START), "w="),
        (throw(START)._replace(picks=[0]), grid(START), "parts"),
        (throw(START)._replace(sides={}), grid(START), "sides"),
    ],
)
def test_bad_input(start, rows, word):
    with pytest.raises(ValueError, match=word):
        ruler(start, rows, PIECES.__getitem__)


# A page of its own needs nothing but itself.
def test_saved_page(tmp_path):
    text = made().save(tmp_path / "ruler.html").read_text("utf-8")
    assert text.startswith("<!doctype html>") and not re.search(r"https?://", text)
    assert repr(made()).count("\n") == 3
