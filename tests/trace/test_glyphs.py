"""Unseen signs are seen; signs that shape what stands before them stay."""

import pytest

from mtp_explore.trace.glyphs import visible

# Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt), first and last of each run
IGNORABLE = (
    "AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF FFA0 FFF0-FFF8 "
    "1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
BLANK = "2800 A0 2003 3000 2028 1D159 13441 16FE4 FDD0 FFFE 10FFFF E000 D83D 85"


def codes(runs: str):
    for run in runs.split():
        first, _, last = run.partition("-")
        yield from (int(first, 16), int(last or first, 16))


# Whatever a font may leave out, alone, behind a space or behind a plain letter, is written as its number.
@pytest.mark.parametrize("code", list(codes(f"{IGNORABLE} {BLANK}")), ids=hex)
def test_unseen_signs_are_written_out(code):
    told = f"⟨U+{code:04X}⟩"
    assert visible(chr(code)) == told
    assert visible(f" {chr(code)}") == f" {told}" and visible(f"a{chr(code)}b") == f"a{told}b"


# Emoji, joined scripts, glyph variants and keycaps stay what they are.
@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d🚀",
        "❤\ufe0f",
        "❤\ufe0f\u200d🔥",
        "1\ufe0f\u20e3",
        "می\u200cخواهم",
        "क्\u200dष",
        "葛\U000e0100",
        "ᠠ\u180b",
        "é",
        "한글",
        "ខ្មែរ",
    ],
)
def test_shaping_signs_stay(text):
    assert visible(text) == text


# One joiner or selector shapes a sign; a second one, or one of another script, only hides.
@pytest.mark.parametrize(
    "text", ["🚀\u200d\u200d", "❤\ufe0f\ufe0f", "é\U000e0100", "a\u180b", "葛\U000e0100\U000e0101"]
)
def test_hidden_signs_do_not_stay(text):
    assert visible(text) == f"{text[:-1]}⟨U+{ord(text[-1]):04X}⟩"


# What is visible is visible: saying it twice changes nothing.
def test_twice_is_once():
    text = "".join(map(chr, codes(f"{IGNORABLE} {BLANK}"))) + "\u0301\n\t\x00"
    assert visible(visible(text)) == visible(text)
