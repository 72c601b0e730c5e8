"""Byte-level BPE: exact round trips, ids that survive saving, pieces that can always be shown."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtp_explore.corpora.corpus import stream
from mtp_explore.corpora.tokenizer import END, fingerprint, load_tokenizer, name_of, piece, token_bytes, train_tokenizer

TEXTS = ["the cat sat on the mat and counted 12 and 120 mats \U0001f600"] * 50


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, 300)


def ids_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


# Every text comes back exactly: control characters, emoji, right-to-left marks, line ends, runs of spaces.
@given(text=st.text(max_size=60))
def test_round_trip(tokenizer, text):
    assert tokenizer.decode(ids_of(tokenizer, text)) == text


@pytest.mark.parametrize(
    "text", ["", "\x00\x1b[31m\x7f", "a\r\n\t  b", "👩‍👩‍👧", "e\u0301", "‮abc‬", " 'll n't", "<script>"]
)
def test_round_trip_of_awkward_text(tokenizer, text):
    assert tokenizer.decode(ids_of(tokenizer, text)) == text


# No token holds two digits.
def test_digits_stand_alone(tokenizer):
    for index in range(len(tokenizer)):
        assert sum(c.isdigit() for c in piece(tokenizer, index)) <= 1 or "⟨" in piece(tokenizer, index)
    assert [piece(tokenizer, i) for i in ids_of(tokenizer, " 120")] == [" 1", "2", "0"]


# The pieces of a text hold the same bytes as the text; whole characters are shown as such, split ones as their bytes.
@given(text=st.text(max_size=40))
def test_pieces_hold_the_bytes(tokenizer, text):
    names = tokenizer.convert_ids_to_tokens(ids_of(tokenizer, text))
    assert b"".join(map(token_bytes, names)) == text.encode("utf-8")


def test_pieces_show_split_characters_as_bytes(tokenizer):
    shown = [piece(tokenizer, i) for i in ids_of(tokenizer, "é")]
    assert shown == ["⟨C3⟩", "⟨A9⟩"]
    assert piece(tokenizer, tokenizer.eos_token_id) == END
    assert "�" not in "".join(piece(tokenizer, i) for i in range(len(tokenizer)))
    with pytest.raises(ValueError, match="outside the vocabulary"):
        piece(tokenizer, len(tokenizer))


# A model's tokens beyond its tokenizer's are shown by their numbers, as all are where there is no tokenizer.
def test_every_token_of_a_model_has_a_name(tokenizer):
    size = len(tokenizer)
    assert [name_of(tokenizer, i) for i in range(size)] == [piece(tokenizer, i) for i in range(size)]
    assert name_of(tokenizer, size) == f"⟨{size}⟩" and name_of(None, size) == str(size)


# Training is a function of the text; saving and loading change no id.
def test_deterministic_and_saved(tokenizer, tmp_path):
    assert fingerprint(train_tokenizer(TEXTS, 300)) == fingerprint(tokenizer)
    tokenizer.save_pretrained(tmp_path)
    again = load_tokenizer(tmp_path)
    assert fingerprint(again) == fingerprint(tokenizer)
    assert ids_of(again, TEXTS[0]) == ids_of(tokenizer, TEXTS[0])
    assert again.eos_token == again.bos_token == again.pad_token == END
    assert again.eos_token_id == 0


# The stream is the documents in order, each closed once by the end token, cut exactly at the limit.
def test_stream(tokenizer):
    texts = [f"{i} the cat" for i in range(1300)]
    ids = stream(texts, tokenizer)
    assert ids.dtype == torch.long and ids.dim() == 1
    assert tokenizer.decode(ids).split(END) == [*texts, ""]
    assert torch.equal(stream(iter(texts), tokenizer, limit=777), ids[:777])
    assert len(stream([], tokenizer)) == 0
    with pytest.raises(ValueError, match="limit"):
        stream(texts, tokenizer, limit=0)


def test_bad_input(tokenizer, tmp_path):
    with pytest.raises(ValueError, match="vocab_size"):
        train_tokenizer(TEXTS, 100)
    with pytest.raises(FileNotFoundError, match="tokenizer.json"):
        load_tokenizer(tmp_path)


# A backbone without a tokenizer cannot read a corpus, and says so.
def test_no_tokenizer():
    with pytest.raises(ValueError, match="tokenizer=None"):
        stream(["a text"], None)
