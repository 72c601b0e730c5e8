"""One long stream of tokens cut into windows of equal length, and the batch of every training step."""

import torch
from torch import Tensor

from ..checks import SEEDS


class TooSmall(ValueError):
    """A text is too short for what is wanted of it."""


def draw_number(seed: int, step: int) -> int:
    """The number of a draw by (seed, step), as generators take it; any seed of `checks.seed` will do."""
    return (1_000_003 * seed + step) % SEEDS


class Windows:
    """Windows of `length` ids from `tokens` [N].  The batch of a step depends on (seed, step) alone: runs can resume.

    Every epoch shifts the borders by a random phase and visits each window once, in random order.
    Raises TooSmall, a ValueError, when the stream is shorter than two windows.
    """

    def __init__(self, tokens: Tensor, length: int, seed: int = 0):
        if len(tokens) < 2 * length:
            raise TooSmall(
                f"the corpus is too small: {len(tokens)} tokens, and windows of {length} need at least {2 * length}. "
                "Give more text or a shorter window"
            )
        self.tokens, self.length, self.seed = tokens, length, seed
        self.per_epoch = len(tokens) // length - 1
        self._epoch, self._starts = -1, None

    def batch(self, step: int, size: int) -> Tensor:
        """Window number step * size and the `size` - 1 after it: [size, length]."""
        numbers = range(step * size, (step + 1) * size)
        return torch.stack([self[n] for n in numbers])

    def __getitem__(self, number: int) -> Tensor:
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            draw = torch.Generator().manual_seed(draw_number(self.seed, epoch))
            phase = torch.randint(self.length, (), generator=draw)
            self._epoch = epoch
            self._starts = (torch.randperm(self.per_epoch, generator=draw) * self.length + phase).tolist()
        start = self._starts[place]
        return self.tokens[start : start + self.length]
