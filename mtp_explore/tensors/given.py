"""What a public function of tensors may be given: errors name the argument, what it is and what it must be.

Only type, axes and kind of number are looked at, which costs microseconds and reads nothing from the device.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..checks import refusal

KINDS = {"numbers": lambda x: x.is_floating_point(), "whole numbers": lambda x: not x.is_floating_point()}


def tensor(name: str, value, axes: str, kind: str | None = None) -> Tensor:
    """`value`, where it is a tensor with these axes ("B, T"; "..., V" for any before the last) of this kind
    ("numbers": of floating point; "whole numbers"; None: any). Else TypeError (no tensor) or ValueError.
    """
    remedy = f"it must be a tensor [{axes}]" + (f" of {kind}" if kind else "")
    if not isinstance(value, Tensor):
        raise TypeError(refusal(name, value, remedy))
    named = axes.split(", ") if axes else []
    free = named[:1] == ["..."]
    fits = value.dim() >= len(named) - 1 if free else value.dim() == len(named)
    plain = not value.is_complex() and (value.dtype != torch.bool or kind is None)
    if not fits or not plain or (kind and not KINDS[kind](value)):
        raise ValueError(f"{name} has the shape {tuple(value.shape)} and holds {value.dtype}: {remedy}")
    return value


def together(**values: Tensor) -> None:
    """ValueError where the shapes of these tensors do not meet, axis by axis from the last."""
    try:
        torch.broadcast_shapes(*(x.shape for x in values.values()))
    except RuntimeError as error:
        shapes = " and ".join(f"{name} has the shape {tuple(x.shape)}" for name, x in values.items())
        raise ValueError(f"{shapes}: they must be of one shape") from error
