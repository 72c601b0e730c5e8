"""Recorded traces load by name, without torch, and the known names are told."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
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
@pytest.mark.parametrize("name", ["fox-t2", "../fox-t1", "", "fox-t1.json", None, 5, ["fox-t1"], Path("fox-t1")])
def test_unknown_names_list_the_known(home, name):
    with pytest.raises(ValueError, match="fox-t1"):
        room.recorded(name)


# An installed package finds the traces where pyproject.toml has the wheel carry them, all of them and only where the
# checkout and the environment have none.
def test_a_wheel_carries_the_traces(home, monkeypatch):
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["sources"]) < set(wheel["only-include"]) and len(list((ROOT / "data/traces").iterdir())) == 12
    site = home / "site"
    for source, place in wheel["sources"].items():
        shutil.copytree(ROOT / source, site / place)
    monkeypatch.setattr(room, "__file__", str(site / "mtp_explore" / "trace" / "recorded.py"))
    assert room.recordings() == ["fox-t1"]
    monkeypatch.delenv("MTP_EXPLORE_DATA")
    assert room.recordings() == sorted(f.stem for f in (ROOT / "data/traces").glob("*.json"))
    assert room.recorded("stories-independent-t1").tokens


# The same by building the wheel, where its builder is at hand; models stay out of it.
def test_built_wheel(tmp_path, monkeypatch):
    build = pytest.importorskip("hatchling.build")
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / build.build_wheel(str(tmp_path))) as wheel:
        names = wheel.namelist()
    assert {f"mtp_explore/data/traces/{name}.json" for name in room.recordings()} < set(names)
    assert "mtp_explore/__init__.py" in names and not [n for n in names if n.endswith(".safetensors")]


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
