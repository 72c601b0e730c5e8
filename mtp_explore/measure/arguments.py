"""What the functions of this floor may be given, beyond `mtp_explore.checks`: models, prompts, texts, logits.

Each error names the argument, its value and the remedy, before any work.
"""

from __future__ import annotations

from numbers import Integral

import torch
from torch import Tensor

from ..backbone.load import Backbone
from ..checks import instance, items, refusal, shown, whole
from ..decode.arguments import VERBS


def model(name: str, value) -> Backbone:
    return instance(name, value, Backbone, "pass what load_backbone() returns")


def drafting(name: str, value):
    """A drafter; TypeError where it is none."""
    if isinstance(value, type) or not all(hasattr(value, verb) for verb in (*VERBS, "backbone", "horizon")):
        raise TypeError(refusal(name, value, "pass what make_drafter() or load_drafter() returns"))
    return value


def fitting(backbone: Backbone, prompt, more: int, called: str = "n") -> list[int]:
    """The ids of one prompt; ValueError where `more` tokens after it do not fit into the context."""
    ids = single(backbone, prompt)
    if len(ids) + more > backbone.context:
        more, most = shown(more), max(0, backbone.context - more)
        raise ValueError(
            f"{called}={more}: prompt has {len(ids)} tokens, and {more} more do not fit into the {backbone.context} "
            f"positions of {backbone.name!r}: cut the prompt to {most} tokens"
        )
    return ids


def single(backbone: Backbone, prompt) -> list[int]:
    """The ids of one prompt, text or ids."""
    if isinstance(prompt, Integral):
        raise TypeError(refusal("prompt", prompt, "pass a string, or a list of token ids"))
    return backbone.encode([prompt])[0]


def listed(name: str, value, of: str, least: int = 1) -> list:
    """`value` as a list; TypeError where it is a text, a mapping or no collection, ValueError where it is too short."""
    found = items(name, value, of)
    if len(found) < least:
        raise ValueError(f"{name} is empty: give at least {'one' if least == 1 else least} of {of}")
    return found


def spots(name: str, value, last: int) -> list[int]:
    """Places of a text as given; ValueError where there is none, or one lies outside of 0..last."""
    found = listed(name, value, "places", 0)
    if not found or last < 0:
        raise ValueError(refusal(name, found, f"give places from 0 to {last}"))
    return [whole(f"{name}[{i}]", t, 0, last, why=f"give places from 0 to {last}") for i, t in enumerate(found)]


def sound(logits: Tensor, owner) -> Tensor:
    """Logits, or log-probabilities; ValueError where they are nan or plus infinity, for then no law follows. owner: the
    backbone or drafter that gave them.
    """
    if not bool((logits < torch.inf).all()):
        kind = "backbone" if isinstance(owner, Backbone) else "drafter"
        raise ValueError(
            f"{kind}={owner.name!r} answers with logits that are nan or infinite: its weights are damaged, or their "
            f"precision ({logits.dtype}) is too low; load it anew, or with dtype=torch.float32"
        )
    return logits
