"""What the tests of the one-hot drafters share: a batch of texts as the loop hands it over, and laws read as tokens."""

import torch

from mtp_explore.contract import State


def state(texts: list[list[int]], junk: int = 0) -> State:
    """A batch of texts in one buffer, as the loop hands them over; what lies beyond a text is junk."""
    size, rows = max(map(len, texts)) + 2, len(texts)
    buffer = torch.tensor([t + [junk] * (size - len(t)) for t in texts])
    nothing, zero = torch.zeros(rows, 1, 0), torch.zeros(rows, dtype=torch.long)
    return State(buffer, torch.tensor([len(t) for t in texts]), nothing[:, 0], nothing, zero, nothing[:, 0])


def one_hots(logq: torch.Tensor) -> list[int]:
    """The tokens of one-hot laws [B, V], each checked to be one."""
    assert logq.exp().sum(-1).tolist() == [1.0] * len(logq) and (logq.max(-1).values == 0).all()
    return logq.argmax(-1).tolist()
