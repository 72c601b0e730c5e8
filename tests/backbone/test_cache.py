"""The cache keeps any rows of the last call, row by row of the batch, and forgets the others."""

import pytest
import torch
from toys import CONTEXT, VOCABULARY, on_every_architecture, on_every_device, toy

from mtp_explore.backbone.layout import Layout, layout
from mtp_explore.contract import Slots

B, K = 4, 3


def no_slots(batch, device):
    empty = torch.zeros(batch, 0, dtype=torch.long, device=device)
    return Slots(empty, empty)


def fresh(backbone, ids):
    """Logits [T, V] of a whole pass without cache."""
    return backbone.model(torch.tensor([ids], device=backbone.device), use_cache=False).logits[0]


def step(backbone, cache, length, new):
    """One call on the rows `new` [B, Q] after what each batch row kept; logits of all of them."""
    lay = layout(length, cache.columns, new.shape[1], torch.zeros_like(length), no_slots(len(new), new.device), CONTEXT)
    every = torch.arange(new.shape[1], device=new.device).expand(len(new), -1)
    return backbone.call(backbone.embed(new), lay, cache, every)[0]


# Twelve calls, each batch row keeping a different number of rows each time (also none), from a buffer too small at
# first: every logit equals that of a whole pass over what the row has kept, on every architecture.
@on_every_device
@on_every_architecture
def test_ragged_steps_equal_a_whole_pass(architecture, device):
    backbone = toy(architecture, device)
    g = torch.Generator().manual_seed(1)
    cache = backbone.cache(4)
    length = torch.zeros(B, dtype=torch.long, device=device)
    text = [[] for _ in range(B)]
    with torch.inference_mode():
        for i in range(12):
            new = torch.randint(0, VOCABULARY, (B, 6 if i == 0 else K + 1), generator=g).to(device)
            count = torch.randint(0 if i else 1, new.shape[1] + 1, (B,), generator=g).to(device)
            logits = step(backbone, cache, length, new)
            for r in range(B):
                wanted = fresh(backbone, text[r] + new[r].tolist())[-new.shape[1] :]
                assert torch.allclose(logits[r], wanted, atol=2e-4, rtol=1e-4)
                text[r] += new[r, : count[r]].tolist()
            cache.keep(length, count, most=new.shape[1])
            length = length + count
            cache.columns = int(length.max())
    assert cache.columns > 12 and len(set(length.tolist())) > 1


# Any rows in any order can be kept: each lands at its batch row's own end with the keys and values it had in the call,
# and what was kept before stays where it was.
@on_every_device
def test_any_rows_are_kept(device):
    backbone = toy("llama", device)
    g = torch.Generator().manual_seed(2)
    cache = backbone.cache(32)
    length = torch.tensor([5, 2, 4, 1], device=device)
    with torch.inference_mode():
        step(backbone, cache, torch.zeros_like(length), torch.randint(0, VOCABULARY, (B, 5), generator=g).to(device))
        cache.keep(torch.zeros_like(length), length, most=5)
        cache.columns = 5
        step(backbone, cache, length, torch.randint(0, VOCABULARY, (B, 6), generator=g).to(device))
        rows = torch.tensor([[0, 2, 5], [4, 1, 0], [0, 3, 1], [5, 0, 0]], device=device)
        count = torch.tensor([3, 3, 0, 1], device=device)
        before = [(layer.keys.clone(), layer.values.clone()) for layer in cache.hf.layers]
        cache.keep(length, count, rows)
    for layer, old in zip(cache.hf.layers, before, strict=True):
        for now, was in zip((layer.keys, layer.values), old, strict=True):
            for r in range(B):
                n = int(length[r])
                assert torch.equal(now[r, :, :n], was[r, :, :n])
                for j in range(int(count[r])):
                    assert torch.equal(now[r, :, n + j], was[r, :, 5 + int(rows[r, j])])


# Of two siblings that stood at the same position, the second can be kept: the next call sees the text with it, as if
# the first had never been there.
@on_every_device
@pytest.mark.parametrize("architecture", ["llama", "gpt2", "neox"])
def test_a_sibling_is_kept(architecture, device):
    backbone = toy(architecture, device)
    prompt, siblings, after = [3, 1, 4, 1, 5], [9, 2], [6, 5]
    cache = backbone.cache(16)
    length = torch.zeros(2, dtype=torch.long, device=device)
    with torch.inference_mode():
        step(backbone, cache, length, torch.tensor([prompt] * 2, device=device))
        cache.keep(length, length + 5, most=5)
        length, cache.columns = length + 5, 5
        # both siblings follow the prompt at position 5, blind to one another
        seen = torch.tensor([[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0, 1]], dtype=torch.bool, device=device)
        at_five = torch.full((2, 2), 5, device=device)
        keys = torch.cat([torch.arange(5, device=device).expand(2, -1), at_five], 1)
        embeds = backbone.embed(torch.tensor([siblings] * 2, device=device))
        tree = Layout(at_five, seen.expand(2, -1, -1), keys, 2)
        backbone.call(embeds, tree, cache, torch.zeros(2, 1, dtype=torch.long, device=device))
        cache.keep(length, length * 0 + 1, torch.tensor([[0], [1]], device=device))
        length, cache.columns = length + 1, 6
        logits = step(backbone, cache, length, torch.tensor([after] * 2, device=device))
        for r in range(2):
            wanted = fresh(backbone, [*prompt, siblings[r], *after])[-2:]
            assert torch.allclose(logits[r], wanted, atol=2e-4, rtol=1e-4)


# A prompt computed once and repeated for a batch is the prompt computed for every row; rows then go their own ways.
@on_every_device
def test_a_shared_prefix(device):
    backbone = toy("gpt2", device)
    prompt = [7, 7, 2]
    cache = backbone.cache(16)
    with torch.inference_mode():
        one = torch.zeros(1, dtype=torch.long, device=device)
        step(backbone, cache, one, torch.tensor([prompt], device=device))
        cache.expand(3)
        length = one.expand(3) + 3
        cache.columns = 3
        new = torch.tensor([[1, 2], [3, 4], [5, 6]], device=device)
        for _ in range(2):  # the rows are not views of one another
            logits = step(backbone, cache, length, new)
            for r in range(3):
                wanted = fresh(backbone, prompt + new[r].tolist())[-2:]
                assert torch.allclose(logits[r], wanted, atol=2e-4, rtol=1e-4)
            cache.keep(length, length * 0, most=2)
