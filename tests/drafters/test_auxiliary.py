"""Embeddings of a uniform: their features against slow twins, and where they start."""

import struct

import pytest
import torch

from mtp_explore.drafters.auxiliary import EMBEDDINGS, Auxiliary

U = [0.0, 2.0**-17, 0.1, 1 / 3, 0.5, 0.5 + 2.0**-16, 0.7, 1 - 2.0**-16, 1 - 2.0**-53]


def twin(name: str, u: float) -> list[float]:
    if name == "bits":
        return [2.0 * int(c) - 1 for c in format(int(u * 2**16), "016b")] + [1.0]
    if name == "float":
        word = struct.unpack("<I", struct.pack("<f", min(u, 1 - 2.0**-24)))[0]
        return [2.0 * int(c) - 1 for c in reversed(format(word, "032b"))] + [1.0]
    if name == "thresholds":
        return [1.0 if u <= i / 33 else -1.0 for i in range(1, 33)] + [1.0]
    if name == "interpolation":
        return [1 - 2 * u, 2 * u, 0.0] if u < 0.5 else [0.0, 2 - 2 * u, 2 * u - 1]
    return [(u - 0.5) * 12**0.5, 1.0] if name == "scalar" else [1.0]


# Features are those of the definitions, number by number, ends included.
@pytest.mark.parametrize("name", EMBEDDINGS)
def test_features(name):
    u = torch.tensor(U, dtype=torch.float64)
    found = EMBEDDINGS[name](u.view(3, 3)).flatten(0, 1).double()
    wanted = torch.tensor([twin(name, x) for x in U], dtype=torch.float64)
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=0)


# It starts as rows like a table's, one for each slot, that know nothing of u; trained, it is linear in the features of
# u and tells numbers apart (all but the constant one).
@pytest.mark.parametrize("name", EMBEDDINGS)
def test_embedding(name):
    torch.manual_seed(0)
    made, u = Auxiliary(name, 256, 0.3, 3), torch.rand(500, 3, dtype=torch.float64)
    assert torch.equal(made(u), made.rows.expand(500, -1, -1))
    assert made.rows.square().mean().sqrt().item() == pytest.approx(0.3, rel=0.15)
    torch.nn.init.normal_(made.weight)
    torch.testing.assert_close(made(u), EMBEDDINGS[name](u).float() @ made.weight + made.rows)
    rows = len(made(u)[:, 0].unique(dim=0))
    assert rows == 1 if name == "constant" else rows > (400 if name != "thresholds" else 30)
    assert made.bfloat16()(u).dtype == torch.bfloat16


# Where only some slots are asked for, each has its own row.
def test_slots_are_told_by_number():
    torch.manual_seed(1)
    made, u = Auxiliary("bits", 8, 0.3, 4), torch.rand(5, 4, dtype=torch.float64)
    torch.nn.init.normal_(made.weight)
    slot = torch.tensor([3, 1])
    torch.testing.assert_close(made(u[:, slot], slot), made(u)[:, slot])


def test_unknown_embeddings_are_refused():
    with pytest.raises(ValueError, match="embedding='sine'.*'bits', 'float', 'thresholds'"):
        Auxiliary("sine", 4, 1.0, 1)
