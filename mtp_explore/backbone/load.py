"""A causal language model as the loop sees it: embeddings in, laws and hidden states out, one call at a time.

`load_backbone` takes the name of a shipped model, a directory or a Hub id. Files must be safetensors; code from a
repository is never run (`trust_remote_code` stays off).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ..checks import instance, items, printable, whole
from ..checks import text as text_of
from ..tensors.given import tensor
from ..tensors.logprob import Unembedding
from .cache import RowsCache
from .files import (
    MODEL_FILES,
    OWNERS,
    checked,
    located,
    save_directory,
)
from .fingerprint import fingerprint
from .layout import Layout, additive
from .now import NOW, Gate, attach, listen, lock_of
from .prompt import rows_of
from .reading import device_of, dtype_of, read_model, refuse_other_kinds
from .truth import compared, refuse_strange

REMEDY = (
    'pass the name of a shipped model ("stories"), a directory or a Hub id; a model of transformers becomes one by '
    "Backbone(model, tokenizer)"
)


class Backbone:
    """A transformers causal LM with its tokenizer.

    model, tokenizer, config: the transformers objects. V = `vocabulary`; D = `width` of the states that enter the
    unembedding, `embed_width` of the input embeddings (few models have another); `context` = positions it has.
    Several threads may call one backbone: each call is its own.
    """

    def __init__(self, model, tokenizer=None, name: str = "model"):
        instance("model", model, PreTrainedModel, "pass a causal language model of transformers")
        self.model, self.tokenizer, self.name = model.eval().requires_grad_(False), tokenizer, text_of("name", name)
        self.config = model.config
        text = self.config.get_text_config()
        refuse_strange(model, text)
        self.context = _context(text)
        self.layer_types = set(getattr(text, "layer_types", None) or ())
        self.window = getattr(text, "sliding_window", None)
        self.embed = model.get_input_embeddings()
        head = model.get_output_embeddings()
        self.vocabulary = head.weight.shape[0]
        self.width = getattr(head, "in_features", None) or head.weight.shape[1]
        self.embed_width = getattr(self.embed, "embedding_dim", None) or self.embed.weight.shape[1]
        self.pieces: dict[int, str] = {}  # texts of single tokens, once asked for
        self._fingerprint: str | None = None
        self.takes_slots = compared(self)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype

    @property
    def eos(self) -> list[int]:
        """Token ids that end a text (none, one or several), as transformers' generate reads them."""
        places = getattr(self.model, "generation_config", None), self.config, self.tokenizer
        end = next((p.eos_token_id for p in places if getattr(p, "eos_token_id", None) is not None), None)
        return [] if end is None else list(end) if isinstance(end, (list, tuple)) else [end]

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change with the weights, from at most 511 entries of each parameter in bfloat16."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self.model)
        return self._fingerprint

    def cache(self, capacity: int) -> RowsCache:
        """An empty cache with room for `capacity` columns."""
        return RowsCache(whole("capacity", capacity))

    def call(
        self, embeds: Tensor, layout: Layout, cache: RowsCache, keep: Tensor, gate: Gate | None = None
    ) -> tuple[Tensor, Tensor]:
        """The one backbone call of a step: embeds [B, Q, D] -> logits [B, R', V] of the rows `keep` [B, R'] and the
        states [B, Q, D] that enter the unembedding, of all rows. gate: adapters that act on the last rows.
        """
        return self.run(embeds, layout.positions, self._mask(layout, embeds.dtype), keep, cache.hf, gate)

    def run(
        self, embeds: Tensor, positions: Tensor, mask, keep: Tensor, cache=None, gate: Gate | None = None
    ) -> tuple[Tensor, Tensor]:
        """`call` with positions [B, Q], what `masks` made, and the cache of transformers, if there is one."""
        outer = NOW.gate
        gate = gate or outer
        if gate is not None:
            attach(self.model, gate.adapters)
        listen(self.model.get_output_embeddings())
        with lock_of(self.model):
            try:  # plain stores, and no call between them: an interrupt cannot part them
                NOW.keep, NOW.gate = keep, gate
                out = self.model(
                    inputs_embeds=embeds,
                    past_key_values=cache,
                    position_ids=positions,
                    attention_mask=mask,
                    use_cache=cache is not None,
                )
                return out.logits, NOW.states
            finally:
                NOW.keep, NOW.states, NOW.gate = None, None, outer

    def by_ids(self, tokens: Tensor) -> Tensor:
        """Logits [B, T, V] of whole texts [B, T], read by the model in one pass without a cache, as it is."""
        with lock_of(self.model):
            return self.model(tokens, use_cache=False).logits

    def _mask(self, layout: Layout, dtype: torch.dtype):
        mask = self.masks(lambda window: additive(layout, dtype, window))
        alone = layout.allowed.shape[:2] == (1, 1)  # one row that sees the whole cache
        return None if alone and not isinstance(mask, dict) and self.window_of_all is None else mask

    def masks(self, make: Callable[[int | None], Tensor | None]):
        """make(window), the additive mask [B, 1, Q, keys] for layers that see `window` positions back (None: all), or
        one per kind of layer: a 4D mask goes as it is to every layer, windows included.
        """
        if self.layer_types & {"sliding_attention"}:
            return {"full_attention": make(None), "sliding_attention": make(self.window)}
        return make(self.window_of_all)

    @property
    def window_of_all(self) -> int | None:
        """The window of models whose layers are all alike."""
        return self.window if not self.layer_types else None

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits [..., V] of final hidden states [..., D], with the scales and caps that some models add. States of
        another precision (heads in training) are cast to the model's.
        """
        tensor("hidden", hidden, "..., D", "numbers")
        text = self.config.get_text_config()
        head = self.model.get_output_embeddings()
        logits = head(hidden.to(head.weight.dtype) if head.weight.is_floating_point() else hidden)
        logits = logits * (getattr(text, "logit_scale", None) or 1.0) / (getattr(text, "logits_scaling", None) or 1.0)
        cap = getattr(text, "final_logit_softcapping", None)
        return logits if cap is None else cap * torch.tanh(logits / cap)

    @property
    def unembedding(self) -> Unembedding:
        """`logits` as plain data, for losses that must not make them all."""
        text, head = self.config.get_text_config(), self.model.get_output_embeddings()
        scale = (getattr(text, "logit_scale", None) or 1.0) / (getattr(text, "logits_scaling", None) or 1.0)
        cap = getattr(text, "final_logit_softcapping", None)
        return Unembedding(head.weight, getattr(head, "bias", None), scale, cap)

    def encode(self, prompt) -> list[list[int]]:
        """Token ids of a prompt: a string, a list (or tensor) of ids, a list of either (a batch), or what a tokenizer
        returns (a mapping with input_ids; places that its attention_mask hides are left out).
        """
        rows = rows_of(prompt, self.tokenizer)
        for ids in rows:
            self._check(ids)
        return rows

    def _check(self, ids: list[int]) -> None:
        if not ids:
            raise ValueError("prompt is empty: give at least one token (for a free start, the end-of-text token)")
        bad = next((t for t in ids if not 0 <= t < self.vocabulary), None)
        if bad is not None:
            raise ValueError(f"prompt holds the token id {bad}, outside the vocabulary 0..{self.vocabulary - 1}")
        if len(ids) >= self.context:
            raise ValueError(
                f"prompt has {len(ids)} tokens, but {self.name!r} has {self.context} positions and needs one for the "
                f"next token: cut the prompt to at most {self.context - 1} tokens"
            )

    def decode(self, ids: list[int]) -> str:
        """The text of token ids (their numbers, where there is no tokenizer)."""
        ids = [whole("ids", t, 0, self.vocabulary - 1, "an id of the vocabulary") for t in items("ids", ids)]
        if self.tokenizer is None:
            return " ".join(map(str, ids))
        return self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)

    def continued(self, prompt: list[int], new: list[int]) -> tuple[str, str]:
        """The texts of a prompt and of the new tokens after it, which together are the text of all: some decoders drop
        the first space of what they are given, and a character may begin in the one and end in the other.
        """
        if self.tokenizer is None:
            return self.decode(prompt), self.decode(new)
        every = self.decode([*prompt, *new])
        before = os.path.commonprefix([self.decode(prompt), every])
        return before, every[len(before) :]

    def to(self, *args, **kwargs) -> Backbone:
        """Move or cast the model, as torch's `Module.to`."""
        self.model.to(*args, **kwargs)
        return self

    def save_pretrained(self, directory: str | Path) -> None:
        """config.json, model.safetensors and the tokenizer's files, as transformers writes them, but sealed and never
        half written; they replace an older model and its card. ValueError: `directory` is a file. OSError: it cannot be
        written.
        """

        def write(where: Path) -> None:
            self.model.save_pretrained(where)
            if self.tokenizer is not None:
                self.tokenizer.save_pretrained(where)

        save_directory(directory, write, stale=MODEL_FILES)


def _context(text) -> int:
    """Positions the model has; of LongRoPE those of its short factors, because beyond them one row's length changes
    the rotations of all rows and of everything cached.
    """
    rope = getattr(text, "rope_parameters", None) or {}
    short = rope.get("original_max_position_embeddings") if rope.get("rope_type") == "longrope" else None
    most = short or getattr(text, "max_position_embeddings", None) or 0
    return most if most > 0 else 1 << 30  # XLNet says -1


def load_backbone(
    name: str | Path, device: str | torch.device | None = None, dtype: torch.dtype | str | None = None
) -> Backbone:
    """A `Backbone` from a shipped name ("stories", "arithmetic", "code"), a directory or a Hub id ("gpt2" and its like
    without their owners too).

    device: "cpu", "cuda", ...; default CUDA where there is one. dtype: torch.float32, "bfloat16", ...; default float32
    on the CPU, the file's own ("auto") on an accelerator.
    Errors: TypeError for what is no name; ValueError for an unknown name (with the nearest known ones), a device that
    is not here or has no float64, a model that brings code of its own (it is never run), a config.json that makes no
    sense, a file that is damaged or not safetensors.
    """
    place, dtype = device_of(device), dtype_of(dtype)
    directory = located(name, "backbone", REMEDY)
    if directory is not None:
        refuse_other_kinds(directory)
        checked(directory)
    source = str(directory or OWNERS.get(name, name))
    try:
        model, tokenizer = read_model(source, directory, dtype or ("float32" if place.type == "cpu" else "auto"))
    except Exception as error:
        why = printable((str(error) or repr(error)).splitlines()[0].rstrip("."))
        if "trust_remote_code" in str(error):
            why = "it brings code of its own, which is never run"
        raise ValueError(
            f"name={str(name)!r} could not be loaded: {why}. "
            "Give a directory with config.json and model.safetensors, or a Hub id that this machine can reach."
        ) from error
    return Backbone(model.to(place), tokenizer, name=str(name))
