"""Masks, adapters and sampler with random weights: the target's law and text stay what they are, with every plan."""

import pytest
import torch
from toys import ARCHITECTURES, CONTEXT, VOCABULARY, build, greedy, on_every_device, ragged, toy, whole_pass
from transformers import GPT2Config

from mtp_explore.contract import Slots, State
from mtp_explore.decode.generate import _Job, decode, generate, sample
from mtp_explore.drafters import load_drafter, make_drafter
from mtp_explore.drafters.base import one_hot_log
from mtp_explore.drafters.masked import Masked
from mtp_explore.measure.law import exact_law

K, NEW, SEED = 3, 16, 3
KINDS = ["llama", "gpt2", "qwen3", "neox"]
PLANS, RULES = ("linear", "quadratic", "budget=3"), ("match", "rejection", "block")
FORMS = {"plain": {}, "bare": dict(sampler=False), "residual": dict(residual=True), "argmax": dict(argmax=True)}
SHAPES = [{}, {"temperature": 0.7, "top_k": 2, "top_p": 0.9}]
on_every_kind = pytest.mark.parametrize("architecture", KINDS)


def made(backbone, horizon: int = K, seed: int = 0, **options):
    """A drafter with random weights everywhere, large enough that masks and adapters matter."""
    drafter = make_drafter("masked", backbone, horizon=horizon, **{"rank": 2, **options})
    g = torch.Generator().manual_seed(seed)
    for name, w in drafter.named_parameters():
        w.data.copy_(torch.randn(w.shape, generator=g) * (0.2 if "lora" in name else 1.0 if "masks" in name else 0.5))
    return drafter


def three(seed: int):
    """A GPT-2 with three tokens in float64, peaked."""
    size = dict(vocab_size=3, n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0)
    owner = build(GPT2Config(**size), dtype=torch.float64, seed=seed)
    for weight in owner.model.parameters():
        if weight.dim() > 1:
            weight.data.mul_(8)
    return owner


# The first K + 1 = 3 tokens have the target's own law, whatever the plan, the rule and the shaping.
@pytest.mark.parametrize("plan, shaping", [*((p, SHAPES[0]) for p in PLANS), *((p, SHAPES[1]) for p in PLANS[:2])])
@pytest.mark.parametrize("rule", RULES)
def test_the_law_is_the_targets(rule, plan, shaping):
    owner = three(1)
    assert exact_law(owner, made(owner, 2), [0, 1, 2, 0], 3, rule=rule, plan=plan, **shaping).error < 1e-10


# So it is without the sampler, with the residual one, and for arg-max drafts, which `rejection` keeps with chance p(d);
# one more token reaches the bonus and the second window.
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("form", list(FORMS)[1:])
def test_every_form_has_the_targets_law(form, rule):
    owner = three(2)
    drafter = made(owner, 1, **FORMS[form])
    assert exact_law(owner, drafter, [0, 1], 3, rule=rule, plan="quadratic").error < 1e-10


# Text is ordinary decoding's, token by token, at every temperature and with every plan, on every kind of model; greedy
# text with the default rule too.
@on_every_device
@on_every_kind
@pytest.mark.parametrize("temperature", [0, 1.0])
def test_text_is_ordinary_decoding(architecture, temperature, device):
    backbone, prompts = toy(architecture, device), ragged()
    options = dict(seed=SEED, temperature=temperature, eos=False)
    wanted = sample(backbone, None, prompts, NEW, **options).tokens
    for plan in PLANS:
        for form in FORMS if plan == "quadratic" and architecture == "gpt2" else ["plain"]:
            drafter = made(backbone, **FORMS[form])
            found = sample(backbone, drafter, prompts, NEW, plan=plan, rule="match", **options)
            assert torch.equal(found.tokens, wanted) and found.drafted.sum() > 0, (plan, form)
    if temperature == 0:
        assert wanted[1].tolist() == greedy(backbone, prompts[1], NEW)


# Row 1 of papers.md, section 6: main rows are bit-equal with adapters on and off in a call of one shape, and those of a
# call without masks up to the shape's own rounding; mask rows are not.
@on_every_device
@on_every_kind
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_main_rows_do_not_see_masks(architecture, dtype, device, monkeypatch):
    backbone = build(ARCHITECTURES[architecture](), device, dtype)
    drafter, seen = made(backbone), {}
    call = type(backbone).call

    def spy(self, embeds, layout, cache, keep, gate=None):
        out = call(self, embeds, layout, cache, keep, gate)
        rows = out[1][:, : layout.rows], out[1][:, layout.rows :]
        seen.setdefault(mode, []).append([x.clone() for x in (out[0], *rows)])
        return out

    def options(plan):
        return dict(seed=SEED, temperature=0, eos=False, plan=plan)

    monkeypatch.setattr(type(backbone), "call", spy)
    begin, gate = drafter.begin, drafter.gate
    blind = lambda s: begin(s._replace(slots=s.slots * 0, count=s.count * 0 + K))  # noqa: E731
    monkeypatch.setattr(drafter, "begin", blind)  # the same drafts, whatever the masks say
    for mode in ("on", "off"):
        monkeypatch.setattr(drafter, "gate", gate if mode == "on" else lambda first: None)
        sample(backbone, drafter, ragged(), NEW, **options("quadratic"))
    mode = "none"
    monkeypatch.setattr(drafter, "gate", gate)
    sample(backbone, drafter, ragged(), NEW, **options(lambda drafter, draft: Slots(*[draft.tokens[:, :0]] * 2)))
    assert len(seen["on"]) == len(seen["off"]) > 3
    for on, off in zip(seen["on"], seen["off"], strict=True):
        assert torch.equal(on[0], off[0]) and torch.equal(on[1], off[1]) and not torch.equal(on[2], off[2])
    for on, none in zip(seen["on"][:2], seen["none"][:2], strict=True):
        torch.testing.assert_close(on[0], none[0], atol=1e-3 if dtype == torch.float32 else 0.3, rtol=1e-2)


# Row 5: after every step the cache holds, for each row of the batch, the keys and values of a fresh pass over what that
# row has committed; masks and refused drafts have left nothing behind.
@on_every_device
@on_every_kind
@pytest.mark.parametrize("plan", PLANS)
def test_the_cache_is_that_of_a_fresh_pass(architecture, plan, device, monkeypatch):
    backbone, prompts = toy(architecture, device), ragged()
    kept, make = [], type(backbone).cache
    monkeypatch.setattr(type(backbone), "cache", lambda self, capacity: kept.append(make(self, capacity)) or kept[-1])
    options = dict(temperature=3.0, seed=SEED, plan=plan, rule="rejection", eos=False)
    accepted = set()
    for step, call in enumerate(_Job(backbone, made(backbone), prompts, NEW, **options).calls(describe=False)):
        accepted |= set(call.verdict.accepted.tolist())
        for r in range(len(prompts)) if step % 2 == 0 else ():
            length = int(call.length[r]) - 1  # y' has not been seen
            if length + 1 == len(prompts[r]) + NEW:
                continue  # ended
            with torch.no_grad():
                fresh = backbone.model(call.tokens[r : r + 1, :length], use_cache=True).past_key_values
            for mine, theirs in zip(kept[0].hf.layers, fresh.layers, strict=True):
                for name in ("keys", "values"):
                    found, wanted = (getattr(x, name)[0 if x is theirs else r, :, :length] for x in (mine, theirs))
                    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-3)
    assert len(accepted) > 1


# Row 4: a quadratic step always brings exactly K drafts, also after none was accepted, and for fewer masks than there
# are; linear brings them only when all drafts before them survived.
@pytest.mark.parametrize("masks", [1, 2, K])
def test_how_many_drafts(masks):
    backbone = toy("gpt2")
    drafter = made(backbone).shortened(masks)
    assert drafter.horizon == masks and drafter.options["horizon"] == K
    for plan in ("quadratic", "linear"):
        trace = generate(backbone, drafter, ragged()[1], 30, temperature=0, plan=plan, eos=False)
        assert trace.tokens == generate(backbone, None, ragged()[1], 30, temperature=0, eos=False).tokens
        counts = [len(s.drafts) for s in trace.steps]
        before = [s.accepted == n for s, n in zip(trace.steps, counts, strict=True)]
        full = [True] * len(before) if plan == "quadratic" else before
        assert counts == [0] + [masks * good for good in full[:-1]]
        assert any(s.accepted == 0 for s in trace.steps[1:])


class Guesses(Masked):
    """Knows the answer and drafts it, right with chance a_k at mask k; its masks only say how many there are."""

    def tell(self, answer: torch.Tensor, right: tuple[float, ...]):
        self.answer, self.right, self.one_hot = answer, torch.tensor(right), True
        self.draw = torch.Generator().manual_seed(SEED)
        return self

    def begin(self, state):
        self.place = state.length - 1
        return super().begin(state)

    def predict(self, belief):
        right = torch.rand(len(self.answer), generator=self.draw) < self.right[belief.k - 1]
        token = self.answer.gather(1, (self.place + belief.k).clamp(max=self.answer.shape[1] - 1)[:, None])[:, 0]
        return one_hot_log(torch.where(right, token, (token + 1) % VOCABULARY), VOCABULARY)


# Row 6: with match probabilities a_j that are given, tokens per call are the closed forms of papers.md 3.6 (3.224 and
# 2.301), for the loop itself, plans and all. The interval is five standard errors over the rows.
@pytest.mark.parametrize("plan", ["quadratic", "linear"])
def test_tokens_per_call_are_the_closed_form(plan):
    rows, new, right = 48, 240, (0.85, 0.75, 0.7, 0.65)
    backbone = build(GPT2Config(vocab_size=VOCABULARY, n_embd=8, n_layer=1, n_head=1, n_positions=300), seed=1)
    prompts = [[1 + r % 16, 1 + r // 16] for r in range(rows)]
    told = sample(backbone, None, prompts, new, temperature=0, eos=False).tokens
    drafter = Guesses(backbone, 4, rank=1).tell(torch.cat([torch.tensor(prompts), told], 1), right)
    found = sample(backbone, drafter, prompts, new, temperature=0, plan=plan, eos=False)
    assert torch.equal(found.tokens, told)
    calls = (found.accepted + found.drafted > 0) if plan == "quadratic" else None
    gained = found.accepted + 1
    alive = gained.cumsum(0) <= new - 8  # the first call has no draft, the last ones are cut
    alive[0] = False
    assert calls is None or calls[alive].all()
    each = (gained * alive).sum(0) / alive.sum(0)
    chain = torch.tensor(right).cumprod(0)
    expected, whole = chain.sum().item(), chain[-1].item()
    wanted = 1 + expected if plan == "quadratic" else (2 + expected - whole) / (2 - whole)
    assert wanted == pytest.approx({"quadratic": 3.224, "linear": 2.301}[plan], abs=1e-3)
    assert abs(each.mean().item() - wanted) < 5 * each.std().item() / rows**0.5 < 0.2


# Near the end of the context masks that would stand beyond it are not bought, and drafts shrink to what is left.
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_the_end_of_the_context(architecture, plan):
    backbone = toy(architecture)
    prompt = (ragged()[1] * 9)[: CONTEXT - 9]
    wanted = generate(backbone, None, prompt, 40, seed=SEED, eos=False)
    found = generate(backbone, made(backbone), prompt, 40, seed=SEED, rule="match", plan=plan, eos=False)
    assert found.tokens == wanted.tokens and len(found.tokens) == 9 and found.finish == "context"
    place = len(prompt)
    for step in found.steps:
        assert len(step.drafts) <= CONTEXT - place
        place += len(step.tokens)


# A window's laws are those of the formulas: mask states from one plain causal pass over the text and the masks m_1..m_K
# with the adapters on the masks' rows, the sampler matrix by matrix, tokens one after the other.
@on_every_device
@on_every_kind
@pytest.mark.parametrize("form", FORMS)
def test_laws_are_the_formulas(architecture, form, device, monkeypatch):
    backbone, prompt = toy(architecture, device), ragged()[1]
    drafter, seen = made(backbone, **FORMS[form]), []
    begin = drafter.begin
    monkeypatch.setattr(drafter, "begin", lambda s: seen.append(State(*(x.clone() for x in s))) or begin(s))
    list(decode(backbone, drafter, prompt, 9, temperature=0, eos=False))
    for start in seen[:2]:
        length = int(start.length[0]) - 1
        with torch.no_grad(), drafter.gate(length):
            embeds = torch.cat([backbone.embed(start.tokens[:, :length]), drafter.masks[None]], 1)
            out = whole_pass(backbone, embeds, torch.arange(length + K, device=device)[None])
        states = out.hidden_states[-1][0]
        torch.testing.assert_close(start.slots[0], states[length:], atol=3e-4, rtol=1e-3)
        belief = begin(start)
        torch.testing.assert_close(
            drafter.predict(belief)[0], out.logits[0, length - 1].log_softmax(-1), atol=1e-3, rtol=0
        )
        before = start.tokens[0, length]
        for k in range(1, K + 1):
            assert int(drafter.left(belief)) == K + 2 - k
            belief = drafter.absorb(belief, before[None])
            z = states[length + k - 1]
            s = z if form == "bare" else by_hand(drafter, backbone.embed(before), z)
            wanted = backbone.logits(z + s if form == "residual" else s).log_softmax(-1)
            torch.testing.assert_close(drafter.predict(belief)[0], wanted, atol=1e-3, rtol=1e-3)
            before = torch.tensor((5 * k) % VOCABULARY, device=device)
        assert int(drafter.left(drafter.absorb(belief, before[None]))) == 0


def by_hand(drafter, e, z):
    """MLP([E(y); z]) of papers.md 3.4."""
    first, _, norm, second, _, last = drafter.sampler
    x = torch.cat([e, z])
    for linear, after in ((first, norm), (second, last)):
        x = linear.weight @ x + linear.bias
        x = x * torch.sigmoid(x)
        x = (x - x.mean()) / (x.var(unbiased=False) + 1e-5).sqrt() * after.weight + after.bias
    return x


# At the start masks look like tokens, adapters do nothing, the residual sampler is the base head.
def test_the_start():
    backbone = toy("llama")
    drafter = make_drafter("masked", backbone, horizon=64, residual=True)
    assert drafter.masks.std().item() == pytest.approx(backbone.embed.weight.std().item(), rel=0.1)
    assert not any(w.any() for w in drafter.lora.up.values())
    z, y = torch.randn(5, 32), torch.arange(5)
    assert torch.equal(drafter.sampled(z, y), z)
    options = dict(rank=16, alpha=0.0, targets="all", sampler=True, residual=False, argmax=False)
    options |= dict(consistency=1.0, anchors=64)
    assert make_drafter("masked", backbone).options == {"horizon": 8, **options}


# It is saved and comes back as it was, rounded files too; what a trace keeps of it is how many masks spoke.
@pytest.mark.parametrize("form", FORMS)
def test_saving(form, tmp_path):
    backbone = toy("llama")
    drafter = made(backbone, targets="q_proj,v_proj", alpha=3.0, **FORMS[form])
    drafter.survival.copy_(torch.tensor([[1, 0.5, 0.25, 0.125], [1, 0.75, 0.5, 0.25]]))
    drafter.to(torch.bfloat16).save_pretrained(tmp_path)
    again = load_drafter(tmp_path, backbone)
    mine, theirs = drafter.state_dict(), again.state_dict()
    assert mine.keys() == theirs.keys() and all(torch.equal(mine[k].float(), theirs[k]) for k in mine)
    assert again.options == drafter.options and again.one_hot == (form == "argmax") and "survival" in mine
    trace = generate(backbone, again, ragged()[1], 8, temperature=0, eos=False)
    assert [s.belief for s in trace.steps[:2]] == [None, {"masks": K}]


# Drafters of before, whose survival is one row, load: it serves drawn and greedy text. Other shapes are refused.
def test_survival_in_one_row(tmp_path):
    backbone = toy("llama")
    drafter = made(backbone)
    for survival in (torch.tensor([1, 0.5, 0.25, 0.125]), torch.ones(3, 4)):
        drafter.survival = survival
        drafter.save_pretrained(tmp_path)
        if survival.dim() == 1:
            assert torch.equal(load_drafter(tmp_path, backbone).survival, survival.repeat(2, 1))
        else:
            with pytest.raises(ValueError, match="cannot be read as drafter 'masked'"):
                load_drafter(tmp_path, backbone)


def test_bad_options_are_refused():
    backbone = toy("llama")
    for wrong, message in [
        (dict(horizon=0), "horizon=0"),
        (dict(rank=0), "rank=0"),
        (dict(horizon=True), "horizon=True"),
        (dict(rank=True), "rank=True"),
        (dict(alpha="x"), "alpha='x'"),
        (dict(targets=3), "targets=3"),
        (dict(sampler="no"), "sampler='no'.*True or False"),
        (dict(argmax=1), "argmax=1.*True or False"),
        (dict(consistency="1"), "consistency='1'"),
        (dict(anchors=2.5), "anchors=2.5"),
        (dict(alpha=-1.0), "alpha=-1.0"),
        (dict(targets="none"), "targets='none'"),
        (dict(sampler=False, residual=True), "residual=True belongs to the sampler"),
        (dict(mask=1), "mask= is no option of drafter 'masked'"),
    ]:
        with pytest.raises(ValueError, match=message):
            make_drafter("masked", backbone, **wrong)
    for masks in (0, K + 1, 1.5, "2", True):
        with pytest.raises(ValueError, match=f"slots={masks!r}.*1 to {K}"):
            made(backbone).shortened(masks)
