"""The tape: where every uniform comes from, and that no number is used for two things."""

import numpy as np
import pytest
import torch
from toys import on_every_device

from mtp_explore.decode.tape import make_tape

K, NEW = 3, 40


def tape(by_position, rows=2, horizon=K, length=NEW, seed=5, temperature=1.0, uniforms=None, device="cpu"):
    return make_tape(by_position, temperature, rows, horizon, length, seed, uniforms, torch.device(device))


def philox(seed, stream):
    """Row `stream` of seed `seed`, by numpy itself."""
    return np.random.Generator(np.random.Philox(key=[seed, stream]))


# By position: W[r, b, k] is the uniform of the place offset_r + b + k, for every row at its own offset.
@on_every_device
def test_positions(device):
    u = torch.rand(2, NEW + 2 * K + 1, dtype=torch.float64)
    offset = torch.tensor([4, 19], device=device)
    window, coins = tape(True, uniforms=u, device=device)(7, offset)
    assert window.dtype == torch.float64 and window.shape == (2, K + 1, K + 1) and coins.shape == (2, K)
    for r in range(2):
        for b in range(K + 1):
            for k in range(K + 1):
                assert window[r, b, k] == u[r, int(offset[r]) + b + k]


# Without uniforms, row r reads numpy's Philox stream (seed, r); a longer generation, or one with another horizon (0 is
# ordinary decoding), begins with the same numbers.
def test_position_streams():
    for horizon, length in [(0, 5), (K, NEW), (7, NEW)]:
        made = tape(True, rows=3, horizon=horizon, length=length)
        for r in range(3):
            wanted = philox(5, r).random(length + 2 * horizon + 1)
            for place in range(0, length, 3):
                window, _ = made(place, torch.full((3,), place))
                assert window[r, 0].tolist() == wanted[place : place + horizon + 1].tolist()


# Rows do not depend on their neighbours: row r of a batch is the single run with seed=(seed, r), for either tape.
@pytest.mark.parametrize("by_position", [True, False])
def test_rows_stand_alone(by_position):
    for r in range(4):
        batch, again = tape(by_position, rows=4), tape(by_position, rows=4)
        single = tape(by_position, rows=1, seed=(5, r))
        for step in range(NEW):
            place = torch.full((4,), step)
            for mine, theirs, repeated in zip(
                single(step, place[:1]), batch(step, place), again(step, place), strict=True
            ):
                assert torch.equal(mine[0], theirs[r])
                assert torch.equal(theirs, repeated)
    start = torch.zeros(2, dtype=torch.long)
    assert not torch.equal(tape(by_position, seed=6)(0, start)[0], tape(by_position, seed=5)(0, start)[0])


# Fresh at every step: K + 1 numbers W, the same for every branch, and K coins; no number ever comes twice, in no row
# and at no step, and all lie in [0, 1).
@on_every_device
def test_fresh(device):
    made = tape(False, rows=3, device=device)
    seen = []
    for step in range(100):  # more than the tape draws ahead
        window, coins = made(step, torch.zeros(3, dtype=torch.long, device=device))
        assert (
            window.shape == (3, K + 1, K + 1) and coins.shape == (3, K) and window.dtype == coins.dtype == torch.float64
        )
        assert torch.equal(window, window[:, :1].expand_as(window))
        seen += window[:, 0].flatten().tolist() + coins.flatten().tolist()
    assert len(set(seen)) == len(seen) == 100 * 3 * (2 * K + 1)
    assert min(seen) >= 0 and max(seen) < 1
    assert 0.45 < np.mean(seen) < 0.55


# At temperature 0 the tape hands out 0.5, whatever it was given.
@pytest.mark.parametrize("by_position", [True, False])
def test_greedy_halves(by_position):
    made = tape(by_position, temperature=0, uniforms=torch.rand(2, 99, dtype=torch.float64))
    for step in range(3):
        window, coins = made(step, torch.tensor([step, 9]))
        assert window.shape == (2, K + 1, K + 1) and coins.shape == (2, K)
        assert (window == 0.5).all() and (coins == 0.5).all()


# Given uniforms are checked before anything runs; the error names them, their shape and what is needed, and for a rule
# that cannot use them it names seed=.
def test_bad_uniforms():
    need = NEW + 2 * K + 1
    with pytest.raises(ValueError, match="uniforms=.*rule='match'.*seed="):
        tape(False, uniforms=torch.rand(2, need))
    for shape in [(2, need - 1), (3, need), (need,), (2, need, 1)]:
        with pytest.raises(ValueError, match=rf"uniforms has shape \({shape[0]},.*2 row.*at least {need}"):
            tape(True, uniforms=torch.rand(*shape))
    for bad in (1.0, -1e-9, float("nan")):
        u = torch.rand(2, need, dtype=torch.float64)
        u[1, 3] = bad
        with pytest.raises(ValueError, match=r"uniforms.*\[0, 1\)"):
            tape(True, uniforms=u)


# One row may be given flat, as a list or an array; numbers are read in float64.
def test_uniforms_of_one_row():
    u = [i / 64 for i in range(NEW + 2 * K + 1)]
    for given in (u, np.array(u), torch.tensor(u), [u]):
        window, _ = tape(True, rows=1, uniforms=given)(0, torch.tensor([2]))
        assert window[0, 1].tolist() == u[3 : 3 + K + 1]
