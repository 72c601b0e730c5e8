"""The text is the model's own: shipped backbones, eight held-out prompts each, every drafter.

benchmarks/equality.py does the same for 200 prompts; a difference counts unless the decision was a near-tie.
"""

import pytest
import torch
from common import BACKBONES, prompts
from equality import EDGE, LENGTH, TIE, differences, digest, greedy_by_transformers, reference

import mtp_explore as mtp

COUNT, TOKENS, HORIZON = 8, 128, 8


@pytest.fixture(scope="module", params=BACKBONES)
def case(request):
    backbone = mtp.load_backbone(request.param)
    return request.param, backbone, prompts(backbone, request.param, COUNT, LENGTH)


def drafters(name, backbone, plain):
    yield mtp.make_drafter("lookup", backbone, horizon=HORIZON)
    yield mtp.load_drafter(f"{name}/independent", backbone)
    yield mtp.make_drafter("oracle", backbone, horizon=HORIZON, answer=plain)


def test_greedy_text_is_transformers_own(case):
    """Greedy output of every drafter equals transformers.generate(do_sample=False), token by token."""
    name, backbone, starts = case
    wanted = reference(name, backbone, starts, TOKENS, keep=False)
    plain = mtp.generate(backbone, None, starts, TOKENS, temperature=0)
    for drafter in (None, *drafters(name, backbone, plain)):
        found = mtp.generate(backbone, drafter, starts, TOKENS, temperature=0)
        wrong = [r for r, t in enumerate(found) if digest(t.tokens) != wanted[r]]
        if wrong:
            theirs = greedy_by_transformers(backbone, [starts[r] for r in wrong], TOKENS)
            listed = differences(backbone, [starts[r] for r in wrong], [found[r].tokens for r in wrong], theirs)
            assert all(d["gap"] < TIE for d in listed), listed


def test_match_is_ordinary_decoding_on_the_same_tape(case):
    """At temperature 1, `match` emits the very tokens of ordinary decoding, and a batch of 8 its single runs."""
    name, backbone, starts = case
    draw = torch.Generator().manual_seed(1)
    uniforms = torch.rand(COUNT, TOKENS + 2 * HORIZON + 1, generator=draw, dtype=torch.float64)
    plain = mtp.generate(backbone, None, starts, TOKENS, uniforms=uniforms)
    for drafter in drafters(name, backbone, plain):
        found = mtp.generate(backbone, drafter, starts, TOKENS, uniforms=uniforms, rule="match")
        ours, theirs = [t.tokens for t in found], [t.tokens for t in plain]
        assert all(d["edge"] < EDGE for d in differences(backbone, starts, ours, theirs, uniforms))
        if drafter.name != "oracle":
            rows = [0, 5]
            alone = [
                mtp.generate(backbone, drafter, starts[r], TOKENS, uniforms=uniforms[r], rule="match").tokens
                for r in rows
            ]
            listed = differences(backbone, [starts[r] for r in rows], alone, [ours[r] for r in rows], uniforms[rows])
            assert all(d["edge"] < EDGE for d in listed)
