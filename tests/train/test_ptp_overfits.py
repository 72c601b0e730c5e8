"""Row 19 of papers.md, section 6: what numbers in the slots buy, on a teacher so small that its future is enumerated.

One context, V = 4 tokens, K = 2 drafts. Every step draws new futures from the teacher; they are never the same batch.
"""

import itertools

import pytest
import torch
from toys import build
from transformers import GPT2Config

from mtp_explore.decode.generate import sample
from mtp_explore.drafters import make_drafter
from mtp_explore.tensors.categorical import shape

V, K, PROMPT, ROWS = 4, 2, [1, 2], 64


@pytest.fixture(scope="module")
def teacher():
    """(backbone, futures [V^(K+1), K+1], their probabilities)."""
    size = dict(
        vocab_size=V, n_embd=32, n_layer=2, n_head=2, n_positions=16, initializer_range=0.3
    )  # seed 7: drafts depend much on what came before
    owner = build(GPT2Config(**size, bos_token_id=None, eos_token_id=None), seed=7)
    futures = torch.tensor(list(itertools.product(range(V), repeat=K + 1)))
    with torch.no_grad():
        text = torch.cat([torch.tensor([PROMPT]).expand(len(futures), -1), futures], 1)
        laws = shape(owner.model(text).logits[:, len(PROMPT) - 1 : -1])
    return owner, futures, laws.gather(2, futures[..., None])[..., 0].prod(1)


def trained(teacher, embedding: str, steps: int, variant: str = "one-hot", **options):
    """Losses by slot, mean of the last quarter of the steps, in which the rate falls to nothing; and the drafter."""
    owner, futures, chance = teacher
    form = dict(variant=variant, embedding=embedding, **options)
    drafter = make_drafter("ptp", owner, seed=1, horizon=K, anchors=1, **form)
    optimizer = torch.optim.AdamW(drafter.parameters(), weight_decay=0.0)
    draw, seen = torch.Generator().manual_seed(0), []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-2 * min(1, (step + 1) / 20, 2 * (1 - step / steps))
        losses = drafter.losses(*batch(futures[chance.multinomial(ROWS, True, generator=draw)]), draw=step)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        seen.append([v.item() for name, v in losses.items() if name != "loss"])
    return torch.tensor(seen[-steps // 4 :]).mean(0), drafter


def batch(future):
    text = torch.cat([torch.tensor([PROMPT]).expand(len(future), -1), future], 1)
    return text, torch.full((len(future), 1), len(PROMPT) - 1), future[:, None]


def entropies(futures, chance):
    """[K+1] of t_k given the context alone."""
    laws = [torch.zeros(V, dtype=torch.float64).scatter_add(0, futures[:, k], chance) for k in range(K + 1)]
    return torch.stack([-(law * law.clamp(min=1e-300).log()).sum() for law in laws])


# Given their numbers, tokens are certain: O-PTP's cross-entropy goes towards 0 (after 400 steps 0.02, 0.07 and 0.19
# nats, and falling) and its drafts are right; with the constant embedding and the same slots it stops at the entropy of
# each token given the context alone (0.62, 0.68 and 0.90).
def test_one_hot_slots_learn_the_future(teacher):
    _, futures, chance = teacher
    floor = entropies(futures, chance)
    assert (floor > 0.6).all() and float(chance.sum()) == pytest.approx(1)
    ours, drafter = trained(teacher, "bits", 400)
    blind, _ = trained(teacher, "constant", 80)
    assert (ours < floor / 4).all() and (ours[:2] < 0.1).all()
    torch.testing.assert_close(blind.double(), floor, atol=0.06, rtol=0)
    fresh = batch(futures[chance.multinomial(500, True, generator=torch.Generator().manual_seed(9))])
    with torch.no_grad():
        good, real = drafter.right(*fresh)
    assert real.all() and good.double().mean() > 0.9
    options = dict(max_new_tokens=K + 1, seed=3, eos=False)
    found, plain = (sample(teacher[0], d, [PROMPT] * 200, **options) for d in (drafter, None))
    assert torch.equal(found.tokens, plain.tokens)
    assert found.accepted[1].double().mean() > 0.85 * K  # of the drafts of the first call, on numbers never seen


# Given the numbers before it, a token has the teacher's law (Theorem 2): C-PTP stops at the entropy of each token given
# those before it, which is less than given the context alone; learnt from data alone (inverse) or from the teacher.
@pytest.mark.parametrize("source", ["teacher", "inverse"])
def test_categorical_slots_learn_the_law(teacher, source):
    _, futures, chance = teacher
    joint = [-(p * p.clamp(min=1e-300).log()).sum() for p in map(lambda k: head(futures, chance, k), range(K + 2))]
    given = torch.stack([joint[k + 1] - joint[k] for k in range(1, K + 1)])
    found, _ = trained(teacher, "bits", 160, "categorical", source=source)
    assert (entropies(futures, chance)[1:] - given > 0.15).all()
    torch.testing.assert_close(found.double(), given, atol=0.1, rtol=0)


def head(futures, chance, k: int):
    """The law of the first k tokens."""
    return chance.view(V**k, -1).sum(1)
