"""The law of the loop itself: exact where nothing is planted, wrong where a real bug is.

Two tiny GPT-2 models with random weights, V = 3, float64. Every drafter meets every rule, with and without shaping.
"""

import pytest
import torch
from toys import SLOT_DRAFTERS
from transformers import GPT2Config, GPT2LMHeadModel

from mtp_explore.backbone.load import Backbone
from mtp_explore.drafters import make_drafter
from mtp_explore.measure.faults import FAULTS, planted
from mtp_explore.measure.law import exact_law

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
