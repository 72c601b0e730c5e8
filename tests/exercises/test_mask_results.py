"""What is recorded of masks is read as it was written, and nothing recorded is no error."""

import json

import pytest

from mtp_explore.backbone import files
from mtp_explore.exercises import gate_figure, recorded_gate, recorded_switches
from mtp_explore.exercises.mask_results import NOTHING, recorded_calls_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the results lie, empty."""
    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    (tmp_path / "results" / "masked").mkdir(parents=True)
    return tmp_path / "results" / "masked"


def write(folder, name: str, calls: list[float], losses: list[float]):
    made = {"quadratic": {"tokens_per_call": calls}, "linear": {"tokens_per_call": [1.0] * len(calls)}}
    curve = [{"step": 10 * i, "loss": 1.0, "next": loss} for i, loss in enumerate(losses)]
    less = {"quadratic": {"tokens_per_call": [0.0] * len(calls)}}
    facts = {"kind": "ablation", "decoding": {"greedy": {"2": less, "10": made}} if calls else {}, "curve": curve}
    (folder / f"ablation-{name}.json").write_text(json.dumps(facts), encoding="utf-8")


# Nothing is there: the answers say so.
def test_nothing_recorded(folder):
    assert recorded_gate() == {} and recorded_calls_of("base") == []
    assert [row[0] for row in recorded_switches()] == [NOTHING]
    assert NOTHING in repr(gate_figure({}))


# Prompts are averaged over seeds, with all masks (10 are more than 2); differences are taken prompt by prompt.
def test_switches_compare_prompt_by_prompt(folder):
    write(folder, "base-s0", [2.0, 3.0], [0.5, 0.5])
    write(folder, "base-s1", [4.0, 3.0], [])
    write(folder, "noconsistency-s0", [2.5, 2.0], [])
    assert recorded_calls_of("base") == [3.0, 3.0] and recorded_calls_of("base", plan="linear") == [1.0, 1.0]
    rows = {row[0]: row for row in recorded_switches()}
    assert list(rows) == ["sampler and consistency on", "without consistency"]
    assert rows["without consistency"][1] == "1" and rows["without consistency"][3].startswith("-0.8")


# The model's own loss over the steps, for the gates that were recorded.
def test_gate_curves(folder):
    write(folder, "base-s0", [2.0, 3.0], [0.5, 0.5])
    write(folder, "plainlora-s0", [], [0.5, 0.9])
    lines = recorded_gate()
    assert list(lines.values()) == [{0: 0.5, 10: 0.5}, {0: 0.5, 10: 0.9}]
    assert [list(t.y) for t in gate_figure(lines).data] == [[0.5, 0.5], [0.5, 0.9]]
