"""Notebook 06: the layouts of masks as the library itself lays them out, for the microscope.

k masks, n tokens of text x_0 .. x_{n-1}. Every boolean comes from `backbone.layout`, of slots that a plan bought: the
prompt with its masks, a linear and a quadratic call, and the training layout of papers.md 3.2, which is the quadratic
call over a finished text whose rows are sorted by block.
"""

from __future__ import annotations

from types import SimpleNamespace

from ..plots.microscope import Key, Microscope, View, microscope

SAYS = {
    "first call": "The prompt, and the masks behind its last token.",
    "linear": "y, its drafts, and one block of masks behind the last of them. What is cached does not ask again.",
    "quadratic": "y, its drafts, and a block of masks behind each: one block will be the right one.",
    "training": "A finished text with a block of masks behind every token; one pass for all beginnings of the text.",
}


def mask_microscope(masks: int = 2, text: int = 3) -> Microscope:
    """The microscope over the four layouts, for `masks` masks and a text of `text` tokens."""
    return microscope(layouts(masks, text))


def layouts(masks: int = 2, text: int = 3) -> dict[str, View]:
    """{name: `View`} of the four layouts. ValueError for sizes below 1."""
    if masks < 1 or text < 1:
        raise ValueError(f"masks={masks}, text={text}: both are at least 1")
    tokens, drafts = [f"x{i}" for i in range(text)], ["y", *(f"d{i}" for i in range(1, masks + 1))]
    found = {
        "first call": _view(masks, [], tokens, text - 1, "linear", 0),
        "linear": _view(masks, tokens, drafts, 0, "linear", masks),
        "quadratic": _view(masks, tokens, drafts, 0, "quadratic", masks),
        "training": by_block(_view(masks, [], tokens, 0, "quadratic", text - 1)),
    }
    return {name: view._replace(says=SAYS[name]) for name, view in found.items()}


def _view(masks: int, cached: list[str], main: list[str], first: int, plan: str, drafts: int) -> View:
    """One call: `cached` and `main` rows by name, branch 0 hanging from main row `first`, `drafts` of them pending."""
    import torch

    from ..backbone.layout import layout
    from ..contract import Draft
    from ..decode.plan import NAMED

    one = torch.zeros(1, dtype=torch.long)
    draft = Draft(one.new_zeros(1, drafts), torch.zeros(1, drafts, 1), one + drafts)
    slots = NAMED[plan](SimpleNamespace(slots_per_branch=masks, first_slot=1), draft)
    old, context = len(cached), len(cached) + len(main) + masks + 1
    made = layout(one + old, old, len(main), one + first, slots, context)
    kind = lambda name: "draft" if name[0] == "d" else "text"  # noqa: E731
    names = [(name, kind(name), "") for name in [*cached, *main]]
    for b, j in zip(slots.branch[0].tolist(), slots.index[0].tolist(), strict=True):
        names.append((f"m{j}", "mask", main[first + b]))
    places = made.columns[0].tolist()
    keys = [Key(name, kind, place, owner) for (name, kind, owner), place in zip(names, places, strict=True)]
    return View(keys, range(old, len(keys)), made.allowed[0].tolist())


def by_block(view: View) -> View:
    """The same with every mask behind the token it hangs from, as papers.md 3.2 numbers them."""
    text = [key.name for key in view.keys if key.kind != "mask"]
    order = sorted(range(len(view.keys)), key=lambda c: text.index(view.keys[c].owner or view.keys[c].name))
    allowed = [[view.allowed[r][c] for c in order] for r in order]
    return View([view.keys[c] for c in order], range(len(order)), allowed, view.says)
