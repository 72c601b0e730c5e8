"""Tiny random models and drafters that the tests of the core build for themselves.

Models have V = 17 tokens, D = 32 and 64 positions; their weights are large enough that laws are peaked and that every
row of the context matters. `on_every_device` runs a test on the CPU and, where there is one, on CUDA.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pytest
import torch
import transformers as tf
from torch import Tensor

from mtp_explore.backbone.load import Backbone
from mtp_explore.backbone.now import Gate
from mtp_explore.contract import Slots, State
from mtp_explore.drafters.base import DrafterBase, one_hot_log
from mtp_explore.tensors.categorical import at

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
on_every_device = pytest.mark.parametrize("device", DEVICES)

VOCABULARY, CONTEXT, WINDOW = 17, 64, 5

_ENDS = dict(bos_token_id=0, eos_token_id=0, pad_token_id=0)
_LLAMA = dict(
    **dict(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, intermediate_size=48),
    **dict(num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=CONTEXT, initializer_range=0.35),
    **_ENDS,
)
_GPT = dict(
    **dict(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT, initializer_range=0.3),
    **_ENDS,
)
_NEOX = {k: v for k, v in _LLAMA.items() if k != "num_key_value_heads"}

# Learned and rotary positions, grouped queries, sliding windows with and without layer types, a soft cap on logits.
ARCHITECTURES = {
    "llama": lambda: tf.LlamaConfig(**_LLAMA),
    "gpt2": lambda: tf.GPT2Config(**_GPT, resid_pdrop=0.0),
    "qwen3": lambda: tf.Qwen3Config(**_LLAMA, head_dim=8),
    "neox": lambda: tf.GPTNeoXConfig(**_NEOX),
    "mistral": lambda: tf.MistralConfig(**_LLAMA, sliding_window=WINDOW),
    "gemma2": lambda: tf.Gemma2Config(**_LLAMA, head_dim=8, sliding_window=WINDOW, final_logit_softcapping=9.0),
    "gemma3": lambda: tf.Gemma3TextConfig(
        **_LLAMA, head_dim=8, sliding_window=WINDOW, layer_types=["sliding_attention", "full_attention"]
    ),
}
# Mixtures of experts: rows meet one another in the groups that an expert is given.
EXPERTS = {
    "mixtral": lambda: tf.MixtralConfig(**_LLAMA, num_local_experts=4),
    "qwen3-moe": lambda: tf.Qwen3MoeConfig(**_LLAMA, head_dim=8, num_experts=4, num_experts_per_tok=2),
}
on_every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)


@cache
def toy(architecture: str = "gpt2", device: str = "cpu", dtype: torch.dtype = torch.float32, seed: int = 0) -> Backbone:
    """A random backbone, the same for the same arguments. Shared between tests: change nothing about it for good."""
    return build(ARCHITECTURES[architecture](), device, dtype, seed)


def build(config, device: str = "cpu", dtype: torch.dtype = torch.float32, seed: int = 0) -> Backbone:
    """A random backbone of a transformers config."""
    torch.manual_seed(seed)
    model = tf.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    return Backbone(model.to(device, dtype), name=config.model_type)


def ragged(seed: int = 0, lengths=(3, 9, 1, 6)) -> list[list[int]]:
    """A batch of prompts of different lengths."""
    g = torch.Generator().manual_seed(seed)
    return [torch.randint(1, VOCABULARY, (n,), generator=g).tolist() for n in lengths]


class Told(DrafterBase):
    """A soft drafter that has been told the answer and believes it in most places: partial acceptance of every depth.

    answer: per row the whole text, prompt included; `trust` is the weight it lays on it, none at every fourth place.
    """

    name = "told"

    def __init__(self, backbone, answer: list[list[int]], horizon: int = 3, trust: float = 0.8):
        super().__init__(backbone, horizon)
        self.trust = trust
        longest = max(map(len, answer)) + 2 * horizon + 2
        self.answer = torch.tensor([a + [1] * (longest - len(a)) for a in answer], device=backbone.device)

    def begin(self, state: State) -> Tensor:
        return state.length - 1

    def predict(self, belief: Tensor) -> Tensor:
        place = belief.clamp(max=self.answer.shape[1] - 1)
        return mixed(at(self.answer, place), self.trust * (place % 4 > 0), self.backbone.vocabulary).log()

    def absorb(self, belief: Tensor, token: Tensor) -> Tensor:
        return belief + 1

    def left(self, belief: Tensor) -> Tensor:
        """Ragged: at most 1 + place mod (K + 1) tokens."""
        return (1 + belief % (self.horizon + 1)).clamp(max=self.horizon)


def greedy(backbone: Backbone, prompt: list[int], count: int) -> list[int]:
    """What transformers' own generate(do_sample=False) says after a prompt: `count` tokens, whatever ends a text."""
    ids = torch.tensor([prompt], device=backbone.device)
    out = backbone.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=count,
        eos_token_id=None,
        pad_token_id=0,
    )
    return out[0, len(prompt) :].tolist()


def whole_pass(backbone: Backbone, embeds: Tensor, place: Tensor):
    """The model's output, states included, of a causal pass without a cache: embeds [1, rows, D] at place [1, rows]."""
    size = embeds.shape[1]
    mask = torch.full((size, size), torch.finfo(embeds.dtype).min, device=backbone.device).triu(1)[None, None]
    return backbone.model(
        inputs_embeds=embeds, attention_mask=mask, position_ids=place, use_cache=False, output_hidden_states=True
    )


def peaked(*size: int, seed: int = 0, power: int = 4, zeros: float = 0.0) -> Tensor:
    """A random joint, peaked by `power`; this share of its cells cannot happen."""
    draw = torch.Generator().manual_seed(seed)
    law = torch.rand(*size, generator=draw, dtype=torch.float64) ** power
    if zeros:
        law[torch.rand(*size, generator=draw) < zeros] = 0
    return law / law.sum()


def mixed(token: Tensor, trust: Tensor, size: int) -> Tensor:
    """[B, V] the law with `trust` [B] on a token [B] and the rest falling off over the vocabulary."""
    tail = torch.arange(size, 0, -1, device=token.device).double()
    law = (1 - trust[:, None]) * tail / tail.sum()
    return law.scatter_add(1, token[:, None], trust[:, None].double())


class SlotBelief(NamedTuple):
    k: Tensor  # [B] tokens absorbed
    z: Tensor  # [B, M, D] slot states
    count: Tensor  # [B] how many are real
    last: Tensor  # [B] the token absorbed last
    hidden: Tensor  # [B, D] the state that predicts y'


class SlotDrafter(DrafterBase):
    """What the toy drafters with slots share: gated low-rank adapters with random weights on every linear layer.

    The adapters act on rows `first`.. inside `gate(first)`: W x for all rows, s A (B x) added to the slice.
    """

    rank, strength = 2, 0.15
    slots_per_branch = property(lambda self: self.horizon + 1 - self.first_slot)

    def __init__(self, backbone, horizon: int = 3, seed: int = 1):
        super().__init__(backbone, horizon)
        g = torch.Generator().manual_seed(seed)

        def normal(*size: int) -> Tensor:
            return torch.randn(*size, generator=g).to(backbone.device, backbone.dtype)

        self.survival = 0.6 ** torch.arange(horizon + 1, device=backbone.device).double()
        names = {layer: name for name, layer in backbone.model.named_modules()}
        self.layers = {names[layer]: layer for layer, _ in linear_layers(backbone.model)}
        self.pairs = {
            names[layer]: (normal(size[0], self.rank).T, normal(self.rank, size[1]).T)
            for layer, size in linear_layers(backbone.model)
        }
        self.scale = self.strength
        self.masks = normal(horizon + 1, backbone.width)
        self.waves = normal(2, backbone.width)
        self.sampler = normal(2 * backbone.width, backbone.width) * 0.3

    def gate(self, first: int) -> Gate:
        return Gate(self, first)

    def pair(self, name: str) -> tuple[Tensor, Tensor]:
        return self.pairs[name]

    def begin(self, state: State) -> SlotBelief:
        zero = torch.zeros_like(state.length)
        return SlotBelief(zero, state.slots, state.count, zero, state.hidden)

    def absorb(self, belief: SlotBelief, token: Tensor) -> SlotBelief:
        return belief._replace(k=belief.k + 1, last=token)

    def slot(self, belief: SlotBelief) -> Tensor:
        """[B, D] the state of the slot that speaks for the next token."""
        return at(belief.z, (belief.k - self.first_slot).clamp(0, self.slots_per_branch - 1))

    def left(self, belief: SlotBelief) -> Tensor:
        return (belief.count - belief.k + self.first_slot).clamp(min=0)

    def carry(self, slots: Slots, window: Tensor) -> Tensor:
        """[B, S, D] embeddings of the numbers the slots carry: w_j for first slot 0, w_{j-1} for first slot 1."""
        rows = torch.arange(len(window), device=window.device)[:, None]
        u = window[rows, slots.branch.clamp(min=0), slots.index - self.first_slot]
        return torch.stack([torch.cos(6 * u), torch.sin(6 * u)], -1).to(self.waves.dtype) @ self.waves


def linear_layers(model):
    """(layer, (inputs, outputs)) of every linear layer but the unembedding."""
    for layer in model.modules():
        if layer is model.get_output_embeddings():
            continue
        if isinstance(layer, torch.nn.Linear):
            yield layer, (layer.in_features, layer.out_features)
        elif isinstance(layer, tf.pytorch_utils.Conv1D):
            yield layer, tuple(layer.weight.shape)


class ToyMasked(SlotDrafter):
    """K mask embeddings, one per index; a random sampler of the last token and the mask's state."""

    name = "toy-masked"

    def embed(self, slots: Slots, window: Tensor) -> Tensor:
        return self.masks[slots.index]

    def predict(self, belief: SlotBelief) -> Tensor:
        both = torch.cat([self.backbone.embed(belief.last), self.slot(belief)], -1)
        mine = self.backbone.logits(2 * torch.tanh(both @ self.sampler))
        first = (belief.k == 0)[:, None]
        return torch.where(first, self.backbone.logits(belief.hidden), mine).log_softmax(-1)


class ToyCPTP(SlotDrafter):
    """K slots per branch that carry the tape's numbers; categorical laws."""

    name = "toy-cptp"

    def embed(self, slots: Slots, window: Tensor) -> Tensor:
        return self.carry(slots, window)

    def predict(self, belief: SlotBelief) -> Tensor:
        first = (belief.k == 0)[:, None]
        return self.backbone.logits(torch.where(first, belief.hidden, self.slot(belief))).log_softmax(-1)


class ToyOPTP(SlotDrafter):
    """K + 1 slots per branch from index 0 on, each with its number; one-hot laws."""

    name, one_hot, first_slot = "toy-optp", True, 0

    def embed(self, slots: Slots, window: Tensor) -> Tensor:
        return self.carry(slots, window)

    def predict(self, belief: SlotBelief) -> Tensor:
        return one_hot_log(self.backbone.logits(self.slot(belief)).argmax(-1), self.backbone.vocabulary)


SLOT_DRAFTERS = {d.name: d for d in (ToyMasked, ToyCPTP, ToyOPTP)}
PLANS = ("linear", "quadratic", "budget=2", "budget=7")
