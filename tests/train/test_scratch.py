"""From scratch: gradients in turn are those of the sum, both learn, and what comes back decodes like any other."""

from dataclasses import replace

import pytest
import torch
from learnable import Cycle, backbone
from torch import nn
from toys import ARCHITECTURES, VOCABULARY, build

from mtp_explore.decode.generate import generate
from mtp_explore.drafters import load_drafter, make_drafter
from mtp_explore.train import scratch as scratch_module
from mtp_explore.train.features import Batch, features, futures
from mtp_explore.train.fit import evaluate, losses_of
from mtp_explore.train.pretrain import Recipe
from mtp_explore.train.scratch import backward, backward_in_turn, scratch, trunk

SIZES = dict(hidden=24, layers=1, heads=2, kv_heads=1, intermediate=32)
TINY = Recipe("cycle", 264, 60, warmup=5, window=32, batch=8, rate=1e-2, precision="fp32", **SIZES)
K = 2
KINDS = {
    "independent": dict(hidden=8),
    "cp": dict(rank=3, head_rank=4),
    "hmm": dict(rank=2, head_rank=4),
    "btree": dict(rank=2, head_rank=4),
}
on_every_kind = pytest.mark.parametrize("kind", KINDS)


def tokens(split="train"):
    return Cycle().tokens(split, backbone().tokenizer)


def problem(kind):
    """A trunk with a trainable unembedding, a drafter with all weights in play, and one batch; float64 throughout
    (Llama's norm computes in float32, GPT-2's does not).
    """
    base = build(ARCHITECTURES["gpt2"](), dtype=torch.float64)
    torch.manual_seed(1)
    drafter = make_drafter(kind, base, horizon=K, **KINDS[kind])
    for w in drafter.parameters():
        w.data += 0.1 * torch.randn_like(w)
    base.model.requires_grad_(True)
    window = torch.randint(0, VOCABULARY, (3, 35))
    return base.model, drafter, window[:, :32], futures(window, K, base.eos)[:, :32].flatten(0, 1)


# papers.md 6, row 23: heads forward and backward in turn, through a detached trunk output, give trunk, unembedding and
# drafter the gradients of the plain sum, spelled out here from the definition: CE + K times the drafter's loss.
@on_every_kind
@pytest.mark.parametrize("in_turn", [False, True])
def test_gradients_are_those_of_the_sum(kind, in_turn):
    model, drafter, given, future = problem(kind)
    weights = [*model.parameters(), *drafter.parameters()]
    hidden = trunk(model, given, "fp32")
    logits = model(input_ids=given, use_cache=False).logits.flatten(0, 1)
    named = drafter.losses(hidden, future)
    own = named["loss"] if "loss" in named else sum(named.values()) / K
    total = nn.functional.cross_entropy(logits, future[:, 0]) + K * own
    expected = torch.autograd.grad(total, weights)
    found = backward(drafter, trunk(model, given, "fp32"), future, in_turn)
    for weight, gradient in zip(weights, expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, atol=1e-11, rtol=1e-8)
    assert (future < 0).any() and sum(gradient.abs().max() > 1e-6 for gradient in expected) > 0.9 * len(expected)
    torch.testing.assert_close(found["next"] + K * found["loss"], total.detach(), atol=1e-10, rtol=1e-10)


# Every token of a whole window weighs as much as the trunk's own: the heads' losses are added up, as Gloeckle's are,
# and a joint law gives -log q of the drafts given y', or of the whole window where y' counts too.
@pytest.mark.parametrize("kind, options", [("independent", {}), ("cp", {}), ("hmm", {}), ("btree", {"first": True})])
def test_weight_of_the_window(kind, options):
    base = build(ARCHITECTURES["gpt2"](), dtype=torch.float64)
    drafter = make_drafter(kind, base, horizon=K, **KINDS[kind], **options)
    hidden = torch.randn(9, base.width, dtype=torch.float64, requires_grad=True)
    future = torch.randint(0, VOCABULARY, (9, K + 1))
    named = drafter.losses(hidden, future)
    drafts = sum(named.values()) if kind == "independent" else named["joint"] - named["first"]
    own = named["joint"] if options else drafts
    total = nn.functional.cross_entropy(base.logits(hidden), future[:, 0]) + own
    expected = torch.autograd.grad(total, hidden)[0]
    backward(drafter, hidden, future, False)
    torch.testing.assert_close(hidden.grad, expected)


# In turn, a part's graph is gone before the next part runs, and the trunk runs backward once.
def test_parts_are_freed_one_by_one():
    trunk_calls, alive, most = [], set(), []
    weight = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    hidden = torch.randn(5, 4, dtype=torch.float64) @ weight
    hidden.register_hook(lambda g: trunk_calls.append(g.clone()))

    class Watched(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z, name):
            ctx.name = name
            alive.add(name)
            most.append(len(alive))
            return z.square().sum()

        @staticmethod
        def backward(ctx, grad):
            alive.discard(ctx.name)
            return grad * torch.ones(5, 4, dtype=torch.float64), None

    values = backward_in_turn(hidden, [lambda z, k=k: Watched.apply(z, k) for k in range(3)])
    assert most == [1, 1, 1] and len(values) == 3 and len(trunk_calls) == 1
    assert trunk_calls[0].equal(torch.full((5, 4), 3.0, dtype=torch.float64))


# Trunk and drafter both learn: on unseen text the next token, and every later one, become far more likely. Training in
# turn ends near the same weights (float32 sums differ in their last bits), and the same seed gives the same run.
@on_every_kind
def test_both_learn(kind):
    notes = []
    made, drafter = scratch(TINY, backbone().tokenizer, tokens(), kind, callback=notes.append, horizon=K, **KINDS[kind])
    assert [n["step"] for n in notes] == [10, 20, 30, 40, 50, 60]
    assert notes[-1]["next"] < notes[0]["next"] - 1 and notes[-1]["loss"] < notes[0]["loss"] - 1
    held = features(made, tokens("validation"), K, 300)
    final = evaluate(drafter, held)
    per_token = final["loss"]
    assert per_token < 2.0 < notes[0]["loss"]
    short = replace(TINY, steps=5)
    runs = [scratch(short, backbone().tokenizer, tokens(), kind, t, horizon=K, **KINDS[kind]) for t in (False, True)]
    torch.manual_seed(5)  # the run's seed counts, not the process's
    runs.append(scratch(short, backbone().tokenizer, tokens(), kind, False, horizon=K, **KINDS[kind]))
    (plain, ones), (turn, twos), (again, threes) = [(m.model.state_dict(), d.state_dict()) for m, d in runs]
    for a, b, c in ((plain, turn, again), (ones, twos, threes)):
        for key in a:
            torch.testing.assert_close(a[key], b[key], atol=2e-2, rtol=0)
            assert a[key].equal(c[key])


# What comes back is frozen, checks out, decodes to the target's own text, and is found again after saving.
def test_ordinary_afterwards(tmp_path):
    made, drafter = scratch(replace(TINY, steps=30), backbone().tokenizer, tokens(), "cp", horizon=K, rank=2)
    assert not any(w.requires_grad for w in made.model.parameters()) and not made.model.training
    drafter.check(made)
    prompt = tokens("validation")[:6].tolist()
    options = dict(max_new_tokens=12, temperature=0.0, eos=False)
    trace = generate(made, drafter, prompt, **options)
    assert trace.tokens == generate(made, None, prompt, **options).tokens
    made.save_pretrained(tmp_path / "backbone")
    drafter.save_pretrained(tmp_path / "cp-r2")
    loaded = load_drafter(tmp_path / "cp-r2")
    batch = Batch(*(x for x in features(made, tokens("validation"), K, 64)[:2]), None)
    torch.testing.assert_close(losses_of(loaded, batch), losses_of(drafter, batch), atol=1e-5, rtol=1e-5)


# A drafter that has nothing to learn, or learns from a frozen target, is refused before the first step.
def test_refused(monkeypatch):
    monkeypatch.setattr(scratch_module, "trunk", lambda *a: pytest.fail("went on"))
    with pytest.raises(ValueError, match="'lookup' has no weights"):
        scratch(TINY, backbone().tokenizer, tokens(), "lookup")
    with pytest.raises(ValueError, match="'cp' learns from a frozen target"):
        scratch(TINY, backbone().tokenizer, tokens(), "cp", horizon=K, objective="kl")
