"""Slots that carry uniforms, with random weights: text stays ordinary decoding's, whatever the slots say."""

import warnings

import pytest
import torch
from toys import build, greedy, on_every_device, ragged, toy, whole_pass
from transformers import GPT2Config

from mtp_explore.contract import Slots, State
from mtp_explore.decode.generate import _Job, decode, generate, sample
from mtp_explore.drafters import load_drafter, make_drafter
from mtp_explore.drafters.auxiliary import EMBEDDINGS
from mtp_explore.drafters.ptp import PTP
from mtp_explore.measure.law import exact_law

K, NEW, SEED = 3, 16, 3
KINDS = ["llama", "gpt2", "qwen3"]
VARIANTS = ("one-hot", "categorical")
PLANS = ("linear", "quadratic", "budget=2", "budget=5")
CUT = {"temperature": 0.7, "top_k": 9, "top_p": 0.9}
on_every_kind = pytest.mark.parametrize("architecture", KINDS)
on_both = pytest.mark.parametrize("variant", VARIANTS)


def randomised(drafter, seed: int = 0):
    """Random weights everywhere, large enough that numbers and adapters matter."""
    g = torch.Generator().manual_seed(seed)
    for name, w in drafter.named_parameters():
        w.data.copy_(torch.randn(w.shape, generator=g) * (0.2 if "lora" in name else 0.5))
    return drafter


def made(backbone, horizon: int = K, seed: int = 0, **options):
    return randomised(make_drafter("ptp", backbone, horizon=horizon, **{"rank": 2, **options}), seed)


# Row 17 of papers.md, section 6: under `match` text is ordinary decoding on the same tape, token by token, for ragged
# batches, with every plan, at every temperature, with top-k and top-p, on every kind of model; greedy text is
# transformers' own.
@on_every_device
@on_every_kind
@on_both
def test_text_is_ordinary_decoding(variant, architecture, device):
    backbone, prompts = toy(architecture, device), ragged()
    for shaping in ({}, CUT, {"temperature": 0}):
        options = dict(seed=SEED, eos=False, **shaping)
        wanted = sample(backbone, None, prompts, NEW, **options).tokens
        for plan in PLANS:
            drafter = made(backbone, variant=variant, **shaping)
            found = sample(backbone, drafter, prompts, NEW, plan=plan, rule="match", **options)
            assert torch.equal(found.tokens, wanted) and found.drafted.sum() > 0, (plan, shaping)
    assert wanted[1].tolist() == greedy(backbone, prompts[1], NEW)


# A batch of ragged prompts is its rows one by one, row r with the stream (seed, r), under every rule.
@pytest.mark.parametrize(
    "rule, variant", [("match", "one-hot"), *((r, "categorical") for r in ("match", "rejection", "block"))]
)
def test_a_batch_is_its_rows(rule, variant):
    backbone, prompts = toy("gpt2"), ragged()
    drafter = made(backbone, variant=variant)
    for plan in ("quadratic", "budget=5"):
        options = dict(rule=rule, plan=plan, eos=False)
        batch = sample(backbone, drafter, prompts, NEW, seed=SEED, **options)
        assert batch.accepted.sum() > 0
        for r in range(4):
            single = sample(backbone, drafter, prompts[r], NEW, seed=(SEED, r), **options)
            assert single.tokens[0].tolist() == batch.tokens[r].tolist()
            assert single.accepted[:, 0].tolist() == batch.accepted[: single.calls, r].tolist()


class OneBit(PTP):
    """Its slots see one bit of their number, so that boxes of numbers can be enumerated."""

    def embed(self, slots, window):
        return super().embed(slots, (window >= 0.5) / 2 + 0.25)


# The law of the first K + 1 = 2 tokens, enumerated over all uniforms, is the target's, though the slots see the very
# numbers that draw. `rejection` and `block` use C-PTP's law given the slots; O-PTP's drafts they keep with chance p(d).
@on_both
@pytest.mark.parametrize("rule", ["match", "rejection", "block"])
def test_the_law_is_the_targets(rule, variant):
    size = dict(vocab_size=3, n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0)
    owner = build(GPT2Config(**size), dtype=torch.float64, seed=1)
    for weight in owner.model.parameters():
        if weight.dim() > 1:
            weight.data.mul_(8)
    drafter = randomised(OneBit(owner, 1, variant, rank=2))
    for plan in ("linear", "quadratic", "budget=2"):
        found = exact_law(owner, drafter, [0, 1, 2, 0], 2, rule=rule, plan=plan, cells=[0.5])
        assert found.error < 1e-10 and 0 < found.accepted
    assert exact_law(owner, drafter, [0, 1], 2, rule=rule, cells=[0.5], temperature=0.7, top_k=2).error < 1e-10


# Slot j carries w_j (one-hot, j = 0..K) or w_{j-1} (categorical, j = 1..K), and the draft's law is that of one plain
# causal pass over the text and those slots, with the adapters on the slots' rows.
@on_every_device
@on_every_kind
@on_both
def test_drafts_are_the_formulas(variant, architecture, device, monkeypatch):
    backbone, prompt = toy(architecture, device), ragged()[1]
    drafter, seen = made(backbone, variant=variant), []
    begin = drafter.begin
    monkeypatch.setattr(drafter, "begin", lambda s: seen.append(State(*(x.clone() for x in s))) or begin(s))
    steps = list(decode(backbone, drafter, prompt, 9, rule="match", eos=False))
    first = drafter.first_slot
    assert (first, drafter.slots_per_branch, drafter.one_hot) == (
        (0, K + 1, True) if variant == "one-hot" else (1, K, False)
    )
    for start, step in zip(seen[:2], steps[1:], strict=False):
        length = int(start.length[0]) - 1
        assert torch.equal(start.window[0, : K + 1], start.window[0]) and int(start.count) == K + 1 - first
        with torch.no_grad(), drafter.gate(length):
            carried = start.window[:, : drafter.slots_per_branch]
            embeds = torch.cat([backbone.embed(start.tokens[:, :length]), drafter.auxiliary(carried)], 1)
            place = torch.cat([torch.arange(length), torch.arange(K + 1 - first) + length - 1 + first])
            out = whole_pass(backbone, embeds, place.to(device)[None])
        belief = begin(start)
        own = drafter.predict(belief)[0]
        torch.testing.assert_close(own, out.logits[0, length - 1].log_softmax(-1), atol=1e-3, rtol=0)
        for k in range(1, K + 1):
            belief = drafter.absorb(belief, start.tokens[:, 0])
            assert int(drafter.left(belief)) == K + 1 - k
            wanted = out.logits[0, length + k - first].log_softmax(-1)
            torch.testing.assert_close(drafter.predict(belief)[0], wanted, atol=1e-3, rtol=1e-3)
            law = wanted.exp().double().cumsum(0)
            picked = (
                wanted.argmax()
                if drafter.one_hot
                else torch.searchsorted(law / law[-1], start.window[0, k], right=True)
            )
            assert len(step.drafts) < k or step.drafts[k - 1].token == int(picked)
        assert int(drafter.left(drafter.absorb(belief, start.tokens[:, 0]))) == 0


# Row 18: with the constant embedding a prediction does not depend on u; with every other it does, on the numbers of the
# own slot (one-hot) and of those before it, and on none that come later.
@on_both
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_what_a_prediction_depends_on(embedding, variant):
    backbone = toy("gpt2")
    drafter = made(backbone, variant=variant, embedding=embedding)
    window = torch.rand(1, K + 1, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    text, first = backbone.embed(torch.tensor([ragged()[1]])), drafter.first_slot
    index = torch.arange(first, K + 1)[None]

    def states(window):
        with torch.no_grad(), drafter.gate(text.shape[1]):
            slots = drafter.embed(Slots(torch.zeros_like(index), index), window[:, None].expand(-1, K + 1, -1))
            place = torch.cat([torch.arange(text.shape[1]), text.shape[1] - 1 + index[0]])[None]
            return whole_pass(backbone, torch.cat([text, slots], 1), place).logits[0, text.shape[1] :]

    base = states(window)
    for k in range(K + 1):
        other = window.clone()
        other[0, k] = (other[0, k] + 0.37) % 1
        moved = (states(other) - base).abs().amax(-1) > 1e-6
        carries = index[0] >= k + first  # slots whose own or earlier number is w_k
        assert torch.equal(moved, carries & (embedding != "constant"))


# Row 20: a budget that covers every slot is the quadratic plan, text, calls and all; a smaller one buys exactly m.
@on_both
def test_a_full_budget_is_quadratic(variant):
    backbone = toy("gpt2")
    drafter = made(backbone, variant=variant)
    options = dict(seed=SEED, rule="match", eos=False)
    whole = (K + 1) * drafter.slots_per_branch
    one, other = (sample(backbone, drafter, ragged(), NEW, plan=p, **options) for p in ("quadratic", f"budget={whole}"))
    assert torch.equal(one.tokens, other.tokens) and torch.equal(one.accepted, other.accepted)
    assert one.calls == other.calls


# Plans are told how sure the drafter is of each draft, also where the draft's law is one-hot: greedy, or by nature.
@on_both
def test_plans_are_told_how_sure(variant):
    backbone, seen = toy("gpt2"), []
    drafter = made(backbone, variant=variant)
    job = _Job(backbone, drafter, ragged(), NEW, temperature=0, eos=False)
    plan = job.plan
    job.plan = lambda d, draft: seen.append(draft) or plan(d, draft)
    list(job.calls(describe=False))
    assert seen[0].sure is None
    for draft in seen[1:]:
        assert draft.sure.shape == draft.tokens.shape and ((draft.sure > 0) & (draft.sure < 1)).all()


# Greedy decoding hands out 1/2 to every slot, and nothing else.
def test_greedy_slots_carry_a_half(monkeypatch):
    backbone = toy("gpt2")
    drafter, seen = made(backbone), []
    forward = drafter.auxiliary.forward
    monkeypatch.setattr(drafter.auxiliary, "forward", lambda u, slot: seen.append(u) or forward(u, slot))
    sample(backbone, drafter, ragged(), NEW, temperature=0, eos=False)
    assert len(seen) > 3 and all((u == 0.5).all() for u in seen)


# Under another law than the drafter's text is exact all the same, and one warning says that drafts will suffer; greedy
# text and the own law say nothing.
def test_another_law_warns_once():
    backbone = toy("gpt2")
    drafter = made(backbone, temperature=0.7, top_k=9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for shaping in (dict(temperature=0), dict(temperature=0.7, top_k=9)):
            generate(backbone, drafter, ragged()[1], 4, **shaping)
    options = dict(seed=SEED, rule="match", temperature=1.3, eos=False)
    with pytest.warns(UserWarning, match="made for {'temperature': 0.7.*stays exact, but fewer") as caught:
        found = sample(backbone, drafter, ragged(), NEW, **options)
        again = sample(backbone, drafter, ragged(), NEW, **options)
        generate(backbone, drafter, ragged()[1], 4, top_p=0.9)
    assert len(caught) == 2 and caught[0].filename == __file__
    wanted = sample(backbone, None, ragged(), NEW, seed=SEED, temperature=1.3, eos=False)
    assert torch.equal(found.tokens, wanted.tokens) and torch.equal(again.tokens, wanted.tokens)


# It is saved and comes back as it was, law and all; a trace keeps how many slots spoke and the numbers they carried.
@on_both
def test_saving(variant, tmp_path):
    backbone = toy("llama")
    drafter = made(backbone, variant=variant, embedding="float", temperature=0.5, top_k=3, targets="q_proj,v_proj")
    drafter.save_pretrained(tmp_path)
    again = load_drafter(tmp_path, backbone)
    mine, theirs = drafter.state_dict(), again.state_dict()
    assert mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)
    assert again.options == drafter.options and again.law == dict(temperature=0.5, top_k=3, top_p=1.0)
    trace = generate(backbone, again, ragged()[1], 8, temperature=0, eos=False)
    beliefs = [s.belief for s in trace.steps[:2]]
    assert beliefs == [None, {"slots": again.slots_per_branch, "uniforms": [0.5] * (K + 1)}]


# Fewer slots than it was trained with: the same weights, fewer drafts, the same text.
@on_both
def test_shortened(variant):
    backbone = toy("gpt2")
    drafter = made(backbone, variant=variant)
    short = drafter.shortened(2)
    assert short.horizon == 2 and short.slots_per_branch == drafter.slots_per_branch - 1
    options = dict(seed=SEED, rule="match", eos=False)
    found = sample(backbone, short, ragged(), NEW, **options)
    assert torch.equal(found.tokens, sample(backbone, drafter, ragged(), NEW, **options).tokens)
    assert int(found.drafted.max()) == 2
    with pytest.raises(ValueError, match=f"slots=4: .*from 1 to {K} .the slots of this drafter"):
        drafter.shortened(4)


def test_bad_options_are_refused():
    for wrong, message in [
        (dict(variant="soft"), "variant='soft'.*'one-hot', 'categorical'"),
        (dict(loss="mse"), "loss='mse'.*'cross-entropy', 'kl', 'reverse-kl'"),
        (dict(source="self"), "source='self'.*'teacher', 'inverse'"),
        (dict(loss="kl"), "a one-hot slot has no law.*variant='categorical'"),
        (dict(source="inverse"), "a one-hot slot has no law"),
        (
            dict(variant="categorical", source="inverse", loss="kl"),
            "loss='kl', source='inverse'.*no teacher.*'teacher'",
        ),
        (dict(variant="categorical", source="inverse", loss="reverse-kl"), "loss='reverse-kl', source='inverse'"),
        (dict(embedding="sine"), "embedding='sine'"),
        (dict(temperature=-1.0), "temperature=-1.0"),
        (dict(top_p=0.0), "top_p=0.0"),
        (dict(top_k=1.5), "top_k=1.5"),
        (dict(beta=0.0), "beta=0.0"),
        (dict(anchors=-1), "anchors=-1"),
        (dict(temperature="1"), "temperature='1'"),
        (dict(top_k=True), "top_k=True"),
        (dict(top_p=None), "top_p=None"),
        (dict(beta="x"), "beta='x'"),
        (dict(embedding=[1]), "embedding="),
        (dict(law=1), "law= is no option of drafter 'ptp'"),
    ]:
        with pytest.raises(ValueError, match=message):
            make_drafter("ptp", toy("llama"), **wrong)
