"""Checkpoints of a training run: weights, AdamW's moments and the step in one safetensors file, written whole."""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mtp_explore.backbone.files import replace
from mtp_explore.backbone.seal import check_seal, seal

CURVES = "seen/curves"


def save_checkpoint(path: Path, model, optimizer, facts: dict, curves: dict | None = None) -> None:
    """Write the state after a step; `facts` (JSON) says which run and which step, `curves` (JSON) what it has seen.

    An interrupt or a full disk (OSError) leaves the old file.
    """
    tensors = {}
    for name, parameter in model.named_parameters():
        tensors[f"model/{name}"] = parameter.detach()
        for key, value in optimizer.state[parameter].items():
            tensors[f"{key}/{name}"] = value
    if curves is not None:  # a tensor of bytes, for a file's facts have little room
        tensors[CURVES] = torch.frombuffer(bytearray(json.dumps(curves), "ascii"), dtype=torch.uint8)

    def write(temporary: str) -> None:
        save_file(tensors, temporary, metadata={"facts": json.dumps(facts)})
        seal(temporary)

    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, write)


def read_facts(path: Path) -> dict:
    """The facts of a checkpoint, without its tensors."""
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads(file.metadata()["facts"])
    except Exception as error:
        raise ValueError(f"checkpoint {str(path)!r} cannot be read ({error}): delete it and start afresh") from error


def read_curves(path: Path) -> dict:
    """The curves of a checkpoint; {} where there are none (an older one)."""
    with safe_open(path, framework="pt") as file:
        return json.loads(bytes(file.get_tensor(CURVES).tolist())) if CURVES in file.keys() else {}


def load_checkpoint(path: Path, model, optimizer) -> dict:
    """Put a checkpoint's state into `model` and `optimizer`; return its facts. ValueError: a damaged file."""
    facts = read_facts(path)
    check_seal(path)
    with safe_open(path, framework="pt") as file:
        for name, parameter in model.named_parameters():
            parameter.data.copy_(file.get_tensor(f"model/{name}"))
            keys = {key.split("/", 1)[0] for key in file.keys() if key.split("/", 1)[1] == name} - {"model", "seen"}
            state = {key: file.get_tensor(f"{key}/{name}") for key in keys}
            # AdamW keeps its step counts on the CPU, its moments beside the parameter
            optimizer.state[parameter] = {k: v if k == "step" else v.to(parameter.device) for k, v in state.items()}
    return facts
