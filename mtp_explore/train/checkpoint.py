"""Checkpoints of a training run: weights, AdamW's moments and the step in one safetensors file, written whole."""

import json
import os
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file


def save_checkpoint(path: Path, model, optimizer, facts: dict) -> None:
    """Write the state after a step; `facts` (JSON) says which run and which step.  An interrupt leaves the old file."""
    tensors = {}
    for name, parameter in model.named_parameters():
        tensors[f"model/{name}"] = parameter.detach()
        for key, value in optimizer.state[parameter].items():
            tensors[f"{key}/{name}"] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    save_file(tensors, beside, metadata={"facts": json.dumps(facts)})
    os.replace(beside, path)


def read_facts(path: Path) -> dict:
    """The facts of a checkpoint, without its tensors."""
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads(file.metadata()["facts"])
    except Exception as error:
        raise ValueError(f"checkpoint {str(path)!r} cannot be read ({error}): delete it and start afresh") from error


def load_checkpoint(path: Path, model, optimizer) -> dict:
    """Put a checkpoint's state into `model` and `optimizer`; return its facts."""
    facts = read_facts(path)
    with safe_open(path, framework="pt") as file:
        for name, parameter in model.named_parameters():
            parameter.data.copy_(file.get_tensor(f"model/{name}"))
            keys = [key.split("/", 1)[0] for key in file.keys() if key.split("/", 1)[1] == name]
            optimizer.state[parameter] = {k: file.get_tensor(f"{k}/{name}") for k in keys if k != "model"}
    return facts
