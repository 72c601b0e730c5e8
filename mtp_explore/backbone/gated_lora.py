"""Gated LoRA: low-rank updates of a frozen model's linear layers that act on some rows of a call and on no others.

    y_t = W x_t + I(t) s A (B x_t),    s = alpha / r,    I(t) = 1 for rows t >= first, else 0

A [out, r] is `up` and starts at 0, B [r, in] is `down` and starts Kaiming-uniform (papers.md 3.3; Samragh et al.,
arXiv 2507.11851, section 2.2; peft calls B lora_A and A lora_B). The gated rows are a slice at the end of a call: W x
is computed for all rows, s A (B x) for the slice, and added there. So a layer's rows before `first` are bit-equal to
the untouched layer's, in any precision, also where B x overflows; weights merged and subtracted again would not be, nor
would a product with I(t), which turns infinity into NaN. In float16 B x is cut to finite numbers: a gated key or value
that is not a number would reach every row through attention. Forward hooks do it (backbone/now.py), switched by the
gate that a call is given: the model's modules and state dict stay as they are.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from .. import checks
from .files import ADAPTER, read_json, save_directory, write_text
from .now import Gate, attach
from .seal import check_seal
from .targets import linear_layers, select

PEFT_CONFIG, PEFT_WEIGHTS, PREFIX = ADAPTER, "adapter_model.safetensors", "base_model.model."
RANKS = 4096
# Settings of a peft adapter, with the values that mean the plain form above. Of the others those in FREE change nothing
# of what a trained adapter computes, and every one that we do not know has to be off: some initialisations ("pissa",
# "olora", "corda", "loftq", ...) change the weights beneath, and an adapter read without that is another one.
PLAIN = dict(peft_type=("LORA",), bias=("none",), init_lora_weights=(True, False, "gaussian", "orthogonal", "eva"))
FREE = {
    *("task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode"),
    *("r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules", "fan_in_fan_out", "eva_config"),
    *("layers_to_transform", "layers_pattern", "megatron_core", "qalora_group_size"),
}


class GatedLoRA(nn.Module):
    """Adapters for the linear layers of a transformers causal LM; the layers are referred to, not owned.

    rank: r; alpha: s = alpha / r, by default r; targets: "all" (every linear layer but the unembedding), "attention",
    "mlp" (the layers outside attention), or endings of layer names, separated by commas ("q_proj,v_proj"). Layers that
    are not given [B, rows, in] cannot be gated by rows, as a pass over six tokens shows: these three leave them out
    (routers and shared experts, which see tokens flattened; OPT's MLP; the second half of latent attention), and named
    ones are refused. Experts that are no linear layers (a mixture keeps one array for all) get no adapters either.
    ValueError: bad options, or no layer left.
    """

    def __init__(self, model: nn.Module, rank: int = 16, alpha: float | None = None, targets: str = "all"):
        super().__init__()
        self.rank = checks.whole("rank", rank, 1, RANKS)
        why = "the update is scaled by alpha / rank"
        self.alpha = self.rank if alpha is None else checks.real("alpha", alpha, above=0, why=why)
        self.layers = select(model, targets)
        self.fan_in_fan_out = any(isinstance(layer, Conv1D) for layer in self.layers.values())
        self.base_name = getattr(model.config, "_name_or_path", None) or None
        sizes = {name.replace(".", "/"): _sizes(layer) for name, layer in self.layers.items()}
        self.down = nn.ParameterDict({key: torch.empty(self.rank, size[0]) for key, size in sizes.items()})
        self.up = nn.ParameterDict({key: torch.zeros(size[1], self.rank) for key, size in sizes.items()})
        for weight in self.down.values():
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))
        self.to(model.device, model.dtype)
        attach(model, self)

    def pair(self, name: str) -> tuple[Tensor, Tensor]:
        """B [r, in] and A [out, r] of a layer, by its name in the model."""
        if not isinstance(name, str) or name not in self.layers:
            checks.choice("name", name, self.layers)
        key = name.replace(".", "/")
        return self.down[key], self.up[key]

    @property
    def scale(self) -> float:
        """s = alpha / r."""
        return self.alpha / self.rank

    def gate(self, first: int) -> Gate:
        """For a call of the model, or of a copy of it: the update is added to the rows first, first + 1, .. of its
        sequence; first = 0 is plain LoRA. ValueError from a layer whose input is not [B, rows, in].
        """
        return Gate(self, checks.whole("first", first))

    def save_peft(self, directory: str | Path) -> None:
        """A plain peft adapter: adapter_config.json and adapter_model.safetensors, sealed; never half written. peft
        itself adds it to every row. ValueError: `directory` is a file. OSError: it cannot be written.
        """
        weights = {}
        for name in self.layers:
            for letter, weight in zip("AB", self.pair(name), strict=True):
                weights[f"{PREFIX}{name}.lora_{letter}.weight"] = weight.detach().contiguous().cpu()
        config = dict(
            **dict(
                peft_type="LORA", task_type="CAUSAL_LM", base_model_name_or_path=self.base_name, inference_mode=True
            ),
            **dict(r=self.rank, lora_alpha=self.alpha, lora_dropout=0.0, bias="none"),
            **dict(target_modules=sorted(self.layers), fan_in_fan_out=self.fan_in_fan_out),
        )

        def write(where: Path) -> None:
            save_file(weights, where / PEFT_WEIGHTS)
            write_text(where / PEFT_CONFIG, json.dumps(config, indent=2) + "\n")

        save_directory(directory, write)

    @classmethod
    def from_peft(cls, model: nn.Module, directory: str | Path) -> GatedLoRA:
        """The adapters of a plain peft LoRA directory, for this model; ValueError where they are no plain LoRA or do
        not fit its layers.
        """
        directory = checks.path("directory", directory)
        missing = [f for f in (PEFT_CONFIG, PEFT_WEIGHTS) if not (directory / f).is_file()]
        if missing:
            raise ValueError(f"directory={str(directory)!r} has no {missing[0]}: it is not a saved peft adapter")
        config = read_json(directory / PEFT_CONFIG)
        if odd := {k: v for k, v in config.items() if not _is_plain(k, v)}:
            raise ValueError(
                f"directory={str(directory)!r} is no plain LoRA adapter ({checks.shown(odd)}): save it without these "
                "(peft converts initialisations, save_pretrained(path_initial_model_for_weight_conversion=...))"
            )
        try:
            weights = load_file(directory / PEFT_WEIGHTS)
            check_seal(directory / PEFT_WEIGHTS)
        except Exception as error:
            raise ValueError(f"{str(directory / PEFT_WEIGHTS)!r} is damaged ({error}): restore the file") from error
        names = sorted({key.removeprefix(PREFIX).rpartition(".lora_")[0] for key in weights})
        known = linear_layers(model)
        strange = [name for name in names if name not in known]
        if strange or not names:
            raise ValueError(
                f"directory={str(directory)!r} adapts {strange[0] if strange else 'nothing'!r}, which is no linear "
                f"layer of this model (it has {next(iter(known), None)!r}, ...): take the adapter of this model"
            )
        if more := weights.keys() - {f"{PREFIX}{name}.lora_{letter}.weight" for name in names for letter in "AB"}:
            raise ValueError(
                f"directory={str(directory)!r} is no plain LoRA adapter: it holds {sorted(more)[0]!r} besides"
            )
        made = cls(model, config.get("r"), config.get("lora_alpha"), ",".join(names))
        for name in names:
            for letter, mine in zip("AB", made.pair(name), strict=True):
                found = weights.get(f"{PREFIX}{name}.lora_{letter}.weight")
                if found is None or found.shape != mine.shape:
                    shape = None if found is None else list(found.shape)
                    raise ValueError(
                        f"lora_{letter} of {name!r} has shape {shape}, and this model with rank {made.rank} needs "
                        f"{list(mine.shape)}: take the adapter of this model"
                    )
                mine.data.copy_(found)
        return made


def _is_plain(key: str, value) -> bool:
    """Does this setting of a peft adapter leave it what GatedLoRA computes?"""
    return key in FREE or not value or value in PLAIN.get(key, ())


def _sizes(layer: nn.Module) -> tuple[int, int]:
    """(in, out) of a linear layer; GPT-2's Conv1D holds its matrix transposed."""
    return tuple(layer.weight.shape) if isinstance(layer, Conv1D) else (layer.in_features, layer.out_features)
