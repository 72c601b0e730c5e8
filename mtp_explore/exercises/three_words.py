"""A language model of three words: small enough that everything decoding can emit is enumerated.

A GPT-2 with random weights in float64, so that its laws are exact to rounding, and heads with random weights beside it:
a draft that knows next to nothing, which is what a lossless rule must stand.
"""

from __future__ import annotations

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from ..backbone.load import Backbone
from ..drafters import make_drafter
from ..drafters.base import DrafterBase

PROMPT = [0, 1, 2, 0]


def tiny(vocabulary: int = 3, seed: int = 0) -> Backbone:
    """A random GPT-2 of two layers over `vocabulary` tokens, 32 positions, with peaked laws; no tokenizer."""
    size = dict(vocab_size=vocabulary, n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPT2LMHeadModel(GPT2Config(**size, attn_implementation="eager")).double()
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data.mul_(8)
    return Backbone(model, name=f"tiny-{vocabulary}")


def rough(backbone: Backbone, horizon: int = 2, seed: int = 0) -> DrafterBase:
    """Independent heads with random weights for `tiny()`: laws that differ from the target's at every place."""
    drafter = make_drafter("independent", backbone, horizon=horizon)
    random = torch.Generator().manual_seed(seed)
    for weight in drafter.weights:
        weight.data.copy_(0.3 * torch.randn(weight.shape, generator=random, dtype=torch.float64))
    return drafter
