"""Shipping a drafter: rounded, measured after rounding, with a card; and shipped again over itself."""

import json
import sys
from dataclasses import asdict

import pytest
import torch
from learnable import Cycle, backbone

from mtp_explore.backbone import files
from mtp_explore.backbone.card import read_card, write_card
from mtp_explore.drafters import load_drafter
from mtp_explore.train import ship
from mtp_explore.train.fit import PART, Recipe, evaluate, split_features

SMALL = dict(independent=dict(hidden=8), cp=dict(rank=2, head_rank=3), hmm=dict(rank=2), btree=dict(rank=2))
SMALL |= dict(masked=dict(rank=2, anchors=8), ptp=dict(rank=2, anchors=8), student=dict(width=16, layers=1, anchors=8))


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A data directory with one backbone, "stories"."""
    monkeypatch.setattr(files, "data_directory", lambda: tmp_path)
    monkeypatch.setattr(ship, "data_directory", lambda: tmp_path)
    monkeypatch.setattr(ship, "load_corpus", lambda name: Cycle())
    backbone().save_pretrained(tmp_path / "models/stories/backbone")
    write_card(tmp_path / "models/stories/backbone", "stories", "A toy.", {})
    return tmp_path / "models/stories"


# The card's figures are those of the rounded file (here the weights are made so large that rounding shows), whatever
# the drafter; a second run over the first leaves a drafter that loads.
@pytest.mark.parametrize("name", ship.TRAINABLE)
def test_ship_twice(name, models, monkeypatch):
    exact, honest = [], ship.fit

    def fit(drafter, *args, **options):
        report = honest(drafter, *args, **options)
        for w in drafter.parameters():
            w.data.normal_(0, 1)
        if drafter.wants_text:
            drafter.survival.fill_(0.5)  # what was measured before is of no matter
        held = split_features(drafter, backbone(), Cycle(), "validation", Recipe(0, 0, 64, 1e-2, 500))
        exact.append(evaluate(drafter, held))
        return report

    monkeypatch.setattr(ship, "fit", fit)
    out = models / name
    for steps in (3, 6):
        recipe = Recipe(steps, 0, 64, 1e-2, 500)
        facts = ship.ship("stories", name, out, recipe, horizon=2, **SMALL[name])
        assert read_card(out) == facts and facts["options"]["horizon"] == 2
        assert facts.items() >= asdict(recipe).items()
        assert sorted(f.name for f in out.iterdir()) == ["README.md", "card.json", "config.json", "model.safetensors"]
        drafter = load_drafter(f"stories/{name}")
        held = split_features(drafter, drafter.backbone, Cycle(), "validation", recipe)
        assert facts["validation_nats"] == pytest.approx(evaluate(drafter, held), abs=6e-5)
        assert facts["validation_nats"] != pytest.approx(exact[-1], abs=6e-5)
        if drafter.wants_text:  # the chance that drafts survive is that of the rounded weights too
            settled = drafter.survival.clone()
            drafter.settle(b.given(torch.float32) for b in held.parts(PART))
            assert torch.equal(settled, drafter.survival.bfloat16().float())
        assert all(torch.equal(w, w.bfloat16().float()) for w in drafter.parameters())


# Own text that was made on the way does not stay; the card's figures are measured on it.
def test_ship_on_own_text(models):
    out, recipe = models / "masked", Recipe(2, 0, 32, 1e-2, 500, text="own")
    facts = ship.ship("stories", "masked", out, recipe, horizon=2, **SMALL["masked"])
    assert sorted(f.name for f in out.iterdir()) == ["README.md", "card.json", "config.json", "model.safetensors"]
    drafter = load_drafter("stories/masked")
    held = split_features(drafter, drafter.backbone, Cycle(), "validation", recipe)
    assert facts["validation_nats"] == pytest.approx(evaluate(drafter, held), abs=6e-5) and facts["text"] == "own"


# The command line knows the options of the drafter it names, and no other's; what lies there afterwards was made with
# them, and the card's command is the one that was given.
def test_command_line(models, monkeypatch, capsys):
    words = "stories cp --rank 2 --head-rank 4 --horizon 2 --no-first --steps 2 --batch 32 --positions 500 --seed 3"
    argv = [*words.split(), "--out", str(models / "cp-r2")]
    monkeypatch.setattr(sys, "argv", ["ship", *argv])
    ship.main()
    config = json.loads((models / "cp-r2/config.json").read_text())
    expected = dict(rank=2, head_rank=4, horizon=2, first=False)
    assert config["name"] == "cp" and config["options"].items() >= expected.items()
    card = read_card(models / "cp-r2")
    assert card["command"] == "python -m mtp_explore.train.ship " + " ".join(argv)
    assert (card["seed"], card["steps"], card["batch"], card["positions"]) == (3, 2, 32, 500)
    assert card["precision"] == "float32"
    assert "cp-r2" in capsys.readouterr().out


# The drafter is the one of its place, whatever else is called so.
def test_the_drafter_of_the_command_line():
    for line in ("stories ptp --out cp", "--out cp stories ptp", "--start masked --rank 3 stories --out hmm ptp"):
        args, options = ship.read_arguments(line.split())
        assert args.drafter == "ptp" and options.keys() == ship.own_options("ptp").keys()


# A drafter that is shipped without options has those of its signature, under its own name.
def test_defaults(monkeypatch):
    shipped = []
    monkeypatch.setattr(
        ship, "ship", lambda *args, **options: shipped.append((args, options)) or {"validation_nats": 0}
    )
    ship.main(["stories", "hmm", "--quick", "--precision", "bfloat16"])
    (corpus, name, out, recipe, start), options = shipped[0]
    assert (corpus, name, out.parts[-3:], recipe.steps) == ("stories", "hmm", ("models", "stories", "hmm"), ship.QUICK)
    assert recipe.precision == "bfloat16" and start == ""
    assert options == {k: p.default for k, p in ship.own_options("hmm").items()} and "rank" in options


# What cannot be shipped, and another drafter's option, end the command before any work.
@pytest.mark.parametrize(
    "argv", ["stories lookup", "stories oracle", "stories independent --rank 2", "stories cp --x 1"]
)
def test_command_line_refuses(argv, monkeypatch):
    monkeypatch.setattr(ship, "ship", lambda *args, **options: pytest.fail("went on"))
    with pytest.raises(SystemExit):
        ship.main(argv.split())


# With `start` training goes on from what another drafter has learned, and the card says from which.
def test_ship_from_another(models, monkeypatch):
    recipe, size, begun = Recipe(2, 0, 32, 1e-2, 500), dict(horizon=2, rank=2, anchors=8), []
    ship.ship("stories", "masked", models / "masked", recipe, **size)
    honest = ship.fit
    monkeypatch.setattr(
        ship, "fit", lambda d, *args, **options: begun.append(d.slot_rows.clone()) or honest(d, *args, **options)
    )
    facts = ship.ship("stories", "ptp", models / "ptp", recipe, "stories/masked", **size)
    masks = load_drafter("stories/masked").masks
    assert facts["started_from"] == "stories/masked" and torch.equal(begun[0], masks[[0, 0, 1]])
