"""Values that no argument expects, and what may come of them: a result, or an error that names the argument."""

from __future__ import annotations

import math

import numpy as np
import torch

VALUES = {
    "None": None,
    "text": "x",
    "empty text": "",
    "bytes": b"x",
    "True": True,
    "zero": 0,
    "minus one": -1,
    "half": 2.5,
    "nan": math.nan,
    "inf": math.inf,
    "huge": 10**30,
    "complex": 1j,
    "numpy float": np.float32(2.5),
    "numpy nan": np.float64("nan"),
    "numpy whole": np.int64(-3),
    "empty list": [],
    "list of None": [None],
    "list of texts": ["a", "b"],
    "ragged list": [[1, 2], [3]],
    "empty dict": {},
    "dict of None": {"a": None},
    "dict of texts": {"a": "x"},
    "dict with an odd key": {None: 1},
    "dict of lists": {"a": [math.nan]},
    "dict of a negative": {-1: -1},
    "empty array": np.zeros(0),
    "array of three axes": np.full((2, 2, 2), 0.125),
    "array of nan": np.full((2, 2), math.nan),
    "array of objects": np.array([object()]),
    "array of complex": np.array([1j]),
    "tensor": torch.zeros(3),
    "tensor of nan": torch.full((2, 2), math.nan),
    "whole tensor": torch.full((1, 2), -7),
    "empty tensor": torch.zeros(0, dtype=torch.long),
    "scalar tensor": torch.tensor(5),
    "object": object(),
    "function": lambda *a, **k: None,
    "class": dict,
}


def raw(call, name: str, aliases: tuple[str, ...] = ()) -> str | None:
    """What is wrong with the answer of `call` to a strange argument `name`; None where it is one that helps: a result,
    or a ValueError or TypeError that names the argument (or what it stands for).
    """
    try:
        call()
    except (ValueError, TypeError) as error:
        said = str(error)
        if not any(word in said for word in (name, *aliases)):
            return f"{type(error).__name__} without the name {name}: {said[:150]}"
        if len(said) > 700:
            return f"a message of {len(said)} signs: {said[:150]}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:150]}"
    return None


def sweep(function, good: dict, aliases: dict[str, tuple[str, ...]] | None = None, skip: tuple[str, ...] = ()):
    """[(argument, value, what is wrong)] of every argument of a working call, replaced by every value."""
    function(**good)
    found = []
    for name in good:
        for title, value in VALUES.items():
            if name not in skip:
                wrong = raw(lambda n=name, v=value: function(**{**good, n: v}), name, (aliases or {}).get(name, ()))
                if wrong:
                    found.append((name, title, wrong))
    return found
