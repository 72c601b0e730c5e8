"""A model that the loop would call otherwise than it understands is refused when it is wrapped, in words; one that it
understands is not, in any precision, and wrapping changes nothing about it.
"""

import pytest
import torch
import transformers as tf
from every_model import random_model
from toys import ARCHITECTURES, EXPERTS, VOCABULARY, build, toy

from mtp_explore.backbone import truth
from mtp_explore.backbone.fingerprint import fingerprint
from mtp_explore.backbone.load import Backbone
from mtp_explore.drafters import make_drafter

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
SMALL = dict(vocab_size=VOCABULARY, hidden_size=32, num_attention_heads=4, intermediate_size=48)
# One of every kind; tests/backbone/test_every_model.py has them all.
OTHERWISE = {
    "gemma3n_text": "gives other logits called by embeddings and positions",  # per-layer embeddings of the ids are lost
    "roberta": "gives other logits called by embeddings and positions",  # positions begin at 1, and leave out padding
    "bert/reads to the right": "says is_decoder=False",
    "bart": "gives other logits called with rows of different lengths",  # positions are columns of the cache
    "openai-gpt": "cannot be called by embeddings and positions",  # has no cache
    "xlnet": "cannot be called by embeddings and positions",
    "blt": "does not begin with a table of embeddings",
}


# A model whose forward pass by token ids is another than that of the loop's calls is refused by name, with the stage at
# which it differs and what to take instead; also in bfloat16.
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_called_otherwise_is_refused(name, dtype):
    with pytest.raises(ValueError, match=rf"model type '.*' .*{OTHERWISE[name]}.*take a causal model with"):
        Backbone(random_model(name).to(dtype))


# What the loop serves is not refused, in any precision, experts included; a model that is compared twice is not asked
# twice, and one with other weights is.
@pytest.mark.parametrize("kind", [*ARCHITECTURES, *EXPERTS])
def test_what_is_served_is_not_refused(kind, monkeypatch):
    asked = []
    real = truth.takes_slots
    monkeypatch.setattr(truth, "takes_slots", lambda backbone: asked.append(backbone) or real(backbone))
    monkeypatch.setattr(truth, "KNOWN", {})
    dtypes = [t for t in DTYPES if kind not in EXPERTS or t != torch.float64]  # experts' kernels do not know it
    for dtype in dtypes:
        backbone = build({**ARCHITECTURES, **EXPERTS}[kind](), dtype=dtype)
        assert backbone.takes_slots
        assert Backbone(backbone.model).takes_slots
    with torch.no_grad():
        backbone.model.get_output_embeddings().weight.mul_(0.5)
    Backbone(backbone.model)
    assert len(asked) == len(dtypes) + 1


# A model that knows only the rows of its table decodes, and says so to drafters with slots when they are made.
def test_slots_are_refused_where_embeddings_are_looked_up():
    backbone = Backbone(random_model("gemma4_text"))
    assert not backbone.takes_slots
    make_drafter("independent", backbone)
    for name in ("masked", "ptp"):
        with pytest.raises(ValueError, match=f"drafter '{name}' has slots, and model type 'gemma4_text' takes no"):
            make_drafter(name, backbone)


# Attention that takes no mask is refused before it is called (flex_attention would end the process).
@pytest.mark.parametrize("kind", ["flex_attention", "flash_attention_2", "paged|flash_attention_2"])
def test_attention_without_masks_is_refused(kind):
    model = tf.LlamaForCausalLM(tf.LlamaConfig(**SMALL, num_hidden_layers=1))
    model.config._attn_implementation_internal = kind
    with pytest.raises(ValueError, match="attn_implementation='.*it does not take the masks of this loop.*'sdpa'"):
        Backbone(model)


# Weights that are offloaded, or were never loaded, are missed at once.
def test_missing_weights_are_refused():
    with torch.device("meta"):
        model = tf.LlamaForCausalLM(tf.LlamaConfig(**SMALL, num_hidden_layers=1))
    with pytest.raises(ValueError, match="weights on the device 'meta'.*load it whole, without offloading"):
        Backbone(model)


class Odd(tf.models.llama.modeling_llama.LlamaDecoderLayer):
    """A layer that counts the rows of its call."""

    def forward(self, hidden_states, *inputs, **options):
        out = super().forward(hidden_states, *inputs, **options)
        return out + 0.3 * torch.arange(out.shape[1])[:, None] * torch.linspace(-1, 1, out.shape[2])


# Of many layers only as many are compared as there are kinds; one of another kind is found wherever it stands, and the
# model has all its layers afterwards.
@pytest.mark.parametrize("place", [None, 0, 4, 5])
def test_every_kind_of_layer_is_compared(place, monkeypatch):
    torch.manual_seed(0)
    model = tf.LlamaForCausalLM(tf.LlamaConfig(**SMALL, num_hidden_layers=6))
    if place is not None:
        model.model.layers[place] = Odd(model.config, place)
    layers, most = list(model.model.layers), []
    watch = model.model.norm.register_forward_pre_hook(lambda *_: most.append(len(model.model.layers)))
    if place is None:
        assert Backbone(model).takes_slots and set(most) == {2}
    else:
        with pytest.raises(ValueError, match="gives other logits called with kept keys"):
            Backbone(model)
    watch.remove()
    assert list(model.model.layers) == layers


# A window in the configuration makes a kind of its own, though the layers look alike.
def test_kinds_by_configuration():
    config = tf.Gemma3TextConfig(
        **SMALL, head_dim=8, num_hidden_layers=6, layer_types=["sliding_attention"] * 3 + ["full_attention"] * 3
    )
    backbone = build(config)
    with truth.first_layers(backbone):
        assert len(backbone.model.model.layers) == 4
    assert len(backbone.model.model.layers) == 6


# Wrapping draws nothing from the generators that a reader has seeded, and an interrupt leaves all layers in place.
def test_wrapping_leaves_no_trace(monkeypatch):
    model = toy("llama").model
    monkeypatch.setattr(truth, "KNOWN", {})
    torch.manual_seed(5)
    before = torch.get_rng_state()
    Backbone(model)
    assert torch.equal(torch.get_rng_state(), before)

    deep = tf.LlamaForCausalLM(tf.LlamaConfig(**SMALL, num_hidden_layers=6))
    monkeypatch.setattr(truth, "fault", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        Backbone(deep)
    assert len(deep.model.layers) == 6


# Logits that are not numbers are the loop's business, which knows the call; wrapping passes them.
def test_what_is_no_number_is_left_to_the_loop():
    model = tf.LlamaForCausalLM(tf.LlamaConfig(**SMALL, num_hidden_layers=2))
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    assert Backbone(model).takes_slots


# A model with hardly any positions, or hardly any tokens, is wrapped like another.
@pytest.mark.parametrize("positions", [1, 2, 3, 5, 6, 9])
def test_few_positions_and_few_tokens(positions):
    sizes = dict(n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0, pad_token_id=0)
    assert build(tf.GPT2Config(vocab_size=VOCABULARY, n_positions=positions, **sizes)).takes_slots
    for tokens in (1, 2, 3):
        assert build(tf.GPT2Config(vocab_size=tokens, n_positions=positions, **sizes)).takes_slots


class Packed(torch.Tensor):
    """A weight as libraries of quantised models keep it: it cannot be sliced, but read back."""

    def flatten(self, *_):
        raise NotImplementedError("aten.view")

    def dequantize(self):
        return self.as_subclass(torch.Tensor) * 1


# Quantised weights have a fingerprint, that of their numbers.
def test_fingerprint_of_packed_weights():
    class Model:
        def __init__(self, weight):
            self.weight = weight

        def state_dict(self):
            return {"w": self.weight}

    plain = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    assert fingerprint(Model(plain.as_subclass(Packed))) == fingerprint(Model(plain))
    assert fingerprint(Model((plain + 1).as_subclass(Packed))) != fingerprint(Model(plain))
