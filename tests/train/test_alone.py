"""One run at a time in a directory: who comes second is told who is at work, and nobody waits for the dead."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import learnable
import pytest
from learnable import Cycle, backbone, drafter, train

from mtp_explore.drafters import load_drafter
from mtp_explore.train import pretrain, ship
from mtp_explore.train.alone import LOCK, alone
from mtp_explore.train.fit import CHECKPOINT, Recipe

posix = pytest.mark.skipif(os.name != "posix", reason="locks and signals are POSIX")


def holder(lock: Path, run: dict) -> subprocess.Popen:
    """Another process that holds a lock until it is killed."""
    code = "import sys, json, time, pathlib\nfrom mtp_explore.train.alone import alone\n"
    code += "with alone(pathlib.Path(sys.argv[1]), 'out', 'there', json.loads(sys.argv[2])):\n"
    code += "    print('held', flush=True)\n    time.sleep(600)\n"
    environment = os.environ | {"PYTHONPATH": str(Path(learnable.__file__).parents[2])}
    command = [sys.executable, "-c", code, str(lock), json.dumps(run)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "held\n"
    return process


def killed(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


# A second run, in another process or thread, is refused before any work, with the directory, the process and, where it
# is another run, with what differs.
@posix
def test_another_process_is_refused(tmp_path):
    facts = train(drafter(), tmp_path / "first", steps=1).settings
    run = {k: facts[k] for k in ("recipe", "corpus", "drafter", "made_for")}
    process = holder(tmp_path / LOCK, run)
    try:
        corpus = Cycle()
        who = rf"^out='.*process {process.pid} has been at work there since [0-9:]+"
        with pytest.raises(ValueError, match=f"{who}, on this very run: wait"):
            train(drafter(), tmp_path, corpus=corpus, steps=1)
        with pytest.raises(ValueError, match=f"{who}, on another run .*'seed': 0.* there, .*'seed': 7.* here.: wait"):
            train(drafter(), tmp_path, corpus=corpus, steps=1, seed=7)
        assert not corpus.asked
    finally:
        killed(process)
    train(drafter(), tmp_path, steps=1)  # the lock went with its process
    assert sorted(f.name for f in tmp_path.iterdir()) == [CHECKPOINT, "config.json", "first", "model.safetensors"]


@posix
def test_another_thread_is_refused(tmp_path):
    refused = []

    def second(note):
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()

    def attempt():
        try:
            train(drafter(seed=1), tmp_path, steps=4)
        except ValueError as error:
            refused.append(str(error))

    first = drafter()
    train(first, tmp_path, steps=3, callbacks=[second])
    assert len(refused) == 1 and f"process {os.getpid()} has been at work" in refused[0]
    kept = load_drafter(tmp_path, backbone()).state_dict()
    assert all((kept[k] == w).all() for k, w in first.state_dict().items())


# A lock is let go however its run ends, and what lies about from a dead process bars nobody.
@posix
def test_locks_are_let_go(tmp_path):
    with pytest.raises(KeyboardInterrupt), alone(tmp_path / LOCK, "out", tmp_path, {}):
        assert (tmp_path / LOCK).is_file()
        raise KeyboardInterrupt
    assert not (tmp_path / LOCK).exists()
    for left in ("", "{", '{"process": 1, "since": "now", "run": {}}'):
        (tmp_path / LOCK).write_text(left)
        with alone(tmp_path / LOCK, "out", tmp_path, {"step": 1}):
            assert json.loads((tmp_path / LOCK).read_text())["process"] == os.getpid()


# Many at once: exactly one of them is at work at any time.
@posix
def test_many_threads(tmp_path):
    inside, most, done, lock = [], [], [], threading.Lock()

    def work():
        for _ in range(60):
            try:
                with alone(tmp_path / LOCK, "out", tmp_path, {}):
                    with lock:
                        inside.append(1)
                        most.append(len(inside))
                    with lock:
                        inside.pop()
                    done.append(1)
            except ValueError:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done and max(most) == 1


# A directory that holds a finished drafter of another kind, a shipped one, or any other model is no place for a run.
def test_finished_drafters_are_not_written_over(tmp_path):
    train(drafter(), tmp_path, steps=1)
    (tmp_path / CHECKPOINT).unlink()
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    refused = pytest.raises(ValueError, match="^out='.*holds a finished model, and no checkpoint of this run")
    with refused:
        train(drafter(hidden=65), tmp_path, steps=1)
    (tmp_path / "card.json").write_text("{}")
    with refused:
        train(drafter(), tmp_path, steps=1)
    (tmp_path / "card.json").unlink()
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == before
    backbone().save_pretrained(tmp_path / "model")
    with refused:
        train(drafter(), tmp_path / "model", steps=1)
    train(drafter(), tmp_path, steps=1)  # the same kind, begun afresh


# Shipping and pretraining hold their directories too; a model of the other kind there is refused.
@posix
def test_ship_and_pretrain_are_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ship, "load_backbone", lambda name: pytest.fail("went on"))
    monkeypatch.setattr(pretrain, "load_corpus", lambda name: pytest.fail("went on"))
    recipe = Recipe(1, 0, 8, 1e-3, 100)
    there = ["stories", "--runs", str(tmp_path / "runs"), "--out"]
    process = holder(tmp_path / LOCK, {})
    try:
        with pytest.raises(ValueError, match=f"^out='.*process {process.pid}"):
            ship.ship("stories", "cp", tmp_path, recipe)
        with pytest.raises(SystemExit, match="2"):
            pretrain.main([*there, str(tmp_path)])
        assert f"process {process.pid} has been at work" in capsys.readouterr().err
    finally:
        killed(process)
    process = holder(tmp_path / "runs" / f".pretrain-stories-0.safetensors{LOCK}", {})
    try:
        with pytest.raises(SystemExit, match="2"):
            pretrain.main([*there, str(tmp_path / "other")])
        assert "runs='" in capsys.readouterr().err
    finally:
        killed(process)


def test_models_of_the_other_kind_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ship, "load_backbone", lambda name: pytest.fail("went on"))
    monkeypatch.setattr(pretrain, "load_corpus", lambda name: pytest.fail("went on"))
    backbone().save_pretrained(tmp_path / "model")
    with pytest.raises(ValueError, match="^out='.*holds a model that is no drafter"):
        ship.ship("stories", "cp", tmp_path / "model", Recipe(1, 0, 8, 1e-3, 100))
    drafter().save_pretrained(tmp_path / "drafter")
    there = ["stories", "--runs", str(tmp_path / "runs"), "--out"]
    capsys.readouterr()
    for wrong, said in (
        ([str(tmp_path / "drafter")], "out='.*holds a drafter"),
        ([str(tmp_path / "new"), "--seed", "-1"], "seed=-1: it must be"),
        ([str(tmp_path / "new"), "--steps", "0"], "steps=0: it must be"),
        ([str(tmp_path / "new"), "--start", "no/such"], "start='no/such': it must be the directory"),
    ):
        with pytest.raises(SystemExit, match="2"):
            pretrain.main([*there, *wrong])
        assert re.search(f"^pretrain: {said}", capsys.readouterr().err)


# The command line of ship answers in one line too.
@pytest.mark.parametrize(
    "words, said",
    [
        ("novels cp", "corpus='novels': use one of 'stories'"),
        ("stories cp --seed -1", "seed=-1"),
        ("stories cp --rate 1e30", "rate=1e.30"),
        ("stories cp --batch 0", "batch=0"),
    ],
)
def test_ship_refuses_in_one_line(words, said, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        ship.main([*words.split(), "--out", str(tmp_path / "new")])
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and re.search(f"^ship: {said}", told)
    assert not (tmp_path / "new").exists()
