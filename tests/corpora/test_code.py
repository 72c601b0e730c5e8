"""The standard library as a corpus: whole, deterministic, split by file, no longer than promised."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_explore.corpora.code import LEFT_OUT, LONGEST, Code, chunks, python_files
from mtp_explore.corpora.splits import SPLITS


@pytest.fixture(scope="module")
def documents():
    return {split: list(Code().documents(split)) for split in SPLITS}


# The interpreter that runs has a library worth training on, mostly in "train", and reads the same twice.
def test_library_is_there_and_deterministic(documents):
    characters = {split: sum(map(len, texts)) for split, texts in documents.items()}
    assert characters["train"] > 1_000_000
    assert all(characters.values())
    assert list(Code().documents("validation")) == documents["validation"]


# No document is longer than promised unless one of its lines is.
def test_documents_are_short(documents):
    for text in documents["train"]:
        assert len(text) <= LONGEST or max(map(len, text.splitlines())) > LONGEST


# Tests, third-party packages and tables are left out, in whatever folder they lie.
def test_left_out_directories_are_not_read():
    corpus = Code()
    for path in python_files(corpus.folder):
        assert not LEFT_OUT.intersection(path.relative_to(corpus.folder).parts[:-1])


# Every piece of a file goes where the whole file goes: one module is never in two splits.
def test_a_file_is_in_one_split(tmp_path):
    for number in range(40):
        source = "\n\n".join(f"def f{i}_{number}():\n    return {i}" for i in range(300))
        (tmp_path / f"m{number}.py").write_text(source)
    corpus = Code(tmp_path)
    homes = {}
    for split in SPLITS:
        for text in corpus.documents(split):
            for number in set(re.findall(r"f\d+_(\d+)", text)):
                homes.setdefault(number, set()).add(split)
    assert len(homes) == 40
    assert all(len(splits) == 1 for splits in homes.values())
    assert set.union(*homes.values()) >= {"train"}


# A file that is no text is passed over; the others are still read.
def test_undecodable_files_are_skipped(tmp_path):
    (tmp_path / "bad.py").write_bytes(b"x = '\xff\xfe'\n")
    (tmp_path / "odd.py").write_bytes(b"# -*- coding: no-such-thing -*-\n")
    (tmp_path / "good.py").write_text("x = 1\n")
    texts = [text for split in SPLITS for text in Code(tmp_path).documents(split)]
    assert texts == ["x = 1\n"]


# Cutting loses nothing and adds nothing, for any text and any limit; only a long line exceeds the limit.
@given(st.text(alphabet="d ef\n@class:()", max_size=300), st.integers(1, 40))
def test_chunks_join_to_the_text(text, longest):
    pieces = chunks(text, longest)
    assert "".join(pieces) == text
    assert all(len(p) <= longest or "\n" not in p[:-1] for p in pieces)


# A cut falls before a top-level definition where that is enough.
def test_cuts_fall_between_definitions():
    source = "".join(f"def f{i}():\n    return {i}\n\n\n" for i in range(50))
    pieces = chunks(source, 200)
    assert len(pieces) > 1
    assert all(p.startswith("def ") for p in pieces)


# Errors name what is wrong.
def test_bad_input(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Code(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="train"):
        list(Code().documents("dev"))
