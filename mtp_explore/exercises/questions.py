"""Questions of the notebooks whose answers do not depend on a run. They stand here so that no cell gives them away."""

from __future__ import annotations

import difflib

from .guessing import Guess, guess

QUESTIONS = {  # name: question, choices, answer, why
    "how exact": (
        "How far will the emitted law be from the target's, at worst over all sequences?",
        ["about 0.01", "about 0.000 001", "about 0.000 000 000 000 000 1"],
        "about 0.000 000 000 000 000 1",
        "It is no estimate, so there is no noise: what is left is the rounding of 64-bit numbers.",
    ),
    "which rule keeps most": (
        "Which rule keeps the most drafts?",
        ["match", "rejection", "block"],
        "block",
        "On average block never keeps fewer than rejection, and match never more: one u picks from q and from p, "
        "and two picks agree with probability Σ min(p, q) at most.",
    ),
    "same seed, same text": (
        "Which rule writes the very text of ordinary decoding with the same seed?",
        ["rejection", "block", "match"],
        "match",
        "Its dice belong to the position: the target's own pick at each place is the same with any drafter, and drafts "
        "are kept only where they agree with it.",
    ),
    "rows of a call": (
        "A call checks K = 8 drafts and buys masks for every case: 0, 1, ... 8 of them survive. How many rows has it?",
        [16, 17, 72, 81, 729],
        81,
        "y and its 8 drafts are 9 rows; behind each hangs a block of 8 masks. (K + 1)² in all.",
    ),
    "floor and ceiling": (
        "At temperature 0, on the same prompts: which drafter comes nearer to the oracle?",
        ["lookup, which copies from the text", "the trained heads"],
        "the trained heads",
        "Lookup needs a text that repeats itself; the heads have seen how stories go on.",
    ),
}


def ask(name: str) -> Guess:
    """A question of the notebooks by its name. ValueError lists the known ones."""
    if name not in QUESTIONS:
        near = difflib.get_close_matches(str(name), QUESTIONS, 1, 0.3)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"name={name!r} is no question ({', '.join(QUESTIONS)}){hint}")
    return guess(*QUESTIONS[name])
