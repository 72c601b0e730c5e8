"""Finding a corpus by name or path, and the errors a wrong name gets."""

import gzip
import json
import sys
import types

import pytest

from mtp_explore.corpora import load_corpus
from mtp_explore.corpora.files import SHORTEST, grouped
from mtp_explore.corpora.splits import SPLITS


def all_of(corpus):
    return [text for split in SPLITS for text in corpus.documents(split)]


# A .txt file loses no paragraph; every document but the last has the promised length; splits do not overlap.
def test_text_file(tmp_path):
    paragraphs = [f"Paragraph {i}. " + "word " * (i % 90) + "end." for i in range(400)]
    path = tmp_path / "book.txt"
    path.write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")
    documents = list(grouped(path.read_text(encoding="utf-8").rstrip("\n")))
    assert "\n\n".join(documents).split("\n\n") == paragraphs
    assert all(len(d) >= SHORTEST for d in documents[:-1])
    found = all_of(load_corpus(str(path)))
    assert sorted(found) == sorted(documents)
    assert load_corpus(path).name == "book.txt"


# A .jsonl corpus reads the field asked for, "text" by default, line separators inside strings included.
def test_json_lines(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [{"text": f"t{i}\u2028x", "question": f"q{i}"} for i in range(60)]
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8")
    assert sorted(all_of(load_corpus(path))) == sorted(r["text"] for r in rows)
    assert sorted(all_of(load_corpus(path, field="question"))) == sorted(r["question"] for r in rows)


# A wrong field is answered with the fields there are; a broken line with its number; a wrong type with its name.
@pytest.mark.parametrize(
    ("line", "error", "said"),
    [
        ('{"body": "x", "title": "y"}', ValueError, "'body', 'title'"),
        ('{"text": 3}', TypeError, "int"),
        ('{"text": ', ValueError, "line 2"),
        ("[1]", ValueError, "list"),
        ("[" * 100_000, ValueError, "line 2: not JSON"),
        ('{"text": "\\ud800"}', ValueError, "line 2: .*half a character"),
    ],
)
def test_json_lines_errors(tmp_path, line, error, said):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(error, match=said):
        all_of(load_corpus(path))


# A folder gives its .py files and its .txt files, in the same order every time.
def test_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.py").write_text("b = 2\n")
    (tmp_path / "a.txt").write_text("Hello.\n\nThere.\n")
    found = all_of(load_corpus(tmp_path))
    assert sorted(found) == ["Hello.\n\nThere.", "b = 2\n"]
    assert all_of(load_corpus(str(tmp_path))) == found


# The case of a suffix is of no matter, a packed file is read as what it holds, and .md is prose.
@pytest.mark.parametrize("name", ["a.TXT", "a.md", "a.Txt.gz", "a.JSONL", "a.jsonl.gz", "a.MD.GZ"])
def test_kinds_of_files(tmp_path, name):
    text = "Hello.\n\nThere."
    held = json.dumps({"text": text, "other": "x"}) if "json" in name.lower() else text
    (tmp_path / name).write_bytes((gzip.compress if "gz" in name.lower() else bytes)(held.encode()))
    assert all_of(load_corpus(tmp_path / name)) == [text]
    if "json" in name.lower():
        assert all_of(load_corpus(tmp_path / name, field="other")) == ["x"]
    if ".txt" in name.lower():
        assert all_of(load_corpus(tmp_path)) == [text]


# A packed file that is cut short or no such file is refused by its name.
@pytest.mark.parametrize("broken", [lambda b: b[: len(b) // 2], lambda b: b"plain text", lambda b: b[:12] + b"x" * 30])
def test_damaged_gz(tmp_path, broken):
    (tmp_path / "a.txt.gz").write_bytes(broken(gzip.compress(b"word " * 400)))
    with pytest.raises(ValueError, match=r"a\.txt\.gz.*no whole \.gz file"):
        all_of(load_corpus(tmp_path / "a.txt.gz"))


# A home directory is found; a folder without text says what it holds instead.
def test_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.txt").write_text("Hello.")
    assert all_of(load_corpus("~/a.txt")) == ["Hello."]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.md").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"name='.*notes': no .py or .txt file in this folder; it holds .md"):
        load_corpus(tmp_path / "notes")


# Every refusal begins with the argument and its value, whatever was given.
@pytest.mark.parametrize(
    "name", [None, 5, 5.0, b"stories", ["stories"], {}, True, "", "  ", "a\0b", "nothing", "x.pdf", "ab/" * 2000]
)
def test_refusals_name_the_argument(name):
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=r"^name="):
        load_corpus(name)
    with pytest.raises(ValueError, match="^field=5"):
        load_corpus("x.jsonl", field=5)
    for split in (None, 5, "dev", ["train"]):
        with pytest.raises(ValueError, match="^split="):
            load_corpus("stories").documents(split)


# The built-in names open without torch: reading documents must not need it.
def test_names_are_known():
    for name in ("stories", "arithmetic", "code"):
        corpus = load_corpus(name)
        assert corpus.name == name
        assert isinstance(next(iter(corpus.documents("train"))), str)


# Unknown names, missing paths, unreadable kinds: each error names the value and a remedy.
@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("storys", ValueError, "'stories'"),
        ("qqqq", ValueError, "stories, arithmetic, code"),
        ("no/such/file.txt", FileNotFoundError, "no/such/file.txt"),
        ("no_such.jsonl", FileNotFoundError, "no_such.jsonl"),
        ("hf:only:two", ValueError, "hf:dataset:split:column"),
        (None, TypeError, "NoneType"),
    ],
)
def test_unknown_names(name, error, said):
    with pytest.raises(error, match=said):
        load_corpus(name)


def test_unreadable_files(tmp_path):
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(ValueError, match="x.pdf"):
        load_corpus(tmp_path / "x.pdf")
    with pytest.raises(ValueError, match="UTF-8"):
        all_of(load_corpus(tmp_path / "latin.txt"))
    with pytest.raises(ValueError, match="field"):
        load_corpus(tmp_path / "latin.txt", field="text")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty"):
        load_corpus(tmp_path / "empty")


# Without the optional package the error says what to install.
def test_hub_without_datasets(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r"pip install mtp-explore\[hub\]"):
        load_corpus("hf:someone/words:train:text")


def fake_datasets(load):
    module = types.ModuleType("datasets")
    module.load_dataset = load
    return module


class Rows(dict):
    column_names = ["text"]


# The named split and column are read, in our three splits; a wrong column is answered with those present.
def test_hub_column(monkeypatch):
    texts = [f"row {i}" for i in range(80)]
    monkeypatch.setitem(sys.modules, "datasets", fake_datasets(lambda name, split: Rows(text=texts)))
    assert sorted(all_of(load_corpus("hf:someone/words:train:text"))) == sorted(texts)
    with pytest.raises(ValueError, match="present: text"):
        load_corpus("hf:someone/words:train:body")


# A column that holds no text is refused by name.
def test_hub_column_of_numbers(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", fake_datasets(lambda name, split: Rows(text=[None, 5])))
    with pytest.raises(TypeError, match="^name='hf:someone/words:train:text': its column holds a int"):
        all_of(load_corpus("hf:someone/words:train:text"))


# Offline, the error says so and offers a way without a network.
def test_hub_offline(monkeypatch):
    def load(name, split):
        raise OSError("unreachable")

    monkeypatch.setitem(sys.modules, "datasets", fake_datasets(load))
    with pytest.raises(ConnectionError, match="jsonl"):
        load_corpus("hf:someone/words:train:text")
