"""The loop: whatever the drafter, plan and batch, the text is the target's, and each step is one call.

K = 3, a ragged batch of four prompts, sixteen new tokens. Some drafters are told what ordinary decoding will say, so
that drafts of every depth are accepted; slot drafters have random embeddings, adapters and laws.
"""

import oracles
import pytest
import torch
from toys import CONTEXT, PLANS, SLOT_DRAFTERS, Told, greedy, on_every_architecture, on_every_device, ragged, toy

from mtp_explore.decode.generate import generate, sample
from mtp_explore.drafters import make_drafter
from mtp_explore.tensors.categorical import shape

NEW, SEED = 16, 3
SHAPES = {"greedy": dict(temperature=0), "T=1": {}, "cut": dict(temperature=0.7, top_k=9, top_p=0.9)}
RULES = ("match", "rejection", "block")
each_shape = pytest.mark.parametrize("shaped", SHAPES.values(), ids=SHAPES)


def plain(backbone, prompts, **options):
    return sample(backbone, None, prompts, NEW, seed=SEED, eos=False, **options)


def answer(prompts, tokens):
    return [p + t for p, t in zip(prompts, tokens.tolist(), strict=True)]


def flawed(backbone, told):
    """An oracle that is wrong at every third place of the text."""
    told = [[t if i % 3 else (t + 1) % backbone.vocabulary for i, t in enumerate(text)] for text in told]
    return make_drafter("oracle", backbone, answer=told, horizon=3)


def drafters(backbone, told):
    """(name, drafter, plans) of every kind."""
    for name in ("independent", "cp", "hmm", "btree"):
        yield name, make_drafter(name, backbone, horizon=3), (None,)
    yield "masked", make_drafter("masked", backbone, horizon=3), PLANS
    for variant in ("one-hot", "categorical"):
        yield f"ptp {variant}", make_drafter("ptp", backbone, horizon=3, variant=variant), PLANS
    yield "lookup", make_drafter("lookup", backbone, horizon=3), (None,)
    yield "oracle", make_drafter("oracle", backbone, answer=told, horizon=3), (None,)
    yield "flawed", flawed(backbone, told), (None,)
    yield "told", Told(backbone, told), (None,)
    for name, kind in SLOT_DRAFTERS.items():
        yield name, kind(backbone), PLANS


# Ordinary decoding of the loop is the plain loop's: one uniform per place, no cache, no batch.
@on_every_device
@on_every_architecture
@each_shape
def test_ordinary_decoding_is_the_loop(architecture, shaped, device):
    backbone, prompts = toy(architecture, device), ragged(lengths=(5, 1))
    g = torch.Generator().manual_seed(1)
    u = torch.rand(2, NEW + 1, generator=g, dtype=torch.float64)
    found = sample(backbone, None, prompts, NEW, uniforms=u, eos=False, **shaped)

    def law(text):
        logits = backbone.model(torch.tensor([text], device=device), use_cache=False).logits[0, -1]
        return shape(logits, **shaped).tolist()

    with torch.inference_mode():
        for r in range(2):
            numbers = u[r].tolist() if shaped != SHAPES["greedy"] else [0.5] * NEW
            assert found.tokens[r].tolist() == oracles.ordinary(law, prompts[r], numbers, NEW)
    assert found.calls == NEW


# `match` is ordinary decoding, token by token, with every drafter and plan, at every temperature; nothing is lost when
# drafts are refused, cut or missing. The batch takes no more calls than its slowest row.
@on_every_device
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma3"])
@each_shape
@pytest.mark.filterwarnings("ignore:drafter .ptp. was made for")
def test_match_is_ordinary_decoding(architecture, shaped, device):
    backbone, prompts = toy(architecture, device), ragged()
    wanted = plain(backbone, prompts, **shaped)
    accepted = set()
    for name, drafter, plans in drafters(backbone, answer(prompts, wanted.tokens)):
        for plan in plans if architecture == "gpt2" else plans[1:2] or plans:
            found = sample(backbone, drafter, prompts, NEW, seed=SEED, rule="match", plan=plan, eos=False, **shaped)
            assert torch.equal(found.tokens, wanted.tokens), (name, plan)
            assert found.calls <= NEW and (found.accepted <= found.drafted).all()
            accepted |= set(found.accepted.flatten().tolist())
            if name == "oracle":
                assert found.calls == 1 + -(-(NEW - 1) // 4)
    assert accepted == {0, 1, 2, 3}


# A batch of ragged prompts is its rows one by one, row r with the stream (seed, r), under every rule.
@on_every_device
@pytest.mark.parametrize("rule", RULES)
def test_a_batch_is_its_rows(rule, device):
    backbone, prompts = toy("gpt2", device), ragged()
    told = answer(prompts, plain(backbone, prompts).tokens)
    cases = [lambda rows: Told(backbone, [told[r] for r in rows])]
    cases += [lambda rows, kind=kind: kind(backbone) for kind in SLOT_DRAFTERS.values()]
    for make in cases:
        for plan in ("quadratic", "budget=2") if make is not cases[0] else [None]:
            options = dict(rule=rule, plan=plan, eos=False)
            batch = sample(backbone, make(range(4)), prompts, NEW, seed=SEED, **options)
            for r in (0, 1, 2, 3) if plan != "budget=2" else (2,):
                single = sample(backbone, make([r]), prompts[r], NEW, seed=(SEED, r), **options)
                assert single.tokens[0].tolist() == batch.tokens[r].tolist()
                assert single.accepted[:, 0].tolist() == batch.accepted[: single.calls, r].tolist()


# Rows with one common prompt share its prefill; they are the rows of an ordinary batch all the same.
@on_every_device
def test_a_shared_prompt(device):
    backbone = toy("llama", device)
    drafter = Told(backbone, [[5, 1, 2] + [3] * NEW] * 3)
    batch = sample(backbone, drafter, [[5, 1, 2]] * 3, NEW, seed=SEED, eos=False)
    for r in range(3):
        single = sample(backbone, Told(backbone, [[5, 1, 2] + [3] * NEW]), [5, 1, 2], NEW, seed=(SEED, r), eos=False)
        assert single.tokens[0].tolist() == batch.tokens[r].tolist()
    assert len({tuple(row) for row in batch.tokens.tolist()}) == 3


# Greedy text is transformers' own generate(do_sample=False), on every architecture, with a drafter that is half right
# and with one that adds slots to every call.
@on_every_device
@on_every_architecture
def test_greedy_is_transformers(architecture, device):
    backbone, prompts = toy(architecture, device), ragged()
    wanted = [greedy(backbone, p, NEW) for p in prompts]
    told = [p + t for p, t in zip(prompts, wanted, strict=True)]
    for drafter in (None, flawed(backbone, told), SLOT_DRAFTERS["toy-masked"](backbone)):
        found = sample(backbone, drafter, prompts, NEW, temperature=0, eos=False)
        assert found.tokens.tolist() == wanted


# A row stops at the first end of text among what it commits, wherever in a draft that lies; what follows is dropped,
# and its neighbours go on as if nothing had happened.
@on_every_device
@pytest.mark.parametrize("rule", RULES)
def test_end_of_text(rule, device, monkeypatch):
    backbone, prompts = toy("gpt2", device), ragged()
    told = answer(prompts, plain(backbone, prompts).tokens)
    inside = set()
    for kind in [Told, *SLOT_DRAFTERS.values()]:
        drafter = Told(backbone, told) if kind is Told else kind(backbone)
        free = generate(backbone, drafter, prompts, NEW, seed=SEED, rule=rule, eos=False)
        assert all(t.finish == "length" and len(t.tokens) == NEW for t in free)
        for end in sorted({t for trace in free for t in trace.tokens})[:: 1 if kind is Told else 5]:
            monkeypatch.setattr(type(backbone), "eos", [end, end])
            found = generate(backbone, drafter, prompts, NEW, seed=SEED, rule=rule)
            for trace, whole in zip(found, free, strict=True):
                stop = whole.tokens.index(end) + 1 if end in whole.tokens else NEW
                assert trace.tokens == whole.tokens[:stop]
                assert trace.finish == ("eos" if end in whole.tokens else "length")
                last = trace.steps[-1]
                inside.add(len(last.tokens) <= last.accepted)
                assert trace.calls == next(
                    i for i in range(1, 99) if sum(len(s.tokens) for s in whole.steps[:i]) >= stop
                )
    assert inside == {True, False}


# max_new_tokens is met to the token, also when a draft reaches beyond it, and a shorter run begins a longer one.
@on_every_device
@pytest.mark.parametrize("rule", RULES)
def test_length(rule, device):
    backbone, prompts = toy("gpt2", device), ragged()
    told = answer(prompts, plain(backbone, prompts).tokens)
    drafter = Told(backbone, told)
    whole = sample(backbone, drafter, prompts, NEW, seed=SEED, rule=rule, eos=False)
    for new in range(1, 8):
        found = sample(backbone, drafter, prompts, new, seed=SEED, rule=rule, eos=False)
        assert found.tokens.tolist() == whole.tokens[:, :new].tolist()
        assert found.length.tolist() == [new] * 4
    once = make_drafter("oracle", backbone, answer=told, horizon=3)
    assert generate(backbone, once, prompts, 1, seed=SEED, rule=rule)[0].calls == 1


# Decoding fills the context to its last place and no further, with slots hanging over its edge or not: no draft is
# verified beyond it, and no slot beyond it is ever handed to a drafter as real.
@on_every_device
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize("horizon", [1, 3, 6])
def test_the_end_of_the_context(architecture, horizon, device, monkeypatch):
    backbone = toy(architecture, device)
    prompts = ragged(lengths=(CONTEXT - 9, CONTEXT - 1, CONTEXT - 12, CONTEXT - 2))
    wanted = sample(backbone, None, prompts, 50, seed=SEED, eos=False)
    assert wanted.length.tolist() == [CONTEXT - len(p) for p in prompts]
    rows = zip(prompts, wanted.tokens.tolist(), wanted.length.tolist(), strict=True)
    told = [p + t[:n] + [1] * horizon for p, t, n in rows]  # it would draft on beyond the edge
    cases = [(make_drafter("oracle", backbone, answer=told, horizon=horizon), None)]
    cases += [(kind(backbone, horizon=horizon), plan) for kind in SLOT_DRAFTERS.values() for plan in PLANS]
    for drafter, plan in cases:
        begin, seen = drafter.begin, []
        monkeypatch.setattr(drafter, "begin", lambda s, b=begin, to=seen: (to.append((s.length, s.count)), b(s))[1])
        found = sample(backbone, drafter, prompts, 50, seed=SEED, rule="match", plan=plan, eos=False)
        assert torch.equal(found.tokens, wanted.tokens)
        for length, count in seen:  # slot j stands at length - 2 + j
            last = length - 2 + drafter.first_slot + count - 1
            assert ((last < CONTEXT) | (count == 0)).all()
    trace = generate(backbone, cases[0][0], prompts, 50, seed=SEED, eos=False)[0]
    assert trace.finish == "context" and len(trace.tokens) == CONTEXT - len(prompts[0])
    length = len(prompts[0])
    for step in trace.steps:
        assert length + len(step.drafts) <= CONTEXT
        length += len(step.tokens)
    assert generate(backbone, None, prompts[0], 3, seed=SEED, eos=False).finish == "length"


# A drafter that calls itself one-hot is scored as one-hot, even if its law is soft: the token that was really drafted.
def test_one_hot_means_one_hot():
    backbone = toy("gpt2")

    class Loose(Told):
        one_hot = True

    drafter = Loose(backbone, [[5, 1, 2] + [3] * NEW])
    trace = generate(backbone, drafter, [5, 1, 2], NEW, seed=SEED, rule="rejection", eos=False)
    drafts = [d for s in trace.steps for d in s.drafts]
    assert drafts and all(d.q == 1 and d.chance == pytest.approx(d.p) for d in drafts)
