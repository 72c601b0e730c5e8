"""The one writer of files: whole or nothing, in one step, with nothing left behind."""

import ast
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mtp_explore import atomic

ROOT = Path(__file__).parent.parent
WRITERS = {"write_text", "write_bytes", "write_html", "write_image", "to_csv"}
STUCK = """
import os, sys, time
from mtp_explore import atomic
def write(temporary):
    open(temporary, "w").write("half")
    print("writing", flush=True)
    time.sleep(60)
atomic.replace(sys.argv[1], write)
"""


def names(folder: Path) -> list[str]:
    return sorted(f.name for f in folder.iterdir())


def alive() -> str:
    """A temporary name of a process that still runs: this one's parent."""
    return f".file.{os.getppid()}-0"


# A process that is killed while it writes leaves the old file whole; what else it left goes at the next write, and what
# a living process is writing, or has another name, stays.
def test_leftovers_of_the_dead_are_swept(tmp_path):
    path = tmp_path / "file"
    atomic.write_text(path, "old")
    with subprocess.Popen([sys.executable, "-c", STUCK, path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
    assert path.read_text() == "old" and len(names(tmp_path)) == 2
    others = [alive(), ".file.x", f".other.{writer.pid}-0", f".file.{writer.pid}-0.txt"]
    for name in others:
        (tmp_path / name).write_text("")
    (tmp_path / f".file.{writer.pid}").write_text("")
    atomic.write_text(path, "new")
    assert path.read_text() == "new" and names(tmp_path) == sorted(["file", *others])


# Threads that write one file at once do not meet in a temporary file: both succeed, and one of the texts stands whole.
def test_threads_share_no_temporary_file(tmp_path):
    path, together, failed = tmp_path / "file", threading.Barrier(2), []

    def run(text):
        def write(temporary):
            Path(temporary).write_text(text[:5])
            together.wait(10)
            Path(temporary).write_text(text)

        try:
            atomic.replace(path, write)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(letter * 10,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and path.read_text() in ("a" * 10, "b" * 10) and names(tmp_path) == ["file"]


# A link stays a link, an old file keeps its permissions, a new one can be read by all.
def test_links_and_permissions_stay(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    atomic.write_text(real, "old")
    assert real.stat().st_mode & 0o777 == 0o644
    real.chmod(0o600)
    link.symlink_to("real")
    atomic.write_text(link, "new")
    assert link.is_symlink() and real.read_text() == "new" and real.stat().st_mode & 0o777 == 0o600


# A pipe or a terminal is written to, not replaced.
def test_a_pipe_is_written_to(tmp_path):
    path, got = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: got.append(path.read_text()))
    reader.start()
    atomic.write_text(path, "through")
    reader.join()
    assert got == ["through"] and path.is_fifo() and names(tmp_path) == ["pipe"]


# What cannot be written says so in one printable line with its path.
@pytest.mark.parametrize("name", ["nowhere/file", "folder", "file/below"])
def test_refusal_names_the_path(tmp_path, name):
    (tmp_path / "folder").mkdir()
    atomic.write_text(tmp_path / "file", "old")
    with pytest.raises(OSError, match=f"{name}' could not be written .*, and is as it was before") as caught:
        atomic.write_text(tmp_path / name, "new")
    assert str(caught.value).isprintable()
    assert (tmp_path / "file").read_text() == "old" and names(tmp_path) == ["file", "folder"]


# An escape sequence in a path does not reach the terminal.
def test_refusal_is_printable(tmp_path):
    with pytest.raises(OSError, match="could not be written") as caught:
        atomic.write_text(tmp_path / "\x1b[31mred" / "file", "new")
    assert str(caught.value).isprintable()


# A text that UTF-8 cannot hold is refused before the old file is touched.
def test_bad_text_leaves_the_file(tmp_path):
    atomic.write_text(tmp_path / "file", "old")
    with pytest.raises(ValueError):
        atomic.write_text(tmp_path / "file", "\ud83d")
    assert (tmp_path / "file").read_text() == "old" and names(tmp_path) == ["file"]


# No other module writes a file by itself: methods that write are called on `atomic`, or inside what is handed to it.
def test_everything_writes_through_it():
    found = []
    for file in (ROOT / "mtp_explore").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITERS:
                found.append((file.name, node.func.attr, ast.unparse(node.func.value)))
    allowed = {("atomic.py", "write_bytes", "Path(temporary)")}
    assert {f for f in found if f[2] != "atomic"} <= allowed
