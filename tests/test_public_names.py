"""The public names of `import mtp_explore as mtp`: they resolve, load late, and yield to no subpackage."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mtp_explore as mtp

ROOT = Path(__file__).parent.parent


def fresh(code: str) -> str:
    """What `code` prints in an interpreter that has imported nothing yet."""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


# Every listed name is defined in the module that is named beside it.
@pytest.mark.parametrize("name", mtp.__all__)
def test_public_name_resolves(name):
    home = importlib.import_module(f"mtp_explore.{mtp._PUBLIC[name]}")
    assert getattr(mtp, name) is getattr(home, name)
    assert name in dir(mtp)


# A name that does not exist is an AttributeError that offers the nearest one.
def test_unknown_name_offers_the_nearest():
    with pytest.raises(AttributeError, match="'load_drafer'.*load_drafter"):
        _ = mtp.load_drafer
    with pytest.raises(AttributeError, match="generate"):
        _ = mtp.xyz


# Importing the package alone imports neither torch nor any room.
def test_import_is_lazy():
    code = "import sys, mtp_explore; print([m for m in sys.modules if m.startswith(('torch', 'mtp_explore.'))])"
    assert fresh(code) == "[]"


# A public name that is also a subpackage is the public object, whether the subpackage is imported before or after.
@pytest.mark.parametrize("before", ["import mtp_explore.decode.loop", "mtp.decode; from mtp_explore import decode"])
def test_decode_stays_the_function(before):
    code = f"import mtp_explore as mtp; {before}; from mtp_explore.decode.loop import run"
    assert fresh(f"{code}; print(type(mtp.decode))") == "<class 'function'>"
