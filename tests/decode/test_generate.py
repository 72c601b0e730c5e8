"""`generate`, `decode` and `sample`: arguments checked before any work, and the same steps from each of them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from five import NEW, PROMPTS, RULES, V, bare
from toys import SLOT_DRAFTERS, Told, build, on_every_device, ragged, toy
from transformers import GPT2Config

from mtp_explore.backbone.now import NOW
from mtp_explore.corpora.tokenizer import train_tokenizer
from mtp_explore.decode.generate import decode, generate, sample
from mtp_explore.drafters import make_drafter
from mtp_explore.verify import rejection

BAD = {
    "max_new_tokens": [0, -3, 2.5, "10", None],
    "temperature": [-0.1, float("nan"), float("inf"), "hot", None],
    "top_k": [-1, 2.5, "5"],
    "top_p": [0, -0.5, 1.01, float("nan"), "0.9"],
    "seed": [-1, 1.5, "x", (1, -2), (1, 2, 3), (1,), None, 2**64],
    "rule": ["rejektion", "", 3],
    "plan": ["quadratik", "budget=", "budget=0", "budget=-2", "budget=x", 5],
    "uniforms": [[0.5] * 3, [2.0] * 200],
    "drafter": ["cp", 5],
    "backbone": ["stories", None],
    "prompt": [[], "", "text without a tokenizer", None, [1.5], [V], [-1], [1] * 64],
}


# A bad argument raises at once, before any call of the model, and the message holds its name, its value and a remedy.
@pytest.mark.parametrize("name, value", [(k, v) for k, values in BAD.items() for v in values], ids=str)
@pytest.mark.parametrize("entry", [generate, sample, decode])
def test_bad_arguments(entry, name, value, small, told, monkeypatch):
    def called(*args, **kwargs):
        raise AssertionError("the model was called")

    monkeypatch.setattr(type(small), "call", called)
    arguments = dict(backbone=small, drafter=told, prompt=PROMPTS[0], max_new_tokens=8)
    arguments |= {"rule": "match"} if name == "uniforms" else {}
    arguments[name] = value
    with pytest.raises((ValueError, TypeError)) as error:
        entry(arguments.pop("backbone"), arguments.pop("drafter"), arguments.pop("prompt"), **arguments)
    message = str(error.value)
    assert name in message and len(message) > 30
    if name not in ("uniforms", "prompt"):
        assert repr(value) in message or str(value) in message


# The nearest known name is offered for a misspelt rule; a wrong plan is refused even where no slots are bought.
def test_the_remedy(small, told):
    with pytest.raises(ValueError, match="did you mean 'rejection'"):
        generate(small, told, PROMPTS[0], rule="rejecton")
    for drafter in (None, told, SLOT_DRAFTERS["toy-cptp"](small)):
        with pytest.raises(ValueError, match="plan='squared'.*'linear', 'quadratic', 'budget=<slots>'"):
            generate(small, drafter, PROMPTS[0], plan="squared")


# A drafter that was made for another backbone is refused: other width, other vocabulary, or only other weights.
def test_another_backbone(small):
    wide = build(GPT2Config(**{**small.config.to_dict(), "n_embd": 48}))
    many = toy("gpt2")
    twin = build(small.config, seed=9)
    for other, what in [(wide, "width 32"), (many, "vocabulary 5"), (twin, "fingerprint")]:
        with pytest.raises(ValueError, match=f"drafter 'lookup' was made for a backbone of {what}"):
            generate(other, make_drafter("lookup", small), PROMPTS[0])


# A budget plan needs the drafter's own survival, and says so.
def test_budget_needs_survival(small):
    drafter = SLOT_DRAFTERS["toy-cptp"](small)
    drafter.survival = None
    with pytest.raises(ValueError, match=r"budget.*drafter.survival.*quadratic"):
        generate(small, drafter, PROMPTS[0], plan="budget=4")


# Greedy decoding and one-hot drafts are checked by `match`, soft drafts by `rejection`, and slots are bought for every
# branch unless a plan is named; the record says which.
def test_defaults(small, told):
    lookup, slots = make_drafter("lookup", small), SLOT_DRAFTERS["toy-cptp"](small)
    cases = [(None, {}, "match"), (lookup, {}, "match"), (told, {}, "rejection"), (told, dict(temperature=0), "match")]
    for drafter, options, rule in cases:
        settings = generate(small, drafter, PROMPTS, 4, **options)[0].settings
        assert settings["rule"] == rule and settings["drafter"] == (drafter.name if drafter else "plain")
    assert generate(small, slots, PROMPTS[0], 4).settings["plan"] == "quadratic"
    assert generate(small, slots, PROMPTS[0], 4, plan="linear").settings["plan"] == "linear"


# One text gives one trace, a batch a list, also of one; ids may come as list, tuple, array or tensor.
def test_shapes_of_prompts(small, told):
    one = generate(small, None, [1, 2], 6)
    for prompt in [(1, 2), torch.tensor([1, 2]), np.array([1, 2]), [np.int64(1), np.int64(2)]]:
        assert generate(small, None, prompt, 6).tokens == one.tokens
    for batch in [[[1, 2]], [(1, 2)], torch.tensor([[1, 2]]), np.array([[1, 2]]), [torch.tensor([1, 2])]]:
        (trace,) = generate(small, None, batch, 6)
        assert trace.tokens == one.tokens
        (rows,) = zip(*decode(small, None, batch, 6), strict=True)
        assert [bare(s) for s in rows] == [bare(s) for s in one.steps]
    assert len(generate(small, None, torch.tensor([[1, 2], [3, 4]]), 6)) == 2


# A model may have more rows than its tokenizer has tokens, and say them: a trace shows their numbers.
def test_more_rows_than_tokens():
    tokenizer = train_tokenizer(["to be or not to be"], 258)
    size = dict(n_embd=16, n_layer=1, n_head=2, n_positions=32, bos_token_id=None, eos_token_id=None)
    padded = build(GPT2Config(vocab_size=3 * len(tokenizer), **size))
    padded.tokenizer = tokenizer
    trace = generate(padded, None, [1, 2], 8)
    assert max(trace.tokens) >= len(tokenizer)
    assert trace.piece(max(trace.tokens)) == f"⟨{max(trace.tokens)}⟩"


# `decode` yields the very steps that `generate` collects, one per call; for a batch a list, None where a row has ended.
@on_every_device
@pytest.mark.parametrize("rule", RULES)
def test_decode_is_generate(rule, device):
    backbone, prompts = toy("gpt2", device), ragged()
    drafter = Told(backbone, [p + [3] * NEW for p in prompts])
    traces = generate(backbone, drafter, prompts, NEW, seed=2, rule=rule)
    calls = list(decode(backbone, drafter, prompts, NEW, seed=2, rule=rule))
    assert len(calls) == max(t.calls for t in traces) and any(None in c for c in calls)
    for r, trace in enumerate(traces):
        wanted = [bare(s) for s in trace.steps] + [None] * (len(calls) - trace.calls)
        assert [bare(c[r]) for c in calls] == wanted
    single = Told(backbone, [prompts[1] + [3] * NEW])
    trace = generate(backbone, single, prompts[1], NEW, seed=2, rule=rule)
    assert [bare(s) for s in decode(backbone, single, prompts[1], NEW, seed=2, rule=rule)] == [
        bare(s) for s in trace.steps
    ]


# Two generations on one backbone may take turns, step by step, and leave nothing behind between steps: no hook, no
# inference mode.
def test_taking_turns(small):
    makers = [lambda: SLOT_DRAFTERS["toy-cptp"](small), lambda: SLOT_DRAFTERS["toy-masked"](small)]
    alone = [[bare(s) for s in decode(small, make(), PROMPTS[0], NEW, seed=1)] for make in makers]
    running, turns = [decode(small, make(), PROMPTS[0], NEW, seed=1) for make in makers], [[], []]
    for _ in range(max(map(len, alone))):
        for one, mine in zip(running, turns, strict=True):
            mine += [bare(s) for s in [next(one, None)] if s]
            assert not torch.is_inference_mode_enabled()
            assert NOW.gate is None and NOW.keep is None and NOW.states is None
    assert turns == alone


# `sample` says the same without a record: tokens, lengths, calls, and drafts and accepted per call.
@pytest.mark.parametrize("rule", RULES)
def test_sample_is_generate(rule, small, told):
    traces = generate(small, told, PROMPTS, NEW, seed=4, rule=rule)
    found = sample(small, told, PROMPTS, NEW, seed=4, rule=rule)
    assert found.calls == max(t.calls for t in traces) == len(found.drafted)
    for r, trace in enumerate(traces):
        n = len(trace.tokens)
        assert found.length[r] == n and found.tokens[r].tolist() == trace.tokens + [0] * (NEW - n)
        assert found.accepted[: trace.calls, r].tolist() == [s.accepted for s in trace.steps]
        assert found.drafted[: trace.calls, r].tolist() == [len(s.drafts) for s in trace.steps]
        assert not found.drafted[trace.calls :, r].any() and not found.accepted[trace.calls :, r].any()


# A rule of one's own: any object with the three verbs.
def test_a_rule_of_ones_own(small, told):
    mine = SimpleNamespace(chances=rejection.chances, law=rejection.law, verify=rejection.verify)
    found = generate(small, told, PROMPTS, NEW, seed=7, rule=mine)
    assert [t.tokens for t in found] == [
        t.tokens for t in generate(small, told, PROMPTS, NEW, seed=7, rule="rejection")
    ]
