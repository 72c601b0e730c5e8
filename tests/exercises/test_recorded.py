"""Recorded traces load by name, without torch, and the known names are told."""

import subprocess
import sys
from pathlib import Path

import pytest
from trace_of import TRACE

from mtp_explore.trace import recorded as room

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A directory with one recorded trace, in the place of the project's."""
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces" / "fox-t1.json").write_text(TRACE.to_json(), encoding="utf-8")
    monkeypatch.setattr(room, "__file__", str(tmp_path / "package" / "trace" / "recorded.py"))
    monkeypatch.setenv("MTP_EXPLORE_DATA", str(tmp_path))
    return tmp_path


# What was recorded comes back equal.
def test_a_recorded_trace_comes_back(home):
    assert room.recorded("fox-t1") == TRACE and room.recordings() == ["fox-t1"]


# An unknown name, also one that climbs out of the directory, names the known ones and the nearest.
@pytest.mark.parametrize("name", ["fox-t2", "../fox-t1", "", "fox-t1.json"])
def test_unknown_names_list_the_known(home, name):
    with pytest.raises(ValueError, match="fox-t1"):
        room.recorded(name)


def test_no_recordings_at_all_names_the_remedy(home):
    (home / "traces" / "fox-t1.json").unlink()
    with pytest.raises(ValueError, match="record_traces"):
        room.recorded("fox-t1")


# Every trace that ships can be read and played, and torch is not needed for it.
def test_shipped_traces_play_without_torch():
    code = (
        "import sys, mtp_explore as mtp, mtp_explore.exercises as ex\n"
        "from mtp_explore.trace.recorded import recordings\n"
        "for name in recordings():\n"
        "    trace = mtp.recorded(name); mtp.play(trace)._repr_html_(); trace.metrics()\n"
        "    assert trace.tokens and trace.text and trace.prompt_text, name\n"
        "    assert 'lookup' in name or ex.guess_kept(trace)._repr_html_()\n"
        "    assert 'top5' not in name or ex.telling(trace).overlap > 0\n"
        "assert ex.guess('?', 'ab', 'a') and 'torch' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
