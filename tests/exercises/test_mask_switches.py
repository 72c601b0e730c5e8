"""Notebook 06's switches, formulas, equality and harm, on tiny models with random weights."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from toys import VOCABULARY, ragged, toy

from mtp_explore.decode.generate import generate
from mtp_explore.drafters import make_drafter
from mtp_explore.exercises import (
    argmax,
    by_masks,
    calls_by_masks,
    check_closed_forms,
    check_prefix,
    closed_forms,
    foretold,
    guess_behind_masks,
    guess_harm,
    guess_main_rows,
    guess_minute,
    guess_paid,
    guess_plan,
    guess_switch,
    harm,
    mask_floors,
    mask_ranks,
    match_chances,
    paid,
    price,
    shaken,
    texts_under,
    tops,
    trained_for,
    unharmed,
    untrained,
    without_sampler,
)
from mtp_explore.exercises.mask_harm import ALL, MASKS, OFF, call, next_token_loss
from mtp_explore.exercises.masks import LOSSES, per_step
from mtp_explore.exercises.waiting import Falling
from mtp_explore.measure import knowledge
from mtp_explore.trace.records import Trace

K = 3


def made(backbone=None, **options):
    """A masked drafter with random weights everywhere."""
    drafter = make_drafter("masked", backbone or toy(), horizon=K, rank=2, **options)
    g = torch.Generator().manual_seed(1)
    for name, w in drafter.named_parameters():
        w.data.copy_(torch.randn(w.shape, generator=g) * (0.2 if "lora" in name else 1.0 if "masks" in name else 0.5))
    return drafter


def read(length: int = 12):
    draw = torch.Generator().manual_seed(2)
    documents = [torch.randint(1, VOCABULARY, (n,), generator=draw).tolist() for n in (20, 8)]
    return knowledge.read(toy(), documents, length=length, horizon=K + 1)


def table(*rates):
    """Ranks [100, 2]: at mask 1 that share of them 0, the others 50."""
    return [np.array([[0, 0 if i < 100 * rate else 50] for i in range(100)]) for rate in rates]


# The closed forms are what the two plans bring when every draft is right with its chance, call after call.
@pytest.mark.parametrize("chances", [[0.85, 0.75, 0.7, 0.65], [0.5], [1.0, 0.9], [0.2] * 6])
def test_closed_forms_are_what_the_plans_bring(chances):
    draw, calls = random.Random(0), 100_000
    tokens, has = {"linear": 0, "quadratic": 0}, True
    for _ in range(calls):
        right = next((j for j, a in enumerate(chances) if draw.random() >= a), len(chances))
        tokens["quadratic"] += 1 + right
        tokens["linear"] += 1 + right * has
        has = right == len(chances) if has else True
    linear, quadratic = closed_forms(chances)
    assert linear == pytest.approx(tokens["linear"] / calls, abs=0.03)
    assert quadratic == pytest.approx(tokens["quadratic"] / calls, abs=0.03)
    assert linear <= quadratic


# Papers.md section 6, row 6.
def test_closed_forms_of_the_table():
    assert closed_forms([0.85, 0.75, 0.7, 0.65]) == pytest.approx((2.301, 3.224), abs=5e-4)


# In runs that always have all drafts, the quadratic form of the match chances is the tokens per call, exactly.
def test_match_chances_recount_quadratic_runs():
    runs = by_masks(made(), ragged(), (1, K), ("linear", "quadratic"), tokens=24)
    lines = calls_by_masks(runs)
    assert set(lines) == {"linear", "quadratic"} and set(lines["linear"]) == {1, K}
    assert {len(d.drafts) for t in runs["quadratic"][1] for d in t.steps[1:]} == {1}
    uncut = [t.steps[:-1] for t in runs["quadratic"][K] if t.finish == "length"]  # the last call may be cut short
    whole = [Trace(prompt=[], steps=steps, settings={"horizon": K}) for steps in uncut]
    assert closed_forms(match_chances(whole))[1] == pytest.approx(per_step(whole))
    assert set(foretold(runs["quadratic"])) == {1, K}


# A switch gives another drafter and leaves the first as it was; texts stay those of ordinary decoding.
@pytest.mark.parametrize("form", [{}, dict(residual=True)])
def test_switches_leave_the_drafter_alone(form):
    drafter = made(**form)
    off, hard = without_sampler(drafter), argmax(drafter)
    assert drafter.sampler is not None and drafter.residual == bool(form) and not drafter.one_hot
    z, before = torch.randn(2, drafter.backbone.width), torch.tensor([3, 4])
    assert torch.equal(off.sampled(z, before), z) and not torch.equal(drafter.sampled(z, before), z)
    plain = generate(toy(), None, [1, 2, 3], 12, temperature=0, eos=False).tokens
    for one in (off, hard):
        assert generate(toy(), one, [1, 2, 3], 12, temperature=0, eos=False).tokens == plain
    assert hard.one_hot and hard.masks is drafter.masks and off.lora is drafter.lora


# Random adapters: main rows are bit-equal with the gate on the masks and not with plain LoRA, and the table says so.
def test_unharmed_tells_gate_from_plain_lora():
    drafter = shaken(untrained(toy(), K), size=0.3)
    rows = {row[0]: row for row in unharmed(drafter, [1, 2, 3, 4])}
    assert [rows[state][1] for state in (OFF, MASKS, ALL)] == ["True", "True", "False"]
    assert float(rows[MASKS][2]) == 0 < float(rows[MASKS][3]) and float(rows[ALL][2]) > 0
    assert guess_main_rows(drafter, [1, 2, 3, 4]).answer == "by nothing, bit for bit"


# The loss under "off" is that of the untouched model's own rows; the gate keeps it to the last bit, plain LoRA not.
def test_harm_is_the_next_token_loss():
    drafter, text = shaken(untrained(toy(), K), size=0.3), read()
    found = harm({"wild": drafter}, text)
    assert list(found) == ["untouched model", "wild, on masks", "wild, on all rows"]
    assert found["untouched model"] == found["wild, on masks"] != found["wild, on all rows"]
    logp, target = toy().logits(text.hidden).log_softmax(-1), text.future[:, :, 0]
    slow = [-float(logp[i, t, target[i, t]]) for i in range(2) for t in range(12) if target[i, t] >= 0]
    assert next_token_loss(drafter, text, OFF) == pytest.approx(sum(slow) / len(slow), abs=1e-5)
    assert torch.equal(call(drafter, text.tokens, OFF)[0], call(drafter, text.tokens, MASKS)[0])


# Greedy text with masks is ordinary decoding's; with adapters on all rows it is another model's; hooks are gone after.
def test_texts_under_the_gate():
    drafter = shaken(untrained(toy(), K), size=0.5)
    texts = [trace.tokens for trace in texts_under(drafter, [1, 2, 3], 16).values()]
    assert texts[0] == texts[1] != texts[2]
    assert generate(toy(), None, [1, 2, 3], 16, temperature=0, eos=False).tokens == texts[0]


# Ranks by training: the untrained placeholders are read without a sampler; the floor is the tokens' frequency.
def test_mask_ranks_name_who_is_asked():
    drafter, text, at = made(), read(), [1, 4]
    ranks = mask_ranks(drafter, text, at)
    assert len(ranks) == 3 and {t.shape for t in ranks.values()} == {(4, K + 1)}
    assert len({tuple(t[:, 0]) for t in ranks.values()}) == 1  # k = 1 is the target's own law
    assert len(mask_ranks(made(sampler=False), text, at)) == 2
    times = trained_for(made(), drafter, ranks, text, at)
    assert np.array_equal(times["shipped"], ranks["trained masks, sampler"]) and list(times)[0] == "no training"
    stream = torch.tensor([5] * 5 + [4] * 3 + [3])
    corpus = SimpleNamespace(tokens=lambda *a, **k: stream)
    floor = mask_floors(toy(), corpus, text, at)["how frequent it is"]
    future = text.future[:, at].flatten(0, 1)
    assert floor.shape == (4, K + 1) and all((floor[future == t] == r).all() for r, t in enumerate((5, 4, 3)))
    assert ((floor == -1) == (future == -1).numpy()).all()


# "The token before" counts what stood behind it, at every mask by the true token before that mask's own.
def test_the_token_before_is_a_table_of_pairs():
    text, at = read(), [1, 4]
    draw = torch.Generator().manual_seed(3)
    stream = torch.randint(0, VOCABULARY, (4000,), generator=draw)
    corpus = SimpleNamespace(tokens=lambda *a, **k: stream)
    found = mask_floors(toy(), corpus, text, at)["the token before alone"].reshape(2, 2, K + 1)
    pairs = np.zeros((VOCABULARY, VOCABULARY))
    np.add.at(pairs, (stream[:-1].numpy(), stream[1:].numpy()), 1)
    for row in range(2):
        for i, place in enumerate(at):
            line = [int(text.tokens[row, place]), *text.future[row, place].tolist()]
            for k in range(K + 1):
                a, b = line[k], line[k + 1]
                if b >= 0:
                    more, same = (pairs[a] > pairs[a, b]).sum(), (pairs[a] == pairs[a, b]).sum()
                    assert more <= found[row, i, k] < more + same
                else:
                    assert found[row, i, k] == -1


# The table over all masks leaves out k = 1 and what is not there.
def test_tops_counts_masks_only():
    ranks = np.array([[99, 0, 4, 12], [99, 2, 300, -1]])
    (row,) = tops({"x": ranks})
    assert row == ("x", "5", "20%", "60%", "80%")


# Answers of the guesses are the numbers they speak of.
def test_guesses_answer_by_the_numbers():
    near, far = np.full((9, 3), 4), np.full((9, 3), 300)
    assert guess_behind_masks({"a": far, "b": near}, 512).answer.startswith("beyond 150")
    assert guess_behind_masks({"a": near, "b": near}, 512).answer == "among the first 10"
    for share, name in ((0.1, "a quarter or less"), (0.3, "a quarter to half"), (0.6, "half to three"), (0.9, "more")):
        none, minute, shipped = table(0.0, share, 1.0)
        assert guess_minute({"no": none, "minute": minute, "far": shipped}).answer.startswith(name)
    assert guess_plan({"linear": {8: 2.0}, "quadratic": {8: 2.3}}).answer == "by 10 to 30 %"
    assert guess_plan({"linear": {8: 2.0}, "quadratic": {8: 2.0}}).answer == "not at all"
    assert guess_harm({"untouched model": 1.0, "x, on all rows": 1.6}).answer == "it grows to twice or less"
    assert guess_harm({"untouched model": 1.0, "x, on all rows": 1.01}).answer == "it hardly moves"
    assert guess_paid({"ordinary decoding": (1.0, 1.0), "a": (2.0, 1.8), "b": (1.5, 2.0)}).answer == "b"


# Prices name the rows of their calls; what is paid starts from ordinary decoding, with the tokens per call of `sample`.
def test_prices_and_payments():
    drafter = made()
    assert list(price(drafter, [1, 2, 3])) == [
        "one token",
        "3 drafts, no masks",
        "3 drafts, 3 masks",
        "3 drafts, 12 masks",
    ]
    points = paid({"masks": (drafter, "quadratic")}, [[1, 2, 3]], tokens=12)
    trace = generate(toy(), drafter, [1, 2, 3], 12, temperature=0, eos=False)
    assert points["ordinary decoding"] == (1.0, 1.0)
    assert points["masks"][0] > 0 and points["masks"][1] == pytest.approx(12 / trace.calls)


# The first call has no drafts to lose and is not counted.
def test_guess_switch_counts_later_calls():
    calls = lambda *sizes: [SimpleNamespace(steps=[SimpleNamespace(tokens=[0] * n) for n in sizes])]  # noqa: E731
    assert per_step(calls(1, 3, 4)) == 3.5
    assert guess_switch({"a": calls(1, 3, 4), "b": calls(9, 3, 3), "c": calls(1, 8)}).answer == "b"


# The curve holds what the training said, step by step, and its axis reaches to the end from the start on.
def test_losses_are_drawn():
    losses = Falling(100, LOSSES)
    losses({"step": 10, "loss": 9.0, "base": 5.0, "consistency": 3.0, "seconds": 1.0})
    losses({"step": 20, "loss": 8.0, "base": 4.0, "consistency": 2.0, "seconds": 2.0})
    figure = losses.figure()
    assert [list(t.y) for t in figure.data] == [[5.0, 4.0], [3.0, 2.0]] and list(figure.data[0].x) == [10, 20]
    assert figure.layout.xaxis.range[1] >= 100


# The prefix counts, not the matches; and the two forms, each slip by its name.
def test_checks_name_the_slip():
    assert check_prefix(lambda d, p: int((d == p).cumprod().sum()))
    assert "another text" in check_prefix(lambda d, p: int((d == p).sum())).message
    assert "does not count" in check_prefix(lambda d, p: 0).message
    assert check_closed_forms(lambda a: closed_forms(a))
    assert "on top" in check_closed_forms(lambda a: (closed_forms(a)[0], closed_forms(a)[1] - 1)).message
    assert "after a refusal" in check_closed_forms(lambda a: (closed_forms(a)[1],) * 2).message
    assert "should be" in check_closed_forms(lambda a: (0.0, 0.0)).message
    assert not check_prefix(lambda d, p: ...).started
