"""What the notebooks state about what ships is measured here, so that no text outlives the drafters it is about."""

import re
from itertools import combinations
from pathlib import Path

import nbformat
import pytest
import torch

import mtp_explore as mtp
from mtp_explore.decode.tape import streams
from mtp_explore.measure import thrown
from mtp_explore.tensors.categorical import edges

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
DAYS = {" T", " W", " S", " M", " F"}  # how the five days that the target may name begin


def text_of(name: str, kind: str) -> str:
    cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == kind)


@pytest.fixture(scope="module")
def days():
    """{who: (the two tokens after the day, five times; laws [5, V] of the first of them, or None)} and the "order" of
    the days: notebook 07's opening and dice, with w_0 in the middle of each day's bin.
    """
    backbone, corpus = mtp.load_backbone("arithmetic"), mtp.load_corpus("arithmetic")
    found = re.search(r"problems\[(\d+)\]\.split\(\)\[:(\d+)\].*seed=(\d+)", text_of("07_ptp", "code"), re.S)
    problem, words, seed = map(int, found.groups())
    opening = " ".join(mtp.exercises.documents("arithmetic", problem + 1)[problem].split()[:words])
    ids = torch.tensor(backbone.encode(opening))
    text = thrown.text_of(backbone, ids, torch.full_like(ids[:, :1], ids.shape[1] - 1), whole=True)
    w = torch.from_numpy(streams(seed, 1)[0].random(9))[None, None]
    law = thrown.own(text, w).laws[0, 0, 0]
    high = edges(law)
    likely = [t for t in range(len(law)) if law[t] > 0.05]
    assert {backbone.tokenizer.decode([t]) for t in likely} == DAYS
    w = w.repeat(1, len(likely), 1)
    w[0, :, 0] = torch.stack([high[t] - law[t] / 2 for t in likely])
    text = text._replace(anchors=text.anchors.expand(-1, len(likely)))
    own = thrown.own(text, w)
    said = {"target": (own.tokens[0, :, 1:3], own.laws[0, :, 1])}
    heads = {"independent heads": mtp.load_drafter("arithmetic/independent", backbone)}
    for name, drafter in (heads | mtp.exercises.throwers(backbone, corpus)).items():
        made = thrown.drafts(drafter, text, w, own.tokens[..., 0])
        said[name] = made.tokens[0, :, :2], None if made.laws is None else made.laws[0, :, 0]
    decode = lambda rows: ["|".join(map(backbone.decode, row.unsqueeze(-1).tolist())) for row in rows]  # noqa: E731
    order = [backbone.tokenizer.decode([t]) for t in likely]
    return {name: (decode(tokens), law) for name, (tokens, law) in said.items()} | {"order": order}


def moved(law) -> float:
    """The largest total variation between two days."""
    return max(float((law[a] - law[b]).abs().sum() / 2) for a, b in combinations(range(len(law)), 2))


# Notebook 07 says how far the strips after the day follow the die that throws it, and what is drafted on all five days.
def test_what_follows_the_day_of_the_week(days):
    words = " ".join(text_of("07_ptp", "markdown").split())
    assert f"a total variation of {moved(days['target'][1]):.2f} between two days" in words
    assert f"C-PTP's moves by {moved(days['C-PTP'][1]):.2f} at most" in words
    assert moved(days["independent heads"][1]) < 1e-6
    assert {said.split("|")[0] for said in days["C-PTP"][0]} == {"u"} and "its first draft stays “u”" in words
    assert set(days["O-PTP"][0]) == {"u|esday"} and "“u|esday” on all five days" in words
    assert [said[0] == "u" for said in days["target"][0]] == [day in (" T", " S") for day in days["order"]]
    assert "which is right for Tuesday and Sunday" in words
