"""The drafters cp, hmm and btree: beliefs against the whole joint of a window, losses against sums over it."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
import torch
from toys import ARCHITECTURES, build, on_every_device, ragged, toy
from transformers import LlamaConfig

from mtp_explore.contract import State
from mtp_explore.decode.generate import generate
from mtp_explore.drafters import circuit as module
from mtp_explore.drafters import load_drafter, make_drafter
from mtp_explore.tensors.circuits import whole

V, D, B = 3, 16, 4
KINDS = ["cp", "hmm", "btree"]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_mixing = pytest.mark.parametrize("mixing", ["state", "token"])


def small(device: str = "cpu"):
    """A float64 model with three tokens: windows can be spelled out."""
    sizes = dict(vocab_size=V, hidden_size=D, head_dim=4, initializer_range=1.0, tie_word_embeddings=False)
    return build(LlamaConfig(**ARCHITECTURES["llama"]().to_dict() | sizes), device, torch.float64)


def made(kind: str, backbone=None, horizon: int = 3, random: bool = True, **options):
    torch.manual_seed(0)
    drafter = make_drafter(
        kind, backbone or small(), horizon=horizon, **{"rank": 3, "head_rank": 4, "first": True, **options}
    )
    if random:
        for name, w in drafter.named_parameters():
            w.data.normal_(0, 2.0 if "bias" in name else 0.7)
    return drafter


def state(drafter, seed: int = 0) -> State:
    """What a call hands over; these drafters look at `hidden` alone."""
    draw, device = torch.Generator().manual_seed(seed), drafter.backbone.device
    hidden = torch.randn(B, drafter.backbone.width, generator=draw, dtype=drafter.backbone.dtype).to(device)
    text, length = torch.zeros(B, 9, dtype=torch.long, device=device), torch.full((B,), 9, device=device)
    return State(text, length, hidden, hidden.new_zeros(B, 0, D), 0 * length, hidden.new_zeros(B, drafter.n))


def tables(drafter, hidden: torch.Tensor) -> torch.Tensor:
    """The law of whole windows [B, V, .., V] by the algebra, one first token after the other where it tilts."""
    logphi = drafter.factors(drafter.heads(hidden))
    plain = whole(drafter.circuit(hidden), logphi).exp()
    if drafter.tilt is None:
        return plain
    first = plain.sum(tuple(range(2, plain.dim())))
    rows = []
    for y in range(V):
        moved = logphi.clone()
        moved[:, 0, :, y] += drafter.tilt(drafter.backbone.embed(torch.tensor([y], device=hidden.device)))
        tilted = whole(drafter.circuit(hidden), moved).exp()[:, y]
        rows.append(tilted / tilted.flatten(1).sum(1).view(B, *[1] * (drafter.n - 1)))
    return torch.stack(rows, 1) * first.view(B, V, *[1] * (drafter.n - 1))


# Before y' the target speaks; then every draft's law is the conditional of the window's joint given what was absorbed.
@on_every_device
@every_mixing
@every_kind
@pytest.mark.parametrize("horizon", [1, 2, 4])
def test_beliefs_are_conditionals_of_the_joint(kind, horizon, mixing, device):
    drafter = made(kind, small(device), horizon, mixing=mixing)
    n, one = horizon + 1, state(drafter)
    table = tables(drafter, one.hidden)
    torch.testing.assert_close(table.flatten(1).sum(1), torch.ones_like(table.flatten(1)[:, 0]))
    x = torch.cartesian_prod(*[torch.arange(V, device=device)] * n)
    b = torch.arange(len(x), device=device) % B  # every window with one of the states
    belief = drafter.begin(one._replace(hidden=one.hidden[b]))
    torch.testing.assert_close(drafter.predict(belief), drafter.backbone.logits(one.hidden).log_softmax(-1)[b])
    for k in range(1, n):
        assert drafter.left(belief).tolist() == [n - k + 1] * len(x)
        belief = drafter.absorb(belief, x[:, k - 1])
        rest = table.flatten(k + 2).sum(k + 2) if k + 2 <= n else table
        rest = rest[(b, *x[:, :k].T)]
        torch.testing.assert_close(drafter.predict(belief), (rest / rest.sum(1, True)).log(), atol=1e-10, rtol=0)
        said = drafter.states(belief)
        assert said.shape == (len(x), n - k, drafter.rank)
        torch.testing.assert_close(said[:, 0].log(), belief.seen.state, atol=1e-10, rtol=0)
        torch.testing.assert_close(said.sum(-1), torch.ones_like(said[..., 0]))
    belief = drafter.absorb(belief, x[:, -1])
    assert drafter.left(belief).tolist() == [0] * len(x) == drafter.left(drafter.absorb(belief, None)).tolist()


# Component laws in blocks of one place, of two, or all at once: the same beliefs.
@every_kind
def test_blocks_change_nothing(kind, monkeypatch):
    drafter = made(kind, horizon=4)
    laws = []
    for places in (1, 2, 9):
        monkeypatch.setattr(module, "BLOCK", places * B * drafter.rank * V)
        belief, seen = drafter.begin(state(drafter)), []
        for k in range(5):
            assert belief.logphi.shape[1] == min(places, 5 - belief.first) and belief.first <= k
            seen.append(drafter.predict(belief))
            belief = drafter.absorb(belief, torch.full((B,), k % V))
        laws.append(torch.stack(seen))
    torch.testing.assert_close(laws[0], laws[2])
    torch.testing.assert_close(laws[1], laws[2])


# What y' says matters: with mixing "token" its embedding moves the law of the drafts, at rank 1 nothing can.
@every_kind
def test_tokens_speak(kind):
    laws = {}
    for mixing, rank in itertools.product(["state", "token"], [1, 3]):
        drafter = made(kind, rank=rank, mixing=mixing)
        belief = drafter.begin(state(drafter))
        laws[mixing, rank] = torch.stack(
            [drafter.predict(drafter.absorb(belief, torch.full((B,), y))) for y in range(V)]
        )
    assert all((laws[m, 3][0] - laws[m, 3][1]).abs().max() > 0.1 for m in ("state", "token"))
    assert all((laws[m, 1][0] - laws[m, 1][1]).abs().max() < 1e-12 for m in ("state", "token"))
    tilted = made(kind, mixing="token")
    untold = made(kind, mixing="token")
    untold.tilt.weight.data.zero_()
    first = [d.predict(d.absorb(d.begin(state(d)), torch.ones(B, dtype=torch.long))) for d in (tilted, untold)]
    assert (first[0] - first[1]).abs().max() > 0.1


def problem(drafter, rows: int = 40, seed: int = 7):
    draw = torch.Generator().manual_seed(seed)
    dtype, size = drafter.backbone.dtype, drafter.backbone.vocabulary
    hidden = torch.randn(rows, drafter.backbone.width, generator=draw, dtype=dtype)
    future = torch.randint(0, size, (rows, drafter.n), generator=draw)
    stop = torch.randint(1, drafter.n + 4, (rows, 1), generator=draw)
    return hidden, future.masked_fill(torch.arange(drafter.n) >= stop, -1)


# The losses' names and numbers: minus the log of the table's prefix ratios, what is beyond the end summed out.
@every_mixing
@every_kind
def test_losses_equal_the_table(kind, mixing):
    drafter = made(kind, mixing=mixing)
    hidden, future = problem(drafter)
    n, each = drafter.n, [[] for _ in range(drafter.n)]
    for first in range(0, len(hidden), B):
        for table, x in zip(
            tables(drafter, hidden[first : first + B]), future[first : first + B].tolist(), strict=True
        ):
            chances = [1.0] + [table[tuple(x[: k + 1])].sum().item() for k in range(n - x.count(-1))]
            for k in range(len(chances) - 1):
                each[k].append(-math.log(chances[k + 1] / chances[k]))
    losses = drafter.losses(hidden, future)
    assert list(losses) == ["loss", "joint", "first", "token 2", "token 3", "token 4"]
    found = [float(losses[k].detach()) for k in ("first", "token 2", "token 3", "token 4")]
    assert found == pytest.approx([sum(e) / len(e) for e in each], abs=1e-10)
    assert float(losses["joint"].detach()) == pytest.approx(sum(map(sum, each)) / len(hidden), abs=1e-10)
    assert float(losses["loss"].detach()) == pytest.approx(sum(map(sum, each)) / sum(map(len, each)), abs=1e-10)


# Each objective minimises what it says, of all tokens or of the drafts alone.
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", ["cp", "btree"])
def test_objectives(kind, first):
    def loss(**options) -> float:
        drafter = made(kind, first=first, **options)
        return {k: v.item() for k, v in drafter.losses(hidden, future).items()}

    hidden, future = problem(made(kind))
    plain = loss()
    each = [plain["first"]] * first + [plain[f"token {k}"] for k in (2, 3, 4)]
    counts = (future >= 0).sum(0).tolist()[0 if first else 1 :]
    weighted = sum(e * c for e, c in zip(each, counts, strict=True)) / sum(counts)
    assert plain["loss"] == pytest.approx(weighted)
    for discount in (1.0, 0.7):
        powers = [discount**k for k in range(len(each))]
        expected = sum(g * e for g, e in zip(powers, each, strict=True)) / sum(powers)
        assert loss(objective="conditional", discount=discount)["loss"] == pytest.approx(expected)
    for form in ("kl", "switch", "square"):
        found = loss(balance=0.3, balancing=form)
        assert found["loss"] == pytest.approx(weighted + 0.3 * found["balance"]) and found["balance"] > 1e-3


# Who is responsible for a window is asked after all that its tokens say, y' and its embedding included.
def test_balancing_by_responsibility():
    drafter = made("cp", mixing="token", balance=1.0, balancing="switch")
    hidden, future = problem(drafter)
    logphi, w = drafter.factors(drafter.heads(hidden)), drafter.circuit(hidden).logw.exp()
    best = []
    for row, x in enumerate(future.tolist()):
        said = drafter.tilt(drafter.backbone.embed.weight[x[0]]).exp()
        chances = w[row] * said * math.prod(logphi[row, k, :, t].exp() for k, t in enumerate(x) if t >= 0)
        best.append(int(chances.argmax()))
    share = torch.bincount(torch.tensor(best), minlength=3) / len(best)
    torch.testing.assert_close(drafter.losses(hidden, future)["balance"], 3 * (share * w.mean(0)).sum())


# Row 11: where every token exists, the conditionals with discount 1 are the joint, in value and in gradient.
@every_kind
def test_undiscounted_conditionals_are_the_joint(kind):
    hidden, future = problem(made(kind))
    whole_rows = (future >= 0).all(1)
    gradients = []
    for objective in ("joint", "conditional"):
        drafter = made(kind, objective=objective)
        losses = drafter.losses(hidden[whole_rows], future[whole_rows])
        torch.testing.assert_close(losses["loss"] * drafter.n, losses["joint"])
        losses["loss"].backward()
        gradients.append([w.grad for w in drafter.parameters()])
    torch.testing.assert_close(gradients[0], gradients[1])


# "dpace" is half minus the log of the expected number of drafts that come true, by the table, and half the joint.
def test_dpace_follows_the_acceptance():
    drafter = made("cp", objective="dpace", first=False)
    hidden, future = problem(drafter)
    future = future.where(future >= 0, 0)
    table = torch.cat([tables(drafter, h) for h in hidden.split(B)])
    first = table.flatten(2).sum(2)[range(len(hidden)), future[:, 0]]
    S = 0
    for k in range(2, drafter.n + 1):
        chance = table.flatten(k + 1).sum(k + 1) if k < drafter.n else table
        S = S + chance[(range(len(hidden)), *future[:, :k].T)] / first
    losses = drafter.losses(hidden, future)
    torch.testing.assert_close(losses["loss"] * 2, (losses["joint"] - losses["first"]) / 3 - S.log().mean())


# The divergence is from the target's own law, offset by offset, and needs its states; training asks for them.
@every_kind
@pytest.mark.parametrize("first", [True, False])
def test_divergence_from_the_target(kind, first):
    drafter = made(kind, objective="kl", discount=0.8, first=first, mixing="token")
    assert drafter.wants_ahead and not made(kind).wants_ahead
    hidden, future = problem(drafter, rows=B)
    ahead = torch.randn(B, drafter.horizon, D, dtype=torch.float64)
    table = tables(drafter, hidden)
    teacher = torch.cat([hidden[:, None], ahead], 1)
    each = []
    for k in range(0 if first else 1, drafter.n):
        values = []
        for b in range(B):
            if future[b, k] >= 0:
                rest = table[(b, *future[b, :k])]
                q = rest.flatten(1).sum(1) if rest.dim() > 1 else rest
                p = drafter.backbone.logits(teacher[b, k]).softmax(-1)
                values.append((p * (p / (q / q.sum())).log()).sum().item())
        each.append(sum(values) / max(1, len(values)))
    powers = [0.8**k for k in range(len(each))]
    expected = sum(g * e for g, e in zip(powers, each, strict=True)) / sum(powers)
    losses = drafter.losses(hidden, future, ahead)
    assert losses["loss"].item() == losses["kl"].item() == pytest.approx(expected)
    with pytest.raises(ValueError, match="objective='kl'.*ahead="):
        drafter.losses(hidden, future)


# Row 10: with components that are copies of the next-token head, every circuit has the loss of independent heads.
@every_mixing
@every_kind
def test_starts_at_the_loss_of_independent_heads(kind, mixing):
    drafter = made(kind, toy("gpt2", dtype=torch.float64), random=False, mixing=mixing)
    drafter.heads.up.data.zero_()
    hidden, future = problem(drafter)
    plain = make_drafter("independent", drafter.backbone, horizon=3).losses(hidden, future)
    losses = drafter.losses(hidden, future)
    for k in range(1, 4):
        torch.testing.assert_close(losses[f"token {k + 1}"], plain[f"head {k}"], atol=1e-10, rtol=0)


# With one component and an MLP they are the independent heads, weight for weight.
@every_kind
def test_rank_one_is_independent(kind):
    drafter = made(kind, rank=1, depth=1, hidden=6)
    other = make_drafter("independent", drafter.backbone, horizon=3, hidden=6)
    drafter.heads.up.data.zero_()
    other.weights[0].data, other.weights[1].data = drafter.heads.inner.data[1:], drafter.heads.outer.data[1:]
    one, two = drafter.begin(state(drafter)), other.begin(state(drafter))
    for k in range(3):
        token = torch.full((B,), k % V)
        one, two = drafter.absorb(one, token), other.absorb(two, token)
        torch.testing.assert_close(drafter.predict(one), other.predict(two))


# Logits in chunks or whole, heads of low rank or full matrices that equal them: the same losses and gradients; and
# every weight receives some.
@every_kind
def test_chunks_and_forms_change_nothing(kind, monkeypatch):
    drafter = made(kind, depth=1, hidden=6, mixing="token", balance=0.1)
    hidden, future = problem(drafter)
    loss = drafter.losses(hidden, future)["loss"]
    loss.backward()
    expected = [w.grad.clone() for w in drafter.parameters()]
    assert all(g.abs().max() > 1e-5 for g in expected)
    full = made(kind, depth=1, hidden=6, mixing="token", balance=0.1, head_rank=0)
    weights = drafter.state_dict()
    full.load_state_dict(
        {k: v for k, v in weights.items() if k != "heads.down"}
        | {"heads.up": weights["heads.down"] @ weights["heads.up"]}
    )
    torch.testing.assert_close(full.losses(hidden, future)["loss"], loss)
    drafter.zero_grad()
    for name in ("target_logprob", "component_logprob"):
        monkeypatch.setattr(module, name, partial(getattr(module, name), budget=2 * V))
    drafter.losses(hidden, future)["loss"].backward()
    torch.testing.assert_close([w.grad for w in drafter.parameters()], expected)
    torch.testing.assert_close(full.losses(hidden, future)["loss"], loss)


# At the start the components differ by noise alone, yet a few steps of training tell them apart: the joint loss falls
# below what independent heads could reach on windows that are all of one of two kinds.
@every_kind
def test_components_part(kind):
    drafter = made(kind, random=False, rank=2, horizon=2)
    kinds = torch.randint(0, 2, (64, 1), generator=torch.Generator().manual_seed(0))
    future, hidden = (2 * kinds).expand(-1, 3), torch.ones(64, D, dtype=torch.float64)
    optimizer = torch.optim.Adam(drafter.parameters(), 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        losses = drafter.losses(hidden, future)
        losses["loss"].backward()
        optimizer.step()
    assert losses["joint"].item() < math.log(2) + 0.15 and losses["first"].item() > 0.6


# A drafter comes back from its files with all its options, and predicts the same.
@on_every_device
@every_kind
def test_round_trip(kind, device, tmp_path):
    options = dict(mixing="token", objective="conditional", discount=0.9, first=True, balance=0.01, balancing="switch")
    drafter = made(kind, toy("gpt2", device), depth=1, hidden=5, **options)
    drafter.save_pretrained(tmp_path)
    loaded = load_drafter(tmp_path, drafter.backbone)
    assert type(loaded) is type(drafter) and loaded.options == drafter.options
    y = torch.ones(B, dtype=torch.long, device=device)
    laws = [d.predict(d.absorb(d.begin(state(d)), y)) for d in (drafter, loaded)]
    assert torch.equal(*laws)
    other = make_drafter(kind, drafter.backbone, horizon=4)
    with pytest.raises(ValueError, match="horizon"):
        other.options |= {"horizon": 0}
        other.save_pretrained(tmp_path)
        load_drafter(tmp_path, drafter.backbone)


# The loop drafts K tokens a call with it, greedy text is the target's own, and the trace holds what it believed.
@every_kind
def test_decodes(kind):
    backbone, prompts = toy("gpt2"), ragged()
    options = dict(max_new_tokens=12, temperature=0, eos=False)
    drafter = made(kind, backbone, rank=4)
    traces = generate(backbone, drafter, prompts, **options)
    assert [t.tokens for t in traces] == [t.tokens for t in generate(backbone, None, prompts, **options)]
    assert [len(step.drafts) for step in traces[0].steps[:2]] == [0, 3]
    for step in traces[0].steps[1:]:
        ((name, value),) = step.belief.items()
        rows = [value] if kind == "cp" else value
        assert name == ("weights" if kind == "cp" else "states") and len(rows) == (1 if kind == "cp" else 3)
        assert all(len(row) == 4 and sum(row) == pytest.approx(1, abs=1e-5) for row in rows)


# On a half-precision backbone it decodes as it is, and learns in float32: losses are near those of the same weights on
# the same backbone in float32.
@every_kind
@pytest.mark.parametrize("head_rank", [0, 4])
def test_half_precision(kind, head_rank):
    half = build(ARCHITECTURES["llama"](), dtype=torch.bfloat16)
    drafter = made(kind, half, mixing="token", objective="kl", head_rank=head_rank)
    for w in drafter.parameters():
        w.data.mul_(0.3)
    trace = generate(half, drafter, ragged()[1], max_new_tokens=8, eos=False)
    assert len(trace.tokens) == 8
    whole = build(ARCHITECTURES["llama"](), dtype=torch.bfloat16).to(torch.float32)
    exact = made(kind, whole, mixing="token", objective="kl", head_rank=head_rank)
    exact.load_state_dict(drafter.float().state_dict())
    hidden, future = problem(exact)
    ahead = torch.randn(len(hidden), 3, 32, generator=torch.Generator().manual_seed(1))
    found, expected = drafter.losses(hidden, future, ahead), exact.losses(hidden, future, ahead)
    found["loss"].backward()
    assert all(w.grad.dtype == torch.float32 and w.grad.isfinite().all() for w in drafter.parameters())
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value.item(), rel=0.03)


# Options that cannot be are refused with their value.
@every_kind
@pytest.mark.parametrize(
    "wrong",
    [
        *({"rank": v} for v in (0, 257, 2.5, True, "8")),
        *({"head_rank": v} for v in (2.5, True, 1000)),
        *({"hidden": v} for v in (2.5, 0, True)),
        *({"balance": v} for v in ("0.1", -1, True)),
        *({"mixing": "both"}, {"horizon": 0}, {"objective": "nll"}, {"depth": 3}, {"depth": True}, {"first": 1}),
        {"first": True, "objective": "dpace"},
    ],
)
def test_bad_options_are_refused(kind, wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        make_drafter(kind, toy(), **wrong)


# numpy's whole numbers are whole numbers, and what is saved is plain.
@every_kind
def test_numpy_sizes(kind, tmp_path):
    asked = dict(rank=np.int64(2), head_rank=np.int32(3), depth=np.int8(1), hidden=np.int64(5))
    drafter = make_drafter(kind, toy(), horizon=2, **asked, balance=np.float32(0.5))
    drafter.save_pretrained(tmp_path)
    loaded = load_drafter(tmp_path, drafter.backbone)
    assert loaded.options == drafter.options and loaded.rank == 2
    assert {k: type(loaded.options[k]) for k in asked} == dict.fromkeys(asked, int)
