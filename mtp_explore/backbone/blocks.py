"""Blocks of rows that hang from the places of a frozen text: the text is read once, then only the blocks run.

Letters: B windows of T tokens, A anchors per window, M rows per block, H heads of queries, G of keys, d their width.
Row m of the block at place i of a text stands `first` + m places behind i. It sees the text up to i, as far as it
belongs to the same document, and the rows of its own block up to itself; nothing sees the blocks. So text and blocks
are one pass over T + A M rows with a mask (papers.md 3.2), and this is the same in two: keys and values of the text are
computed once, without gradient, and the blocks attend to [them | their own block] (tensors/attention.py): less than
A M (T + M) scores instead of (T + A M)^2, no mask over all pairs, and no gradient through the text.

An end-of-text token begins the next document; positions count from there, as they will when decoding.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import torch
from torch import Tensor
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from ..tensors.attention import block_attention
from .layout import Layout
from .load import Backbone
from .now import Gate, lock_of

NAME = "mtp_blocks"  # of the attention below, in transformers' table
STRANGE = ("s_aux", "position_bias")  # what some models add to attention, and this one does not know


class Frozen(NamedTuple):
    """A text as the blocks see it."""

    hidden: Tensor  # [B, T, D] the states that enter the unembedding
    layers: list[tuple[Tensor, Tensor]]  # keys and values [B, G, T, d]
    position: Tensor  # [B, T] within the document
    document: Tensor  # [B, T] its number


def documents(tokens: Tensor, eos: list[int]) -> tuple[Tensor, Tensor]:
    """(position, document) [B, T] of every token of windows [B, T]."""
    place = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
    starts = torch.isin(tokens, torch.tensor(eos, dtype=tokens.dtype, device=tokens.device))
    return place - torch.where(starts, place, 0).cummax(1).values, starts.long().cumsum(1)


@torch.no_grad()
def freeze(backbone: Backbone, tokens: Tensor, whole: bool = False) -> Frozen:
    """Windows of text [B, T], T <= context, read by the backbone as it is. whole: one document each, as prompts are."""
    position, document = documents(tokens, [] if whole else backbone.eos)
    size = tokens.shape[1]
    causal = torch.ones(size, size, dtype=torch.bool, device=tokens.device).tril()
    allowed = causal & (document[:, :, None] == document[:, None])
    cache, last = backbone.cache(size), torch.full_like(tokens[:, :1], size - 1)
    _, hidden = backbone.call(backbone.embed(tokens), Layout(position, allowed, position, size), cache, last)
    layers = [(layer.keys[:, :, :size], layer.values[:, :, :size]) for layer in cache.hf.layers]
    return Frozen(hidden, layers, position, document)


def sight(frozen: Frozen, anchors: Tensor) -> Tensor:
    """[B, A, T] bool: may the blocks at anchors [B, A] see a place of the text?"""
    place = torch.arange(frozen.document.shape[1], device=anchors.device)
    same = frozen.document.gather(1, anchors)[..., None] == frozen.document[:, None]
    return same & (place <= anchors[..., None])


def block_states(
    backbone: Backbone, frozen: Frozen, anchors: Tensor, embeds: Tensor, first: int = 1, gate: Gate | None = None
) -> Tensor:
    """Final states [B, A, M, D] of blocks at the places `anchors` [B, A], from input embeddings [B, A, M, D]; fastest
    with the anchors of a row in order.

    gate: adapters that act on all of it, lora.gate(0). Gradients reach the embeddings and the adapters.
    ValueError: a model whose attention cannot be exchanged, whose cache holds latents (DeepSeek's attention), or whose
    window is shorter than a block.
    """
    rows = embeds.shape[2]
    seen = sight(frozen, anchors)[:, :, None]
    position = frozen.position.gather(1, anchors)[..., None] + torch.arange(first, first + rows, device=anchors.device)

    def make(window: int | None) -> Tensor:
        """[B, A, 1, T], with a window [B, A, M, T]: 0 where seen, the least number elsewhere."""
        if window is not None and window < rows:
            raise ValueError(f"blocks of {rows} rows do not fit this model's attention window of {window}: use fewer")
        ok = seen
        if window is not None:
            ok = seen & (position[..., None] - frozen.position[:, None, None] < window)
        mask = torch.zeros(ok.shape, dtype=embeds.dtype, device=embeds.device)
        return mask.masked_fill_(~ok, torch.finfo(embeds.dtype).min)

    none = torch.zeros_like(anchors[:, :1])
    rows = embeds.flatten(1, 2), position.flatten(1, 2), backbone.masks(make), none
    hidden = attending(backbone, frozen, [i + 1 for i in anchors.amax(0).tolist()], rows, gate)
    return hidden.unflatten(1, embeds.shape[1:3])


class _Refused(ValueError):
    """What `attend` itself cannot serve."""


class _Open(NamedTuple):
    frozen: Frozen
    reach: list[int]  # [A] no row of the batch sees more places at its anchor
    calls: list[int]  # layers that were served


class _Thread(threading.local):
    open: _Open | None = None  # what the attention of this thread's call serves


_now = _Thread()


def attending(backbone: Backbone, frozen: Frozen, reach: list[int], rows: tuple, gate: Gate | None) -> Tensor:
    """The states that `Backbone.run` gives for `rows` while the model's attention is `attend`, with a block for every
    entry of `reach`. No other call of the model runs meanwhile.
    """
    configs = {id(c): c for m in backbone.model.modules() if (c := getattr(m, "config", None)) is not None}
    ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
    serving = _Open(frozen, reach, [])
    with lock_of(backbone.model):
        before = [(c, c._attn_implementation) for c in configs.values()]
        try:
            _now.open = serving
            for config, _ in before:
                config._attn_implementation = NAME
            hidden = backbone.run(*rows, gate=gate)[1]
        except (RuntimeError, ValueError) as error:
            if serving.calls or isinstance(error, (torch.OutOfMemoryError, _Refused)):
                raise
            raise _own_attention(backbone) from error  # which cannot read these masks
        finally:
            _now.open = None
            try:
                _put_back(before)
            except BaseException:  # an interrupt on the way back: the model goes back first
                _put_back(before)
                raise
    if sorted(serving.calls) != list(range(len(frozen.layers))):
        raise _own_attention(backbone)
    return hidden


def _put_back(before: list) -> None:
    for config, name in before:
        config._attn_implementation = name


def _own_attention(backbone: Backbone) -> ValueError:
    return ValueError(
        f"model type {backbone.config.model_type!r}: its attention cannot be exchanged, which training on frozen keys "
        "and values needs; take a model whose attention transformers can exchange (Llama, Qwen, GPT-2, ...)"
    )


def attend(
    module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    scaling: float | None = None,
    softcap: float | None = None,
    **others,
) -> tuple[Tensor, None]:
    """Attention of blocks: query [B, H, A M, d] over the layer's frozen keys and the own block's of key and value
    [B, G, A M, d].

    attention_mask [B, A, 1 or M, T] is that of `block_states`; others: what transformers passes besides.
    """
    if strange := [name for name in STRANGE if others.get(name) is not None]:
        raise _Refused(f"this model's attention uses {strange[0]}, which training on frozen keys does not know")
    _now.open.calls.append(module.layer_idx)
    text = _now.open.frozen.layers[module.layer_idx]
    if [(x.shape[1], x.shape[3]) for x in text] != [(x.shape[1], x.shape[3]) for x in (key, value)]:
        raise _Refused(
            f"model type {module.config.model_type!r}: its cache holds latents, not the keys and values of its heads, "
            "and cannot be trained on frozen keys; take a drafter without slots (independent, cp, hmm, btree) or "
            "another model (Llama, Qwen, GPT-2, ...)"
        )
    blocks = len(_now.open.reach), -1
    query = (query * (query.shape[-1] ** -0.5 if scaling is None else scaling)).unflatten(1, (key.shape[1], -1))
    key, value = (x.unflatten(2, blocks) for x in (key, value))
    out = block_attention(query.unflatten(3, blocks), key, value, text, attention_mask, _now.open.reach, softcap)
    return out.flatten(3, 4).flatten(1, 2).transpose(1, 2).contiguous(), None
