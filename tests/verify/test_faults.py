"""Planted faults: rules that look right and are biased. The enumeration must see every one of them."""

import itertools
import math

import oracles
import pytest
import torch
from verdicts import K, batch, enumerated, error, tables

from mtp_explore.contract import Verdict
from mtp_explore.tensors.categorical import at, excess, flip, pick
from mtp_explore.verify import block, rejection


def _drop_the_correction(p, draft, window, coins):
    """Algorithm 2 of MTPC: a refused place is drawn from the target again, not from the residual."""
    kept = flip(rejection.chances(p, draft), coins) & (torch.arange(K) < draft.n[:, None])
    a = kept.long().cumprod(1).sum(1)
    return Verdict(a, pick(at(p, a), at(window[:, :, 0], a)))


def _sum_for_cumprod(p, draft, window, coins):
    kept = flip(rejection.chances(p, draft), coins) & (torch.arange(K) < draft.n[:, None])
    a = kept.long().sum(1)
    return Verdict(a, pick(rejection.law(p, draft, a), at(window[:, :, 0], a)))


def _padding_counts(p, draft, window, coins):
    return rejection.verify(p, draft._replace(n=torch.full_like(draft.n, K)), window, coins)


def _coins_the_other_way(p, draft, window, coins):
    kept = ~flip(1 - rejection.chances(p, draft), coins) & (torch.arange(K) < draft.n[:, None])
    a = (~kept & (torch.arange(K) < draft.n[:, None])).long().cumprod(1).sum(1)
    return Verdict(a, pick(rejection.law(p, draft, a), at(window[:, :, 0], a)))


def _block_stops_at_the_first(p, draft, window, coins):
    stands = flip(block.chances(p, draft), coins) & (torch.arange(1, K + 1) <= draft.n[:, None])
    a = stands.long().cumprod(1).sum(1)
    return Verdict(a, pick(block.law(p, draft, a), at(window[:, :, 0], a)))


def _block_with_the_token_residual(p, draft, window, coins):
    a = block.verify(p, draft, window, coins).accepted
    return Verdict(a, pick(rejection.law(p, draft, a), at(window[:, :, 0], a)))


def _block_by_token_chances(p, draft, window, coins):
    stands = flip(rejection.chances(p, draft), coins) & (torch.arange(1, K + 1) <= draft.n[:, None])
    a = (stands * torch.arange(1, K + 1)).amax(1)
    return Verdict(a, pick(block.law(p, draft, a), at(window[:, :, 0], a)))


def _residual_from_the_other_side(p, draft, window, coins):
    a = rejection.verify(p, draft, window, coins).accepted
    law = torch.where((a < draft.n)[:, None], excess(at(draft.q, a.clamp(max=K - 1)), at(p, a)), at(p, a))
    return Verdict(a, pick(law, at(window[:, :, 0], a)))


FAULTS = [
    _drop_the_correction,
    _sum_for_cumprod,
    _padding_counts,
    _coins_the_other_way,
    _residual_from_the_other_side,
    _block_stops_at_the_first,
    _block_with_the_token_residual,
    _block_by_token_chances,
]


# Row 14: every planted fault misses the target's law by more than 1e-3, so the enumeration can fail.
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__[1:])
def test_planted_faults_are_seen(fault):
    misses = []
    for seed in (30, 32, 34):
        p, q = tables(3, seed)
        misses += [miss for miss, _ in error(enumerated(fault, *batch(p, q, 3)), p, 3).values()]
    assert max(misses) > 1e-3


# Row 14, with its numbers: dropping the correction turns (.5, .5) into (.7, .3) when the draft is (.9, .1).
def test_dropping_the_correction_by_the_numbers():
    p = {x: [0.5, 0.5] for m in range(K + 1) for x in itertools.product(range(2), repeat=m)}
    q = {x: [0.9, 0.1] for x in p}
    outcomes = enumerated(_drop_the_correction, *batch(p, q, 2, ns=[1]))
    first = [sum(w for *_, x, w in outcomes if x[0] == t) for t in range(2)]
    assert first == pytest.approx([0.7, 0.3])
    outcomes = enumerated(rejection.verify, *batch(p, q, 2, ns=[1]))
    assert [sum(w for *_, x, w in outcomes if x[0] == t) for t in range(2)] == pytest.approx([0.5, 0.5])


# Row 14: a draft that is the arg-max but scored with the soft q gives (0, 0, 1, 0) for (.09, .09, .64, .18); one drawn
# after a cut but scored before it (or the reverse) is biased as well. The rule cannot know: q must be what drew.
@pytest.mark.parametrize("rule", [rejection, block], ids=["rejection", "block"])
def test_q_must_be_the_law_that_drew(rule):
    p = {x: [0.09, 0.09, 0.64, 0.18] for m in range(K + 1) for x in itertools.product(range(4), repeat=m)}
    q = {x: [0.2, 0.1, 0.5, 0.2] for x in p}
    greedy = {x: [0.0, 0.0, 1.0, 0.0] for x in p}
    outcomes = enumerated(rule.verify, *batch(p, q, 4, ns=[1], drawn=greedy))
    assert [sum(w for *_, x, w in outcomes if x[0] == t) for t in range(4)] == pytest.approx([0, 0, 1, 0])
    cut = {x: oracles.shaped([math.log(v) for v in law], top_k=2) for x, law in q.items()}
    found = error(enumerated(rule.verify, *batch(p, q, 4, drawn=cut)), p, 4)
    assert found[0][0] < 1e-12 and min(found[n][0] for n in range(1, K + 1)) > 1e-3
