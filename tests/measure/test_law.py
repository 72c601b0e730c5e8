"""The law of the loop itself: exact where nothing is planted, wrong where a real bug is.

Two tiny GPT-2 models with random weights, V = 3, float64. Every drafter meets every rule, with and without shaping.
"""

import re
from functools import partial

import pytest
import torch
import toys
from toys import SLOT_DRAFTERS, build
from transformers import GPT2Config, GPT2LMHeadModel

from mtp_explore.backbone.load import Backbone
from mtp_explore.drafters import make_drafter
from mtp_explore.measure import boxes as boxes_file
from mtp_explore.measure import knowledge, thrown
from mtp_explore.measure import law as law_file
from mtp_explore.measure.boxes import TooMany
from mtp_explore.measure.faults import FAULTS, planted
from mtp_explore.measure.joint import exact_joint
from mtp_explore.measure.law import exact_law
from mtp_explore.measure.meter import meter
from mtp_explore.verify import rejection

PROMPT = [0, 1, 2, 0]
CIRCUITS = ["cp", "hmm", "btree"]
SHAPES = [{}, {"temperature": 0.7, "top_k": 2, "top_p": 0.9}]


def backbone(seed: int, attention: str = "sdpa") -> Backbone:
    torch.manual_seed(seed)
    size = dict(vocab_size=3, n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(GPT2Config(**size, attn_implementation=attention)).double()
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data.mul_(8)
    return Backbone(model)


def independent(owner: Backbone, horizon: int):
    drafter = make_drafter("independent", owner, horizon=horizon)
    for weight in drafter.weights:
        weight.data.normal_().mul_(0.3)
    return drafter


def circuit(name: str, owner: Backbone, horizon: int, **options):
    made = make_drafter(name, owner, horizon=horizon, head_rank=4, **options)
    for weight in made.parameters():
        weight.data.normal_().mul_(0.5)
    return made


def drafter(name: str, owner: Backbone, horizon: int):
    if name == "independent":
        return independent(owner, horizon)
    if name == "oracle":
        return make_drafter("oracle", owner, horizon=horizon, answer=PROMPT + [2, 0, 1, 1, 2, 0])
    if name in CIRCUITS:
        return circuit(name, owner, horizon, rank=3, mixing="token")
    return make_drafter(name, owner, horizon=horizon)


@pytest.mark.parametrize("shaping", SHAPES, ids=["T=1", "T=0.7, top-k, top-p"])
@pytest.mark.parametrize("rule", ["rejection", "block", "match"])
@pytest.mark.parametrize("name", ["independent", *CIRCUITS, "lookup"])
@pytest.mark.parametrize("horizon", [1, 2])
def test_decoding_emits_the_targets_law(name, rule, shaping, horizon):
    """The first K + 1 tokens have the target's own law, to rounding."""
    owner = backbone(horizon)
    found = exact_law(owner, drafter(name, owner, horizon), PROMPT, horizon + 1, rule=rule, **shaping)
    assert abs(float(found.law.sum()) - 1) < 1e-12
    assert found.error < 1e-10


@pytest.mark.parametrize("rule", ["rejection", "block", "match"])
@pytest.mark.parametrize("name", CIRCUITS)
def test_circuits_that_mix_by_the_state_alone_are_exact(name, rule):
    """The papers' mixing, where y' speaks through its factor only: K + 1 = 3 tokens have the target's law."""
    owner = backbone(2)
    found = exact_law(owner, circuit(name, owner, 2, rank=3, mixing="state"), PROMPT, 3, rule=rule)
    assert abs(float(found.law.sum()) - 1) < 1e-12
    assert found.error < 1e-10


@pytest.mark.parametrize("rule", ["rejection", "block", "match"])
def test_a_whole_tree_is_exact(rule):
    """K = 3: a window of four tokens, the first whose tree has two inner nodes below its root."""
    owner = backbone(3)
    found = exact_law(owner, circuit("btree", owner, 3, rank=2, mixing="state"), PROMPT, 4, rule=rule, top_k=2)
    assert abs(float(found.law.sum()) - 1) < 1e-12
    assert found.error < 1e-10


@pytest.mark.parametrize("shaping", SHAPES, ids=["T=1", "T=0.7, top-k, top-p"])
@pytest.mark.parametrize("plan", ["linear", "quadratic", "budget=3"])
@pytest.mark.parametrize("rule", ["rejection", "block", "match"])
def test_slots_leave_the_law_alone(rule, plan, shaping):
    """Random slots and random adapters, any plan: the law of the first K + 1 = 3 tokens is the target's."""
    owner = backbone(6)
    drafter = SLOT_DRAFTERS["toy-masked"](owner, 2)
    assert exact_law(owner, drafter, PROMPT, 3, rule=rule, plan=plan, **shaping).error < 1e-10


@pytest.mark.parametrize("plan", ["linear", "quadratic"])
@pytest.mark.parametrize("rule", ["rejection", "block", "match"])
@pytest.mark.parametrize("name", ["toy-cptp", "toy-optp"])
def test_slots_that_carry_the_tapes_numbers_leave_the_law_alone(name, rule, plan):
    """Slots see one bit of their uniform, and the same uniform draws: still the target's law (K = 1)."""

    class OneBit(SLOT_DRAFTERS[name]):
        def carry(self, slots, window):
            return super().carry(slots, (window > 0.5).double())

    owner = backbone(7)
    assert exact_law(owner, OneBit(owner, 1), PROMPT, 2, rule=rule, plan=plan, cells=[0.5]).error < 1e-10


def test_one_more_token_than_the_window_is_exact_too():
    """K + 2 tokens reach the bonus and the second window."""
    owner = backbone(5)
    for rule in ("rejection", "block"):
        assert exact_law(owner, independent(owner, 2), PROMPT, 4, rule=rule).error < 1e-10


def test_ordinary_decoding_is_enumerated_by_the_same_harness():
    """drafter=None: V^n boxes, and the same law."""
    found = exact_law(backbone(3), None, PROMPT, 3)
    assert found.boxes == 27 and found.error < 1e-10


def test_float32_models_are_exact_to_their_own_precision():
    """Calls of other shapes change the last bits of a float32 model, and nothing more."""
    owner = backbone(4).to(torch.float32)
    assert exact_law(owner, independent(owner, 1), PROMPT, 2).error < 1e-6


def test_a_two_number_law_by_hand():
    """The harness finds the law that can be computed on paper: one draft, p = (.5, .5), q = (.9, .1), Algorithm 2 of
    MTPC (correction redrawn from p) gives (.7, .3) instead of (.5, .5).
    """
    from mtp_explore.contract import Draft
    from mtp_explore.tensors.categorical import flip, pick, watching
    from mtp_explore.verify import rejection

    p = torch.tensor([[[0.5, 0.5], [0.5, 0.5]]], dtype=torch.float64)
    q = torch.tensor([[[0.9, 0.1]]], dtype=torch.float64)
    seen = []
    with watching(lambda edges, u: seen.append((edges, u))):
        half = torch.full((1, 1), 0.5, dtype=torch.float64)
        pick(q, half)
        for token in (0, 1):
            chance = rejection.chances(p, Draft(torch.tensor([[token]]), q, torch.tensor([1])))
            flip(chance, half)
    assert torch.allclose(seen[0][0], torch.tensor([[[0.9, 1.0]]], dtype=torch.float64))
    keep = [float(e) for e, _ in seen[1:]]
    dropped = [0.9 * keep[0] + (0.9 * (1 - keep[0]) + 0.1 * (1 - keep[1])) * 0.5, 0.1 * keep[1] + 0.2]
    assert dropped == pytest.approx([0.7, 0.3])


@pytest.mark.parametrize("name", [f.name for f in FAULTS.values()])
def test_planted_faults_are_caught(name):
    """A real bug moves some sequence by more than 1e-3; the decoy, which only looks like one, by nothing."""
    fault = FAULTS[name]
    worst = 0.0
    for seed in (0, 1):
        owner = backbone(seed, "eager")
        options = {"n": 3, **fault.shows}
        own = independent(owner, 1 if options["n"] == 4 else 2)
        assert exact_law(owner, own, PROMPT, **options).error < 1e-10
        with planted(name):
            worst = max(worst, exact_law(owner, own, PROMPT, **options).error)
    assert worst < 1e-10 if fault.harmless else worst > 1e-3


def test_a_planted_fault_is_gone_afterwards():
    """The package's functions come back, also after an error inside the block."""
    from mtp_explore.verify import rejection

    healthy = rejection.law
    with pytest.raises(RuntimeError), planted("no residual"):
        assert rejection.law is not healthy
        raise RuntimeError
    assert rejection.law is healthy
    with pytest.raises(ValueError, match="no residual"), planted("nonsense"):
        pass


def test_a_number_from_nowhere_is_refused():
    """A rule that uses a uniform of its own cannot be enumerated, and says so."""
    owner = backbone(0)

    def tape(values, horizon):
        from mtp_explore.measure.law import FreshBoxes

        inner = FreshBoxes(values, horizon)
        return lambda step, offset: tuple(1 - x for x in inner(step, offset))

    with pytest.raises(ValueError, match="tape did not hand out"):
        exact_law(owner, independent(owner, 1), PROMPT, 2, tape=tape)


def test_too_large_a_world_names_the_remedy():
    """A vocabulary too large to enumerate is refused with the way out."""
    from mtp_explore.measure import law

    owner = backbone(0)
    before, law.MOST = law.MOST, 50
    try:
        with pytest.raises(ValueError, match="top_k"):
            exact_law(owner, independent(owner, 2), PROMPT, 3)
    finally:
        law.MOST = before
    with pytest.raises(ValueError, match="n=0"):
        exact_law(owner, None, PROMPT, 0)


# No law beyond the model's last position: at the context's end the loop has nothing to say, and nothing is its law.
@pytest.mark.parametrize("n, size, fits", [(2, 30, True), (2, 31, False), (1, 31, True), (8, 25, False), (3, 29, True)])
def test_the_contexts_end_is_refused(n, size, fits):
    owner, prompt = backbone(1), [1] * size  # 32 positions
    if fits:
        found = exact_law(owner, independent(owner, 2), prompt, n, top_k=2)
        assert found.error < 1e-10 and found.tokens.shape[1] == n
    else:
        with pytest.raises(
            ValueError, match=f"n={n}: prompt has {size} tokens.*32 positions.*cut the prompt to {32 - n}"
        ):
            exact_law(owner, independent(owner, 2), prompt, n, top_k=2)


# A law that does not exist is not enumerated.
@pytest.mark.parametrize(
    "odd",
    [dict(temperature=-1), dict(temperature=float("inf")), dict(top_p=0), dict(top_p=7), dict(top_p=float("nan")),
     dict(top_k=-3), dict(rule=[]), dict(cells=[-1]), dict(n=2.5), dict(n=True), dict(tape=5)],
)  # fmt: skip
def test_laws_that_do_not_exist_are_refused(odd):
    owner = backbone(1)
    with pytest.raises((ValueError, TypeError), match=next(iter(odd))):
        exact_law(owner, independent(owner, 1), PROMPT, **{"n": 2, **odd})


def wide(size: int = 400):
    """A model of many tokens, every one of them possible after every other."""
    return build(toys.ARCHITECTURES["gpt2"]().__class__(
        vocab_size=size, n_embd=16, n_layer=1, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0))  # fmt: skip


# Too many boxes are noticed before they are made: by an estimate from 64 draws, without a run over more than 64 rows.
@pytest.mark.parametrize("rule, n, horizon", [("rejection", 2, 2), ("match", 3, 2), (None, 3, 0), ("block", 8, 1)])
def test_too_many_boxes_are_refused_before_they_are_made(monkeypatch, rule, n, horizon):
    owner, rows = wide(), []
    healthy = law_file.run
    monkeypatch.setattr(
        law_file, "run", lambda b, d, prompts, *a: rows.append(len(prompts)) or healthy(b, d, prompts, *a)
    )
    drafter = independent(owner, horizon) if horizon else None
    with pytest.raises(ValueError, match=r"needs over 2,000,000 boxes.*what fits is n=\d"):
        exact_law(owner, drafter, [1], n, rule=rule)
    assert max(rows) <= 64


# What the refusal recommends is enumerated.
def test_what_is_said_to_fit_fits(monkeypatch):
    monkeypatch.setattr(law_file, "MOST", 5000)
    owner = wide()
    with pytest.raises(ValueError) as refused:
        exact_law(owner, independent(owner, 1), [1], 3)
    said = str(refused.value)
    for option, value in re.findall(r"(n|top_k)=(\d+)", said.split("fits is")[1]):
        found = exact_law(owner, independent(owner, 1), [1], **{"n": 3, option: int(value)})
        assert found.error < 1e-5 and found.boxes <= 5000


# The estimate is right in the mean: where an enumeration ends, it is near the number of boxes that it took.
def test_the_estimate_is_near_the_count(monkeypatch):
    owner = backbone(2)
    drafter = independent(owner, 2)
    boxes = exact_law(owner, drafter, PROMPT, 3).boxes
    monkeypatch.setattr(law_file, "_fits", lambda *a: False)  # always estimate
    for share, refused in ((0.2, True), (2.0, False)):
        monkeypatch.setattr(law_file, "MOST", int(boxes * share))
        if refused:
            with pytest.raises(TooMany):
                law_file._foresee(job(owner, drafter), [], law_file.FreshBoxes)
        else:
            law_file._foresee(job(owner, drafter), [], law_file.FreshBoxes)


def job(owner, drafter):
    plan = law_file.resolve(None, drafter)
    return law_file._Job(owner, drafter, PROMPT, 3, partial(law_file.shape, temperature=1.0), rejection, plan)


# Pieces are counted before they are made: a cut that gives more than it may makes none.
def test_a_cut_stops_at_its_limit():
    box = boxes_file.unit(2, [], 10, "cpu")
    digits, edges = torch.tensor([[0, 1]]), torch.linspace(0, 1, 11).double().expand(1, 2, -1)
    whole = boxes_file.cut(box, digits, edges, 1e-12, 100)
    assert whole.count == 100 and float(whole.volume().sum()) == pytest.approx(1) == float(whole.share.sum())
    with pytest.raises(TooMany):
        boxes_file.cut(box, digits, edges, 1e-12, 99)
    one = boxes_file.cut(box, digits, edges, 1e-12, 1, torch.Generator().manual_seed(0))
    assert one.count == 1 and float(one.share) == pytest.approx(0.01)


# Logits that are no numbers have no law: the model is named, whoever asks.
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_damaged_models_are_named(bad):
    owner = backbone(3)
    owner.model.transformer.ln_f.weight.data.fill_(bad)
    none = torch.ones(1, 1, 0).long()
    ask = [
        lambda: exact_law(owner, None, PROMPT, 2),
        lambda: next(meter(owner, None, PROMPT, 2, samples=4)),
        lambda: exact_joint(owner, PROMPT),
        lambda: knowledge.lens(owner, knowledge.read(owner, [[1, 2, 0]], 3, 1)),
        lambda: thrown.after(thrown.text_of(owner, torch.tensor([PROMPT]), torch.tensor([[3]])), none),
    ]
    for call in ask:
        with pytest.raises(ValueError, match="nan"):
            call()
