"""The microscope's booleans are the paper's layouts, and what rows of a real model really depend on."""

import pytest
import torch
from toys import toy

from mtp_explore.backbone.blocks import block_states, freeze
from mtp_explore.exercises import check_sees, layouts, mask_microscope


def names(view):
    return [f"{key.name}/{key.owner}" if key.owner else key.name for key in view.keys]


# Papers.md 3.2 for k = 2 and three tokens: tokens, positions, and the mask by its boolean rule; row (1, 2) by hand.
@pytest.mark.parametrize("k, n", [(2, 3), (3, 2), (1, 1)])
def test_training_layout_is_the_papers(k, n):
    view = layouts(k, n)["training"]
    order = [(i, j) for i in range(n) for j in range(k + 1)]
    assert [key.position for key in view.keys] == [i + j for i, j in order]
    assert names(view) == [f"m{j}/x{i}" if j else f"x{i}" for i, j in order]
    rule = [[(b == 0 and a <= i) or (a == i and 1 <= b <= j) for a, b in order] for i, j in order]
    assert [list(row) for row in view.allowed] == rule
    if (k, n) == (2, 3):
        assert [name for name, on in zip(names(view), view.allowed[5], strict=True) if on] == [
            "x0", "x1", "m1/x1", "m2/x1",
        ]  # fmt: skip


# A call by the words of papers.md 3.6: all see what is cached; drafts what came before; a mask its owner's past and
# the masks before it in its block; positions follow the owner's.
@pytest.mark.parametrize("name", ["first call", "linear", "quadratic"])
def test_calls_follow_the_words(name):
    k, n = 3, 2
    view = layouts(k, n)[name]
    main = [f"x{i}" for i in range(n)] + ([] if name == "first call" else ["y", "d1", "d2", "d3"])
    owners = main[2:] if name == "quadratic" else main[-1:]
    want = main + [f"m{j}/{owner}" for owner in owners for j in range(1, k + 1)]
    assert names(view) == want
    assert list(view.rows) == list(range(0 if name == "first call" else n, len(want)))
    for r, row in zip(view.rows, view.allowed, strict=True):
        mine, owner = view.keys[r], view.keys[r].owner or view.keys[r].name
        assert mine.position == main.index(owner) + (int(mine.name[1:]) if mine.kind == "mask" else 0)
        for key, on in zip(view.keys, row, strict=True):
            if key.kind == "mask":
                assert on == (mine.kind == "mask" and key.owner == owner and key.name <= mine.name)
            else:
                assert on == (main.index(key.name) <= main.index(owner))


# Poke one input of the training pass after the other: exactly the rows that may see it change.
def test_training_rows_depend_on_what_they_see():
    backbone, k, n = toy("llama"), 2, 3
    draw = torch.Generator().manual_seed(0)
    tokens, masks = torch.tensor([[5, 6, 7]]), torch.randn(1, n, k, backbone.width, generator=draw)

    def rows(tokens, masks):
        with torch.no_grad():
            frozen = freeze(backbone, tokens)
            return torch.cat(
                [frozen.hidden[:, :, None], block_states(backbone, frozen, torch.arange(n)[None], masks)], 2
            )

    before = rows(tokens, masks)
    view = layouts(k, n)["training"]
    for column, (a, b) in enumerate((a, b) for a in range(n) for b in range(k + 1)):
        poked, other = tokens.clone(), masks.clone()
        if b:
            other[0, a, b - 1] += 1
        else:
            poked[0, a] += 1
        moved = (rows(poked, other) - before).abs().amax(-1).flatten() > 1e-6
        assert moved.tolist() == [row[column] for row in view.allowed], (a, b)


# The microscope shows all four; sizes below 1 are refused.
def test_microscope_shows_the_layouts():
    page = mask_microscope(2, 2)._repr_html_()
    assert all(f">{name}</label>" in page for name in ("first call", "linear", "quadratic", "training"))
    with pytest.raises(ValueError, match="masks=0"):
        layouts(0, 2)


# Each slip in the rule is told apart.
def test_check_sees_names_the_slip():
    assert check_sees(lambda i, j, a, b: a <= i if b == 0 else a == i and b <= j)
    slips = {
        "read the answer": lambda i, j, a, b: b == 0 or (a == i and b <= j),
        "text saw masks": lambda i, j, a, b: a <= i if b == 0 else a == i and (b <= j or j == 0),
        "guess of its own": lambda i, j, a, b: a <= i if b == 0 else a <= i and b <= j,
        "left to right": lambda i, j, a, b: a <= i if b == 0 else a == i and j > 0,
        "its own block up to itself": lambda i, j, a, b: a <= i if b == 0 else a == i and b < j,
        "the text up to its place": lambda i, j, a, b: a < i if b == 0 else a == i and b <= j,
    }
    for word, slip in slips.items():
        verdict = check_sees(slip)
        assert not verdict and word in verdict.message, (word, verdict.message)
    assert not check_sees(lambda *x: ...).started
