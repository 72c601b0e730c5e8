"""What `fit` is given: numbers of any library, names of corpora, and everything odd refused before any work."""

import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
from learnable import Cycle, backbone, drafter, train

from mtp_explore.backbone.load import Backbone
from mtp_explore.corpora import corpus, progress
from mtp_explore.drafters import make_drafter
from mtp_explore.tensors import room
from mtp_explore.train import completions, features
from mtp_explore.train.checkpoint import load_checkpoint, read_curves, save_checkpoint
from mtp_explore.train.features import Features
from mtp_explore.train.fit import CHECKPOINT, Recipe, fit, prepare
from mtp_explore.train.texts import texts
from mtp_explore.train.windows import Windows, draw_number

ODD = (None, "x", math.nan, math.inf, -1, 0, 2.5, True, [3], {}, 10**12, 10**400, np.float32("nan"), object(), print)
HUGE = (1 << 63) - 1


@pytest.fixture
def no_work(monkeypatch):
    """Reading the corpus, or making a directory, is a failure."""
    monkeypatch.setattr(Cycle, "documents", lambda self, split: pytest.fail("read the corpus"))
    monkeypatch.setattr(room, "memory", lambda device="cpu": 1 << 34)


def same(a, b) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


# Numbers of numpy and of torch train the same weights as Python's, and can be kept in a checkpoint.
@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_numbers_of_numpy_and_torch(kind, tmp_path):
    asked = dict(steps=4, batch=64, positions=1000, every=2, seed=3, rate=0.0078125)
    plain, other = drafter(), drafter()
    report = train(plain, tmp_path / "plain", **asked)
    again = train(other, tmp_path / "other", **{k: kind(v)[()] for k, v in asked.items()})
    assert same(plain, other) and again.settings == report.settings
    assert {type(v) for v in again.settings["recipe"].values()} == {int, float, str}
    assert again.to_dataframe().equals(report.to_dataframe())
    assert asdict(Recipe(*map(kind, (4, 3, 64)), kind(0.5)[()], kind(9))) == asdict(Recipe(4, 3, 64, 0.5, 9))


# Every option, whatever is given for it, serves or is refused by its name, before a text is read or a directory made.
@pytest.mark.parametrize(
    "name", ["steps", "seed", "batch", "rate", "positions", "every", "progress", "precision", "text"]
)
def test_odd_options_are_refused_before_any_work(name, no_work, tmp_path):
    good = dict(every=(10**12, 10**400), seed=(0, 10**12), rate=(2.5,), progress=(True,)).get(name, ())
    for value in ODD:
        if value in good if isinstance(value, int | float) else False:
            continue
        with pytest.raises(ValueError, match=f"^{name}="):
            train(drafter(), tmp_path / "new", **{name: value})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("rate", [1e30, 10, -1e-3, 0])
def test_rates_have_bounds(rate, no_work):
    with pytest.raises(ValueError, match="^rate=.*between 0 and 10"):
        train(drafter(), rate=rate)


# What memory cannot hold is refused by what would fit.
@pytest.mark.parametrize("name", ["batch", "positions"])
def test_what_does_not_fit_is_refused(name, no_work):
    with pytest.raises(ValueError, match=f"^{name}=1000000000000: .*from 1 to [0-9]+ .more does not fit into memory"):
        train(drafter(), **{name: 10**12})


# Callbacks, progress, prepared and out of another kind: by name, before any work.
@pytest.mark.parametrize(
    "callbacks", [print, None, 5, [5], [print, None], "ab", {"a": 1}, iter([3]), range(10**15), torch.tensor(1)]
)
def test_bad_callbacks(callbacks, no_work, tmp_path):
    with pytest.raises(TypeError, match=r"^callbacks=.*callbacks=\[f\]"):
        train(drafter(), tmp_path / "new", callbacks=callbacks)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("out", [5, True, "", "  ", "a\0b", "a" * 5000, "\ud83d", [1], b"x"])
def test_bad_directories(out, no_work):
    with pytest.raises(ValueError, match="^out=.*(path|no file can be called so)"):
        train(drafter(), out)


def test_files_are_no_directories(no_work, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="^out='.*file"):
            train(drafter(), out)


def test_bad_preparations(no_work):
    states = Features(torch.zeros(4, 32), torch.zeros(4, 4, dtype=torch.long))
    none = Features(torch.zeros(0, 32), torch.zeros(0, 4, dtype=torch.long))
    for prepared in (5, "ab", (), states, (states,), (states, None), [states, "x"], (1, 2), {1: states, 2: states}):
        with pytest.raises(TypeError, match=r"^prepared=.*prepare\(\)"):
            train(drafter(), prepared=prepared)
    with pytest.raises(ValueError, match="^prepared holds a part without places"):
        train(drafter(), prepared=(states, none))


# Swapped or missing arguments are said by name, with the order.
def test_swapped_arguments(no_work):
    learner, model, corpus = drafter(), backbone(), Cycle()
    order = r"the order is fit\(drafter, backbone, corpus\)"
    for call in (fit, prepare):
        for wrong in ((model, learner, corpus), (None, model, corpus), ("independent", model, corpus)):
            with pytest.raises(TypeError, match=f"^drafter=.*{order}"):
                call(*wrong)
        for wrong in ((learner, corpus, model), (learner, None, corpus), (learner, "stories", corpus)):
            with pytest.raises(TypeError, match=f"^backbone=.*{order}"):
                call(*wrong)
        for wrong in (None, 5, model, ["a text"], {}):
            with pytest.raises(TypeError, match=r"^corpus=.*load_corpus\(\)"):
                call(learner, model, wrong)
        with pytest.raises(ValueError, match="^corpus='storys': .*did you mean 'stories'"):
            call(learner, model, "storys")
        with pytest.raises(FileNotFoundError, match="^corpus='no/such.txt': "):
            call(learner, model, "no/such.txt")


# A corpus may be given by its name or its path.
def test_names_of_corpora(tmp_path):
    text = "\n\n".join(text for split in ("train", "validation") for text in Cycle().documents(split))
    (tmp_path / "cycle.txt").write_text(text * 8)
    report = train(drafter(), corpus=tmp_path / "cycle.txt", steps=2)
    assert report.settings["corpus"] == "cycle.txt"


# Preparing refuses what training refuses.
def test_preparing_refuses_too(no_work):
    for name, value in (
        ("positions", 0),
        ("positions", 10**13),
        ("seed", -1),
        ("text", "own"),
        ("out", 5),
        ("progress", 2),
    ):
        with pytest.raises(ValueError, match=f"^{name}="):
            prepare(drafter(), backbone(), Cycle(), **{name: value})


# An option's fault is not the corpus's: a horizon as long as a window is said before anything is read.
def test_a_horizon_as_long_as_a_window(no_work):
    learner = make_drafter("masked", backbone(), horizon=64, rank=1)
    with pytest.raises(ValueError, match="^horizon=64: windows have 64 places"):
        train(learner)


def test_own_text_needs_an_end(no_work, monkeypatch):
    monkeypatch.setattr(Backbone, "eos", [])
    with pytest.raises(ValueError, match="^text='own': .*no end-of-text token"):
        train(make_drafter("masked", backbone(), horizon=2, rank=1), text="own")


# Every seed trains, up to the greatest; draws of small seeds are what they were, and large ones have their own.
@pytest.mark.parametrize("seed", [1 << 40, 1 << 62, HUGE])
def test_large_seeds(seed):
    one, other = drafter(), drafter()
    train(one, steps=2, seed=seed)
    train(other, steps=2, seed=seed - 1)
    assert not same(one, other)
    windows = texts(backbone(), Cycle().tokens("train", backbone().tokenizer), 3, 1000, 8, seed)
    assert windows.batch(10**9, 64, seed).draw != windows.batch(10**9, 64, seed - 1).draw
    assert len(Windows(torch.arange(99), 10, seed)[30]) == 10


def test_draws_of_small_seeds_stay():
    assert [draw_number(*x) for x in ((0, 0), (0, 7), (3, 5), (10**9, 4))] == [0, 7, 3000014, 1_000_003 * 10**9 + 4]


# What a run has seen is kept with its checkpoint, however long; a checkpoint without it is one of before.
def test_curves_are_kept(tmp_path):
    layer = torch.nn.Linear(3, 2)
    layer.curves = torch.nn.Parameter(torch.ones(2))
    optimizer, path = torch.optim.AdamW(layer.parameters()), tmp_path / CHECKPOINT
    layer(torch.randn(2, 3)).sum().backward()
    optimizer.step()
    seen = {"training": [{"step": i, "loss": i / 3, "tête": 0.1} for i in range(20_000)], "validation": []}
    save_checkpoint(path, layer, optimizer, {"step": 1}, seen)
    assert read_curves(path) == seen
    assert load_checkpoint(path, layer, optimizer) == {"step": 1} and "curves" not in optimizer.state[layer.weight]
    save_checkpoint(path, layer, optimizer, {"step": 1})
    assert read_curves(path) == {}


# Reading and caching text shows how far it is, unless nothing is to be shown.
@pytest.mark.parametrize(
    "name, text, bars", [("independent", "corpus", 4), ("masked", "own", 4), ("masked", "corpus", 2)]
)
def test_preparation_shows_progress(name, text, bars, monkeypatch):
    shown, honest = [], progress.bar

    def bar(what, total, wanted, unit=""):
        shown.append((total, wanted))
        return honest(what, total, wanted, unit)

    for place in (corpus, completions, features):
        monkeypatch.setattr(place, "bar", bar)
    for wanted in (True, False):
        shown.clear()
        prepare(make_drafter(name, backbone(), horizon=2), backbone(), Cycle(), 2000, text=text, progress=wanted)
        assert len(shown) == bars and all(total and asked is wanted for total, asked in shown)
