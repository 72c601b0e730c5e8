"""Beliefs along a text: laws of latents as sums over every assignment of all latents."""

import itertools

import pytest
import torch
from toys import ARCHITECTURES, build
from transformers import LlamaConfig

from mtp_explore.drafters import make_drafter
from mtp_explore.measure.beliefs import follow, places

PROMPT, TOKENS, R = [1, 2, 0], [2, 0, 1, 1], 2


def made(kind: str, **options):
    """A drafter with random weights on a float64 model of three tokens; windows of four."""
    sizes = dict(vocab_size=3, hidden_size=16, head_dim=4, initializer_range=1.0, tie_word_embeddings=False)
    backbone = build(LlamaConfig(**ARCHITECTURES["llama"]().to_dict() | sizes), dtype=torch.float64)
    torch.manual_seed(1)
    drafter = make_drafter(kind, backbone, horizon=3, rank=R, head_rank=4, **options)
    for name, w in drafter.named_parameters():
        w.data.normal_(0, 2.0 if "bias" in name else 0.7)
    return drafter


def weights(kind: str, circuit, z: tuple[int, ...]):
    """(probability of an assignment, latent of each of the four tokens); a tree's are root, (1, 2), (3, 4)."""
    w = circuit.logw[0].exp()
    if kind == "cp":
        return w[z[0]], [z[0]] * 4
    if kind == "hmm":
        moves = circuit.logT[0].exp()
        return w[z[0]] * moves[0, z[0], z[1]] * moves[1, z[1], z[2]] * moves[2, z[2], z[3]], list(z)
    left, right = circuit.logA[0].exp()
    return w[z[0]] * left[z[0], z[1]] * right[z[0], z[2]], [z[1], z[1], z[2], z[2]]


@pytest.mark.parametrize("mixing", ["state", "token"])
@pytest.mark.parametrize("kind, latents", [("cp", 1), ("hmm", 4), ("btree", 3)])
def test_laws_of_latents_are_sums_over_assignments(kind, latents, mixing):
    drafter = made(kind, mixing=mixing)
    path = follow(drafter, PROMPT, TOKENS)
    hidden = drafter.backbone.model.model(torch.tensor([PROMPT])).last_hidden_state[:, -1]
    circuit, phi = drafter.circuit(hidden), drafter.factors(drafter.heads(hidden))[0].exp()
    if mixing == "token":
        phi[0] *= drafter.tilt(drafter.backbone.embed(torch.tensor(TOKENS[:1])))[0].exp()[:, None]
    for k in range(5):
        of_token, of_node = torch.zeros(4, R, dtype=torch.float64), torch.zeros(latents, R, dtype=torch.float64)
        for z in itertools.product(range(R), repeat=latents):
            chance, states = weights(kind, circuit, z)
            for i in range(k):
                chance = chance * phi[i, states[i], TOKENS[i]]
            for i, s in enumerate(states):
                of_token[i, s] += chance
            for i, s in enumerate(z):
                of_node[i, s] += chance
        if k < 4:  # after the last token there is no next latent
            assert torch.allclose(path.laws[k], of_token[k] / of_token[k].sum(), atol=1e-10)
        if kind == "btree":
            assert torch.allclose(path.nodes[k], of_node / of_node.sum(1, keepdim=True), atol=1e-10)


# The chances are those with which the drafter would have drawn these tokens: the first is the target's own.
def test_chances_are_the_drafters():
    from mtp_explore.measure.joint import exact_joint

    drafter = made("hmm")
    path, joint = follow(drafter, PROMPT, TOKENS[:3]), exact_joint(drafter, PROMPT, n=3)
    place = tuple(axis.index(t) for axis, t in zip(joint.tokens, TOKENS, strict=False))
    assert torch.allclose(path.chances.prod(), joint.law[place], atol=1e-10)


# Spans are those of the tree's picture: halves, the smaller one on the left, down to two tokens or three.
def test_places_of_a_tree():
    assert places(4) == [(1, 4), (1, 2), (3, 4)]
    assert places(5) == [(1, 5), (1, 2), (3, 5), (4, 5)]
    assert all(len(places(n)) == n - 1 for n in range(2, 20))


def test_bad_input_says_the_remedy():
    drafter = made("cp")
    for tokens in ([], [0] * 5):
        with pytest.raises(ValueError, match="absorbs 1 to 4 tokens"):
            follow(drafter, PROMPT, tokens)
    with pytest.raises(ValueError, match="has no latents"):
        follow(make_drafter("lookup", drafter.backbone, horizon=3), PROMPT, [0])
