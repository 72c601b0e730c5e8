"""Objectives: each against its formula, spelled out window by window, and its gradient where papers state one."""

import math

import pytest
import torch

from mtp_explore.drafters import objectives
from mtp_explore.drafters.objectives import balancing_loss, check, discounted, dpace, mixture_kl, offsets, per_token

N, K, R, V, D = 6, 4, 3, 7, 5


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Means leave out what does not exist, also where nothing does.
def test_means():
    values, real = randn(N, K), torch.tensor([[True] * K] * (N - 2) + [[True, False, False, False]] * 2)
    rows = values.tolist()
    plain = [sum(r[0] for r in rows) / N] + [sum(r[k] for r in rows[: N - 2]) / (N - 2) for k in range(1, K)]
    each = offsets(values, real)
    torch.testing.assert_close(each, torch.tensor(plain, dtype=torch.float64))
    total = sum(map(sum, rows[: N - 2])) + rows[-1][0] + rows[-2][0]
    assert float(per_token(values, real)) == pytest.approx(total / (K * (N - 2) + 2))
    assert offsets(values, real & False).tolist() == [0.0] * K and float(per_token(values, real & False)) == 0
    powers = [0.8**k for k in range(K)]
    expected = sum(g * x for g, x in zip(powers, plain, strict=True)) / sum(powers)
    assert float(discounted(each, 0.8)) == pytest.approx(expected)
    assert float(discounted(each, 1.0)) == pytest.approx(sum(plain) / K)


# D-PACE: minus the log of S = sum_k a_1 .. a_k over the drafts that exist, with the paper's weights over S as gradient.
def test_dpace():
    logq, real = (randn(N, K) - 1).requires_grad_(), torch.ones(N, K, dtype=torch.bool)
    real[0, 2:], real[1] = False, False
    loss = dpace(logq, real)
    (gradient,) = torch.autograd.grad(loss, logq)
    logs = []
    for row, count, found in zip(logq.exp().tolist(), real.sum(1).tolist(), gradient * (N - 1), strict=True):
        if not count:
            assert found.tolist() == [0.0] * K
            continue
        a = row[:count]
        S = sum(math.prod(a[: k + 1]) for k in range(count))
        weights = [
            math.prod(a[: j + 1]) * (1 + sum(math.prod(a[j + 1 : m + 1]) for m in range(j + 1, count)))
            for j in range(count)
        ]
        assert found.tolist() == pytest.approx([-w / S for w in weights] + [0.0] * (K - count))
        logs.append(-math.log(S))
    assert loss.item() == pytest.approx(sum(logs) / (N - 1))
    assert dpace(logq, real & False).item() == 0


# Each balancing loss is its formula; even use is its least, one component for all its most.
@pytest.mark.parametrize("form", objectives.BALANCING)
def test_balancing(form):
    logw, posterior = randn(N, R).log_softmax(-1), randn(N, R, seed=2)
    w = logw.exp().tolist()
    mean = [sum(row[a] for row in w) / N for a in range(R)]
    best = [row.index(max(row)) for row in posterior.tolist()]
    plain = {
        "kl": sum(m * math.log(R * m) for m in mean),
        "switch": R * sum(m * best.count(a) / N for a, m in enumerate(mean)),
        "square": R * sum((m - 1 / R) ** 2 for m in mean),
    }[form]
    assert float(balancing_loss(logw, posterior, form)) == pytest.approx(plain)
    even = torch.full((N, R), 1 / R, dtype=torch.float64).log()
    one = torch.tensor([[1.0, 0.0, 0.0]] * N).double().log()
    least, most = {"kl": (0, math.log(R)), "switch": (1, R), "square": (0, R - 1)}[form]
    spread = torch.eye(R).double().repeat(N // R, 1)
    assert float(balancing_loss(even, spread, form)) == pytest.approx(least, abs=1e-12)
    assert float(balancing_loss(one, one, form)) == pytest.approx(most, abs=1e-12)
    logits = randn(N, R).requires_grad_()
    balancing_loss(logits.log_softmax(-1), posterior, form).backward()
    assert logits.grad.abs().max() > 1e-4


# The divergence is that of the mixture's law, token by token; chunks change neither it nor its gradients.
@pytest.mark.parametrize("budget", [1, 2 * R * V, 1 << 20])
def test_mixture_divergence(budget):
    unembedding = randn(D, V)
    inputs = [randn(N, R, seed=1).log_softmax(-1), randn(N, R, D, seed=2), randn(N, D, seed=3)]
    for x in inputs[:2]:
        x.requires_grad_()
    state, z, teacher = inputs

    def factors(states):
        assert states.numel() // states.shape[-1] * V <= max(budget, R * V)
        return (states @ unembedding).log_softmax(-1)

    found = mixture_kl(state, z, teacher, factors, budget)
    p = (teacher @ unembedding).softmax(-1)
    q = torch.einsum("nr,nrv->nv", state.exp(), (z @ unembedding).softmax(-1))
    torch.testing.assert_close(found, (p * (p / q).log()).sum(-1))
    expected = torch.autograd.grad((p * (p / q).log()).sum(), [state, z])
    torch.testing.assert_close(torch.autograd.grad(found.sum(), [state, z]), expected)


# Options that do not exist, or do not go together, are refused by name.
@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"objective": "nll"}, "objective='nll'.*'joint', 'conditional', 'kl', 'dpace'"),
        ({"discount": 0.0}, "discount=0.0.*above 0"),
        ({"discount": 1.1}, "discount=1.1.*at most 1"),
        ({"discount": 0.9}, "discount=0.9: objective 'joint' has none"),
        ({"balancing": "even"}, "balancing='even'.*'kl', 'switch', 'square'"),
        ({"balance": -1.0}, "balance=-1.0.*0 or more"),
        ({"balance": math.nan}, "balance=nan"),
        ({"balance": "0.1"}, "balance='0.1'.*a number"),
        ({"balance": True}, "balance=True"),
        ({"discount": None}, "discount=None.*a number"),
        ({"first": "no"}, "first='no'.*True or False"),
        ({"first": True, "objective": "dpace"}, "first=True.*dpace.*first=False"),
    ],
)
def test_bad_options_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        check(**PLAIN | wrong)


PLAIN = dict(objective="joint", discount=1.0, first=False, balance=0.0, balancing="kl")


# What does go together comes back, in plain numbers that a config can hold; y' may count wherever it is heard.
def test_good_options_come_back():
    for objective in objectives.OBJECTIVES:
        for first in (False, True)[: 1 if objective == "dpace" else 2]:
            asked = PLAIN | dict(objective=objective, first=first)
            assert check(**asked) == asked
    found = check(**PLAIN | dict(objective="kl", discount=torch.tensor(0.5).numpy()[()], balance=1))
    assert (found["discount"], found["balance"]) == (0.5, 1.0)
    assert type(found["discount"]) is type(found["balance"]) is float
