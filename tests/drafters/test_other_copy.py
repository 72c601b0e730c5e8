"""The backbone that decodes need not be the object that the drafter was made with: another copy of the same weights
serves as well, and one in another precision is refused by name."""

import copy

import pytest
import torch
from toys import build, ragged, toy
from transformers import OPTConfig, RemBertConfig

from mtp_explore.backbone.load import Backbone
from mtp_explore.decode.generate import generate, sample
from mtp_explore.drafters import make_drafter
from mtp_explore.measure.law import exact_law

NAMES = ["independent", "cp", "masked", "ptp", "student"]
OPTIONS = {"student": dict(width=32, layers=1), "cp": dict(rank=2)}


def shaken(name: str, backbone):
    """A drafter whose weights are all random: nothing starts at 0, and its adapters move their rows."""
    drafter = make_drafter(name, backbone, horizon=3, **OPTIONS.get(name, {}))
    draw = torch.Generator().manual_seed(3)
    for weight in drafter.parameters():
        weight.data += 0.3 * torch.randn(weight.shape, generator=draw).to(weight)
    return drafter


def twin(backbone) -> Backbone:
    return Backbone(copy.deepcopy(backbone.model), backbone.tokenizer, backbone.name)


# Drafts, verdicts and text are those of the copy that the drafter was made with: adapters act on the model that is
# called. Without them masks draft otherwise, so the comparison can fail.
@pytest.mark.parametrize("name", NAMES)
def test_another_copy_decodes_alike(name):
    own = build(toy("llama").config, seed=1)
    drafter, other = shaken(name, own), twin(own)
    fresh = Backbone(build(toy("llama").config, seed=1).model, None, own.name)  # never met an adapter
    for options in (dict(temperature=0), dict(seed=4)):
        wanted = sample(own, drafter, ragged(), 24, eos=False, **options)
        for backbone in (other, fresh):
            found = sample(backbone, drafter, ragged(), 24, eos=False, **options)
            assert all(torch.equal(a, b) for a, b in zip(found[:2] + found[3:], wanted[:2] + wanted[3:], strict=True))
    laws = [exact_law(b, drafter, [1, 2], n=1, top_k=2, temperature=0) for b in (own, other)]
    assert laws[0].accepted == laws[1].accepted and laws[1].error < 1e-6
    if name in ("masked", "ptp"):
        for weight in drafter.lora.up.values():
            weight.data.zero_()
        without = sample(own, drafter, ragged(), 24, eos=False, temperature=0)
        adapted = sample(own, shaken(name, own), ragged(), 24, eos=False, temperature=0)
        assert without.calls != adapted.calls or not torch.equal(without.accepted, adapted.accepted)


# Another precision, of the backbone that is called or of one that was cast after the drafter was made, is named.
@pytest.mark.parametrize("name", NAMES)
def test_another_precision_is_refused(name):
    own = build(toy("llama").config, seed=1)
    drafter = shaken(name, own)
    wide = Backbone(copy.deepcopy(own.model).double(), None, own.name)
    for backbone in (wide, own.to(torch.float64)):
        with pytest.raises(ValueError, match="in float32 on cpu.*is in float64 on cpu.*load_drafter"):
            generate(backbone, drafter, [1, 2], 4)


# States may be narrower or wider than the model: heads stand on what enters the unembedding, slots on the embedding.
@pytest.mark.parametrize("name", NAMES[:4])
def test_embeddings_of_another_width(name):
    ends = dict(bos_token_id=0, eos_token_id=0, pad_token_id=0, vocab_size=17)
    narrow = OPTConfig(
        **dict(hidden_size=32, word_embed_proj_dim=16, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4),
        **dict(max_position_embeddings=64, do_layer_norm_before=False, **ends),
    )
    wide = RemBertConfig(
        **dict(hidden_size=32, input_embedding_size=24, output_embedding_size=40, intermediate_size=48),
        **dict(num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64, is_decoder=True, **ends),
    )
    for config in (narrow, wide):
        backbone = build(config)
        form = dict(targets="attention") if name in ("masked", "ptp") else OPTIONS.get(name, {})
        drafter = make_drafter(name, backbone, horizon=2, **form)
        plain = generate(backbone, None, [1, 2, 3], 12, temperature=0, eos=False)
        assert generate(backbone, drafter, [1, 2, 3], 12, temperature=0, eos=False).tokens == plain.tokens
