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
import shutil
import stat
from collections.abc import Callable, Iterable
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
        raise OSError(unwritten(path, error)) from error


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a whole text file, UTF-8, or nothing."""
    data = text.encode("utf-8")
    replace(path, lambda temporary: Path(temporary).write_bytes(data))


def replace_all(directory: Path, write: Callable[[Path], object], last: str, stale: Iterable[str] = ()) -> None:
    """Let `write(temporary directory)` make files, then move them into `directory`, the one called `last` at the end:
    until all are whole on the disk, nothing of what was there is touched. Older files that fit the patterns `stale` go.

    ValueError: `directory` is a file. OSError, as in `replace`: it cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(directory / last)
        try:
            temporary.mkdir()
            write(temporary)
            made = sorted((f for f in temporary.rglob("*") if f.is_file()), key=lambda f: (f.name == last, f))
            for file in made:
                _settle(file, SHARED)
            new = [directory / file.relative_to(temporary) for file in made]
            for file, place in zip(made, new, strict=True):
                place.parent.mkdir(exist_ok=True)
                os.replace(file, place)
            for old in {old for pattern in stale for old in directory.glob(pattern)} - set(new):
                old.unlink()
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(
            f"directory={str(directory)!r}: it must be a directory, and a file of that name is there: choose another "
            "name"
        ) from error
    except OSError as error:
        raise OSError(f"directory={unwritten(directory, error)}") from error


def unwritten(path: Path, error: OSError) -> str:
    return (
        printable(f"{str(path)!r} could not be written ({error}), and is as it was before: ")
        + "free some space on the disk, or choose a directory you may write to"
    )


def _exchange(path: Path, write: Callable[[str], object], mode: int) -> None:
    temporary = _temporary(path)
    try:
        write(str(temporary))
        _settle(temporary, mode)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """A name beside `path` that no other write uses; what the dead have left under such names goes."""
    _sweep(path)
    return path.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}")


def _settle(file: Path, mode: int) -> None:
    """See that the disk has a file, and who may read it."""
    with open(file, "rb+") as opened:
        os.fsync(opened.fileno())
    file.chmod(mode)


def _sweep(path: Path) -> None:
    """Remove what processes that are no longer alive have left beside `path`, as far as that is allowed."""
    own = re.compile(rf"\.{re.escape(path.name)}\.(\d+)(-\d+)?")
    with suppress(OSError):
        for name in os.listdir(path.parent):
            found = own.fullmatch(name)
            if found and not _alive(int(found[1])):
                left = path.parent / name
                shutil.rmtree(left) if left.is_dir() else left.unlink()


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
