"""Fitting a drafter: every head learns, interrupted runs end as straight ones, what does not fit is refused."""

import math
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import learnable
import pytest
import torch
from learnable import EVERY, STEPS, Cycle, after, backbone, drafter, train
from toys import ARCHITECTURES, build, on_every_device, toy

from mtp_explore.decode.generate import generate
from mtp_explore.drafters import load_drafter, make_drafter
from mtp_explore.train import checkpoint
from mtp_explore.train.checkpoint import read_facts
from mtp_explore.train.features import Features
from mtp_explore.train.fit import CHECKPOINT, Recipe, evaluate, fit, prepare, split_features
from mtp_explore.train.report import Report

HEADS = ["head 1", "head 2", "head 3"]


def weights(module) -> dict:
    return {name: w.detach().clone() for name, w in module.state_dict().items()}


def equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def interrupt():
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def straight():
    """(weights, report) of a run that nothing disturbed."""
    learner = drafter()
    report = train(learner)
    return weights(learner), report


# Every head predicts unseen text better at the end than as the next-token head that it was at the start.
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_every_head_learns(depth):
    learner = drafter(depth=depth)
    held = split_features(learner, backbone(), Cycle(), "validation", Recipe(STEPS, 0, 256, 2e-2, 4000))
    before = evaluate(learner, held)
    last = train(learner).validation[-1]
    assert all(last[head] < before[head] - 1 for head in HEADS)
    assert {k: last[k] for k in before} == evaluate(learner, held)


# The backbone stays as it was, bit for bit, and no gradient reaches it; the drafter ends in evaluation mode.
def test_backbone_is_frozen():
    before = weights(backbone().model)
    learner = drafter()
    train(learner, steps=5)
    assert equal(before, weights(backbone().model))
    assert not any(w.requires_grad or w.grad is not None for w in backbone().model.parameters())
    assert not learner.training and not equal(weights(learner), weights(drafter()))


# Training sees the train split, measuring the validation split, and nobody the test split.
def test_splits(monkeypatch):
    seen = {}

    def watched(learner, model, corpus, split, *rest):
        seen[split] = split_features(learner, model, corpus, split, *rest)
        return seen[split]

    monkeypatch.setattr("mtp_explore.train.fit.split_features", watched)
    corpus, learner = Cycle(), drafter()
    report = train(learner, corpus=corpus)
    assert corpus.asked == ["train", "validation"]
    final = {k: v for k, v in report.validation[-1].items() if k != "step"}
    assert final == evaluate(learner, seen["validation"]) != evaluate(learner, seen["train"])


# An interrupt at any moment (between steps, inside one when AdamW has just moved the weights, or before the first
# checkpoint) loses at most `every` steps, and the resumed run ends with the very weights of a straight one.
@pytest.mark.parametrize("at, kept", [("callback", 20), ("step", 20), ("early", None)])
def test_interrupted_run_resumes(at, kept, straight, tmp_path, monkeypatch):
    def callback(note):
        if at == "callback" and note["step"] == 20:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        step = after(torch.optim.AdamW.step, {"callback": -1, "step": 28, "early": 3}[at], interrupt)
        patch.setattr(torch.optim.AdamW, "step", step)
        train(drafter(), tmp_path, callbacks=[callback])
    assert not (tmp_path / "model.safetensors").exists()
    if kept is None:
        assert not (tmp_path / CHECKPOINT).exists()
    else:
        assert read_facts(tmp_path / CHECKPOINT)["step"] == kept
    resumed = drafter(seed=1 if kept else 0)
    report = train(resumed, tmp_path)
    assert equal(straight[0], weights(resumed))
    assert equal(straight[0], weights(load_drafter(tmp_path, backbone())))
    assert (report.training, report.validation) == (straight[1].training, straight[1].validation)  # the whole curve
    assert report.settings["step"] == STEPS


# The same for a process that is killed outright, in the middle of a step or of writing a checkpoint.
@pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL is POSIX")
def test_killed_process_resumes(straight, tmp_path):
    tests = Path(learnable.__file__).parents[1]
    path = os.pathsep.join([str(tests.parent), str(tests), str(tests / "train")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, learnable.__file__, str(tmp_path)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.stdout.split() == ["step", "9", "save", "9"], run.stderr
    assert len(list((tmp_path / "save").glob(f".{CHECKPOINT}.*"))) == 1  # half a checkpoint was left behind
    for place in (tmp_path / "step", tmp_path / "save"):
        assert read_facts(place / CHECKPOINT)["step"] == 2 * EVERY
        resumed = drafter(seed=1)
        train(resumed, place)
        assert equal(straight[0], weights(resumed))
        assert not list(place.glob(".*"))  # neither half a checkpoint nor a lock stays


# A full disk is reported as such; the checkpoint before it is whole, nothing half-written stays, the run can go on.
def test_full_disk_keeps_the_last_checkpoint(straight, tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_the_disk(note):
        if note["step"] == EVERY:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))

    try:
        with pytest.raises(OSError, match="checkpoint.safetensors.*could not be written.*free some space"):
            train(drafter(), tmp_path, callbacks=[fill_the_disk])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [file.name for file in tmp_path.iterdir()] == [CHECKPOINT]
    assert read_facts(tmp_path / CHECKPOINT)["step"] == EVERY
    resumed = drafter(seed=1)
    train(resumed, tmp_path)
    assert equal(straight[0], weights(resumed))


# Where there is an accelerator, a run on it resumes too: AdamW's moments go back to the device of their weights.
@on_every_device
def test_checkpoint_restores_the_optimizer(device, tmp_path):
    def module():
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2).to(device)
        return layer, torch.optim.AdamW(layer.parameters())

    def step(layer, optimizer, x):
        optimizer.zero_grad()
        layer(x).square().sum().backward()
        optimizer.step()

    x = torch.randn(2, 4, 3, device=device)
    one, other = module(), module()
    step(*one, x[0])
    checkpoint.save_checkpoint(tmp_path / "c", *one, {"step": 1})
    step(*one, x[1])
    assert checkpoint.load_checkpoint(tmp_path / "c", *other) == {"step": 1}
    step(*other, x[1])
    assert equal(weights(one[0]), weights(other[0]))
    assert all(s["exp_avg"].device.type == device for s in other[1].state.values())


# A checkpoint of another run is refused with both values, and left alone; a damaged one says what to do.
def test_other_runs_are_refused(tmp_path):
    train(drafter(), tmp_path, steps=2)
    before = (tmp_path / CHECKPOINT).read_bytes()
    renamed = Cycle()
    renamed.name = "other"
    for reason, options, changes in [
        ("'seed': 0.* there, .*'seed': 7.* here.*another directory", {"seed": 7}, {}),
        ("'steps': 2.* there, .*'steps': 3.* here", {"steps": 3}, {}),
        ("corpus: cycle there, other here", {"corpus": renamed}, {}),
        ("'hidden': 64.* there, .*'hidden': 65.* here", {}, {"hidden": 65}),
    ]:
        with pytest.raises(ValueError, match=f"another run.*{reason}"):
            train(drafter(**changes), tmp_path, **({"steps": 2} | options))
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    (tmp_path / CHECKPOINT).write_bytes(before[:-1])
    with pytest.raises(ValueError, match="checkpoint.*cannot be read.*delete it"):
        train(drafter(), tmp_path, steps=2)


# Two kinds of drafter with equal options are different runs.
def test_other_kinds_of_drafter_are_refused(tmp_path):
    train(drafter(), tmp_path, steps=2)
    other = drafter()
    other.name = "twin"
    with pytest.raises(ValueError, match="'independent'.* there, .*'twin'.* here"):
        train(other, tmp_path, steps=2)


# A finished run that is started again takes no step and gives the same drafter, and the report of what it once saw.
def test_finished_run_is_taken_as_it_is(tmp_path):
    first = drafter()
    before = train(first, tmp_path, steps=3)
    again = drafter(seed=1)
    report = train(again, tmp_path, steps=3, callbacks=[lambda note: pytest.fail("took a step")])
    assert report.to_dataframe().equals(before.to_dataframe()) and len(report.to_dataframe()) == 2
    assert equal(weights(first), weights(again))


# Callbacks hear of every 10th step and of every measured one, with the losses of all heads and their mean; what is
# measured is there when they hear of it, and so is the checkpoint. Any iterable of callbacks does.
def test_callbacks(tmp_path):
    notes, saved = [], []

    def callback(note):
        notes.append(note)
        saved.append(read_facts(tmp_path / CHECKPOINT)["step"] if (tmp_path / CHECKPOINT).exists() else 0)

    report = train(drafter(), tmp_path, steps=33, every=15, callbacks=iter([callback]))
    assert [n["step"] for n in notes] == [10, 15, 20, 30, 33]
    assert saved == [0, 15, 15, 30, 33]
    assert [n["step"] for n in notes if "validation" in n] == [15, 30, 33]
    assert all(set(n) - {"validation"} == {"step", "loss", "seconds", *HEADS} for n in notes)
    assert all(n["loss"] == pytest.approx(sum(n[h] for h in HEADS) / 3, rel=1e-6) for n in notes)
    assert all(set(n["validation"]) == {"loss", *HEADS} for n in notes if "validation" in n)
    assert report.training == [{k: n[k] for k in ("step", "loss", *HEADS)} for n in notes]
    assert report.validation == [{"step": n["step"], **n["validation"]} for n in notes if "validation" in n]
    table = report.to_dataframe()
    assert list(table["split"]) == ["training"] * 5 + ["validation"] * 3
    assert list(table.columns) == ["split", "step", "loss", *HEADS]
    assert list(Report({}).to_dataframe().columns) == ["split", "step", "loss"]


# Every step is AdamW at the schedule's rate on gradients of norm at most 1: the first ones, which are longer, are cut.
def test_rates_and_clipped_gradients(monkeypatch):
    rates, norms, honest = [], [], torch.optim.AdamW.step

    def watched(self, *args, **kwargs):
        gradients = [p.grad for p in self.param_groups[0]["params"]]
        rates.append(self.param_groups[0]["lr"])
        norms.append(torch.cat([g.flatten() for g in gradients]).norm().item())
        return honest(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    train(drafter())
    recipe = Recipe(STEPS, 0, 256, 2e-2, 4000)
    assert rates == [recipe.rate_at(step) for step in range(STEPS)]
    assert max(norms) <= 1 + 1e-5 and norms[0] == pytest.approx(1, abs=1e-5) and min(norms) < 0.99


# The rate rises evenly over the first 5 %, then falls as half a cosine towards 5 % of its peak.
@pytest.mark.parametrize("steps, warm", [(200, 10), (39, 1), (1, 1)])
def test_schedule(steps, warm):
    recipe = Recipe(steps, 0, 1, 3.0, 1)
    rates = [recipe.rate_at(step) for step in range(steps)]
    assert rates[:warm] == [pytest.approx(3.0 * (i + 1) / warm) for i in range(warm)]
    for step in range(warm, steps):
        turn = math.cos(math.pi * (step - warm) / (steps - warm))
        assert rates[step] == pytest.approx(3.0 * (0.525 + 0.475 * turn))
    assert rates[warm - 1] == max(rates) and (steps == 1 or rates[-1] == min(rates[warm:]) > 0.05 * 3.0)


# The loss of a long text is the mean over its parts.
def test_evaluate_in_parts():
    learner, seed = drafter(), torch.Generator().manual_seed(0)
    hidden = torch.randn(100, 32, generator=seed)
    future = torch.randint(0, 264, (100, 4), generator=seed)
    whole, parts = (evaluate(learner, Features(hidden, future), size) for size in (100, 30))
    assert whole == pytest.approx(parts, rel=1e-5)
    assert whole["loss"] == pytest.approx(sum(whole[h] for h in HEADS) / 3)


# Batches weigh as many targets as they have: a loss over all targets is their mean, however they are split, and places
# without any change nothing.
def test_evaluate_weighs_targets():
    seed = torch.Generator().manual_seed(0)
    hidden, future = torch.randn(90, 32, generator=seed), torch.randint(0, 264, (90, 4), generator=seed)
    future[:50, torch.arange(4) > 0] = -1
    future[30:50] = -1
    learner = make_drafter("cp", backbone(), horizon=3, rank=2, first=True)
    every, few = (evaluate(learner, Features(hidden, future), size)["loss"] for size in (90, 10))
    some = torch.cat([torch.arange(30), torch.arange(50, 90)])
    assert every == pytest.approx(few, rel=1e-5)
    assert every == pytest.approx(evaluate(learner, Features(hidden[some], future[some]), 7)["loss"], rel=1e-5)


# What is minimised is the drafter's "loss" where it names one: all the weights follow its gradient and no other.
def test_a_named_loss_is_minimised(monkeypatch):
    learner = drafter()
    honest = learner.losses

    def losses(hidden, future):
        found = honest(hidden, future)
        return {**found, "loss": found["head 2"]}

    monkeypatch.setattr(learner, "losses", losses)
    report = train(learner)
    fresh = drafter()
    for before, after_ in zip(fresh.weights, learner.weights, strict=True):
        moved = (before != after_).flatten(1).any(1)
        assert moved.tolist() == [False, True, False]
    assert list(report.validation[-1]) == ["step", "loss", *HEADS]
    assert all(r["loss"] == r["head 2"] for r in report.training + report.validation)


# A drafter that wants the states ahead is given them, in training and in measuring.
def test_states_ahead_are_given(monkeypatch):
    learner, seen = drafter(), []
    honest = learner.losses

    def losses(hidden, future, ahead):
        seen.append((len(hidden), *ahead.shape))
        return honest(hidden, future)

    monkeypatch.setattr(learner, "losses", losses)
    learner.wants_ahead = True
    train(learner, steps=2)
    assert seen[:2] == [(256, 256, 3, 32)] * 2
    assert len(seen) > 2 and all(shape == (shape[0], shape[0], 3, 32) for shape in seen)


# Heads of a half-precision backbone keep float32 weights while they learn (steps too small for bfloat16 are not lost),
# and end as what the backbone is.
@pytest.mark.parametrize(
    "name, options",
    [
        ("independent", dict(hidden=8)),
        ("cp", dict(rank=2, head_rank=4, objective="kl", mixing="token")),
        ("hmm", dict(rank=2, head_rank=0, depth=1)),
        ("btree", dict(rank=2, head_rank=4)),
    ],
)
def test_half_precision_backbones(name, options, tmp_path):
    model = build(ARCHITECTURES["llama"](), dtype=torch.bfloat16)
    corpus, model.tokenizer = Cycle(), Letters()
    learner, kept = make_drafter(name, model, horizon=2, **options), []

    def callback(note):
        kept.append([w.detach().clone() for w in learner.parameters()])

    settings = dict(steps=20, batch=64, rate=1e-5, positions=500, every=10, progress=False)
    fit(learner, model, corpus, out=tmp_path, callbacks=[callback], **settings)
    assert {w.dtype for w in kept[0]} == {torch.float32} and {w.dtype for w in learner.parameters()} == {torch.bfloat16}
    assert any((w != w.bfloat16()).any() for w in kept[0])
    for last, rounded in zip(kept[-1], load_drafter(tmp_path, model).parameters(), strict=True):
        assert last.bfloat16().equal(rounded)
    model.tokenizer = None
    trace = generate(model, learner, [1, 2, 3], max_new_tokens=6, eos=False)
    assert len(trace.tokens) == 6


# In bfloat16 every training step makes its products in bfloat16 and nothing else changes: weights stay float32, losses
# are measured in float32, what is learned is what float32 learns up to rounding; the run knows its precision.
def test_precision(tmp_path, monkeypatch):
    seen, losses, options = [], {}, dict(horizon=2, rank=2, anchors=16)
    for precision in ("float32", "bfloat16"):
        learner = make_drafter("masked", backbone(), **options)
        honest = learner.losses

        def watched(*args, honest=honest, precision=precision):
            found = honest(*args)
            seen.append((precision, torch.is_autocast_enabled("cpu"), torch.is_grad_enabled()))
            return found

        monkeypatch.setattr(learner, "losses", watched)
        settings = dict(steps=8, batch=64, positions=1000, every=8, precision=precision)
        report = train(learner, tmp_path / precision, **settings)
        losses[precision] = report.training[-1]["loss"], report.validation[-1]["loss"]
        assert {w.dtype for w in learner.parameters()} == {torch.float32}
        assert report.settings["recipe"]["precision"] == precision
        assert read_facts(tmp_path / precision / CHECKPOINT)["recipe"]["precision"] == precision
    assert set(seen) == {(p, trains and p == "bfloat16", trains) for p in losses for trains in (True, False)}
    assert losses["float32"] != losses["bfloat16"]
    assert losses["float32"] == pytest.approx(losses["bfloat16"], rel=0.02)
    with pytest.raises(ValueError, match="'precision': 'float32'.* there, .*'precision': 'bfloat16'.* here"):
        train(make_drafter("masked", backbone(), **options), tmp_path / "float32", **settings)


class Letters:
    """A tokenizer for toy models: the letters of the cycle, folded into 16 tokens; 0 ends a text."""

    eos_token_id = 0

    def __call__(self, text, **options):
        texts = [text] if isinstance(text, str) else text
        ids = [[1 + ord(c) % 16 for c in t] for t in texts]
        return {"input_ids": ids[0] if isinstance(text, str) else ids}


# A corpus too small for two windows is refused by name and split, before anything is written.
@pytest.mark.parametrize("short", ["train", "validation"])
def test_small_corpus_is_refused(short, tmp_path):
    corpus = Cycle({"train": 120, "validation": 30, short: 1}.items())
    with pytest.raises(ValueError, match=f"'cycle', split '{short}'.*too small.*at least 136"):
        train(drafter(), tmp_path, corpus=corpus)
    assert list(tmp_path.iterdir()) == []


# What cannot be trained, or not like this, is refused before any work, with the argument and its value.
def test_bad_arguments_are_refused(tmp_path):
    for name, value in [("steps", 0), ("batch", 0), ("positions", -1), ("every", 0), ("rate", 0.0), ("rate", math.nan)]:
        with pytest.raises(ValueError, match=f"{name}={value}"):
            train(drafter(), tmp_path / "new", **{name: value})
    for name, value in [
        ("steps", 1.5),
        ("steps", "3"),
        ("batch", 2.5),
        ("positions", 9.5),
        ("seed", 0.5),
        ("rate", "1"),
    ]:
        with pytest.raises(ValueError, match=f"{name}={value!r}: it must be"):
            train(drafter(), tmp_path / "new", **{name: value})
    with pytest.raises(ValueError, match="precision='float16': use one of 'float32', 'bfloat16'"):
        train(drafter(), tmp_path / "new", precision="float16")
    with pytest.raises(ValueError, match="precision='bfloat16' is for .* 'independent' learns from its states"):
        train(drafter(), tmp_path / "new", precision="bfloat16")
    with pytest.raises(ValueError, match="'lookup' has no weights"):
        train(make_drafter("lookup", backbone()), tmp_path / "new")
    with pytest.raises(ValueError, match="made for a backbone of vocabulary 17.*264"):
        train(make_drafter("independent", toy("llama")), tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        train(drafter(), tmp_path / "file")


# A run that diverges stops with its rate, and no weight that is not a number reaches the checkpoint; also when only
# measuring shows what the very last step has done.
@pytest.mark.parametrize("good, kept", [(15, 15), (14, 10)])
def test_divergence_stops_before_the_checkpoint(good, kept, tmp_path, monkeypatch):
    calls, honest = count(), Recipe.rate_at
    monkeypatch.setattr(Recipe, "rate_at", lambda self, step: honest(self, step) if next(calls) < good else 1e30)
    with pytest.raises(ValueError, match="diverged.*rate=0.02"):
        train(drafter(), tmp_path, every=5)
    assert read_facts(tmp_path / CHECKPOINT)["step"] == kept
    resumed, optimizer = drafter(), torch.optim.AdamW([torch.zeros(1)])
    checkpoint.load_checkpoint(tmp_path / CHECKPOINT, resumed, optimizer)
    assert all(w.isfinite().all() for w in resumed.parameters())


# States that were prepared once are those that fit makes itself: the weights come out the same, text unread.
def test_prepared_states_train_the_same_weights():
    made, given, text = drafter(), drafter(), Cycle()
    train(made)
    ready = prepare(given, backbone(), text, positions=4000)
    text.asked.clear()
    train(given, corpus=text, prepared=ready)
    assert not text.asked
    assert all(torch.equal(a, b) for a, b in zip(made.parameters(), given.parameters(), strict=True))


def test_states_prepared_for_another_drafter_are_refused():
    ready = prepare(drafter(), backbone(), Cycle(), positions=4000)
    with pytest.raises(ValueError, match=r"for horizon 3 .* needs 32 and 2 .*: make them with prepare"):
        train(drafter(horizon=2), prepared=ready)
