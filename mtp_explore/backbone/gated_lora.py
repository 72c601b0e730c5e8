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
from numbers import Real
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from .files import read_json, replace, write_text
from .now import Gate, attach

PEFT_CONFIG, PEFT_WEIGHTS, PREFIX = "adapter_config.json", "adapter_model.safetensors", "base_model.model."
RANKS = 4096
# settings of a peft adapter that change what it computes, with the values that mean the plain form above
PLAIN = dict(
    **dict(peft_type="LORA", bias="none", use_dora=False, use_rslora=False, lora_bias=False, rank_pattern={}),
    **dict(alpha_pattern={}, modules_to_save=None, layer_replication=None, alora_invocation_tokens=None),
)


class GatedLoRA(nn.Module):
    """Adapters for the linear layers of a transformers causal LM; the layers are referred to, not owned.

    rank: r; alpha: s = alpha / r, by default r; targets: "all" (every linear layer but the unembedding), "attention",
    "mlp" (the layers outside attention), or endings of layer names, separated by commas ("q_proj,v_proj").
    """

    def __init__(self, model: nn.Module, rank: int = 16, alpha: float | None = None, targets: str = "all"):
        super().__init__()
        if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= RANKS:
            raise ValueError(f"rank={rank!r}: it must be a whole number from 1 to {RANKS}")
        alpha = rank if alpha is None else alpha
        if not isinstance(alpha, Real) or not 0 < alpha < math.inf:
            raise ValueError(f"alpha={alpha!r}: the update is scaled by alpha / rank, so it must be above 0")
        self.rank, self.alpha = rank, alpha
        self.layers = select(model, targets)
        self.fan_in_fan_out = any(isinstance(layer, Conv1D) for layer in self.layers.values())
        self.base_name = getattr(model.config, "_name_or_path", None) or None
        sizes = {name.replace(".", "/"): _sizes(layer) for name, layer in self.layers.items()}
        self.down = nn.ParameterDict({key: torch.empty(rank, size[0]) for key, size in sizes.items()})
        self.up = nn.ParameterDict({key: torch.zeros(size[1], rank) for key, size in sizes.items()})
        for weight in self.down.values():
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))
        self.to(model.device, model.dtype)
        attach(model, self)

    def pair(self, name: str) -> tuple[Tensor, Tensor]:
        """B [r, in] and A [out, r] of a layer."""
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
        return Gate(self, first)

    def save_peft(self, directory: str | Path) -> None:
        """A plain peft adapter: adapter_config.json and adapter_model.safetensors. peft itself adds it to every row."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
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
        replace(directory / PEFT_WEIGHTS, lambda path: save_file(weights, path))
        write_text(directory / PEFT_CONFIG, json.dumps(config, indent=2) + "\n")

    @classmethod
    def from_peft(cls, model: nn.Module, directory: str | Path) -> GatedLoRA:
        """The adapters of a plain peft LoRA directory, for this model; ValueError where they are no plain LoRA or do
        not fit its layers.
        """
        directory = Path(directory)
        missing = [f for f in (PEFT_CONFIG, PEFT_WEIGHTS) if not (directory / f).is_file()]
        if missing:
            raise ValueError(f"directory={str(directory)!r} has no {missing[0]}: it is not a saved peft adapter")
        config = read_json(directory / PEFT_CONFIG)
        odd = {k: config[k] for k, plain in PLAIN.items() if k in config and (config[k] or plain) != plain}
        if odd:
            raise ValueError(f"directory={str(directory)!r} is no plain LoRA adapter ({odd}): export it without these")
        try:
            weights = load_file(directory / PEFT_WEIGHTS)
        except Exception as error:
            raise ValueError(f"{str(directory / PEFT_WEIGHTS)!r} is damaged ({error}): restore the file") from error
        names = sorted({key.removeprefix(PREFIX).rpartition(".lora_")[0] for key in weights})
        known = select(model, "all")
        strange = [name for name in names if name not in known]
        if strange or not names:
            raise ValueError(
                f"directory={str(directory)!r} adapts {strange[0] if strange else 'nothing'!r}, which is no linear "
                f"layer of this model (it has {next(iter(known))!r}, ...): take the adapter of this model"
            )
        made = cls(model, config["r"], config.get("lora_alpha"), ",".join(names))
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


def select(model: nn.Module, targets: str) -> dict[str, nn.Module]:
    """The linear layers that `targets` names, by their names in the model; ValueError where it names none."""
    if not isinstance(targets, str):
        raise ValueError(
            f"targets={targets!r}: use 'all', 'attention', 'mlp' or endings of layer names, 'q_proj,v_proj'"
        )
    last = model.get_output_embeddings()
    every = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear | Conv1D) and m is not last}
    attends = {name for name in every if "attn" in name or "attention" in name}
    if targets == "all":
        return every
    if targets in ("attention", "mlp"):
        return {n: m for n, m in every.items() if (n in attends) == (targets == "attention")}
    found = {}
    for ending in (t.strip() for t in targets.split(",")):
        hits = {n: m for n, m in every.items() if ending and (n == ending or n.endswith(f".{ending}"))}
        if not hits:
            endings = ", ".join(sorted({n.rpartition(".")[2] for n in every}))
            raise ValueError(
                f"targets={targets!r}: {ending!r} is no linear layer of this model; use 'all', 'attention', 'mlp' or "
                f"some of {endings}"
            )
        found |= hits
    return {n: m for n, m in every.items() if n in found}  # in the model's order


def _sizes(layer: nn.Module) -> tuple[int, int]:
    """(in, out) of a linear layer; GPT-2's Conv1D holds its matrix transposed."""
    return tuple(layer.weight.shape) if isinstance(layer, Conv1D) else (layer.in_features, layer.out_features)
