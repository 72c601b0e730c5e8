"""Shipping a drafter: rounded, measured after rounding, with a card; and shipped again over itself."""

import pytest
import torch
from learnable import Cycle, backbone

from mtp_explore.backbone import files
from mtp_explore.backbone.card import read_card
from mtp_explore.drafters import load_drafter
from mtp_explore.train import ship
from mtp_explore.train.fit import Recipe, evaluate, split_features


# The card's figures are those of the rounded file (here the weights are made so large that rounding shows); a second
# run over the first leaves a drafter that loads.
def test_ship_twice(tmp_path, monkeypatch):
    exact, honest = [], ship.fit

    def fit(drafter, *args, **options):
        report = honest(drafter, *args, **options)
        for w in drafter.parameters():
            w.data.normal_(0, 1)
        held = split_features(drafter, backbone(), Cycle(), "validation", Recipe(0, 0, 64, 1e-2, 500))
        exact.append(evaluate(drafter, held))
        return report

    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    monkeypatch.setattr(ship, "load_corpus", lambda name: Cycle())
    monkeypatch.setattr(ship, "fit", fit)
    backbone().save_pretrained(tmp_path / "models/stories/backbone")
    out = tmp_path / "models/stories/independent"
    for steps in (3, 6):
        facts = ship.ship("stories", "independent", out, steps, 0, 64, 1e-2, 500, horizon=2, hidden=8)
        assert read_card(out) == facts and facts["steps"] == steps and facts["options"]["horizon"] == 2
        assert sorted(f.name for f in out.iterdir()) == ["README.md", "card.json", "config.json", "model.safetensors"]
        drafter = load_drafter("stories/independent")
        held = split_features(drafter, drafter.backbone, Cycle(), "validation", Recipe(steps, 0, 64, 1e-2, 500))
        assert facts["validation_nats_per_token"] == pytest.approx(evaluate(drafter, held), abs=6e-5)
        assert facts["validation_nats_per_token"] != pytest.approx(exact[-1], abs=6e-5)
        assert all(torch.equal(w, w.bfloat16().float()) for w in drafter.parameters())
