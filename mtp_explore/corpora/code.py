"""Code: the standard library of the Python that is running, read where it lies and never copied.

A file goes to one split as a whole, by the hash of its text, so no module is half seen in training.  A document is a
run of top-level definitions of one file, at most about 4,000 characters long.
"""

import re
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.splits import check_split, split_of

LONGEST = 4000  # characters
LEFT_OUT = {  # tests, third-party packages, tools on their way out, and files that are tables rather than code
    "test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__",
    "idlelib", "lib2to3", "turtledemo", "encodings", "pydoc_data", "__phello__",
}  # fmt: skip
CUTS = (  # where a text may be cut, coarse to fine: before a top-level definition, a method, a paragraph, a line
    re.compile(r"(?m)^(?=(?:@|def |class |async def ))"),
    re.compile(r"(?m)^(?=    (?:@|def |class |async def ))"),
    re.compile(r"(?m)(?<=\n\n)(?=.)"),
    re.compile(r"(?<=\n)"),
)


class Code(Corpus):
    """The .py files below `folder` (default: this interpreter's standard library) in documents of whole definitions."""

    def __init__(self, folder: str | Path | None = None, name: str = "code"):
        self.name = name
        self.folder = Path(folder or sysconfig.get_path("stdlib"))
        if not self.folder.is_dir():
            raise FileNotFoundError(f"no folder {str(self.folder)!r}, where the standard library should lie")

    def documents(self, split: str) -> Iterator[str]:
        """Documents in the order of their paths; files that are not valid text are left out."""
        check_split(split)
        for path in python_files(self.folder):
            text = read(path)
            if text.strip() and split_of(text) == split:
                yield from chunks(text)


def python_files(folder: Path) -> list[Path]:
    """Every .py file below `folder` outside the left-out directories, sorted by relative path."""
    found = (p.relative_to(folder) for p in folder.rglob("*.py"))
    kept = [p for p in found if not LEFT_OUT.intersection(p.parts[:-1]) and not p.parts[0].startswith("config-")]
    return [folder / p for p in sorted(kept, key=lambda p: p.as_posix())]


def read(path: Path) -> str:
    """The file's text by its declared encoding, "" when it cannot be decoded."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError):
        return ""


def chunks(text: str, longest: int = LONGEST, cuts=CUTS) -> list[str]:
    """`text` in pieces of at most `longest` characters where its borders allow; joined, they are the text."""
    if len(text) <= longest or not cuts:
        return [text]
    done, piece = [], ""
    for part in cuts[0].split(text):
        if len(piece) + len(part) > longest and piece:
            done += chunks(piece, longest, cuts[1:])
            piece = ""
        piece += part
    return done + chunks(piece, longest, cuts[1:])
