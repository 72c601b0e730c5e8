"""A backbone with five tokens, and a soft drafter that has been told what ordinary decoding says."""

import pytest
import torch
from five import NEW, PROMPTS, K, V
from toys import Told, build
from transformers import GPT2Config

from mtp_explore.decode.generate import sample


@pytest.fixture(scope="session")
def small():
    """A GPT-2 with five tokens, in float64."""
    size = dict(vocab_size=V, n_embd=32, n_layer=2, n_head=4, n_positions=64, initializer_range=0.3)
    return build(GPT2Config(**size, bos_token_id=0, eos_token_id=0), dtype=torch.float64)


@pytest.fixture(scope="session")
def told(small):
    """Told what ordinary decoding with seed 7 says."""
    wanted = sample(small, None, PROMPTS, NEW, seed=7, eos=False)
    return Told(small, [p + t for p, t in zip(PROMPTS, wanted.tokens.tolist(), strict=True)], horizon=K)
