"""Files that stay whole: written beside their place under a name of their own, then moved there in one step.

A kill, a full disk or a directory that one may not write to leaves the old file as it was. The temporary file is
called `.<name>.<process>-<number>`; what a killed process has left under such a name goes at the next write to the same
file.
Pure Python; everything in the package that writes a file comes through here.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .checks import printable

SHARED = 0o644  # of a new file: some writers leave 0600, and models are shared
_numbers = itertools.count()  # no two writes of a process share a temporary file, in whatever threads they run


def replace(path: str | os.PathLike, write: Callable[[str], object]) -> None:
    """Let `write(temporary path)` write a file, then move it to its place in one step: a kill leaves the old one.

    An old file keeps its permissions, a link stays a link, and what is no file (a terminal, a pipe) is written to as it
    is. OSError, with the old file intact, where it cannot be written (a full disk, say).
    """
    path = Path(path)
    try:
        old = os.stat(path) if path.exists() else None
        if old and not (stat.S_ISREG(old.st_mode) or stat.S_ISDIR(old.st_mode)):
            write(str(path))
        else:
            _exchange(Path(os.path.realpath(path)), write, stat.S_IMODE(old.st_mode) if old else SHARED)
    except OSError as error:
        raise OSError(
            printable(f"{str(path)!r} could not be written ({error}), and is as it was before: ")
            + "free some space on the disk, or choose a directory you may write to"
        ) from error


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a whole text file, UTF-8, or nothing."""
    data = text.encode("utf-8")
    replace(path, lambda temporary: Path(temporary).write_bytes(data))


def _exchange(path: Path, write: Callable[[str], object], mode: int) -> None:
    _sweep(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}")
    try:
        write(str(temporary))
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what processes that are no longer alive have left beside `path`, as far as that is allowed."""
    own = re.compile(rf"\.{re.escape(path.name)}\.(\d+)(-\d+)?")
    with suppress(OSError):
        for name in os.listdir(path.parent):
            found = own.fullmatch(name)
            if found and not _alive(int(found[1])):
                (path.parent / name).unlink()


def _alive(process: int) -> bool:
    """Whether a process runs; where only asking would end it (Windows), every one does."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
