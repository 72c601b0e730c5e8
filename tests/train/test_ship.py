"""Shipping a drafter: rounded, measured after rounding, with a card; and shipped again over itself."""

import pytest
import torch
from learnable import Cycle, backbone

from mtp_explore.backbone import files
from mtp_explore.backbone.card import read_card
from mtp_explore.drafters import load_drafter
from mtp_explore.train.fit import Recipe, evaluate, split_features
from mtp_explore.train.ship import ship


# The card's figures are those of the rounded file; a second run over the first leaves a drafter that loads.
def test_ship_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    monkeypatch.setattr("mtp_explore.train.ship.load_corpus", lambda name: Cycle())
    backbone().save_pretrained(tmp_path / "models/stories/backbone")
    out = tmp_path / "models/stories/independent"
    for steps in (3, 6):
        facts = ship("stories", "independent", out, steps, 0, 64, 1e-2, 500, horizon=2, hidden=8)
        assert read_card(out) == facts and facts["steps"] == steps and facts["options"]["horizon"] == 2
        assert sorted(f.name for f in out.iterdir()) == ["README.md", "card.json", "config.json", "model.safetensors"]
        drafter = load_drafter("stories/independent")
        assert all(torch.equal(w, w.bfloat16().float()) for w in drafter.parameters())
        held = split_features(drafter, drafter.backbone, Cycle(), "validation", Recipe(steps, 0, 64, 1e-2, 500))
        assert facts["validation_nats_per_token"] == pytest.approx(evaluate(drafter, held), abs=1e-4)
