"""Which linear layers of a model low-rank adapters can serve: those that are given [B, rows, in].

A gate works by rows, so a layer that sees its tokens flattened (routers, shared experts, OPT's MLP) or with more
dimensions (the second half of latent attention) cannot be gated. A pass over a few tokens shows which these are.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from .. import checks
from .now import lock_of

GROUPS = ("all", "attention", "mlp")
PROBE = 2, 3  # rows and tokens of that pass


def linear_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Every linear layer by its name in the model, but the unembedding and what peft has wrapped or put in."""
    checks.instance("model", model, nn.Module, "pass a causal model of transformers, backbone.model")
    inside = {id(m) for m in model.get_output_embeddings().modules()}
    for module in model.modules():
        if hasattr(module, "base_layer"):
            inside |= {id(m) for m in module.modules()}
    return {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear | Conv1D) and id(m) not in inside}


@torch.no_grad()
def given(model: nn.Module, layers: dict[str, nn.Module]) -> dict[str, list[int]]:
    """The shapes that layers are given in a pass over `PROBE` tokens; of several calls one that is not [B, rows, in],
    if there is one, and nothing of layers that are not called.
    """
    shapes: dict[str, list[int]] = {}

    def note(name: str, layer, inputs: tuple) -> None:
        if by_rows(shapes.get(name, [*PROBE, 0])):
            shapes[name] = list(inputs[0].shape) if inputs else []

    with lock_of(model):  # no other thread's call is noted
        hooks = [layer.register_forward_pre_hook(partial(note, name)) for name, layer in layers.items()]
        try:
            model(torch.zeros(PROBE, dtype=torch.long, device=model.device), use_cache=False)
        finally:
            for hook in hooks:
                hook.remove()
    return shapes


def by_rows(shape: list[int]) -> bool:
    """Is it [B, rows, in], of the pass over `PROBE` tokens?"""
    return len(shape) == 3 and tuple(shape[:2]) == PROBE


def select(model: nn.Module, targets: str) -> dict[str, nn.Module]:
    """The linear layers that `targets` names, by their names in the model; ValueError where it names none, or one that
    cannot be gated by rows.
    """
    if not isinstance(targets, str):
        raise ValueError(
            checks.refusal("targets", targets, "it must be 'all', 'attention', 'mlp' or endings: 'q_proj,v_proj'")
        )
    every = linear_layers(model)
    shapes = given(model, every)
    served = {n: m for n, m in every.items() if by_rows(shapes.get(n, []))}
    found = _group(targets, served) if targets in GROUPS else _named(targets, every)
    if not found:
        merge = "merge peft's adapters first (merge_and_unload), or " if hasattr(model, "peft_config") else ""
        raise ValueError(
            f"targets={targets!r}: this model has no such linear layer that is given [batch, rows, in] (the experts of "
            f"a mixture are none): {merge}use some of {_endings(served)}"
        )
    if bad := next((n for n in found if n not in served), None):
        shape = shapes.get(bad, "nothing")
        raise ValueError(
            f"targets={checks.shown(targets)}: layer {bad!r} is given {shape} in a pass over {list(PROBE)} tokens, not "
            f"[batch, rows, in], so its rows cannot be gated: leave it out, and use some of {_endings(served)}"
        )
    return found


def _group(targets: str, layers: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """Those of "all", "attention" or "mlp"."""
    attends = {name for name in layers if "attn" in name or "attention" in name}
    return {n: m for n, m in layers.items() if targets == "all" or (n in attends) == (targets == "attention")}


def _named(targets: str, layers: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """Those whose names end so, in the model's order."""
    found = set()
    for ending in (t.strip() for t in targets.split(",")):
        hits = {n for n in layers if ending and (n == ending or n.endswith(f".{ending}"))}
        if not hits:
            raise ValueError(
                f"targets={checks.shown(targets)}: {checks.shown(ending)} is no linear layer of this model; use 'all', "
                f"'attention', 'mlp' or some of {_endings(layers)}"
            )
        found |= hits
    return {n: m for n, m in layers.items() if n in found}


def _endings(layers: dict[str, nn.Module]) -> str:
    return ", ".join(sorted({n.rpartition(".")[2] for n in layers})) or "none"
