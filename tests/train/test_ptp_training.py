"""Training of slots that carry uniforms: where the numbers come from, the cheap form, the losses, and `fit` on it."""

import pytest
import torch
from learnable import Cycle, backbone, gradients, train
from test_fit import equal, weights
from toys import ARCHITECTURES, VOCABULARY, build, toy

from mtp_explore.backbone.blocks import freeze
from mtp_explore.backbone.layout import Layout
from mtp_explore.drafters import load_drafter, make_drafter
from mtp_explore.drafters.objectives import divergence
from mtp_explore.drafters.slots import divided
from mtp_explore.tensors.categorical import pick, shape
from mtp_explore.tensors.logprob import Unembedding
from mtp_explore.train.features import futures
from mtp_explore.train.fit import CHECKPOINT, Recipe, evaluate, split_features
from mtp_explore.train.texts import Texts

K, T = 3, 15
FORMS = {
    "one-hot": dict(variant="one-hot"),
    "categorical": dict(variant="categorical", temperature=0.7),
    "kl": dict(variant="categorical", loss="kl", temperature=0.7),
    "reverse-kl": dict(variant="categorical", loss="reverse-kl"),
    "inverse": dict(variant="categorical", source="inverse"),
}
every_form = pytest.mark.parametrize("form", FORMS)


def made(owner, form: str = "one-hot", seed: int = 0, **options):
    """Random weights everywhere."""
    drafter = make_drafter("ptp", owner, horizon=K, **{"rank": 2, "anchors": 0, **FORMS[form], **options})
    g = torch.Generator().manual_seed(seed)
    for name, w in drafter.named_parameters():
        w.data.copy_(torch.randn(w.shape, generator=g) * (0.2 if "lora" in name else 0.5))
    return drafter


def problem(owner, anchors: int = 0, rows: int = 2, seed: int = 0):
    """A batch (text, anchors, future) in which documents (token 0 ends them) begin at several places."""
    draw = torch.Generator().manual_seed(seed)
    stream = torch.randint(0, VOCABULARY, (rows * (T + 1),), generator=draw)
    stream[:: T // 2] = 0
    windows = stream.view(rows, T + 1)
    held = Texts(windows, futures(windows, K, owner.eos), anchors or T - K)
    return tuple(held.batch(0, rows * (anchors or T - K), 1))[:3]


def own_choice(owner, rows: int = 3, seed: int = 0):
    """A batch of greedy text of the backbone after a random start, and the places that still belong to the start."""
    text = torch.randint(1, VOCABULARY, (rows, 5), generator=torch.Generator().manual_seed(seed))
    for _ in range(T + 1 - 5):
        text = torch.cat([text, likeliest(owner, text)[:, -1:]], 1)
    anchors = torch.arange(T - K).expand(rows, -1)
    return text[:, :-1], anchors, text.unfold(1, K + 1, 1)[:, 1:]


def likeliest(owner, text):
    """[B, T] what the backbone finds likeliest after every token."""
    return owner.logits(freeze(owner, text).hidden).argmax(-1)


def laws_of(owner, text, **shaping):
    """[B, T, V] laws of a plain pass, one document."""
    with torch.no_grad():
        return shape(owner.model(text, use_cache=False).logits, **shaping)


def documents_of(text):
    return [
        [max([s for s in range(i + 1) if row[s] == 0], default=0) for i in range(len(row))] for row in text.tolist()
    ]


# Every number lies in the bin of its token under the frozen backbone's own law of it, shaped, from plain passes over
# each document alone: `pick` gives the token back. What has no bin is no target, nor is anything behind it.
@pytest.mark.parametrize("shaping", [{}, dict(temperature=0.7, top_k=5), dict(top_p=0.7)])
def test_numbers_draw_the_text(shaping):
    owner = build(ARCHITECTURES["gpt2"](), dtype=torch.float64)
    drafter, (text, anchors, future) = made(owner, **shaping), problem(owner, rows=4)
    found = drafter.rows(text, anchors, future)
    begins, known = documents_of(text), 0
    for b in range(len(text)):
        laws = [laws_of(owner, text[b : b + 1, begins[b][i] : i + 1], **shaping)[0, -1] for i in range(T)]
        for a, i in enumerate(anchors[b].tolist()):
            alive = True
            for k in range(K + 1):
                token = int(future[b, a, k])
                alive = alive and token >= 0 and bool(laws[i + k][token] > 0)
                assert int(found.target[b, a, k]) == (token if alive else -1)
                if alive:
                    known += 1
                    assert int(pick(laws[i + k], found.u[b, a, k])) == token
    share = known / (future >= 0).sum()
    assert share == 1 if not shaping else 0.05 < share < 0.9
    again = drafter.rows(text, anchors, future)
    numbers = found.u[found.target >= 0]
    assert torch.equal(found.u, again.u) and len(numbers.unique()) == len(numbers)


# In greedy windows every number is 1/2 and the targets are what greedy decoding says, as far as the text does so; the
# other windows of the batch are as they were. A drafter made for temperature 0 takes every window so.
def test_greedy_windows():
    owner = toy("gpt2")
    text, anchors, future = own_choice(owner)
    best = likeliest(owner, text)
    right = torch.stack([torch.stack([best[b, i : i + K + 1] for i in range(T - K)]) == future[b] for b in range(3)])
    wanted = future.masked_fill(right.long().cumprod(-1) == 0, -1)
    assert (wanted[:, 4:] == future[:, 4:]).all() and (wanted[:, :4] < 0).any()
    drafter = made(owner)
    plain = drafter.rows(text, anchors, future)
    for greedy in (torch.tensor([True, False, True]), torch.ones(3, dtype=torch.bool)):
        found = drafter.rows(text, anchors, future, greedy)
        assert (found.u[greedy] == 0.5).all() and torch.equal(found.target[greedy], wanted[greedy])
        assert torch.equal(found.u[~greedy], plain.u[~greedy]) and torch.equal(found.target[~greedy], future[~greedy])
    cold = made(owner, temperature=0.0).rows(text, anchors, future)
    assert (cold.u == 0.5).all() and torch.equal(cold.target, wanted)
    for form in FORMS:
        drafter = made(owner, form)
        three, four = drafter.losses(text, anchors, future), drafter.losses(text, anchors, future, greedy)
        assert three["loss"] != four["loss"] and three.keys() == four.keys()
        assert drafter.losses(text, anchors, future, ~greedy)["loss"] == three["loss"]
    drafter = made(owner, "categorical", embedding="constant")  # slots that read as the token which greedy text repeats
    for w in drafter.lora.parameters():
        w.data.zero_()
    drafter.auxiliary.weight.data.copy_(owner.embed(text[:1, -1]))
    rows, (good, _) = drafter.rows(text, anchors, future, greedy), drafter.right(text, anchors, future, greedy)
    drafts = owner.logits(rows.z).argmax(-1)
    assert greedy.all() and torch.equal(good, (drafts == rows.target).flatten(0, 1)) and good.any()


def plain(drafter, text, anchors, u):
    """States [B, A, M, D] of the slots in one pass over the text and all slots, its mask element by element, with
    gradients. Text rows come first, so that the gate is a slice.
    """
    owner, first, slots = drafter.backbone, drafter.first_slot, drafter.slots_per_branch
    rows, size = text.shape
    order = [(None, i) for i in range(size)] + [(a, j) for a in range(anchors.shape[1]) for j in range(slots)]
    allowed = torch.zeros(rows, len(order), len(order), dtype=torch.bool)
    position = torch.zeros(rows, len(order), dtype=torch.long)
    for b, start in enumerate(documents_of(text)):
        for q, (block, j) in enumerate(order):
            i = j if block is None else int(anchors[b, block])
            position[b, q] = i - start[i] + (0 if block is None else first + j)
            for c, (other, m) in enumerate(order):
                allowed[b, q, c] = start[i] <= m <= i if other is None else other == block and m <= j
    embeds = torch.cat([owner.embed(text), drafter.auxiliary(u[..., :slots]).flatten(1, 2)], 1)
    with drafter.gate(size):
        mask = owner._mask(Layout(position, allowed, position, size), embeds.dtype)
        _, hidden = owner.run(embeds, position, mask, text[:, :1] * 0)
    states = torch.stack([hidden[b, anchors[b][:, None] + torch.arange(first, K + 1)] for b in range(rows)])
    return hidden[:, size:].unflatten(1, (anchors.shape[1], slots)), states


def plain_losses(drafter, made, z, teacher):
    """The losses of papers.md 4.3 in loops."""
    each = {j: [] for j in range(drafter.first_slot, K + 1)}
    law = drafter.law["temperature"] if not drafter.one_hot else 1.0
    for b, a, m in ((made.target >= 0).nonzero()).tolist():
        q, p = ((drafter.backbone.logits(x[b, a, m]) / law).log_softmax(-1) for x in (z, teacher.detach()))
        if drafter.form == "cross-entropy":
            value = -q[made.target[b, a, m]]
        else:
            p, q = (q, p) if drafter.form == "reverse-kl" else (p, q)
            value = sum(p[v].exp() * (p[v] - q[v]) for v in range(VOCABULARY))
        each[drafter.first_slot + m].append(value)
    every = [v for values in each.values() for v in values]
    slots = {f"slot {j}": torch.stack(values).mean() for j, values in each.items()}
    return {"loss": torch.stack(every).mean(), **slots}


# Row 3: states, losses and gradients of the cheap form are those of one plain pass over text and slots, in every form;
# no gradient reaches the numbers, the text or the backbone.
@every_form
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "qwen3"])
def test_the_cheap_form_is_the_plain_one(architecture, form):
    owner = build(ARCHITECTURES[architecture](), dtype=torch.float64)
    drafter, batch = made(owner, form), problem(owner, 0 if form == "one-hot" else 5)
    tight = dict(atol=1e-10, rtol=1e-8) if architecture == "gpt2" else dict(atol=2e-5, rtol=2e-4)
    rows = drafter.rows(*batch, source=drafter.source)
    z, teacher = plain(drafter, *batch[:2], rows.u)
    torch.testing.assert_close(rows.z, z, **tight)
    wanted, found = plain_losses(drafter, rows, z, teacher), drafter.losses(*batch)
    assert list(found) == list(wanted) and not rows.u.requires_grad
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], **tight)
    one, other = (gradients(drafter, losses["loss"]) for losses in (found, wanted))
    torch.testing.assert_close(one, other, **tight)
    assert all(g.abs().max() > 1e-6 for g in one.values())
    assert not any(w.requires_grad or w.grad is not None for w in owner.model.parameters())


# Logits over a temperature are those of another unembedding, with its bias, scale and cap.
def test_an_unembedding_over_a_temperature():
    g = torch.Generator().manual_seed(0)
    h, weight, bias = (torch.randn(*size, generator=g, dtype=torch.float64) for size in ((7, 6), (11, 6), (11,)))
    for unembed in (Unembedding(weight), Unembedding(weight, bias, 0.3), Unembedding(weight, bias, 3.0, 2.0)):
        torch.testing.assert_close(divided(unembed, 0.7)(h), unembed(h) / 0.7)
        assert torch.equal(divided(unembed, 1.0)(h), unembed(h))


# KL divergences made part by part are those of the whole laws, gradients too; they are 0 between equal states.
def test_divergence_in_parts():
    g = torch.Generator().manual_seed(0)
    weight = torch.randn(11, 6, generator=g, dtype=torch.float64)
    a, b = (torch.randn(9, 6, generator=g, dtype=torch.float64).requires_grad_() for _ in range(2))
    p, q = (weight @ x[..., None] for x in (a, b))
    p, q = (x[..., 0].log_softmax(-1) for x in (p, q))
    wanted = torch.nn.functional.kl_div(q, p, log_target=True, reduction="none").sum(-1)
    for budget in (1, 25, 1000):
        found = divergence(a, b, lambda x: x @ weight.T, budget)
        torch.testing.assert_close(found, wanted)
        pairs = zip(
            *(torch.autograd.grad(x.square().sum(), (a, b), retain_graph=True) for x in (found, wanted)), strict=True
        )
        for mine, theirs in pairs:
            torch.testing.assert_close(mine, theirs)
    assert divergence(a, a, lambda x: x @ weight.T).abs().max() < 1e-12


# Inverse autoregressive: w_0 lies in the bin of y' under the ordinary head, w_k in that of t_k under the drafter's own
# q_k, which was made under the w before it; so the drafter under these numbers draws the text.
@pytest.mark.parametrize("shaping", [{}, dict(temperature=0.7, top_k=6)])
def test_inverse_numbers_draw_the_text(shaping):
    owner = build(ARCHITECTURES["gpt2"](), dtype=torch.float64)
    drafter, batch = made(owner, "inverse", **shaping), problem(owner, rows=6)
    found, other = (drafter.rows(*batch, source=source) for source in ("inverse", "teacher"))
    future, real = batch[2], found.target >= 0
    assert torch.equal(found.u[..., 0], other.u[..., 0]) and (found.u[..., 1:K] != other.u[..., 1:K]).any()
    drawn = pick(shape(owner.logits(found.z), **shaping), found.u[..., 1:])
    assert torch.equal(drawn[..., :-1][real[..., :-1]], future[..., 1:K][real[..., :-1]])
    assert not torch.equal(pick(shape(owner.logits(other.z), **shaping), other.u[..., 1:])[real], future[..., 1:][real])
    assert torch.equal(real, future[..., 1:] >= 0) if not shaping else real.float().mean() < 0.8


# The chance that drafts survive is counted as `match` meets them: a draft under the tape's number against the token;
# of drawn and of greedy windows apart, and where there are none of a kind the other's stands for it.
@pytest.mark.parametrize("form", ["one-hot", "categorical", "inverse"])
def test_survival_is_counted(form):
    owner = toy("gpt2")
    drafter, batch = made(owner, form), problem(owner, rows=6)
    found = drafter.rows(*batch)
    laws = owner.logits(found.z[:, :, -K:])
    if form == "one-hot":
        drafts = laws.argmax(-1)
    else:
        drafts = pick(shape(laws, temperature=drafter.law["temperature"]), found.u[..., 1:])
    good, real = drafter.right(*batch)
    target = batch[2][..., 1:]
    assert torch.equal(good, (drafts == target).flatten(0, 1)) and torch.equal(real, (target >= 0).flatten(0, 1))
    drafter.right = lambda *batch: (good, real)
    good |= torch.rand(good.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    greedy = torch.tensor([True, False, False, True, False, False])
    for marks in ([None, None], [~greedy, greedy], [greedy, greedy], [~greedy | True, ~greedy | True]):
        drafter.settle([batch if mark is None else (*batch, mark) for mark in marks])
        kinds = [greedy & False if mark is None else mark for mark in marks]
        rows = [survived(good, real, torch.cat([kind == row for kind in kinds])) for row in (False, True)]
        drawn, greedily = rows[0] or rows[1], rows[1] or rows[0]
        torch.testing.assert_close(drafter.survival, torch.tensor([drawn, greedily]), rtol=1e-5, atol=0)
        assert 0 < drawn[-1] < drawn[1] < 1 and (drawn != greedily) == (marks[0] is greedy)


def survived(good, real, windows) -> list[float]:
    """The chance that the first j drafts are right, row by row, of marked `windows` [W] (one mark per window, batches
    that repeat good and real [N, K]); empty where none is marked.
    """
    each, chance = len(good) // (T - K), [1.0]
    mine = [r for w in windows.nonzero()[:, 0].tolist() for r in range(w % each * (T - K), (w % each + 1) * (T - K))]
    for j in range(K):
        reached = [r for r in mine if all(good[r, i] and real[r, i] for i in range(j)) and real[r, j]]
        if not reached:
            return []
        chance.append(chance[-1] * sum(bool(good[r, j]) for r in reached) / len(reached))
    return chance


# What is measured, survival and the losses of validation, is of the tape's numbers, which are uniform in their bins:
# beta shapes those of training alone.
def test_measurements_know_no_beta():
    owner = toy("gpt2")
    one, other, batch = made(owner), made(owner, beta=0.05), problem(owner, rows=6)
    assert torch.equal(one.right(*batch)[0], other.right(*batch)[0])
    assert one.losses(*batch)["loss"] != other.losses(*batch)["loss"]
    held = Texts(torch.randint(1, VOCABULARY, (4, T + 1)), torch.randint(1, VOCABULARY, (4, T - K, K + 1)), T - K)
    assert evaluate(one, held) == evaluate(other, held) and one.training
    assert other.eval().losses(*batch)["loss"] == one.losses(*batch)["loss"]


# Every step has numbers of its own, also where it has the same text and anchors as another; the same step has the same.
def test_every_step_has_its_own_numbers():
    owner = toy("gpt2")
    drafter, batch = made(owner), problem(owner)
    one, other, again = (drafter.losses(*batch, draw=step)["loss"] for step in (1, 2, 1))
    assert one == again != other
    one, other, again = (drafter.rows(*batch, draw=step) for step in (1, 2, 1))
    assert torch.equal(one.u, again.u) and torch.equal(one.target, other.target)
    assert (one.u != other.u)[..., 0].all()


# A drafter used with fewer slots is measured and trained with those alone.
@every_form
def test_shortened_drafters_learn(form):
    owner = toy("gpt2")
    drafter, (text, anchors, future) = made(owner, form), problem(owner)
    short, before = drafter.shortened(2), drafter.survival.clone()
    losses = short.losses(text, anchors, future[..., :3])
    assert [name for name in losses if name != "loss"] == [f"slot {j}" for j in range(drafter.first_slot, 3)]
    short.settle([(text, anchors, future[..., :3])])
    assert (short.survival[:, 0] == 1).all() and not torch.equal(short.survival[:, :3], before[:, :3])
    assert torch.equal(drafter.survival, short.survival) and (short.survival.diff() <= 0).all()


OPTIONS = dict(steps=40, every=10, batch=128, rate=1e-2)


def learner(form: str, seed: int = 0, **options):
    return make_drafter(
        "ptp", backbone(), seed=seed, **{"horizon": 3, "rank": 4, "anchors": 16, **FORMS[form], **options}
    )


# Slots predict unseen text better at the end than at the start, and survival is measured; the backbone stays as it was,
# bit for bit. An interrupted run ends with the very weights of a straight one: its numbers come from the step alone.
@pytest.mark.parametrize("form", ["one-hot", "inverse"])
def test_fit(form, tmp_path):
    before, straight = weights(backbone().model), learner(form)
    held = split_features(straight, backbone(), Cycle(), "validation", Recipe(40, 0, 128, 1e-2, 4000))
    start = evaluate(straight, held)
    report = train(straight, **OPTIONS)
    last = report.validation[-1]
    assert all(last[f"slot {k}"] < start[f"slot {k}"] - 1 for k in (1, 2, 3))
    assert {k: last[k] for k in start} == evaluate(straight, held)
    assert (straight.survival[:, 0] == 1).all() and not torch.equal(straight.survival, learner(form).survival)
    assert equal(before, weights(backbone().model))

    def stop(note):
        if note["step"] == 20:
            torch.rand(7)  # the state of the global generator is of no matter
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(learner(form), tmp_path, callbacks=[stop], **OPTIONS)
    assert (tmp_path / CHECKPOINT).is_file()
    resumed = learner(form, seed=1)
    train(resumed, tmp_path, **OPTIONS)
    assert equal(weights(straight), weights(resumed)) and equal(
        weights(load_drafter(tmp_path, backbone())), weights(resumed)
    )


# Under autocast the numbers stay what they are, and losses are those of float32 up to bfloat16's rounding.
@pytest.mark.parametrize("form", ["one-hot", "kl"])
def test_autocast(form):
    owner = toy("llama")
    drafter, batch, found = made(owner, form), problem(owner), []
    for on in (False, True):
        drafter.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=on):
            rows, loss = drafter.rows(*batch), drafter.losses(*batch)["loss"]
        loss.backward()
        found.append((rows.u, loss.item(), torch.cat([w.grad.flatten() for w in drafter.parameters()])))
    (u, exact, slope), (same, rounded, other) = found
    assert torch.equal(u, same) and exact != rounded and exact == pytest.approx(rounded, rel=0.05)
    assert torch.cosine_similarity(slope, other, 0) > 0.97
