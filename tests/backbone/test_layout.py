"""From slots to positions and masks, against plain loops, and through real attention."""

import oracles
import pytest
import torch
from toys import CONTEXT, VOCABULARY, WINDOW, build, on_every_device, toy
from transformers import LlamaConfig

from mtp_explore.backbone.layout import additive, layout
from mtp_explore.contract import Slots


def random_case(g, rows, slots, prefill=False):
    """A ragged batch of three: cached columns, the main row of branch 0, slots with padding in odd places."""
    cached = torch.zeros(3, dtype=torch.long) if prefill else torch.randint(0, 9, (3,), generator=g)
    first = torch.randint(0, rows, (3,), generator=g) if prefill else torch.zeros(3, dtype=torch.long)
    branch = torch.stack([torch.randint(-1, rows - int(f), (slots,), generator=g) for f in first])
    index = torch.randint(0, 4, (3, slots), generator=g)
    return cached, first, Slots(branch, index)


# Positions and mask are those of the plain loops: a main row sees the cache and main rows up to itself; slot j of
# branch b stands j beyond main row b, sees the cache, main rows up to b and its branch's slots up to itself.
@pytest.mark.parametrize("slots", [0, 1, 7])
@pytest.mark.parametrize("prefill", [False, True])
def test_layout_is_the_loop(slots, prefill):
    g = torch.Generator().manual_seed(slots)
    for rows in (1, 2, 4):
        for _ in range(5):
            cached, first, s = random_case(g, rows, slots, prefill)
            columns = int(cached.max())
            lay = layout(cached, columns, rows, first, s, CONTEXT)
            assert lay.allowed.shape == (3, rows + slots, columns + rows + slots) and lay.rows == rows
            for r in range(3):
                where = int(cached[r]), rows, int(first[r]), s.branch[r].tolist(), s.index[r].tolist()
                for i, place in enumerate(oracles.positions(*where)):
                    assert place is None or lay.positions[r, i] == place
                seen = oracles.mask(where[0], columns, *where[1:])
                for i, wanted in enumerate(seen):
                    assert wanted is None or lay.allowed[r, i].tolist() == wanted
                keys = list(range(columns)) + lay.positions[r].tolist()
                assert lay.columns[r].tolist() == keys


# No real query sees a padding slot, and every query, padding too, sees something: no row of attention is empty.
def test_padding_is_neither_seen_nor_blind():
    g = torch.Generator().manual_seed(3)
    for _ in range(20):
        cached, first, s = random_case(g, 3, 6)
        lay = layout(cached, int(cached.max()), 3, first, s, CONTEXT)
        padding = torch.cat([torch.zeros(3, lay.allowed.shape[2] - 6, dtype=torch.bool), s.branch < 0], 1)
        real = torch.cat([torch.ones(3, 3, dtype=torch.bool), s.branch >= 0], 1)
        assert not (lay.allowed & padding[:, None])[real].any()
        assert lay.allowed.any(-1).all()


# Rows that stand for nothing near the end of the context are moved inside it, so no position is beyond the model's.
def test_positions_stay_inside():
    slots = Slots(torch.tensor([[-1, 2]]), torch.tensor([[3, 3]]))
    lay = layout(torch.tensor([8]), 8, 4, torch.tensor([0]), slots, 10)
    assert lay.positions.tolist() == [[8, 9, 9, 9, 9, 9]]


# The additive mask is 0 where seen and the dtype's least number elsewhere; a window hides what lies that far back,
# counted in positions, whichever column it lies in.
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_additive_mask_and_window(dtype):
    g = torch.Generator().manual_seed(4)
    cached, first, s = random_case(g, 3, 5)
    lay = layout(cached, int(cached.max()), 3, first, s, CONTEXT)
    for window in (None, 1, 3):
        mask = additive(lay, dtype, window)
        assert mask.dtype == dtype and mask.shape == (3, 1, *lay.allowed.shape[1:])
        for r in range(3):
            for i in range(mask.shape[2]):
                for k in range(mask.shape[3]):
                    near = window is None or lay.positions[r, i] - lay.columns[r, k] < window
                    seen = bool(lay.allowed[r, i, k]) and bool(near)
                    assert mask[r, 0, i, k] == (0 if seen else torch.finfo(dtype).min)


# One call with slots, ragged: every slot's state is that of a plain causal pass over its own text (what is cached, main
# rows up to its own, its branch's slots), under eager and sdpa attention, with and without a sliding window.
@on_every_device
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("architecture", ["llama", "gpt2", "mistral", "gemma3"])
def test_slots_see_their_own_text(architecture, attention, device):
    backbone = toy(architecture, device)
    was = backbone.config._attn_implementation
    backbone.model.set_attn_implementation(attention)
    try:
        g = torch.Generator().manual_seed(5)
        text = torch.randint(0, VOCABULARY, (2, 12), generator=g).to(device)
        cached, rows = torch.tensor([7, 4], device=device), 3
        branch = torch.tensor([[0, 0, 2, 2, 2, -1], [2, -1, 1, 1, 2, 2]], device=device)
        index = torch.tensor([[1, 2, 1, 2, 3, 1], [1, 1, 0, 1, 2, 3]], device=device)
        extra = torch.randn(2, 6, backbone.width, generator=g).to(device)
        none = torch.zeros(2, 0, dtype=torch.long, device=device)
        with torch.inference_mode():
            cache = backbone.cache(40)
            zero = torch.zeros_like(cached)
            every = torch.arange(7, device=device).expand(2, -1)
            backbone.call(
                backbone.embed(text[:, :7]), layout(zero, 0, 7, zero, Slots(none, none), CONTEXT), cache, every
            )
            cache.keep(zero, cached, most=7)
            cache.columns = 7
            main = torch.stack([text[r, c : c + rows] for r, c in enumerate(cached.tolist())])
            lay = layout(cached, 7, rows, zero, Slots(branch, index), CONTEXT)
            keep = torch.arange(rows, device=device).expand(2, -1)
            logits, hidden = backbone.call(torch.cat([backbone.embed(main), extra], 1), lay, cache, keep)
            assert logits.shape == (2, rows, VOCABULARY) and hidden.shape == (2, rows + 6, backbone.width)
            for r in range(2):
                for b in range(rows):
                    mine = (branch[r] == b).nonzero()[:, 0]
                    stem = int(cached[r]) + b + 1
                    embeds = torch.cat([backbone.embed(text[r : r + 1, :stem]), extra[r : r + 1, mine]], 1)
                    place = torch.cat([torch.arange(stem, device=device), stem - 1 + index[r, mine]])[None]
                    wanted = causal(backbone, embeds, place)
                    assert torch.allclose(hidden[r, b], wanted[stem - 1], atol=2e-4, rtol=1e-4)
                    assert torch.allclose(logits[r, b], backbone.logits(wanted[stem - 1]), atol=5e-4, rtol=1e-4)
                    assert torch.allclose(hidden[r, rows + mine], wanted[stem:], atol=2e-4, rtol=1e-4)
    finally:
        backbone.model.set_attn_implementation(was)


def causal(backbone, embeds, place):
    """Final states [T, D] of one plain causal pass, its mask built here by the loop."""
    size = embeds.shape[1]
    far = torch.full((size, size), torch.finfo(embeds.dtype).min, device=embeds.device)
    full, near = far.clone(), far.clone()
    for i in range(size):
        for j in range(i + 1):
            full[i, j] = 0
            if place[0, i] - place[0, j] < WINDOW:
                near[i, j] = 0
    kind = backbone.config.model_type
    masks = {"full_attention": full[None, None], "sliding_attention": near[None, None]}
    mask = masks if "gemma3" in kind else masks["sliding_attention" if kind == "mistral" else "full_attention"]
    inner = backbone.model.get_decoder() if hasattr(backbone.model, "get_decoder") else backbone.model.transformer
    return inner(inputs_embeds=embeds, attention_mask=mask, position_ids=place, use_cache=False).last_hidden_state[0]


# Why the mask is additive: a boolean mask under eager attention is added to the scores as 0 and 1 and lets every query
# see everything; the call's own mask does not.
def test_a_later_token_changes_nothing():
    config = LlamaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, intermediate_size=48)
    config._attn_implementation = "eager"
    config.num_attention_heads = config.num_key_value_heads = 4
    backbone = build(config)
    none = torch.zeros(1, 0, dtype=torch.long)
    zero = torch.zeros(1, dtype=torch.long)
    lay = layout(zero, 0, 4, zero, Slots(none, none), CONTEXT)
    ids = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[1, 2, 3, 9]])
    with torch.inference_mode():
        every = torch.arange(4)[None]
        mine = [backbone.call(backbone.embed(x), lay, backbone.cache(8), every)[0][0, :3] for x in ids]
        theirs = [backbone.model(x, attention_mask=lay.allowed[:, None]).logits[0, :3] for x in ids]
    assert torch.equal(*mine)
    assert not torch.allclose(*theirs, atol=1e-3)
