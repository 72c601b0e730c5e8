"""Text made visible: what stands for a token on a page or in a sentence.

`visible(text)` keeps letters and plain spaces and replaces what a page would swallow, execute or reorder by:
    C0 controls, delete     ␀ .. ␟ ␡ (their control pictures), newline ↵, tab ⇥
    other invisible signs   ⟨U+202E⟩ and so on: C1 controls, bidi overrides, lone surrogates, odd spaces, private use
    a leading mark          ◌ before it, so that it does not climb onto its neighbour
Joiners (U+200C, U+200D) and variation selectors stay: emoji and several scripts need them.
`quoted(text)` is the same as one quoted word of a sentence. Neither escapes HTML: that is the renderer's duty.
"""

from __future__ import annotations

import unicodedata

PICTURES = {c: chr(0x2400 + c) for c in range(0x20)} | {0x0A: "↵", 0x09: "⇥", 0x7F: "␡"}
JOINERS = {0x200C, 0x200D}
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}
RIGHT_TO_LEFT = {"R", "AL", "AN"}


def visible(text: str) -> str:
    """`text` with every unseen character replaced by a sign one can see; plain spaces stay."""
    shown = "".join(map(_sign, text))
    return "◌" + shown if unicodedata.category(shown[:1] or " ").startswith("M") else shown


def quoted(text: str) -> str:
    """One token as a quoted word: “evening”; spaces alone are “␣”; right-to-left text is isolated."""
    shown = visible(text)
    shown = shown.strip(" ") or "␣" * len(shown) or "nothing"
    if any(unicodedata.bidirectional(c) in RIGHT_TO_LEFT for c in shown):
        shown = f"\u2068{shown}\u2069"  # first strong isolate .. pop: the numbers behind it keep their place
    return f"“{shown}”"


def _sign(c: str) -> str:
    code = ord(c)
    if code in PICTURES:
        return PICTURES[code]
    if c == " " or code in JOINERS or unicodedata.category(c) not in UNSEEN:
        return c
    return f"⟨U+{code:04X}⟩"
