"""The tape: every uniform a generation uses, thrown before each call.

W [B, K+1, K+1], float64: W[:, b, 0] decides y' if b drafts survive, W[:, b, k] draws the k-th draft of the window that
then begins. Coins C [B, K]. Row r of a batch has its own stream (seed, r), drawn on the CPU (numpy's Philox), so a row
does not depend on its neighbours.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..checks import refusal

CHUNK = 32  # steps drawn ahead


def streams(seed: int | tuple[int, int], rows: int) -> list[np.random.Generator]:
    """One generator per row; `seed` is a number or (number, first row)."""
    seed, first = seed if isinstance(seed, tuple) else (seed, 0)
    return [np.random.Generator(np.random.Philox(key=[seed, first + r])) for r in range(rows)]


class PositionTape:
    """For `match`: W[:, b, k] is the uniform of that token's absolute position, whatever happened before.

    uniforms [B, >= max_new_tokens + 2K + 1] by position after the prompt.
    """

    def __init__(self, uniforms: Tensor, horizon: int, device: torch.device):
        self.uniforms = uniforms.to(device)
        k = torch.arange(horizon + 1, device=device)
        self.places = (k[:, None] + k).flatten()
        self.size = horizon + 1
        self.coins = torch.zeros(len(uniforms), horizon, dtype=torch.float64, device=device)

    def __call__(self, step: int, offset: Tensor) -> tuple[Tensor, Tensor]:
        """W and coins of call `step`; `offset` [B] new tokens committed so far."""
        place = (offset[:, None] + self.places).clamp(max=self.uniforms.shape[1] - 1)
        return self.uniforms.gather(1, place).view(-1, self.size, self.size), self.coins


class FreshTape:
    """For `rejection` and `block`: W and C fresh at every step and the same for all b (re-using a draft's uniform
    after a refusal would bias block verification)."""

    def __init__(self, generators: list[np.random.Generator], horizon: int, device: torch.device):
        self.generators, self.horizon, self.device = generators, horizon, device

    def __call__(self, step: int, offset: Tensor) -> tuple[Tensor, Tensor]:
        if step % CHUNK == 0:
            drawn = np.stack([g.random((CHUNK, 2 * self.horizon + 1)) for g in self.generators])
            self.chunk = torch.from_numpy(drawn).to(self.device)
        w, coins = self.chunk[:, step % CHUNK].split([self.horizon + 1, self.horizon], 1)
        return w[:, None].expand(-1, self.horizon + 1, -1), coins


class HalfTape:
    """At temperature 0: 0.5 everywhere."""

    def __init__(self, rows: int, horizon: int, device: torch.device):
        half = dict(dtype=torch.float64, device=device)
        self.window = torch.full((rows, horizon + 1, horizon + 1), 0.5, **half)
        self.coins = torch.full((rows, horizon), 0.5, **half)

    def __call__(self, step: int, offset: Tensor) -> tuple[Tensor, Tensor]:
        return self.window, self.coins


def make_tape(by_position: bool, temperature: float, rows: int, horizon: int, length: int, seed, uniforms, device):
    """The tape of a generation of at most `length` new tokens; errors name `uniforms` and `seed`."""
    need = length + 2 * horizon + 1
    if uniforms is not None and not by_position and temperature != 0:
        raise ValueError(
            "uniforms= is read by position, which only ordinary decoding and rule='match' do; this rule throws fresh "
            "uniforms at every step: leave uniforms out and choose seed="
        )
    if temperature == 0:
        return HalfTape(rows, horizon, device)
    if not by_position:
        return FreshTape(streams(seed, rows), horizon, device)
    if uniforms is None:
        uniforms = np.stack([g.random(need) for g in streams(seed, rows)])
    try:
        uniforms = torch.as_tensor(uniforms, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            refusal("uniforms", uniforms, "pass numbers in [0, 1), [B, N], as a tensor or array")
        ) from error
    uniforms = uniforms.expand(rows, -1) if uniforms.dim() == 1 and rows == 1 else uniforms
    if uniforms.dim() != 2 or uniforms.shape[0] != rows or uniforms.shape[1] < need:
        raise ValueError(
            f"uniforms has shape {tuple(uniforms.shape)}, but {rows} row(s) need at least {need} numbers each "
            f"(max_new_tokens + 2 K + 1 = {length} + {2 * horizon} + 1)"
        )
    if not bool(((uniforms >= 0) & (uniforms < 1)).all()):
        raise ValueError("uniforms holds numbers outside [0, 1): every one must be >= 0 and < 1")
    return PositionTape(uniforms, horizon, device)
