"""What tells one set of weights from another: a few digits, quickly made, the same in every precision."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def fingerprint(model) -> str:
    """Twelve hex digits that change with the weights, from at most 511 entries of each parameter in bfloat16."""
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        flat = dense(weight).flatten()
        some = flat[:: max(1, flat.numel() // 256)].to(torch.bfloat16).view(torch.int16).cpu()
        digest.update(name.encode() + some.numpy().tobytes())
    return digest.hexdigest()[:12]


def dense(weight: Tensor) -> Tensor:
    """A weight as plain numbers; quantised ones come as tensors of a kind of their own, which cannot be sliced."""
    return weight.detach() if type(weight) in (Tensor, torch.nn.Parameter) else weight.detach().dequantize()
