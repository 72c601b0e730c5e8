"""What all tests share: no network, few threads, examples that repeat, and the `browser` mark by place."""

import os
from pathlib import Path

# Set before torch and transformers load. Models here are tiny: a second thread costs more than it gives.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import settings

BROWSER = Path(__file__).parent / "browser"

# Nothing timed is asserted, so no deadline; on CI the same examples every time.
settings.register_profile("mtp", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mtp")


def pytest_collection_modifyitems(items):
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker(pytest.mark.browser)
