"""One call a step, in which main rows do not see slots, and every state is that of a whole pass over its own text."""

import pytest
import torch
from toys import (
    EXPERTS,
    PLANS,
    SLOT_DRAFTERS,
    Told,
    build,
    on_every_architecture,
    on_every_device,
    ragged,
    toy,
    whole_pass,
)

from mtp_explore.contract import Slots
from mtp_explore.decode.generate import generate, sample

NEW, SEED = 16, 3
RULES = ("match", "rejection", "block")


def answer(backbone, prompts):
    """What ordinary decoding says, prompts included."""
    tokens = sample(backbone, None, prompts, NEW, seed=SEED, eos=False).tokens
    return [p + t for p, t in zip(prompts, tokens.tolist(), strict=True)]


# Each step is one call into the transformers model for the whole batch, the prefill too, and a trace counts them.
@on_every_device
@pytest.mark.parametrize("kind", [None, "told", *SLOT_DRAFTERS])
def test_one_call_a_step(kind, device):
    backbone, prompts = toy("gpt2", device), ragged()
    told = answer(backbone, prompts)
    drafter = Told(backbone, told) if kind == "told" else kind and SLOT_DRAFTERS[kind](backbone)
    seen = []
    hook = backbone.model.register_forward_pre_hook(lambda *_: seen.append(1))
    try:
        found = sample(backbone, drafter, prompts, NEW, seed=SEED, eos=False)
        assert len(seen) == found.calls == len(found.accepted)
        seen.clear()
        traces = generate(backbone, drafter, prompts, NEW, seed=SEED, eos=False)
        assert len(seen) == max(t.calls for t in traces) == found.calls
        seen.clear()
        one = generate(backbone, None, prompts[0], NEW, seed=SEED, eos=False)
        assert len(seen) == one.calls == len(one.steps) == NEW
    finally:
        hook.remove()


# Main rows of dense models are bit-equal with adapters on and off, and whatever the slots are, in calls of one shape.
@on_every_device
@on_every_architecture
def test_main_rows_do_not_see_slots(architecture, device, monkeypatch):
    for on, other in calls_of_one_shape(toy(architecture, device), monkeypatch):
        assert torch.equal(on[0], other[0]) and torch.equal(on[1], other[1])


# Those of mixtures of experts may differ in their last bits, because slots change how many rows an expert is given: no
# more than that, and not in the token that they like best.
@on_every_device
@pytest.mark.parametrize("kind", EXPERTS)
def test_main_rows_of_experts_do_not_see_slots(kind, device, monkeypatch):
    backbone = build(EXPERTS[kind](), device)
    for on, other in calls_of_one_shape(backbone, monkeypatch):
        assert torch.allclose(on[0], other[0], rtol=0, atol=1e-4) and torch.allclose(on[1], other[1], rtol=0, atol=1e-4)
        assert torch.equal(on[0].argmax(-1), other[0].argmax(-1))


def calls_of_one_shape(backbone, monkeypatch):
    """(logits, states) of the main rows of every call with open adapters, each beside those of the same call with
    closed ones, and with other slots.
    """
    prompts = ragged()
    told = answer(backbone, prompts)
    drafter = Counting(backbone)
    seen = {}
    call = type(backbone).call

    def spy(self, embeds, layout, cache, keep, gate=None):
        out = call(self, embeds, layout, cache, keep, gate)
        seen.setdefault(drafter.mode, []).append((out[0].clone(), out[1][:, : layout.rows].clone(), embeds.shape))
        return out

    monkeypatch.setattr(type(backbone), "call", spy)
    for drafter.mode in ("on", "off", "other"):
        drafter.told = told
        sample(backbone, drafter, prompts, NEW, seed=SEED, rule="match", plan="quadratic", eos=False)
    assert len(seen["on"]) > 3
    slots = drafter.states
    assert not torch.equal(slots["on"], slots["off"]) and not torch.equal(slots["on"], slots["other"])
    pairs = [(on, other) for on, *others in zip(*seen.values(), strict=True) for other in others]
    assert all(on[2] == other[2] for on, other in pairs)
    return [(on[:2], other[:2]) for on, other in pairs]


class Counting(SLOT_DRAFTERS["toy-masked"]):
    """Buys slots and drafts without them, so that calls have the same shape whatever the slots say."""

    mode, told = "on", None

    def gate(self, first):
        return None if self.mode == "off" else super().gate(first)

    def embed(self, slots, window):
        return super().embed(slots, window).flip(-1) if self.mode == "other" else super().embed(slots, window)

    def begin(self, state):
        self.__dict__.setdefault("states", {})[self.mode] = state.slots
        return super().begin(state._replace(slots=state.slots * 0, count=state.count * 0 + self.horizon))


# What `begin` sees is what a whole pass says: the state of the last kept row, and slot by slot the state after the
# committed text and the branch's own earlier slots, under the window's own numbers; rows, cache, mask, positions,
# adapters and tape in one.
@on_every_device
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_states_are_those_of_a_whole_pass(architecture, rule, device, monkeypatch):
    backbone, prompts = toy(architecture, device), ragged()
    for kind in SLOT_DRAFTERS.values():
        for plan in PLANS:
            drafter, states = kind(backbone), []
            begin = drafter.begin
            monkeypatch.setattr(drafter, "begin", lambda s, b=begin, keep=states: (keep.append(snapshot(s)), b(s))[1])
            sample(backbone, drafter, prompts, 8, seed=SEED, rule=rule, plan=plan, eos=False)
            real = 0
            for state in states[:: 3 if plan != "quadratic" else 2]:
                going = [r for r in range(4) if state.length[r] < len(prompts[r]) + 8]
                real += sum(check_state(backbone, drafter, state, r) for r in going)
            assert real > 0


def snapshot(state):
    return type(state)(*(x.clone() for x in state))


def check_state(backbone, drafter, state, r):
    """Compare row r with a whole pass; returns the number of real slots."""
    length, count = int(state.length[r]) - 1, int(state.count[r])  # y' has not been seen by the model
    index = torch.arange(count, device=backbone.device) + drafter.first_slot
    slots = Slots(torch.zeros_like(index)[None], index[None])
    with torch.inference_mode():
        text = backbone.embed(state.tokens[r : r + 1, :length])
        embeds = torch.cat([text, drafter.embed(slots, state.window[r][None, None])], 1)
        place = torch.cat([torch.arange(length, device=backbone.device), length - 1 + index])[None]
        with drafter.gate(length):
            out = whole_pass(backbone, embeds, place)
    wanted = out.hidden_states[-1][0]
    assert torch.allclose(state.hidden[r], wanted[length - 1], atol=3e-4, rtol=1e-3)
    assert torch.allclose(state.slots[r, :count], wanted[length:], atol=3e-4, rtol=1e-3)
    return count
