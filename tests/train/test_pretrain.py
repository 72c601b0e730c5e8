"""Training from scratch: schedule, windows, resuming to identical weights, rounding, evaluation, cards."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from mtp_explore.backbone.card import check_weights, read_card, write_card
from mtp_explore.corpora.files import open_files
from mtp_explore.corpora.tokenizer import train_tokenizer
from mtp_explore.train import pretrain
from mtp_explore.train.checkpoint import read_facts
from mtp_explore.train.evaluate import document_nats, evaluate
from mtp_explore.train.pretrain import Recipe, make_model, round_to_bf16, save_rounded, train
from mtp_explore.train.windows import Windows

TINY = Recipe(
    "tiny", 300, steps=12, window=16, batch=2, warmup=3, hidden=16, layers=1, heads=2, kv_heads=1, intermediate=24
)
TOKENS = torch.randint(0, 300, (2000,), generator=torch.Generator().manual_seed(1))


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def run(recipe, path, **options):
    model = make_model(recipe, 300)
    facts = train(recipe, model, TOKENS, TOKENS[:900], path, say=lambda line: None, **options)
    return weights(model), facts


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def interrupt(monkeypatch, at):
    """A keyboard interrupt in the middle of step `at`."""
    honest = Windows.batch

    def batch(self, step, size):
        if step == at:
            raise KeyboardInterrupt
        return honest(self, step, size)

    monkeypatch.setattr(Windows, "batch", batch)


# A run killed at any point and resumed ends with bit-identical weights to one that was never killed.
@pytest.mark.parametrize("at", [1, 7, 11])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_resumed_run_equals_straight_run(tmp_path, monkeypatch, at, precision):
    recipe = replace(TINY, precision=precision)
    straight, _ = run(recipe, tmp_path / "a.safetensors")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, at)
        run(recipe, tmp_path / "b.safetensors", every=0.0)
    assert read_facts(tmp_path / "b.safetensors")["step"] == at
    resumed, facts = run(recipe, tmp_path / "b.safetensors", resume=True)
    assert facts["step"] == recipe.steps
    assert equal(straight, resumed)
    assert not equal(straight, weights(make_model(recipe, 300)))


# On the plateau the number of steps may still be changed: the result is that of a run with the new number.
def test_steps_may_change_on_the_plateau(tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, 6)
        run(replace(TINY, steps=30), tmp_path / "a.safetensors", every=0.0)
    shortened, _ = run(TINY, tmp_path / "a.safetensors", resume=True)
    straight, _ = run(TINY, tmp_path / "b.safetensors")
    assert equal(straight, shortened)
    with pytest.raises(ValueError, match="plateau"):
        run(replace(TINY, steps=15), tmp_path / "b.safetensors", resume=True)


# A checkpoint of other settings, or a damaged one, is refused with its reason.
# A run with --start begins with the rounded weights of the earlier one, and only with weights of its own shape.
def test_going_on_from_an_earlier_run(tmp_path, trained):
    _, tokenizer, model = trained
    save_rounded(model, tokenizer, tmp_path)
    write_card(tmp_path, "earlier", "a run", {"tokens_seen": 7})
    later = make_model(replace(TINY, window=32, seed=5), len(tokenizer))
    assert pretrain.go_on_from(later, tmp_path)["tokens_seen"] == 7
    assert all(torch.equal(weights(later)[k], w.bfloat16().float()) for k, w in weights(model).items())
    with pytest.raises(ValueError, match="start=.*another shape"):
        pretrain.go_on_from(make_model(replace(TINY, hidden=32), len(tokenizer)), tmp_path)


def test_resume_refuses_what_does_not_fit(tmp_path):
    path = tmp_path / "a.safetensors"
    run(TINY, path)
    with pytest.raises(ValueError, match="seed was 0, is 5"):
        run(replace(TINY, seed=5), path, resume=True)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="cannot be read"):
        run(TINY, path, resume=True)


# The rate rises to its peak, stays, and falls to 5 % of it.
def test_schedule():
    recipe = replace(TINY, steps=300, warmup=10)
    rates = [recipe.rate_at(step) for step in range(300)]
    assert rates[:10] == sorted(rates[:10]) and rates[9] == recipe.rate
    assert set(rates[9:200]) == {recipe.rate}
    assert rates[200:] == sorted(rates[200:], reverse=True)
    assert 0.05 * recipe.rate < rates[-1] < 0.06 * recipe.rate


# One epoch of windows visits no token twice; batches are consecutive windows; a short stream is refused.
def test_windows():
    windows = Windows(torch.arange(103), 10, seed=3)
    seen = torch.cat([windows[n] for n in range(windows.per_epoch)])
    assert len(seen.unique()) == len(seen) == 90
    assert not torch.equal(windows[0], windows[windows.per_epoch])
    assert torch.equal(windows.batch(2, 4), torch.stack([windows[n] for n in (8, 9, 10, 11)]))
    with pytest.raises(ValueError, match="too small"):
        Windows(torch.arange(19), 10)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny model of a tiny corpus, with its tokenizer."""
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text("\n\n".join(f"The {w} sat on mat {i}. " * 20 for i in range(60) for w in ("cat", "dog")))
    corpus = open_files(path)
    tokenizer = train_tokenizer(corpus.documents("train"), 300)
    return corpus, tokenizer, make_model(replace(TINY, window=32), len(tokenizer)).eval()


# Training lowers the loss on text it has not seen.
def test_training_learns(trained, tmp_path):
    corpus, tokenizer, model = trained
    before = evaluate(model, tokenizer, corpus, 32)["validation_nats_per_token"]
    recipe = replace(TINY, steps=60, window=32, batch=4, rate=1e-2)
    learner = make_model(recipe, len(tokenizer))
    train(recipe, learner, corpus.tokens("train", tokenizer), corpus.tokens("validation", tokenizer), tmp_path / "c")
    assert evaluate(learner, tokenizer, corpus, 32)["validation_nats_per_token"] < before - 1


# Every token of a document is predicted once: with room enough the nats equal one plain forward pass, and with
# pieces the number of predictions stays the same.
def test_document_nats(trained):
    _, tokenizer, model = trained
    text = "The cat sat on mat 7."
    ids = torch.tensor([[0, *tokenizer(text)["input_ids"], 0]])
    plain = model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
    nats, count = document_nats(model, tokenizer, text, 32)
    assert count == ids.shape[1] - 1
    assert nats == pytest.approx(plain, rel=1e-5)
    for context in (2, 3, 8):
        assert document_nats(model, tokenizer, text, context)[1] == count


# The file holds exactly the rounded model: loaded in fp32 it gives the same logits bit for bit.
def test_saved_model_is_the_rounded_model(trained, tmp_path):
    _, tokenizer, _ = trained
    model = make_model(replace(TINY, window=32), len(tokenizer)).eval()
    round_to_bf16(model)
    save_rounded(model, tokenizer, tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    ids = torch.arange(20)[None]
    assert torch.equal(loaded(input_ids=ids).logits, model(input_ids=ids).logits)
    assert (tmp_path / "model.safetensors").stat().st_size < 3 * sum(p.numel() for p in model.parameters()) + 20_000


# A card's checksum catches a changed byte; without a card nothing is checked.
def test_card_checks_the_weights(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    check_weights(tmp_path)
    card = write_card(tmp_path, "Title", "About.", {"loss": 1.25, "sizes": {"train": 3}})
    assert read_card(tmp_path) == card == json.loads((tmp_path / "card.json").read_text())
    assert "| loss | 1.2500 |" in (tmp_path / "README.md").read_text()
    check_weights(tmp_path)
    file.write_bytes(b"weightz")
    with pytest.raises(ValueError, match="damaged"):
        check_weights(tmp_path)
    file.unlink()
    with pytest.raises(FileNotFoundError, match="model.safetensors"):
        check_weights(tmp_path)


# The command line turns down what it cannot do before any work.
@pytest.mark.parametrize("arguments", [["poems"], ["code", "--steps", "-1"], ["code", "--threads", "0"]])
def test_command_line_refuses(arguments, tmp_path):
    with pytest.raises(SystemExit):
        pretrain.main([*arguments, "--out", str(tmp_path / "x")])
    assert not (tmp_path / "x").exists()
