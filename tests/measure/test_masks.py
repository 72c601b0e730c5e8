"""What masks know behind any place of a text, against a call of its own for each place; the rows of the calls timed."""

import pytest
import torch
from toys import VOCABULARY, toy

from mtp_explore.backbone.layout import layout
from mtp_explore.contract import Slots, State
from mtp_explore.decode.plan import no_slots
from mtp_explore.drafters import make_drafter
from mtp_explore.measure import knowledge, masks

K = 3
AT = [2, 0, 7]


def made(backbone, **options):
    """A masked drafter with random weights."""
    drafter = make_drafter("masked", backbone, horizon=K, rank=2, **options)
    g = torch.Generator().manual_seed(1)
    for name, w in drafter.named_parameters():
        w.data.copy_(torch.randn(w.shape, generator=g) * (0.2 if "lora" in name else 1.0 if "masks" in name else 0.5))
    return drafter


def read(backbone):
    draw = torch.Generator().manual_seed(2)
    documents = [torch.randint(1, VOCABULARY, (n,), generator=draw).tolist() for n in (14, 6)]
    return knowledge.read(backbone, documents, length=10, horizon=K + 1)


def alone(drafter, tokens, adapters: bool):
    """States [1, T + K, D] of a text [1, T] with the masks behind it, in one plain call."""
    backbone, size = drafter.backbone, tokens.shape[1]
    index = torch.arange(1, K + 1)[None]
    none = tokens.new_zeros(1)
    lay = layout(none, 0, size, none + size - 1, Slots(index * 0, index), backbone.context)
    embeds = torch.cat([backbone.embed(tokens), drafter.masks[None]], 1)
    with torch.no_grad(), drafter.gate(size if adapters else size + K):
        return backbone.call(embeds, lay, backbone.cache(32), none[:, None])[1]


# Behind every place the laws are those of a call of its own: the unembedding on the states, and with the sampler what
# the loop's verbs answer once the true tokens between are absorbed.
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize("adapters", [True, False])
def test_ahead_is_a_call_of_its_own(architecture, adapters):
    backbone = toy(architecture)
    drafter, text = made(backbone), read(backbone)
    bare, told = (masks.ahead(drafter, text, AT, s, adapters).log_softmax(-1) for s in (False, True))
    assert bare.shape == (2, 3, K + 1, VOCABULARY)
    for i, place in enumerate(sorted(AT)):
        tokens = text.tokens[:1, : place + 1]
        hidden = alone(drafter, tokens, adapters)
        want = backbone.logits(hidden[:, place:]).log_softmax(-1)
        assert torch.allclose(bare[0, i], want[0], atol=1e-4)
        z, none = hidden[:, place + 1 :], tokens.new_zeros(1)
        belief = drafter.begin(State(tokens, none + place + 2, hidden[:, place], z, none + K, None))
        for k in range(K + 1):
            with torch.no_grad():
                assert torch.allclose(told[0, i, k], drafter.predict(belief)[0].log_softmax(-1), atol=1e-4), (place, k)
            belief = drafter.absorb(belief, text.future[:1, place, k])


# A rank is the number of likelier tokens, and -1 where the text is over.
def test_ranks_count_likelier_tokens():
    backbone = toy()
    drafter, text = made(backbone), read(backbone)
    scores, found = masks.ahead(drafter, text, AT), masks.ranks(drafter, text, AT).view(2, 3, K + 1)
    for row in range(2):
        for i, place in enumerate(sorted(AT)):
            for k in range(K + 1):
                token = int(text.future[row, place, k])
                law = scores[row, i, k]
                assert found[row, i, k] == (int((law > law[token]).sum()) if token >= 0 else -1)
    assert (found[1, 2] == -1).any() and (found[0] >= 0).all()


# Without a sampler the two readings are one; with fewer masks the first ones say the same.
def test_switches_of_the_drafter_are_followed():
    backbone = toy()
    text = read(backbone)
    plain = made(backbone, sampler=False)
    assert torch.equal(masks.ahead(plain, text, AT), masks.ahead(plain, text, AT, sampler=False))
    drafter = made(backbone)
    short = masks.ahead(drafter.shortened(1), text, AT)
    assert torch.allclose(short, masks.ahead(drafter, text, AT)[:, :, :2], atol=1e-5)


# Bad places, and a text that does not know enough tokens ahead, are refused.
def test_ahead_refuses():
    backbone = toy()
    text = read(backbone)
    for at in ([], [10], [-1]):
        with pytest.raises(ValueError, match="places from 0 to 9"):
            masks.ahead(made(backbone), text, at)
    with pytest.raises(ValueError, match="need 4"):
        masks.ahead(made(backbone), text._replace(future=text.future[:, :, :K]), AT)


# What is timed is a call with the rows that the plan buys; its time is positive, and the cache stays as long as it was.
def test_call_seconds_times_the_calls_of_the_plans(monkeypatch):
    backbone = toy()
    seen, forward = [], masks.forward

    def watched(backbone, drafter, main, first, n, slots, W, cached, cache, rows):
        seen.append((main.shape[1], slots.branch.shape[1], n, cache.columns))
        return forward(backbone, drafter, main, first, n, slots, W, cached, cache, rows)

    monkeypatch.setattr(masks, "forward", watched)
    plans = {"one": None, "none": no_slots, "linear": "linear", "quadratic": "quadratic"}
    found = masks.call_seconds(made(backbone), [1, 2, 3, 4, 5], plans, times=2)
    assert list(found) == list(plans) and all(s > 0 for s in found.values())
    calls = [(1, 0, 0, 5), (K + 1, 0, K, 5), (K + 1, K, K, 5), (K + 1, K * (K + 1), K, 5)]
    assert seen == [(5, 0, 0, 0), *calls * 4]
