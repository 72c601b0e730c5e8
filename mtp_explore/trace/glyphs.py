"""Text made visible: what stands for a token on a page or in a sentence.

`visible(text)` keeps letters and plain spaces and replaces what a page would swallow, execute or reorder by:
    C0 controls, delete     ␀ .. ␟ ␡ (their control pictures), newline ↵, tab ⇥
    other unseen signs      ⟨U+202E⟩ and so on: C1 controls, bidi overrides, lone surrogates, odd spaces, private use,
                            fillers, blanks, and all that a font may leave out (Default_Ignorable_Code_Point)
    a leading mark          ◌ before it, so that it does not climb onto its neighbour
Joiners (U+200C, U+200D) and variation selectors stay where they change the sign before them, as in emoji and several
scripts: behind a sign that is no space, no plain letter and no such sign itself, a selector of a script behind that
script. `quoted(text)` is the same as one quoted word of a sentence. Neither escapes HTML: that is `markup`'s duty.
"""

from __future__ import annotations

import unicodedata

PICTURES = {c: chr(0x2400 + c) for c in range(0x20)} | {0x0A: "↵", 0x09: "⇥", 0x7F: "␡"}
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}
JOINERS = (0x200C, 0x200D)
SELECTORS = range(0xFE00, 0xFE10)
OF_SCRIPTS = (  # selectors, and the signs behind which they have a meaning
    (range(0x180B, 0x1810), (range(0x1820, 0x18AB),)),  # Mongolian
    (range(0xE0100, 0xE01F0), (range(0x3400, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x33480))),  # Chinese
)
IGNORABLE = (  # those of other categories than UNSEEN, and a few blanks that Unicode does not call so
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x2800, 0x2800),
    (0x3164, 0x3164), (0xFDD0, 0xFDEF), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x13441, 0x13442),
    (0x16FE4, 0x16FE4), (0x1D159, 0x1D159), (0xE0000, 0xE0FFF),
)  # fmt: skip
RIGHT_TO_LEFT = {"R", "AL", "AN"}


def visible(text: str) -> str:
    """`text` with every unseen character replaced by a sign one can see; plain spaces stay."""
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(map(_sign, text, [" ", *text]))
    return "◌" + shown if unicodedata.category(shown[:1] or " ").startswith("M") else shown


def quoted(text: str) -> str:
    """One token as a quoted word: “evening”; spaces alone are “␣”; right-to-left text is isolated."""
    shown = visible(text)
    shown = shown.strip(" ") or "␣" * len(shown) or "nothing"
    if any(unicodedata.bidirectional(c) in RIGHT_TO_LEFT for c in shown):
        shown = f"\u2068{shown}\u2069"  # first strong isolate .. pop: the numbers behind it keep their place
    return f"“{shown}”"


def _sign(c: str, before: str) -> str:
    """What stands for a character, given the one before it."""
    code = ord(c)
    if code in PICTURES:
        return PICTURES[code]
    unseen = code & 0xFFFE == 0xFFFE or any(low <= code <= high for low, high in IGNORABLE)
    if c == " " or not (unseen or unicodedata.category(c) in UNSEEN) or _meant(code, ord(before)):
        return c
    return f"⟨U+{code:04X}⟩"


def _meant(code: int, before: int) -> bool:
    """Whether a joiner or a selector changes the sign that it stands behind."""
    if code in JOINERS or code in SELECTORS:
        letter = before < 0x80 and (chr(before).isalpha() or before <= 0x20)
        return not letter and (before in SELECTORS and code == 0x200D or _sign(chr(before), " ") == chr(before))
    scripts = next((scripts for selectors, scripts in OF_SCRIPTS if code in selectors), ())
    return any(before in signs for signs in scripts)
