"""Training of masks: the cheap form against one plain pass over n(K+1) rows, its losses, and `fit` on it."""

import pytest
import torch
from learnable import Cycle, backbone, gradients, train
from test_fit import Letters, equal, weights
from toys import ARCHITECTURES, VOCABULARY, build, toy
from transformers import DeepseekV2Config, DeepseekV3Config, GPTNeoConfig, MiniCPM3Config, XGLMConfig

from mtp_explore.backbone import blocks
from mtp_explore.backbone.blocks import block_states, documents, freeze, sight
from mtp_explore.backbone.layout import Layout
from mtp_explore.drafters import load_drafter, make_drafter
from mtp_explore.drafters.masked import Rows, consistency
from mtp_explore.train.features import futures
from mtp_explore.train.fit import CHECKPOINT, Recipe, evaluate, fit, prepare, split_features
from mtp_explore.train.scratch import refuse
from mtp_explore.train.texts import Texts, texts

K, T = 3, 15
EVERYTHING = 0  # anchors


def made(owner, horizon: int = K, seed: int = 0, **options):
    """Random weights everywhere."""
    drafter = make_drafter("masked", owner, horizon=horizon, **{"rank": 2, "anchors": EVERYTHING, **options})
    g = torch.Generator().manual_seed(seed)
    for name, w in drafter.named_parameters():
        w.data.copy_(torch.randn(w.shape, generator=g) * (0.2 if "lora" in name else 1.0 if "masks" in name else 0.5))
    return drafter


def problem(owner, anchors: int = EVERYTHING, rows: int = 2, seed: int = 0):
    """A batch of texts in which documents (token 0 ends them) begin at several places."""
    draw = torch.Generator().manual_seed(seed)
    stream = torch.randint(0, VOCABULARY, (rows * (T + 1) * 3,), generator=draw)
    stream[:: T // 2] = 0
    windows = stream[: rows * (T + 1)].view(rows, T + 1)
    return Texts(windows, futures(windows, K, owner.eos), anchors or T - K).batch(0, rows * (anchors or T - K), 1)


# Row 2 of papers.md, section 6: the layout of 3.2 for k = 2 and three tokens, row by row, from what the two passes see.
def test_layout_of_the_paper():
    tokens, n, k = torch.tensor([[5, 6, 7]]), 3, 2
    position, document = documents(tokens, [0])
    frozen = blocks.Frozen(None, [], position, document)
    anchors = torch.arange(n)[None]
    seen = sight(frozen, anchors)[0]
    order = [(i, j) for i in range(n) for j in range(k + 1)]
    whole = torch.zeros(9, 9, dtype=torch.bool)
    for row, (i, j) in enumerate(order):
        for column, (a, b) in enumerate(order):
            if b == 0:
                whole[row, column] = seen[i, a] if j else (a <= i)
            else:
                whole[row, column] = a == i and b <= j  # block_attention's own rule
    rule = [[(b == 0 and a <= i) or (a == i and 1 <= b <= j) for a, b in order] for i, j in order]
    assert whole.tolist() == rule
    assert [order[c] for c in whole[order.index((1, 2))].nonzero()[:, 0]] == [(0, 0), (1, 0), (1, 1), (1, 2)]
    places = [int(position[0, i]) + j for i, j in order]
    assert places == [0, 1, 2, 1, 2, 3, 2, 3, 4]
    labels = futures(torch.tensor([[5, 6, 7, 8, 9, 4]]), k, [0])[0]
    assert labels.flatten().tolist() == [6, 7, 8, 7, 8, 9, 8, 9, 4]


def plain(drafter, batch) -> Rows:
    """The n(K+1) form of 3.2 in loops: one pass with gradients over every token and all masks of all anchors, its mask
    element by element. Text rows come first, so that the gate is a slice.
    """
    owner, (text, anchors, future, *_) = drafter.backbone, batch
    rows, size = text.shape
    order = [(None, i) for i in range(size)] + [(a, j) for a in range(anchors.shape[1]) for j in range(1, K + 1)]
    allowed = torch.zeros(rows, len(order), len(order), dtype=torch.bool)
    position = torch.zeros(rows, len(order), dtype=torch.long)
    for b in range(rows):
        start = [max([s for s in range(i + 1) if text[b, s] == 0], default=0) for i in range(size)]
        for q, (block, j) in enumerate(order):
            i = j if block is None else int(anchors[b, block])
            position[b, q] = i - start[i] + (0 if block is None else j)
            for c, (other, m) in enumerate(order):
                if other is None:
                    allowed[b, q, c] = start[i] <= m <= i
                else:
                    allowed[b, q, c] = other == block and m <= j
    masks = drafter.masks.expand(rows, anchors.shape[1], -1, -1).flatten(1, 2)
    embeds = torch.cat([owner.embed(text), masks], 1)
    lay = Layout(position, allowed, position, size)
    mask = owner._mask(lay, embeds.dtype)
    with drafter.gate(size):
        _, hidden = owner.run(embeds, position, mask, text[:, :1] * 0)
    z = hidden[:, size:].unflatten(1, (anchors.shape[1], K))
    place = anchors[..., None] + torch.arange(K + 1)
    states = torch.stack([hidden[b, place[b]] for b in range(rows)])
    z = torch.cat([states[:, :, :1], z], 2)
    before = torch.stack([text[b, place[b]] for b in range(rows)])
    return Rows(z, drafter.sampled(z, before), future, states[:, :, 1:], place[..., 1:])


def plain_losses(drafter, made: Rows, size: int) -> dict[str, torch.Tensor]:
    """The losses of 3.5 in loops."""
    base, sampler, each, apart = [], [], {k: [] for k in range(K + 1)}, {}
    for b in range(len(made.z)):
        for a in range(made.z.shape[1]):
            for j in range(K + 1):
                target = int(made.target[b, a, j])
                if target < 0:
                    continue
                laws = [drafter.backbone.logits(x[b, a, j]).log_softmax(-1)[target] for x in (made.z, made.s)]
                each[j].append([-law for law in laws])
                if j:
                    t = int(made.place[b, a, j - 1])
                    assert t < size
                    gap = (made.z[b, a, j] - made.ahead[b, a, j - 1].detach()).square().mean()
                    apart.setdefault((b, t), []).append(gap)
    every = [pair for j in range(K + 1) for pair in each[j]]
    masks = [pair for j in range(1, K + 1) for pair in each[j]]
    average = lambda x: torch.stack(x).mean()  # noqa: E731
    lcm = average([average(gaps) for gaps in apart.values()])
    base, sampler = average([p[0] for p in masks]), average([p[1] for p in masks])
    both = average([p[0] for p in every])
    if drafter.sampler is not None:
        both = both + average([p[1] for p in every])
    losses = {"loss": both + drafter.consistency * lcm, "base": base, "sampler": sampler, "consistency": lcm}
    if drafter.sampler is None:
        del losses["sampler"]
    return losses | {f"mask {j}": average([p[1] for p in each[j]]) for j in range(1, K + 1)}


# Row 3: states of the masks, every loss and every gradient of the cheap form are those of the plain one, for all places
# of a text or some of them, on every kind of model; packed documents are apart in both.
@pytest.mark.parametrize("anchors", [EVERYTHING, 4])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_cheap_form_is_the_plain_one(architecture, anchors):
    owner = build(ARCHITECTURES[architecture](), dtype=torch.float64)
    form = {"gpt2": dict(residual=True), "llama": dict(sampler=False)}.get(architecture, {})
    drafter, batch = made(owner, consistency=0.7, **form), problem(owner, anchors)
    assert (batch.future < 0).any() and (batch.future >= 0).float().mean() > 0.5
    tight = dict(atol=1e-10, rtol=1e-8) if architecture in ("gpt2", "neox") else dict(atol=2e-5, rtol=2e-4)
    one = plain(drafter, batch)
    torch.testing.assert_close(drafter.rows(*batch).z, one.z, **tight)
    wanted = plain_losses(drafter, one, T)
    found = drafter.losses(*batch)
    assert list(found) == list(wanted)
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], **tight)
    one, other = (gradients(drafter, losses["loss"]) for losses in (found, wanted))
    torch.testing.assert_close(one, other, **tight)
    assert all(g.abs().max() > 1e-6 for g in one.values())
    assert not any(w.requires_grad or w.grad is not None for w in owner.model.parameters())


# Packed documents never attend across: a document's states and its masks' are those of the document alone.
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "mistral"])
def test_documents_are_apart(architecture):
    owner = toy(architecture)
    drafter = made(owner)
    one, other = [0, 3, 1, 4, 1, 5], [0, 9, 2, 6, 5]
    both = freeze(owner, torch.tensor([one + other]))
    assert both.position.tolist() == [[*range(6), *range(5)]] and both.document.tolist() == [[1] * 6 + [2] * 5]
    for text, start in ((one, 0), (other, 6)):
        alone = freeze(owner, torch.tensor([text]))
        torch.testing.assert_close(both.hidden[:, start : start + len(text)], alone.hidden, atol=1e-4, rtol=1e-3)
        places = torch.tensor([[1, 3, 4]])
        masks = drafter.masks.expand(1, 3, -1, -1)
        with torch.no_grad(), drafter.gate(0):
            packed = block_states(owner, both, places + start, masks)
            torch.testing.assert_close(packed, block_states(owner, alone, places, masks), atol=1e-4, rtol=1e-3)


# Row 22: the consistency loss moves the masks' states alone, and is 0 where they equal the places' own.
def test_consistency_moves_masks_alone():
    g = torch.Generator().manual_seed(0)
    z = torch.randn(2, 4, K + 1, 8, generator=g, dtype=torch.float64).requires_grad_()
    ahead = torch.randn(2, 4, K, 8, generator=g, dtype=torch.float64).requires_grad_()
    target = torch.randint(-1, 5, (2, 4, K + 1), generator=g)
    place = torch.arange(4)[:, None] + torch.arange(1, K + 1)
    made = Rows(z, z, target, ahead, place.expand(2, -1, -1))
    consistency(made, 9).backward()
    assert ahead.grad is None and not z.grad[:, :, 0].any()
    assert torch.equal(z.grad[:, :, 1:].abs().amax(-1) > 0, target[..., 1:] >= 0)
    same = made._replace(z=torch.cat([z[:, :, :1], ahead], 2))
    assert consistency(same, 9) == 0 and consistency(made, 9) > 0.1
    assert consistency(made._replace(target=target * 0 - 1), 9) == 0


# The frozen text has no gradient, the model keeps its attention and its hooks, also after an error; a model whose
# attention is not exchanged is refused.
def test_the_model_is_left_alone(monkeypatch):
    owner = toy("llama")
    drafter, batch = made(owner), problem(owner)
    before = owner.config._attn_implementation
    drafter.losses(*batch)["loss"].backward()
    frozen = freeze(owner, batch.text)
    assert not frozen.hidden.requires_grad and not any(x.requires_grad for pair in frozen.layers for x in pair)
    masks = drafter.masks.expand(*batch.anchors.shape, -1, -1)
    with pytest.raises(ValueError, match="'llama': its attention cannot be exchanged"):
        block_states(owner, frozen._replace(layers=frozen.layers * 2), batch.anchors, masks)
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(blocks, "attend", lambda *args, **options: 1 / 0)
        block_states(owner, frozen, batch.anchors, masks)
    assert owner.config._attn_implementation == before != blocks.NAME and blocks._now.open is None
    with pytest.raises(ValueError, match="blocks of 6 rows do not fit this model's attention window of 5"):
        wide = toy("mistral")
        batch = problem(wide)
        made(wide, 6).losses(batch.text, batch.anchors[:, :3], batch.future[:, :3])
    with pytest.raises(ValueError, match="uses s_aux"):
        blocks.attend(None, None, None, None, None, s_aux=1)


# Models that keep their own attention are refused in words, whatever that makes of the blocks' masks; and afterwards
# they are as they were.
@pytest.mark.parametrize("anchors", [1, 4])
@pytest.mark.parametrize("kind", ["gpt_neo", "xglm"])
def test_own_attention_is_refused(kind, anchors):
    size = dict(vocab_size=VOCABULARY, num_layers=2, max_position_embeddings=64, eos_token_id=0)
    neo = dict(hidden_size=32, num_heads=4, attention_types=[[["global"], 2]])
    config = GPTNeoConfig(**size, **neo) if kind == "gpt_neo" else XGLMConfig(**size, d_model=32, attention_heads=4)
    owner = build(config)
    text, where, future = problem(owner)[:3]
    with pytest.raises(ValueError, match=f"'{kind}': its attention cannot be exchanged.*take a model"):
        made(owner).losses(text, where[:, :anchors], future[:, :anchors])
    assert owner.config._attn_implementation != blocks.NAME and blocks._now.open is None


# A cache of latents holds no keys and values to freeze: the model is named, with what would do.
@pytest.mark.parametrize("config", [DeepseekV2Config, DeepseekV3Config, MiniCPM3Config])
def test_latents_are_refused(config):
    size = dict(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=48)
    latent = dict(q_lora_rank=8, kv_lora_rank=8, qk_rope_head_dim=4, qk_nope_head_dim=8, v_head_dim=8)
    dense = {} if config is MiniCPM3Config else dict(first_k_dense_replace=1)
    owner = build(config(**size, **latent, **dense, max_position_embeddings=64, eos_token_id=0))
    batch = problem(owner)
    with pytest.raises(ValueError, match="model type '.*': its cache holds latents.*cannot be trained on frozen keys"):
        made(owner).losses(*batch)
    assert owner.config._attn_implementation != blocks.NAME and blocks._now.open is None


# Windows and anchors: the tokens that follow each place, drawn by (seed, step) alone, without repeats and in order;
# `parts` has every window once with the same spread of places.
def test_texts():
    owner = toy("gpt2")
    stream = torch.randint(0, VOCABULARY, (65 * 12,), generator=torch.Generator().manual_seed(0))
    held = texts(owner, stream, K, 64 * 8, 10, seed=3)
    assert held.windows.shape == (8, 65) and held.future.shape == (8, 61, K + 1) and held.size == 80
    batch = held.batch(5, 30, 1)
    assert batch.text.shape == (3, 64) and batch.anchors.shape == (3, 10) and batch.size == 30
    assert (batch.anchors.diff(dim=1) > 0).all() and batch.anchors.max() <= 60
    again, later = held.batch(5, 30, 1), held.batch(6, 30, 1)
    assert all(torch.equal(a, b) for a, b in zip(batch[:-1], again[:-1], strict=True))
    assert not torch.equal(batch.text, later.text)
    parts = list(held.parts(2 * 10 * (K + 1)))
    draws = [b.draw for b in (batch, later, held.batch(5, 30, 2), *parts)]
    assert batch.draw == again.draw and len(set(draws)) == len(draws) and all(p.draw < 0 for p in parts)
    assert [len(p.text) for p in parts] == [2] * 4 and torch.cat([p.text for p in parts]).equal(held.windows[:, :-1])
    for one in (batch, *parts):
        whole = [row.tolist() for row in held.windows]
        for text, anchors, future in zip(*(x.tolist() for x in one[:3]), strict=True):
            window = next(w for w in whole if w[:-1] == text)
            assert anchors[0] == 0 and anchors[-1] == 60 or one is batch
            for i, after in zip(anchors, future, strict=True):
                end = next((j for j in range(K + 1) if window[i + 1 + j] == 0), K)
                assert after == window[i + 1 : i + 2 + end] + [-1] * (K - end)
    assert len(held.batch(0, 1, 0).text) == 1 and texts(owner, stream, K, 64, 0).anchors == 61
    with pytest.raises(ValueError, match="horizon=64: windows have 64 places"):
        texts(owner, stream, 64, 64, 0)
    with pytest.raises(ValueError, match="too small"):
        texts(owner, stream[:100], K, 64, 0)


# The chance that the first j drafts are right, counted place by place on text.
def test_survival_is_counted():
    owner = toy("gpt2")
    drafter, batch = made(owner), problem(owner)
    owner_text = drafter.rows(*batch)
    best = owner.logits(owner_text.s[:, :, 1:]).argmax(-1)
    wanted = batch.future.clone()
    draw = torch.rand(best.shape, generator=torch.Generator().manual_seed(2))
    said = torch.where(draw < 0.6, best, (best + 1) % VOCABULARY)  # right in 6 of 10 masks, whatever came before
    wanted[..., 1:] = torch.where(wanted[..., 1:] >= 0, said, -1)
    drafter.settle([(batch.text, batch.anchors, wanted)] * 2)
    chance, (found, other) = 1.0, drafter.survival.tolist()
    assert found[0] == 1 and found == other  # no window is marked as greedy
    for j in range(1, K + 1):
        reached = hits = 0
        for b in range(len(best)):
            for a in range(best.shape[1]):
                good = [int(best[b, a, i]) == int(wanted[b, a, i + 1]) for i in range(j)]
                reached += all(good[:-1]) and int(wanted[b, a, j]) >= 0
                hits += all(good)
        chance *= hits / reached
        assert found[j] == pytest.approx(chance, rel=1e-5) and 0 < found[j] < 1


# A drafter used with fewer masks learns and is measured with those alone: the losses of its first masks are those of
# the whole drafter, and the chance that they are right too.
def test_shortened_drafters_learn():
    owner = toy("gpt2")
    drafter, batch = made(owner), problem(owner)
    short = drafter.shortened(2)
    few = batch._replace(future=batch.future[..., :3])
    found, wanted = short.losses(*few), drafter.losses(*batch)
    for name in ("mask 1", "mask 2"):
        torch.testing.assert_close(found[name], wanted[name])
    assert "mask 3" not in found
    drafter.settle([batch])
    whole = drafter.survival.clone()
    drafter.survival.fill_(1.0)
    short.settle([few])
    assert torch.equal(short.survival[:, :3], whole[:, :3])
    assert (short.survival[:, 3:] <= short.survival[:, 2:3]).all()
    assert torch.equal(drafter.survival, short.survival)


OPTIONS = dict(steps=40, every=10, batch=128, rate=1e-2)


def learner(seed: int = 0, **options):
    return make_drafter(
        "masked", backbone(), seed=seed, **{"horizon": 3, "rank": 4, "anchors": 16, "residual": True, **options}
    )


# Every mask predicts unseen text better at the end than at the start, and survival is measured; the backbone stays as
# it was, bit for bit. An interrupted run ends with the very weights of a straight one.
def test_fit(tmp_path):
    before, straight = weights(backbone().model), learner()
    held = split_features(straight, backbone(), Cycle(), "validation", Recipe(40, 0, 128, 1e-2, 4000))
    start = evaluate(straight, held)
    report = train(straight, **OPTIONS)
    last = report.validation[-1]
    assert all(last[f"mask {k}"] < start[f"mask {k}"] - 1 for k in (1, 2, 3))
    assert {k: last[k] for k in start} == evaluate(straight, held)
    assert (straight.survival[:, 0] == 1).all() and not torch.equal(straight.survival, learner().survival)
    assert equal(before, weights(backbone().model))

    def stop(note):
        if note["step"] == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(learner(), tmp_path, callbacks=[stop], **OPTIONS)
    assert (tmp_path / CHECKPOINT).is_file()
    resumed = learner(seed=1)
    train(resumed, tmp_path, **OPTIONS)
    assert equal(weights(straight), weights(resumed)) and equal(
        weights(load_drafter(tmp_path, backbone())), weights(resumed)
    )


# Products of float16 and bfloat16 do not mix, which is said before any work.
def test_float16_backbones_want_their_own_precision():
    owner = build(ARCHITECTURES["llama"](), dtype=torch.float16)
    drafter = make_drafter("masked", owner, horizon=3, rank=2)
    with pytest.raises(ValueError, match="precision='bfloat16': this backbone is in float16.*dtype=torch.bfloat16"):
        fit(drafter, owner, Cycle(), steps=1, precision="bfloat16", progress=False)


# A half-precision backbone: masks, adapters and sampler learn in float32 and end as what the backbone is.
def test_half_precision_backbones():
    model = build(ARCHITECTURES["llama"](), dtype=torch.bfloat16)
    model.tokenizer = Letters()
    learner, kept = made(model, anchors=8), []
    callback = lambda note: kept.append([w.detach().clone() for w in learner.parameters()])  # noqa: E731
    settings = dict(steps=10, batch=32, rate=1e-5, positions=500, every=10, progress=False)
    fit(learner, model, Cycle(), callbacks=[callback], **settings)
    assert {w.dtype for w in kept[0]} == {torch.float32} and {w.dtype for w in learner.parameters()} == {torch.bfloat16}
    assert any((w != w.bfloat16()).any() for w in kept[0])


# Under autocast the products are made in bfloat16, and losses and gradients are those of float32 up to its rounding.
def test_autocast():
    owner = toy("llama")
    drafter, batch, found = made(owner), problem(owner), []
    for on in (False, True):
        drafter.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=on):
            loss = drafter.losses(*batch)["loss"]
        loss.backward()
        found.append((loss.item(), torch.cat([w.grad.flatten() for w in drafter.parameters()])))
    (exact, slope), (rounded, other) = found
    assert exact != rounded and exact == pytest.approx(rounded, rel=0.03)
    assert torch.cosine_similarity(slope, other, 0) > 0.98


# Windows of text are for masks, states for heads; each is told what the other needs. No trunk can learn beside masks.
def test_what_does_not_fit_is_refused():
    heads, masks = make_drafter("independent", backbone(), horizon=3, hidden=4), learner()
    states, windows = (prepare(d, backbone(), Cycle(), 2000) for d in (heads, masks))
    with pytest.raises(ValueError, match="prepared holds states.*'masked' needs windows of text"):
        train(masks, prepared=states)
    with pytest.raises(
        ValueError, match="prepared holds windows of text for horizon 3.*'independent' needs states for 3"
    ):
        train(heads, prepared=windows)
    with pytest.raises(ValueError, match="for horizon 3.*'masked' needs windows for 2"):
        train(learner(horizon=2), prepared=windows)
    with pytest.raises(ValueError, match="'masked' learns from a frozen target"):
        refuse(masks)
    for wrong in (dict(consistency=-1.0), dict(anchors=-1)):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}=-1"):
            learner(**wrong)
