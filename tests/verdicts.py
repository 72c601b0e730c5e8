"""Every outcome of a rule, enumerated: every draft, every outcome of every coin, every bin of the rule's own token.

Random tables stand for the target p and the draft q (a law after every prefix, see oracles.py), float64. A rule is
lossless if the tokens it emits, continued by the target, have the target's joint law.
"""

import itertools
import math

import oracles
import torch

from mtp_explore.contract import Draft
from mtp_explore.tensors.categorical import watching

K = 3


def batch(p, q, size, ns=range(K + 1), drawn=None, device="cpu"):
    """One row per number of drafts n and draft: (p [B, K+1, V], Draft, weight [B]); `drawn`: the law drafts come from,
    if it is not q. Padding drafts are the target's favourites, scored by a flat law that never drew them: a rule that
    looked at them would keep them too often.
    """
    laws, tokens, scored, number, weight = [], [], [], [], []
    for n in ns:
        for x in itertools.product(range(size), repeat=n):
            d = list(x)
            while len(d) < K:
                law = p[tuple(d)]
                d.append(law.index(max(law)))
            w = math.prod((drawn or q)[x[:i]][x[i]] for i in range(n))
            if w > 0:
                laws.append([p[tuple(d[:i])] for i in range(K + 1)])
                scored.append([q[x[:i]] if i < n else [1 / size] * size for i in range(K)])
                tokens.append(d), number.append(n), weight.append(w)
    real = dict(dtype=torch.float64, device=device)
    draft = Draft(
        torch.tensor(tokens, device=device), torch.tensor(scored, **real), torch.tensor(number, device=device)
    )
    return torch.tensor(laws, **real), draft, torch.tensor(weight, **real)


def halves(rows, device="cpu"):
    half = dict(dtype=torch.float64, device=device)
    return torch.full((rows, K + 1, K + 1), 0.5, **half), torch.full((rows, K), 0.5, **half)


def enumerated(verify, p, draft, weight):
    """Every outcome of a rule that flips coins: rows (n, accepted, emitted tokens, probability)."""
    device = p.device
    window, coins = halves(len(p), device)
    chances = []
    with watching(lambda edges, u: chances.append(edges[..., 0]) if u.shape == coins.shape else None):
        verify(p, draft, window, coins)
    (chance,) = chances
    # every pattern of heads and tails
    heads = torch.tensor(list(itertools.product([False, True], repeat=K)), device=device)
    row = torch.arange(len(p), device=device).repeat_interleave(len(heads))
    heads, chance = heads.repeat(len(p), 1), chance[row].clamp(max=1)
    coins = torch.where(heads, chance / 2, (1 + chance) / 2)
    weight = weight[row] * torch.where(heads, chance, 1 - chance).prod(1)
    row, coins, weight = (x[weight > 0] for x in (row, coins, weight))
    # every bin of the rule's own token; all other numbers of the window are noise
    g = torch.Generator().manual_seed(0)
    window = torch.rand(len(row), K + 1, K + 1, generator=g, dtype=torch.float64).to(device)
    bins = []
    with watching(lambda edges, u: bins.append(edges) if u.dim() == 1 else None):
        accepted = verify(p[row], Draft(*(x[row] for x in draft[:3])), window, coins).accepted
    edges = bins[-1]
    low = torch.cat([torch.zeros_like(edges[:, :1]), edges[:, :-1]], 1)
    again = torch.arange(len(row), device=device).repeat_interleave(edges.shape[1])
    u, width = ((edges + low) / 2).flatten(), (edges - low).flatten()
    row, coins, window, accepted = row[again], coins[again], window[again], accepted[again]
    window[torch.arange(len(row)), accepted, 0] = u
    verdict = verify(p[row], Draft(*(x[row] for x in draft[:3])), window, coins)
    assert torch.equal(verdict.accepted, accepted)
    weight = weight[again] * width
    kept = [d[:a] for d, a in zip(draft.tokens[row].tolist(), accepted.tolist(), strict=True)]
    emitted = [(*d, t) for d, t in zip(kept, verdict.token.tolist(), strict=True)]
    rows = zip(draft.n[row].tolist(), accepted.tolist(), emitted, weight.tolist(), strict=True)
    return [r for r in rows if r[-1] > 0]


def error(outcomes, p, size):
    """The largest difference between the law of K+1 tokens and the target's, and E[accepted]; per n."""
    out = {}
    for n in sorted({o[0] for o in outcomes}):
        law = dict.fromkeys(itertools.product(range(size), repeat=K + 1), 0.0)
        accepted = 0.0
        begun = {}
        for number, a, emitted, w in outcomes:
            if number == n:
                begun[emitted] = begun.get(emitted, 0.0) + w
                accepted += a * w
        for x in law:
            for m in range(1, K + 2):
                if x[:m] in begun:
                    law[x] += begun[x[:m]] * math.prod(p[x[:i]][x[i]] for i in range(m, K + 1))
        target = oracles.joint(p, size, K + 1)
        out[n] = max(abs(law[x] - target[x]) for x in law), accepted
    return out


def tables(size, seed, zeros=False):
    return oracles.table(size, K, seed, zeros), oracles.table(size, K, seed + 1, zeros)
