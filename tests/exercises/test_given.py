"""What an exercise may be given, read off its signature."""

import numpy as np
import pytest
import torch

from mtp_explore import exercises
from mtp_explore.exercises.given import checked


def told(k: int, share: float = 0.5, names: list[str] = (), lines: dict[str, dict[int, float]] | None = None):  # noqa: B006
    return k, share, names, lines


told.__annotations__ = {
    "k": "int",
    "share": "float",
    "names": "list[str]",
    "lines": "dict[str, dict[int, float]] | None",
}


# Numbers of numpy and torch come back as Python's own, lists and dicts are checked to their depths.
def test_good_arguments_come_back_plain():
    k, share, names, lines = checked(told)(
        np.int64(3), torch.tensor(0.25), ("a",), {"one": {np.int64(2): np.float32(1)}}
    )
    assert (k, share, names, lines) == (3, 0.25, ["a"], {"one": {2: 1.0}})
    assert type(k) is int and type(share) is float and type(lines["one"][2]) is float


# A refusal names the argument down to the entry, and comes before the function starts.
@pytest.mark.parametrize(
    "given, words",
    [
        (dict(k=0), "k=0: it must be a whole number of at least 1"),
        (dict(k=1, share=float("nan")), "share=nan: it must be a number from 0 to 1"),
        (dict(k=1, names="ab"), "names='ab': it must be a list"),
        (dict(k=1, names=["a", 3]), r"names\[1\]=3: it must be a text"),
        (dict(k=1, lines={"one": {1: None}}), r"lines\['one'\]\[1\]=None: it must be a finite number"),
        (dict(k=1, lines={}), "lines is empty: give at least one"),
    ],
)
def test_refusals_name_the_entry(given, words):
    with pytest.raises((ValueError, TypeError), match=words):
        checked(told)(**given)


# Python itself says which arguments are missing or unknown, by the public name.
def test_missing_arguments_are_told_by_python():
    with pytest.raises(TypeError, match=r"told\(\) missing 1 required positional argument: 'k'"):
        checked(told)()
    with pytest.raises(TypeError, match=r"shorter\(\) got an unexpected keyword argument 'k'"):
        exercises.shorter(None, k=3)
