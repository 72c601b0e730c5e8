"""Text of your own: a .txt or .md file, a .jsonl file, or a folder of .py and .txt files. The case of a suffix is of no
matter, and files may be packed (.txt.gz).

Splits are drawn by the hash of each document (of each whole file for .py), so they stay the same when text is added.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from mtp_explore.checks import refusal
from mtp_explore.corpora.code import Code, python_files
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.splits import check_split, split_of

READABLE = "a .txt, .md or .jsonl file (or one of these with .gz) or a folder of .py or .txt files"
PROSE = (".txt", ".md")
SHORTEST = 1000  # characters a .txt document has at least, the last one excepted


def open_files(path: str | Path, field: str | None = None) -> Corpus:
    """The corpus in a file or folder.  Raises FileNotFoundError, or ValueError for a kind of file we cannot read."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(refusal("name", str(path), f"no such file or folder: give {READABLE}"))
    if path.is_dir():
        return Folder(path)
    if kind(path) in PROSE:
        return TextFile(path)
    if kind(path) == ".jsonl":
        return JsonLines(path, "text" if field is None else field)
    raise ValueError(refusal("name", str(path), f"it cannot be read: a corpus is {READABLE}"))


def kind(path: Path) -> str:
    """The suffix that says what a file holds: in small letters, without a last ".gz"."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


class TextFile(Corpus):
    """A .txt file.  Paragraphs (blank lines between them) are joined, in order, to documents of 1,000+ characters."""

    def __init__(self, path: Path):
        self.name, self.path = path.name, path

    def documents(self, split: str) -> Iterator[str]:
        return _of_split(grouped(_read(self.path)), split)


class JsonLines(Corpus):
    """A .jsonl file: one JSON object per line, the text under the key `field`."""

    def __init__(self, path: Path, field: str = "text"):
        self.name, self.path, self.field = path.name, path, field

    def documents(self, split: str) -> Iterator[str]:
        return _of_split(self._texts(), split)

    def _texts(self):
        for number, line in enumerate(_read(self.path).split("\n"), 1):
            if not line.strip():
                continue
            where = f"{self.path.name}, line {number}"
            try:
                record = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise ValueError(f"{where}: not JSON ({error}); a .jsonl file holds one object per line") from error
            if not isinstance(record, dict):
                raise ValueError(f"{where}: a JSON object is needed, this is a {type(record).__name__}")
            if self.field not in record:
                present = ", ".join(map(repr, record)) or "none"
                raise ValueError(f"{where}: no field {self.field!r}; fields present: {present}. Choose one with field=")
            if not isinstance(record[self.field], str):
                kind = type(record[self.field]).__name__
                raise TypeError(
                    f"{where}: field {self.field!r} holds a {kind}, not a string. Choose another with field="
                )
            if any("\ud800" <= c <= "\udfff" for c in record[self.field]):
                raise ValueError(
                    f"{where}: field {self.field!r} holds half a character (a lone \\ud800 to \\udfff): mend it"
                )
            yield record[self.field]


class Folder(Corpus):
    """A folder, read recursively: .py files as `Code` does, then .txt files as `TextFile` does."""

    def __init__(self, path: Path):
        self.name, self.path = path.resolve().name, path
        if not python_files(path) and not self._texts():
            others = {kind(p) for p in path.rglob("*") if p.is_file()} - {""}
            held = f"it holds {', '.join(sorted(others))}: a corpus is {READABLE}" if others else f"give {READABLE}"
            raise FileNotFoundError(refusal("name", str(path), f"no .py or .txt file in this folder; {held}"))

    def _texts(self):
        return sorted(
            (p for p in self.path.rglob("*") if kind(p) == ".txt" and p.is_file()), key=lambda p: p.as_posix()
        )

    def documents(self, split: str) -> Iterator[str]:
        check_split(split)
        return chain(Code(self.path).documents(split), *(TextFile(p).documents(split) for p in self._texts()))


def grouped(text: str, shortest: int = SHORTEST) -> Iterator[str]:
    """Paragraphs of `text` joined by one blank line into documents of at least `shortest` characters (but the last)."""
    document = ""
    for paragraph in (p.strip("\n") for p in text.split("\n\n")):
        if paragraph.strip():
            document += ("\n\n" if document else "") + paragraph
        if len(document) >= shortest:
            yield document
            document = ""
    if document:
        yield document


def _of_split(texts: Iterable[str], split: str) -> Iterator[str]:
    check_split(split)
    return (text for text in texts if text.strip() and split_of(text) == split)


def _read(path: Path) -> str:
    try:
        opened = gzip.open if path.suffix.lower() == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"{str(path)!r} is not UTF-8 (byte {error.start}): save it as UTF-8 first") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{str(path)!r} is no whole .gz file ({error}): pack it again") from error
