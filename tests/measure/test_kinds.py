"""Kinds of tokens, on texts whose kinds one can see."""

import pytest

from mtp_explore.measure.kinds import KINDS, common_words, kinds


# Every token gets the kind of what begins in it; words that stood before are known by their whole spelling.
def test_kinds_of_a_story():
    pieces = ["The", " c", "at", ".", " A", " c", "at", " and", " a", " c", "ar", "t", "\n"]
    found = dict(enumerate(kinds(pieces, {"the", "a"})))
    assert found == {
        0: "a common word", 1: "a new word", 2: "inside a word", 3: "a mark", 4: "a common word",
        5: "a word that stood before", 6: "inside a word", 7: "a new word", 8: "a common word", 9: "a new word",
        10: "inside a word", 11: "inside a word", 12: "white space",
    }  # fmt: skip
    assert set(found.values()) < set(KINDS)


# A number's kind is that of all its digits: 12 is not 1, and not 121.
def test_kinds_of_numbers():
    pieces = [" 1", "2", " +", " 1", " =", " 1", "2", " 1", "2", "1", "x", "2"]
    new, again, mark, inside = "a new number", "a number that stood before", "a mark", "inside a word"
    assert kinds(pieces) == [new, new, mark, new, mark, again, again, new, new, new, "a new word", new]
    assert inside not in kinds(pieces)


def test_common_words_stand_in_most_texts():
    assert common_words(["The cat", "the dog 7", "A the 7"], 0.6) == {"the"}
    with pytest.raises(ValueError, match="at least one"):
        common_words([])
