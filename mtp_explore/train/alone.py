"""One run at a time in a directory: who writes there holds a lock, and a second run is told who is at work.

The lock is the system's own (flock), so it ends with its process, however that ends; the file's text serves the message
alone. Where a system has no such locks (Windows, some network drives) nothing is held.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..checks import printable, refusal

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOCK = ".lock"


@contextmanager
def alone(lock: Path, name: str, value, run: dict) -> Iterator[None]:
    """Hold the file `lock` while the block runs.

    run: what is at work, as JSON can keep it. Errors (ValueError): another thread or process holds the lock; the
    message begins with `name=value`, the argument that led there.
    """
    if fcntl is None:
        yield
        return
    file = _taken(lock, name, value, run)
    try:
        file.truncate(0)
        file.write(json.dumps({"process": os.getpid(), "since": time.strftime("%H:%M:%S"), "run": run}))
        file.flush()
        yield
    finally:
        with suppress(OSError):
            os.unlink(lock)
        file.close()


def _taken(lock: Path, name: str, value, run: dict):
    """The open file, locked; it is the one that lies there, and not one that its owner has just removed."""
    while True:
        file = open(lock, "a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(refusal(name, str(value), _told(file, run))) from None
        except OSError:  # a file system without locks
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(lock)):
                return file
        file.close()


def _told(file, run: dict) -> str:
    """Who is at work there, and on what."""
    with file:
        file.seek(0)
        try:
            owner = json.loads(file.read())
        except ValueError:  # it has only just begun
            owner = {}
    who = f"process {owner.get('process', '?')} has been at work there since {owner.get('since', 'just now')}"
    other = differences(run, owner.get("run", {}))
    what = f"on another run ({other})" if other else "on this very run"
    return printable(f"{who}, {what}: wait until it is done, or use another directory")


def differences(now: dict, old: dict) -> str:
    """Where two runs differ, in words; "" where they do not."""
    return "; ".join(f"{k}: {old.get(k)} there, {now[k]} here" for k in now if now[k] != old.get(k))
