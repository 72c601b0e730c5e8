"""What belongs to one call of a model in one thread: the rows that are unembedded, and the adapters that act.

Hooks stand on a model's layers once and for all and read what the thread's own call has set here; without a call they
do nothing. So nothing is put on or taken off around a call: an interrupt leaves the model as it was, another thread's
call is not met, and a copy of the model serves as well, because layers go by their names.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

RANGE = torch.finfo(torch.float16).min, torch.finfo(torch.float16).max
_locks: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # a model -> its lock


class Adapters(Protocol):
    """Low-rank updates s A (B x) of a model's layers."""

    layers: Mapping[str, nn.Module]  # by their names in the model
    scale: float  # s

    def pair(self, name: str) -> tuple[Tensor, Tensor]:
        """B [r, in] and A [out, r] of a layer."""
        ...


class Gate:
    """Adapters that act on the rows `first`.. of a call and on no others: handed to `Backbone.call`, or opened by hand
    with `with` around calls of a model that the adapters were made for.
    """

    def __init__(self, adapters: Adapters, first: int):
        self.adapters, self.first, self.outer = adapters, first, []

    def __enter__(self) -> Gate:
        self.outer.append(NOW.gate)
        NOW.gate = self
        return self

    def __exit__(self, *error) -> None:
        NOW.gate = self.outer.pop()


class _Now(threading.local):
    """What the call of this thread has set; None: there is no call, or it has none."""

    keep: Tensor | None = None  # [B, R'] rows to unembed
    states: Tensor | None = None  # [B, Q, D] what entered the unembedding
    gate: Gate | None = None


NOW = _Now()


def lock_of(model: nn.Module) -> threading.RLock:
    """The lock of a model: held for the length of one call, because training on frozen keys exchanges its attention."""
    return _locks.setdefault(model, threading.RLock())


def listen(head: nn.Module) -> None:
    """Let the unembedding note the states that enter it and unembed only the rows that the call keeps."""
    if _capture not in head._forward_pre_hooks.values():
        head.register_forward_pre_hook(_capture)


def attach(model: nn.Module, adapters: Adapters) -> None:
    """Let the layers of `model` that `adapters` name read the gate."""
    ready = model.__dict__.get("_mtp_gated", frozenset())
    if adapters.layers.keys() <= ready:
        return
    for name in adapters.layers:
        layer = model.get_submodule(name)
        if not any(getattr(hook, "func", None) is _add for hook in layer._forward_hooks.values()):
            layer.register_forward_hook(partial(_add, name))
    model.__dict__["_mtp_gated"] = ready | adapters.layers.keys()


def _capture(head: nn.Module, inputs: tuple) -> tuple | None:
    """The pre-hook of the unembedding."""
    if NOW.keep is None:
        return None
    NOW.states = states = inputs[0]
    return (states.gather(1, NOW.keep[..., None].expand(-1, -1, states.shape[-1])),)


def _add(name: str, layer: nn.Module, inputs: tuple, output: Tensor) -> Tensor | None:
    """The hook of an adapted layer: output [B, Q, out] plus the update of the rows first.. ."""
    gate = NOW.gate
    if gate is None or name not in gate.adapters.layers:
        return None
    x, first, scale = inputs[0], gate.first, gate.adapters.scale
    if x.dim() != 3:
        raise ValueError(
            f"layer {name!r} is given {list(x.shape)}, not [batch, rows, in], so its rows cannot be gated: leave it "
            "out with targets="
        )
    down, up = gate.adapters.pair(name)
    z = nn.functional.linear(x[:, first:].to(down.dtype), down)
    if z.dtype == torch.float16:
        z = z.clamp(*RANGE)
    update = nn.functional.linear(z, up).to(output.dtype)
    if first == 0:
        return output.add(update, alpha=scale)
    output[:, first:].add_(update, alpha=scale)  # in place: the rows before it are not even copied
    return output
