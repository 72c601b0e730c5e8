"""Does a config.json make sense? What transformers would load without a word, and decode nonsense with, is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from pathlib import Path

from .. import checks
from .seal import METADATA, header

SIZES = (
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim"),
    *("intermediate_size", "max_position_embeddings", "sliding_window"),
)
# settings by how their names end: what a number of that name must be, in code and in words
NUMBERS: dict[tuple[str, ...], tuple[Callable[[float], bool], str]] = {
    ("_eps", "_epsilon"): (lambda x: 0 < x < 0.1, "between 0 and 0.1, both excluded"),
    ("rope_theta", "softcapping", "query_pre_attn_scalar", "logits_scaling"): (lambda x: 0 < x < math.inf, "above 0"),
    ("partial_rotary_factor",): (lambda x: 0 < x <= 1, "above 0 and at most 1"),
    ("logit_scale", "_multiplier"): (lambda x: math.isfinite(x) and x != 0, "finite and not 0"),
}


def check_config(config, tensors: int | None = None) -> None:
    """ValueError for numbers of a config of transformers that no model can have; `tensors`: how many the file holds,
    which is at least the number of layers.
    """
    settings = config.to_dict()
    for name in SIZES:
        value = settings.get(config.attribute_map.get(name, name))
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                most = tensors if name == "num_hidden_layers" else None
                checks.whole(f"{name} of config.json", each, 1, most, f"the file holds {most} tensors" if most else "")
    _check_numbers(settings)
    heads, groups = (getattr(config, name, None) for name in ("num_attention_heads", "num_key_value_heads"))
    if isinstance(heads, int) and isinstance(groups, int) and heads % groups:
        raise ValueError(f"num_key_value_heads={groups} of config.json: it must divide num_attention_heads={heads}")


def _check_numbers(settings: dict) -> None:
    for name, value in settings.items():
        if isinstance(value, dict):  # rope_parameters, and those of kinds of layers
            _check_numbers(value)
        for endings, (fits, remedy) in NUMBERS.items():
            if value is not None and str(name).endswith(endings) and not isinstance(value, (dict, list, bool)):
                checks.number(f"{name} of config.json", value, Real, fits, remedy)


def tensors_in(directory: Path) -> int:
    """How many tensors the weights of a directory hold, shards together; ValueError where a header is damaged."""
    return sum(len(header(file)[0].keys() - {METADATA}) for file in directory.glob("model*.safetensors"))


def check_fit(info: dict) -> None:
    """ValueError unless the file's tensors are those that config.json asks for: `loading_info` of transformers."""
    for key, what in (
        ("missing_keys", "the weights have no {!r}, which config.json asks for"),
        ("unexpected_keys", "the weights hold {!r}, for which config.json has no place"),
    ):
        if info[key]:
            raise ValueError(what.format(sorted(info[key])[0]) + ": the two do not belong together")
