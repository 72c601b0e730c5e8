"""A task that every head can learn, and a run of `fit` on it that dies on request.

Letters follow one another in one fixed cycle, so a state that knows the present letter knows all that follow. The
backbone is a random Llama (V = 264, D = 32, 64 positions); K = 3.

    python learnable.py OUT       two runs of it, into OUT/step and OUT/save, that are killed; prints by which signal
"""

import os
import random
import signal
import sys
from functools import cache
from itertools import count
from pathlib import Path

import torch
from toys import build
from transformers import LlamaConfig

from mtp_explore.backbone.load import Backbone
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.tokenizer import train_tokenizer
from mtp_explore.drafters import make_drafter
from mtp_explore.train import checkpoint
from mtp_explore.train.fit import fit

CYCLE = "qjxkvbpygfwmucldrhsnioat"
STEPS, EVERY = 40, 10


class Cycle(Corpus):
    """Documents that run through the cycle from some letter on. Nobody may ask for the test split."""

    name = "cycle"

    def __init__(self, sizes=(("train", 120), ("validation", 30))):
        self.sizes, self.asked = dict(sizes), []

    def documents(self, split: str):
        self.asked.append(split)
        draw = random.Random(split)
        for _ in range(self.sizes[split]):  # KeyError for "test"
            start, length = draw.randrange(len(CYCLE)), draw.randrange(30, 90)
            yield "".join(CYCLE[(start + i) % len(CYCLE)] for i in range(length))


@cache
def backbone() -> Backbone:
    """The frozen model with its tokenizer; shared, so change nothing about it."""
    tokenizer = train_tokenizer(Cycle().documents("train"), 264)
    config = LlamaConfig(
        **dict(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, intermediate_size=48),
        **dict(num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, initializer_range=0.35),
        **dict(bos_token_id=0, eos_token_id=0, pad_token_id=0),
    )
    made = build(config)
    made.tokenizer = tokenizer
    return made


def drafter(seed: int = 0, **options):
    """The same fresh drafter for the same seed."""
    return make_drafter("independent", backbone(), seed=seed, **{"horizon": 3, "hidden": 64, **options})


def train(learner, out=None, **options):
    """The run that all tests speak of."""
    settings = dict(steps=STEPS, every=EVERY, batch=256, rate=2e-2, positions=4000, progress=False)
    return fit(learner, backbone(), options.pop("corpus", None) or Cycle(), out=out, **(settings | options))


def gradients(drafter, loss) -> dict:
    """{name: gradient of a loss} of every weight of a drafter."""
    drafter.zero_grad()
    loss.backward()
    return {name: w.grad.clone() for name, w in drafter.named_parameters()}


def after(method, n: int, then):
    """`method`, which calls `then()` when its n-th call is done."""
    calls = count(1)

    def wrapped(*args, **kwargs):
        result = method(*args, **kwargs)
        if next(calls) == n:
            then()
        return result

    return wrapped


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def half_the_third(save):
    """`save` of a file, which leaves half of the third one and dies."""
    calls = count(1)

    def wrapped(tensors, path, **options):
        save(tensors, path, **options)
        if next(calls) == 3:
            os.truncate(path, Path(path).stat().st_size // 2)
            die()

    return wrapped


def run_and_die(out: Path, how: str) -> None:
    """A run that ends by SIGKILL: in its 28th "step", or when it has written half of the third checkpoint ("save")."""
    if how == "step":
        torch.optim.AdamW.step = after(torch.optim.AdamW.step, 28, die)
    else:
        checkpoint.save_file = half_the_third(checkpoint.save_file)
    train(drafter(), out)


if __name__ == "__main__":
    backbone()
    for how in ("step", "save"):
        child = os.fork()
        if child == 0:
            run_and_die(Path(sys.argv[1]) / how, how)
        print(how, os.WTERMSIG(os.waitpid(child, 0)[1]))
