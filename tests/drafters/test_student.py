"""A network of its own beside the target: text stays ordinary decoding's, and what it learns is what it drafts with."""

import itertools

import pytest
import torch
from toys import CONTEXT, VOCABULARY, build, on_every_device, ragged, toy
from transformers import GPT2Config

from mtp_explore.contract import State
from mtp_explore.decode.generate import generate, sample
from mtp_explore.drafters import load_drafter, make_drafter
from mtp_explore.measure import law
from mtp_explore.measure.boxes import Boxes
from mtp_explore.tensors.categorical import pick, shape
from mtp_explore.tensors.uniforms import places, unpick
from mtp_explore.train.features import futures

K, NEW, SEED, T = 3, 16, 3, 24
SMALL = dict(width=16, layers=2, heads=2)
CUT = {"temperature": 0.7, "top_k": 9, "top_p": 0.9}
FORMS = {
    "one-hot": {},
    "categorical": dict(variant="categorical"),
    "kl": dict(variant="categorical", loss="kl", temperature=0.7),
    "reverse-kl": dict(variant="categorical", loss="reverse-kl"),
    "inverse": dict(variant="categorical", source="inverse"),
}
on_both = pytest.mark.parametrize("variant", ("one-hot", "categorical"))
every_form = pytest.mark.parametrize("form", FORMS)


def made(backbone, horizon: int = K, noise: float = 0.3, **options):
    """A student with random weights, or a copy with noise upon them."""
    torch.manual_seed(0)
    drafter = make_drafter("student", backbone, horizon=horizon, **options)
    for w in drafter.parameters():
        w.data += torch.randn_like(w) * noise
    return drafter


def problem(owner, eos: bool = False, anchors: int = 4):
    """Windows of text [3, T], anchors [3, A] and their futures [3, A, K+1], as `losses` is given them."""
    draw = torch.Generator().manual_seed(1)
    text = torch.randint(0 if eos else 1, VOCABULARY, (3, T + 1), generator=draw)
    anchors = torch.rand(3, T - K, generator=draw).argsort(1)[:, :anchors].sort(1).values
    return text[:, :-1], anchors, futures(text, K, owner.eos)[torch.arange(3)[:, None], anchors]


def asked(drafter, text, window):
    """Its belief behind a text [B, L] under the tape's numbers window [B, K+1], y' absorbed."""
    length = torch.full((len(text),), text.shape[1])
    hidden = torch.zeros(len(text), drafter.target.width, dtype=drafter.target.dtype)
    padded = torch.nn.functional.pad(text, (0, 4), value=5)  # what stands behind the end must not matter
    state = State(padded, length, hidden, hidden[:, None, :0], length * 0, window)
    return drafter.absorb(drafter.begin(state), text[:, -1])


# Row 17 of papers.md, section 6: under `match` text is ordinary decoding on the same tape, for ragged batches, greedy
# or drawn, with top-k and top-p, whatever the student has learned; and a copy of the target that has learned nothing
# drafts as well as one of another size.
@on_every_device
@on_both
@pytest.mark.parametrize("size", [{}, SMALL], ids=["copy", "small"])
def test_text_is_ordinary_decoding(size, variant, device):
    backbone, prompts = toy("llama", device), ragged()
    for shaping in ({}, CUT, {"temperature": 0}):
        options = dict(seed=SEED, eos=False, **shaping)
        wanted = sample(backbone, None, prompts, NEW, **options).tokens
        drafter = made(backbone, variant=variant, **size, **shaping)
        found = sample(backbone, drafter, prompts, NEW, rule="match", **options)
        assert torch.equal(found.tokens, wanted) and found.drafted.sum() > 0, shaping


# A batch of ragged prompts is its rows one by one, under every rule; also close to the end of the context.
@pytest.mark.parametrize(
    "rule, variant", [("match", "one-hot"), *((r, "categorical") for r in ("match", "rejection", "block"))]
)
def test_a_batch_is_its_rows(rule, variant):
    backbone, prompts = toy("gpt2"), ragged(lengths=(3, 54, 1, 6))
    drafter = made(backbone, variant=variant, noise=0.02)
    options = dict(rule=rule, eos=False)
    batch = sample(backbone, drafter, prompts, NEW, seed=SEED, **options)
    assert batch.accepted.sum() > 0
    for r in range(4):
        single = sample(backbone, drafter, prompts[r], NEW, seed=(SEED, r), **options)
        assert single.tokens[0, : single.length[0]].tolist() == batch.tokens[r, : batch.length[r]].tolist()
        assert single.accepted[:, 0].tolist() == batch.accepted[: single.calls, r].tolist()


# It reads no more places than there are, however much text the loop has kept room for.
def test_it_reads_the_text_alone(monkeypatch):
    backbone, rows = toy("llama"), []
    drafter = made(backbone, **SMALL)
    call = drafter.backbone.call
    monkeypatch.setattr(
        drafter.backbone, "call", lambda embeds, *more: rows.append(embeds.shape[1]) or call(embeds, *more)
    )
    prompts, options = ragged(lengths=(3, 59)), dict(seed=SEED, eos=False)
    found = sample(backbone, drafter, prompts, 500, **options)
    assert set(rows) == {CONTEXT + K} and found.length.tolist() == [CONTEXT - 3, CONTEXT - 59]
    assert torch.equal(found.tokens, sample(backbone, None, prompts, 500, **options).tokens)


# The law of the first tokens, enumerated over all uniforms, is the target's, though the slots see the very numbers that
# draw (one bit of them, so that they can be enumerated; only those in the slots of a step are cut there).
@on_both
@pytest.mark.parametrize("rule", ["match", "rejection", "block"])
def test_the_law_is_the_targets(rule, variant, monkeypatch):
    size = dict(vocab_size=2, n_embd=16, n_layer=1, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0)
    owner = build(GPT2Config(**size), dtype=torch.float64, seed=1)
    for weight in owner.model.parameters():
        if weight.dim() > 1:
            weight.data.mul_(8)
    drafter = made(owner, 2, variant=variant)
    whole, first = drafter.auxiliary.forward, law.unit
    drafter.auxiliary.forward = lambda u: whole((u >= 0.5) / 2 + 0.25)

    def bits(digits, cells, most, device):
        """The halves of numbers that slots carry: w_1 and w_2 of every step, or on a tape by position all."""
        low, high, _ = first(digits, [], most, device)
        carried = [d for d in range(digits) if rule == "match" or d % 5 in (1, 2)]
        for d in carried:
            low, high = low.repeat(2, 1), high.repeat(2, 1)
            high[: len(low) // 2, d] = low[len(low) // 2 :, d] = 0.5
        return Boxes(low, high, torch.full_like(low[:, 0], 1 / len(low)))

    monkeypatch.setattr(law, "unit", bits)
    found = law.exact_law(owner, drafter, [0, 1, 1, 0], 3, rule=rule)
    assert found.error < 1e-10 and 0 < found.accepted


# What is trained is what drafts: states of the one pass over windows of text are those of decoding from each anchor,
# with the anchor's numbers, and so are the drafts.
@on_both
@pytest.mark.parametrize("size", [{}, SMALL], ids=["copy", "small"])
def test_training_sees_what_decoding_sees(size, variant):
    owner = build(toy("llama").config, dtype=torch.float64)
    drafter, batch = made(owner, variant=variant, **size), problem(owner, anchors=T - K)
    text, anchors, future = batch
    rows, (good, real) = drafter.rows(*batch), drafter.right(*batch)
    good, found = good.view(*anchors.shape, K), 0
    assert real.all() and torch.equal(rows.target, future[..., :K])
    for b, a in itertools.product(range(3), range(T - K)):
        window = torch.cat([torch.rand(1, 1), rows.u[b, a][None]], 1)
        belief = asked(drafter, text[b : b + 1, : anchors[b, a] + 1], window)
        torch.testing.assert_close(belief.z[0], rows.z[b, a], atol=1e-5, rtol=1e-4)
        for k in range(K):
            assert int(drafter.left(belief)) == K - k
            law = drafter.predict(belief)
            draft = law.argmax(-1) if drafter.one_hot else pick(law.exp(), window[:, k + 1])
            assert bool(draft == future[b, a, k]) == bool(good[b, a, k])
            belief, found = drafter.absorb(belief, draft), found + int(good[b, a, k])
        assert int(drafter.left(belief)) == 0
    assert 0 < found < 3 * (T - K) * K


# Numbers: with source "teacher" they lie in the bins of the target's laws, with "inverse" in those of the student's
# own, one after another, that of the first token from its own next-token law. Only the last, which no slot carries, is
# from the law after the text itself. No gradient flows through them.
@pytest.mark.parametrize("source", ["teacher", "inverse"])
def test_numbers(source):
    owner = build(toy("llama").config, dtype=torch.float64)
    drafter, (text, anchors, future) = made(owner, variant="categorical", source=source, **SMALL), problem(owner)
    rows, where = drafter.rows(text, anchors, future, draw=4, source=source), places(future[..., :K], 1.0, 4)
    assert not rows.u.requires_grad
    laws = shape((owner if source == "teacher" else drafter.backbone).model(text).logits)
    for b, a in itertools.product(range(3), range(4)):
        i, u = anchors[b, a], rows.u[b, a]
        belief = asked(drafter, text[b : b + 1, : i + 1], torch.cat([u.new_zeros(1, 1), u[None]], 1))
        for k in range(K):
            own = source == "inverse" and k < K - 1
            law = drafter.predict(belief)[0].exp() if own else laws[b, i + k]
            wanted = unpick(law[None], future[b, a, k : k + 1], where[b, a, k : k + 1])
            torch.testing.assert_close(u[k : k + 1], wanted, atol=1e-5, rtol=0)
            belief = drafter.absorb(belief, future[b, a, k : k + 1])


# The losses are those of papers.md 4.3 in loops, over the student's laws and the target's, with the text's next tokens
# beside them where slots are categorical.
@every_form
def test_losses_are_the_formulas(form):
    owner = toy("llama")
    drafter, batch = made(owner, **FORMS[form], **SMALL), problem(owner, eos=True)
    text, anchors, _ = batch
    rows, found, each = drafter.rows(*batch, source=drafter.source), drafter.losses(*batch), {}
    scale = 1.0 if drafter.one_hot else drafter.law["temperature"]
    target = owner.model(text[:1, : anchors[0, 1] + 1]).logits[0, -1] if text[0, 1:4].all() else None
    for b, a, k in (rows.target >= 0).nonzero().tolist():
        q = (drafter.backbone.logits(rows.z[b, a, k]) / scale).log_softmax(-1)
        p = (drafter.target.logits(rows.teacher[b, a, k]) / scale).log_softmax(-1) if "kl" in form else q
        if target is not None and "kl" in form and (b, a, k) == (0, 1, 0):
            torch.testing.assert_close(p, (target / scale).log_softmax(-1), atol=1e-4, rtol=1e-4)
        p, q = (q, p) if form == "reverse-kl" else (p, q)
        value = (p.exp() * (p - q)).sum() if "kl" in form else -q[rows.target[b, a, k]]
        each.setdefault(f"draft {k + 1}", []).append(value)
    wanted = {"loss": torch.stack([v for values in each.values() for v in values]).mean()}
    wanted |= {name: torch.stack(values).mean() for name, values in sorted(each.items())}
    if not drafter.one_hot:
        rest = []  # a document begins at an end of text and sees nothing before it
        for b, i in itertools.product(range(3), range(T - 1)):
            start = max([j for j in range(i + 1) if text[b, j] == 0], default=0)
            logits = drafter.backbone.model(text[b : b + 1, start : i + 1]).logits[0, -1] / scale
            rest.append(-logits.log_softmax(-1)[text[b, i + 1]])
        wanted["next"] = torch.stack(rest).mean()
        wanted["loss"] = wanted["loss"] + wanted["next"]
    assert list(found) == list(wanted)
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], atol=1e-4, rtol=1e-4)


# Greedy windows teach slots greedy text, but not the next-token law, whose tokens are draws.
def test_greedy_windows_are_no_draws():
    owner, every = toy("llama"), torch.ones(3, dtype=torch.bool)
    drafter, batch = made(owner, variant="categorical", **SMALL), problem(owner)
    some = drafter.losses(*batch, torch.tensor([True, False, True]))
    alone = drafter.losses(*(x[1:2] for x in batch))
    torch.testing.assert_close(some["next"], alone["next"])
    assert drafter.losses(*batch, every)["next"] == 0 == drafter.losses(*batch, every)["draft 1"]
    cold = made(owner, variant="categorical", temperature=0.0, **SMALL)
    assert cold.losses(*batch)["next"] == cold.losses(*batch, every)["next"] > 0


# Gradients reach the text: its embeddings up to the last anchor, and with a loss on every next token all but the last;
# every weight of the student moves, none of the target, also of a copy.
@on_both
@pytest.mark.parametrize("size", [{}, SMALL], ids=["copy", "small"])
def test_gradients_reach_the_text(size, variant):
    owner = toy("llama")
    drafter, (text, anchors, future) = made(owner, variant=variant, **size), problem(owner)
    seen, before = [], owner.fingerprint
    drafter.backbone.embed.register_forward_hook(
        lambda m, i, out: out.retain_grad() or seen.append(out) if out.requires_grad else None
    )
    drafter.losses(text, anchors[:, :2], future[:, :2])["loss"].backward()
    moved = seen[-1].grad.abs().sum(-1) > 0
    place = torch.arange(T)
    assert torch.equal(moved, (place <= anchors[:, 1:2]) | ((variant == "categorical") & (place < T - 1)))
    assert all(w.grad is not None and w.grad.abs().sum() > 0 for w in drafter.parameters())
    torch.optim.SGD(drafter.parameters(), 0.1).step()
    assert all(w.grad is None for w in owner.model.parameters())
    owner._fingerprint = None
    assert owner.fingerprint == before


# Row 19, for a student from scratch: with numbers in its slots the loss of one-hot drafts falls far below the entropy
# of the future given the context, and on the teacher's tape most windows are drafted whole.
def test_it_learns_the_teacher():
    size = dict(vocab_size=4, n_embd=32, n_layer=2, n_head=2, n_positions=16, initializer_range=0.3)
    owner = build(GPT2Config(**size, bos_token_id=None, eos_token_id=None), seed=7)
    prompt, steps, rows = [1, 2], 300, 64
    every = torch.tensor(list(itertools.product(range(4), repeat=3)))
    text = torch.cat([torch.tensor([prompt]).expand(len(every), -1), every], 1)
    with torch.no_grad():
        laws = shape(owner.model(text).logits[:, 1:-1])
    chance = laws.gather(2, every[..., None])[..., 0].prod(1)
    entropy = float(-(chance * chance.log()).sum() / 3)
    drafter = make_drafter("student", owner, seed=1, horizon=2, width=32, layers=2, heads=2)
    optimizer = torch.optim.AdamW(drafter.parameters(), weight_decay=0.0)
    draw, losses, anchors = torch.Generator().manual_seed(0), [], torch.tensor([[1, 2]]).expand(rows, -1)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-2 * min(1, (step + 1) / 20, 2 * (1 - step / steps))
        window = text[chance.multinomial(rows, True, generator=draw)]
        later = torch.nn.functional.pad(window[:, 3:], (0, 1), value=-1)
        future = torch.stack([window[:, 2:], later], 1)
        loss = drafter.losses(window, anchors, future, draw=step)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-20:]) / 20 < 0.3 * entropy < entropy < losses[0]
    found, wanted = (sample(owner, d, [prompt] * 200, 3, seed=5, eos=False) for d in (drafter, None))
    assert torch.equal(found.tokens, wanted.tokens) and found.accepted[1].float().mean() > 1.6


# It is saved and comes back as it was, in either size, with tied and with untied embeddings; a trace keeps the numbers
# that its slots carried.
@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
@pytest.mark.parametrize("size", [{}, SMALL], ids=["copy", "small"])
def test_saving(size, architecture, tmp_path):
    backbone = toy(architecture)
    drafter = made(backbone, variant="categorical", embedding="float", temperature=0.5, top_k=3, **size)
    drafter.save_pretrained(tmp_path)
    again = load_drafter(tmp_path, backbone)
    mine, theirs = drafter.state_dict(), again.state_dict()
    assert mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)
    assert again.options == drafter.options and again.law == dict(temperature=0.5, top_k=3, top_p=1.0)
    one, other = (sample(backbone, d, ragged(), NEW, temperature=0.5, top_k=3) for d in (drafter, again))
    assert torch.equal(one.tokens, other.tokens) and torch.equal(one.accepted, other.accepted)
    trace = generate(backbone, again, ragged()[1], 8, temperature=0, eos=False)
    assert [s.belief for s in trace.steps[:2]] == [None, {"uniforms": [0.5] * (K + 1)}]
    with pytest.raises(ValueError, match="made for a backbone of fingerprint"):
        load_drafter(tmp_path, toy(architecture, seed=3))


def test_bad_options_are_refused():
    for wrong, message in [
        (dict(width=-1), "width=-1.*at least 0"),
        (dict(width=16), "width=16, layers=0.*leave all three out"),
        (dict(layers=2), "width=0, layers=2"),
        (dict(heads=2), "width=0, layers=0, heads=2"),
        (dict(width=16, layers=1.5), "layers=1.5"),
        (dict(width=True, layers=1), "width=True"),
        (dict(width=18, layers=1, heads=4), "width=18, heads=4.*even share"),
        (dict(variant="soft"), "variant='soft'.*'one-hot', 'categorical'"),
        (dict(loss="kl"), "a one-hot slot has no law"),
        (dict(source="inverse"), "a one-hot slot has no law"),
        (dict(variant="categorical", source="inverse", loss="kl"), "is no teacher; use loss='cross-entropy'"),
        (dict(embedding="sine"), "embedding='sine'"),
        (dict(horizon=0), "horizon=0"),
        (dict(rank=4), "rank= is no option of drafter 'student'"),
    ]:
        with pytest.raises(ValueError, match=message):
            make_drafter("student", toy("llama"), **wrong)
