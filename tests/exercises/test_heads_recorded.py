"""Recorded results that the notebooks show: the right files, in the right order, and a guess that reads them truly."""

import json

import pytest

from mtp_explore.exercises import guess_recorded, recorded_calls, recorded_losses


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data directory, and a function that puts one result into it."""
    monkeypatch.setattr("mtp_explore.backbone.files.data_directory", lambda: tmp_path)
    place = tmp_path / "results" / "heads"
    place.mkdir(parents=True)

    def put(name, rank, drafts, calls=()):
        modes = {m: {"tokens_per_call": list(calls)} for m in ("greedy", "T=1 rejection", "T=1 block")}
        facts = {"run": {"rank": rank}, "validation": {"drafts": drafts}, "decoding": modes}
        (place / f"{name}.json").write_text(json.dumps(facts))

    return put


# Ranks come in order, 16 behind 2, each with its seeds; runs of other corpora, lengths or options stay out.
def test_recorded_losses(home):
    for rank, seed, drafts in ((16, 0, 5.0), (2, 1, 7.5), (2, 0, 7.0)):
        home(f"heads-stories-cp-r{rank}-n4-s{seed}", rank, drafts)
    home("heads-stories-cp-r8-n8-s0", 8, 1.0)
    home("heads-stories-cp-r8-n4-s0-e2", 8, 1.0)
    home("heads-code-cp-r8-n4-s0", 8, 1.0)
    assert recorded_losses() == {2: [7.0, 7.5], 16: [5.0]} and list(recorded_losses()) == [2, 16]
    assert recorded_losses("code") == {8: [1.0]} and recorded_losses("arithmetic") == {}


# The best recipes stand by rank, and the gain is counted prompt by prompt: 0.25 of 2.5 is a tenth.
@pytest.mark.parametrize(
    "more, answer", [(-0.1, "fewer"), (0.1, "less than 5 %"), (0.25, "10 to 20 %"), (1, "even more")]
)
def test_recorded_calls(home, more, answer):
    home("heads-arithmetic-hmm-r32-n5-s0-e4.5-x", 32, 1.0, [1.5 + more, 3.5 + more])
    home("heads-arithmetic-hmm-r1-n5-s0-e4.5-x", 1, 1.0, [1.5, 3.5])
    home("heads-arithmetic-hmm-r1-n5-s0-e0.5-x-validation", 1, 1.0, [9.0, 9.0])
    calls = recorded_calls()
    assert list(calls) == ["rank 1", "rank 32"] and calls["rank 1"] == [1.5, 3.5]
    found = guess_recorded(calls)
    assert found.answer.startswith(answer) and f"{more / 2.5:+.0%}" in found.why


# What ships has both ranks.
def test_shipped_results():
    assert list(recorded_calls()) == ["rank 1", "rank 32"] and set(recorded_losses()) == {1, 2, 4, 8, 16}
