"""The rules against the target's law, by enumeration on random tables, and against plain loops."""

import itertools
from types import SimpleNamespace

import oracles
import pytest
import torch
from toys import on_every_device
from verdicts import K, batch, enumerated, error, halves, tables

from mtp_explore.contract import Draft
from mtp_explore.tensors.categorical import at, pick
from mtp_explore.verify import RULES, block, match, rejection, rule_named

DRAWN = {"rejection": rejection, "block": block}  # the rules that flip coins
each_rule = pytest.mark.parametrize("rule", DRAWN.values(), ids=DRAWN)


# Row 13 of papers.md section 6: with 0..3 drafts in one ragged batch, what is emitted has the target's joint law to
# 1e-12, and the expected number of accepted drafts is the closed form's.
@on_every_device
@each_rule
@pytest.mark.parametrize("size, zeros", [(3, False), (3, True), (4, True), (5, False)])
def test_the_law_is_the_targets(rule, size, zeros, device):
    p, q = tables(size, 10 * size, zeros)
    found = error(enumerated(rule.verify, *batch(p, q, size, device=device)), p, size)
    closed = oracles.accepted_by_rejection if rule is rejection else oracles.accepted_by_block
    for n in range(K + 1):
        assert found[n][0] < 1e-12
        assert found[n][1] == pytest.approx(closed(p, q, size, n), abs=1e-12)


# Block verification accepts at least as many as the token rule, more on some tables, and the same for one draft.
def test_block_accepts_no_less():
    gains = []
    for seed in range(6):
        p, q = tables(3, seed)
        found = [error(enumerated(rule.verify, *batch(p, q, 3)), p, 3) for rule in (block, rejection)]
        gains.append([found[0][n][1] - found[1][n][1] for n in range(K + 1)])
    assert all(g > -1e-12 for gain in gains for g in gain)
    assert all(abs(gain[1]) < 1e-12 for gain in gains)
    assert max(gain[K] for gain in gains) > 1e-2


# A draft from the target's own law is always kept; one from a disjoint law never.
@each_rule
def test_the_same_law_and_a_disjoint_one(rule):
    p, _ = tables(4, 3)
    outcomes = enumerated(rule.verify, *batch(p, p, 4))
    assert sum(w for n, a, _, w in outcomes if a < n) < 1e-12
    low = {x: oracles.normal([*law[:2], 0.0, 0.0]) for x, law in p.items()}
    high = {x: oracles.normal([0.0, 0.0, *law[2:]]) for x, law in p.items()}
    outcomes = enumerated(rule.verify, *batch(low, high, 4))
    assert all(a == 0 and x[0] < 2 for _, a, x, _ in outcomes)


# One-hot drafts are kept with the target's probability of them, and there block and token rule are the same.
def test_one_hot_drafts():
    p, q = tables(4, 5)
    q = {x: [float(i == law.index(max(law))) for i in range(4)] for x, law in q.items()}
    rows = batch(p, q, 4)
    for rule in DRAWN.values():
        found = error(enumerated(rule.verify, *rows), p, 4)
        for n in range(K + 1):
            assert found[n][0] < 1e-12
            assert found[n][1] == pytest.approx(oracles.accepted_by_match(p, q, 4, n), abs=1e-12)
    target, draft, _ = rows
    real = torch.arange(K) < draft.n[:, None]
    drafted = target[:, :K].gather(-1, draft.tokens[..., None])[..., 0]
    assert torch.allclose(rejection.chances(target, draft)[real], drafted[real])


# `match` is unbiased given any draft at all, whoever chose it; with drafts drawn apart from it, E[accepted] is the sum
# of the products p q; and what it emits is what the target picks on the tape.
@on_every_device
@pytest.mark.parametrize("size", [3, 4])
def test_match_is_ordinary_decoding(size, device):
    p, q = tables(size, 20 + size)
    target, draft, weight = batch(p, q, size, device=device)
    bins = torch.tensor(list(itertools.product(range(size), repeat=K + 1)), device=device)
    row = torch.arange(len(target), device=device).repeat_interleave(len(bins))
    edges = target.cumsum(-1) / target.sum(-1, keepdim=True)
    low = torch.cat([torch.zeros_like(edges[..., :1]), edges[..., :-1]], -1)
    index = bins.repeat(len(target), 1)[..., None]
    u = ((edges + low) / 2)[row].gather(-1, index)[..., 0]
    width = (edges - low)[row].gather(-1, index)[..., 0].prod(1)
    window = torch.rand(len(row), K + 1, K + 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(
        device
    )
    window[:, :, 0] = u
    verdict = match.verify(target[row], Draft(*(x[row] for x in draft[:3])), window, torch.zeros(len(row), K))
    outcomes, given = [], {}
    facts = (row, verdict.accepted, verdict.token, width, index[..., 0], draft.tokens[row], draft.n[row], weight[row])
    for r, a, y, w, x, d, n, drafted in zip(*(f.tolist() for f in facts), strict=True):
        assert [*d[:a], y] == x[: a + 1] and (a == n or d[a] != y)
        given.setdefault(r, []).append((0, a, (*d[:a], y), w))
        outcomes.append((n, a, (*d[:a], y), w * drafted))
    assert max(error(one, p, size)[0][0] for one in given.values()) < 1e-12
    for n, (miss, accepted) in error(outcomes, p, size).items():
        assert miss < 1e-12
        assert accepted == pytest.approx(oracles.accepted_by_match(p, q, size, n), abs=1e-12)


# On random numbers, ragged, every verdict is that of the plain loop; the kept drafts follow from `chances`, the law of
# the rule's own token is `law`: what a trace records is what decided.
@pytest.mark.parametrize("name", RULES)
def test_verdicts_are_the_loops(name):
    rule, size, rows = RULES[name], 5, 400
    g = torch.Generator().manual_seed(4)
    p, q = ((2 * torch.randn(rows, m, size, generator=g, dtype=torch.float64)).softmax(-1) for m in (K + 1, K))
    q[: rows // 2] = (q[: rows // 2] + 4 * p[: rows // 2, :K]) / 5
    tokens = pick(q, torch.rand(rows, K, generator=g, dtype=torch.float64))
    draft = Draft(tokens, q, torch.randint(0, K + 1, (rows,), generator=g))
    window = torch.rand(rows, K + 1, K + 1, generator=g, dtype=torch.float64)
    coins = torch.rand(rows, K, generator=g, dtype=torch.float64)
    verdict = rule.verify(p, draft, window, coins)
    for r in range(rows):
        pr, qr, d, n, u, c = (x[r].tolist() for x in (p, q, tokens, draft.n, window[:, :, 0], coins))
        if name == "match":
            wanted = oracles.verdict_match(pr, d, n, u)
        else:
            wanted = getattr(oracles, f"verdict_{name}")(pr, qr, d, n, c, u)
        assert (verdict.accepted[r].item(), verdict.token[r].item()) == wanted
    assert len(set(verdict.accepted.tolist())) == K + 1
    heads = (coins < rule.chances(p, draft)) & (torch.arange(K) < draft.n[:, None])
    if name == "rejection":
        assert torch.equal(heads.long().cumprod(1).sum(1), verdict.accepted)
    if name == "block":
        assert torch.equal((heads * torch.arange(1, K + 1)).amax(1), verdict.accepted)
    law = rule.law(p, draft, verdict.accepted)
    assert torch.equal(pick(law, at(window[:, :, 0], verdict.accepted)), verdict.token)


# The rule's own token is decided by W[:, a, 0]; no other number of the window has any say.
@each_rule
def test_only_its_own_number_decides_the_token(rule):
    p, q = tables(4, 9)
    target, draft, _ = batch(p, q, 4)
    g = torch.Generator().manual_seed(2)
    window = torch.rand(len(target), K + 1, K + 1, generator=g, dtype=torch.float64)
    coins = torch.rand(len(target), K, generator=g, dtype=torch.float64)
    before = rule.verify(target, draft, window, coins)
    other = torch.rand(window.shape, generator=g, dtype=torch.float64)
    row = torch.arange(len(target))
    other[row, before.accepted, 0] = window[row, before.accepted, 0]
    after = rule.verify(target, draft, other, coins)
    assert torch.equal(before.accepted, after.accepted) and torch.equal(before.token, after.token)


# A call without drafts (the prefill; ordinary decoding) emits a token of the target's law, whatever the rule.
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_no_drafts_at_all(rule):
    p = torch.tensor([[[0.2, 0.8]], [[0.7, 0.3]]], dtype=torch.float64)
    draft = Draft(torch.zeros(2, 0, dtype=torch.long), torch.zeros(2, 0, 2), torch.zeros(2, dtype=torch.long))
    window, coins = torch.full((2, 1, 1), 0.5, dtype=torch.float64), torch.zeros(2, 0, dtype=torch.float64)
    verdict = rule.verify(p, draft, window, coins)
    assert verdict.accepted.tolist() == [0, 0] and verdict.token.tolist() == [1, 0]


# Greedy laws: one-hot target and draft are kept exactly while they agree, whichever rule is asked.
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_greedy_under_every_rule(rule):
    g = torch.Generator().manual_seed(6)
    best = torch.randint(0, 2, (60, K + 1), generator=g)
    tokens = torch.randint(0, 2, (60, K), generator=g)
    n = torch.randint(0, K + 1, (60,), generator=g)
    p, q = (torch.nn.functional.one_hot(x, 3).double() for x in (best, tokens))
    verdict = rule.verify(p, Draft(tokens, q, n), *halves(60))
    for r in range(60):
        a = 0
        while a < n[r] and tokens[r, a] == best[r, a]:
            a += 1
        assert (verdict.accepted[r], verdict.token[r]) == (a, best[r, a])


# Names resolve, anything with the three verbs is a rule, and an unknown name is told its nearest.
def test_rule_named():
    assert rule_named("block") is block
    mine = SimpleNamespace(chances=None, law=None, verify=None)
    assert rule_named(mine) is mine
    with pytest.raises(ValueError, match="rule='rejektion'.*'rejection'"):
        rule_named("rejektion")
