"""Notebook 07's helpers on the arithmetic backbone, with slots that have learned nothing: what holds all the same."""

import json

import numpy as np
import pytest
import torch
from toys import toy

import mtp_explore as mtp
from mtp_explore.exercises import heads, throws, throws_budget, throws_learn, throws_results, throws_ruler, throws_toy
from mtp_explore.exercises.throws_toy import FIRST, NAMES, P1, P2
from mtp_explore.tensors.categorical import pick
from tests.drafters.test_ptp import made as ptp_of

PROMPT, SEED = "Anna has 3 apples and", 4


@pytest.fixture(scope="module")
def backbone():
    return mtp.load_backbone("arithmetic")


@pytest.fixture(scope="module")
def drafters(backbone):
    made = {}
    for name, variant in (("C-PTP", "categorical"), ("O-PTP", "one-hot")):
        torch.manual_seed(0)
        made[name] = mtp.make_drafter("ptp", backbone, horizon=8, variant=variant)
        for x in made[name].lora.parameters():
            x.data.add_(0.02 * torch.randn_like(x))
    return {"heads": mtp.load_drafter("arithmetic/independent", backbone), **made}


@pytest.fixture(scope="module")
def ruler(backbone, drafters):
    return throws_ruler.dice(backbone, drafters, PROMPT, seed=SEED, parts=5)


# The ruler starts with the dice that decoding with the same seed throws, so the target's tokens are that text.
def test_ruler_starts_with_the_text_of_its_seed(ruler, backbone):
    trace = mtp.generate(backbone, None, PROMPT, 9, seed=SEED)
    assert list(ruler.start.picks)[: len(trace.tokens)] == trace.tokens and ruler.prompt == PROMPT


# So it does behind any prompt and under any law, also greedy, with the drafts of that call; and where a model has no
# tokenizer, tokens go by their numbers.
@pytest.mark.parametrize("prompt", [[5], [5, 6, 0, 7], [3, 0]])
@pytest.mark.parametrize("law", [{}, {"temperature": 0}, {"temperature": 0.5, "top_k": 3}])
def test_ruler_behind_any_prompt(prompt, law):
    model = toy("llama")
    drafters = {v: ptp_of(model, variant=v, **law) for v in ("one-hot", "categorical")}
    ruler = throws_ruler.dice(model, drafters, prompt, seed=SEED, parts=3, **law)
    for name, drafter in drafters.items():
        trace = mtp.generate(model, drafter, prompt, 8, seed=SEED, rule="match", eos=False, **law)
        assert list(ruler.start.picks) == trace.tokens[:4]
        assert list(ruler.start.sides[name].picks) == [d.token for d in trace.steps[1].drafts]
    assert ruler.prompt == " ".join(map(str, prompt)) and ruler.piece(7) == "7" and ruler.piece(0) == "⟨end⟩"


def test_one_ruler_stands_behind_one_prompt():
    with pytest.raises(ValueError, match="prompt holds 2 texts"):
        throws_ruler.dice(toy("llama"), {"a": ptp_of(toy("llama"))}, [[5, 6], [7]])


# A stored throw is what the kernel answers for its dice; the die that moved stands in the middle of its part.
def test_grid_is_what_the_kernel_answers(ruler):
    for k, i in ((0, 0), (3, 4), (8, 2)):
        stored = ruler.grid[k][i]
        assert stored.w[k] == pytest.approx((i + 0.5) / 5)
        assert [x for j, x in enumerate(stored.w) if j != k] == [x for j, x in enumerate(ruler.start.w) if j != k]
        told = ruler.ask(stored.w, False)
        assert told.picks == stored.picks
        assert {n: s.picks for n, s in told.sides.items()} == {n: s.picks for n, s in stored.sides.items()}


# Strips are cut as Pick cuts: a picked token's bin holds its die, bins lie in order and do not overlap, and
# the heads' strips do not move with the dice.
def test_strips_are_bins(ruler):
    for throw in (ruler.start, *ruler.grid[2]):
        for k, bins in enumerate(throw.bins):
            ends = [x for _, low, high in bins for x in (low, high)]
            assert ends == sorted(ends) and [t for t, *_ in bins] == sorted(t for t, *_ in bins)
            ((low, high),) = [(a, b) for t, a, b in bins if t == throw.picks[k]]
            assert low <= throw.w[k] < high
        agree = [x for side in throw.sides.values() for x in side.agree if x is not None]
        assert all(0 <= x <= 1 + 1e-9 for x in agree)
    first, last = (dict((t, (a, b)) for t, a, b in t_.sides["heads"].bins[4]) for t_ in ruler.grid[2][::4])
    shared = first.keys() & last.keys()
    assert shared and all(first[t] == pytest.approx(last[t]) for t in shared)


# O-PTP's strips are what its die names at every place, the others as thrown; asked fully, the kernel finds them too.
def test_bands_are_tried(ruler):
    start = ruler.start
    for k in (1, 5, 8):
        band = start.sides["O-PTP"].bins[k - 1]
        for throw in ruler.grid[k]:
            (named,) = [t for t, low, high in band if low <= throw.w[k] < high]
            assert named == throw.sides["O-PTP"].picks[k - 1]
    assert ruler.ask(start.w, False).sides["O-PTP"].bins == [None] * 8
    full = ruler.ask(start.w, True).sides["O-PTP"].bins
    assert all(bins[0][1] == 0 and bins[-1][2] == 1 for bins in full)


# Horizons that differ are refused, by the ruler and by the windows.
def test_horizons_must_agree(backbone, drafters):
    mixed = {"O-PTP": drafters["O-PTP"], "short": drafters["C-PTP"].shortened(3)}
    for call in (
        lambda: throws_ruler.dice(backbone, mixed, PROMPT),
        lambda: throws.many_windows(backbone, mixed, [PROMPT]),
    ):
        with pytest.raises(ValueError, match="horizons"):
            call()


@pytest.fixture(scope="module")
def seen(backbone, drafters):
    documents = mtp.exercises.documents("arithmetic", 4)
    return throws.many_windows(backbone, drafters, documents, seed=1)


# The curve over N counts what it says: the verification's token, and the right drafts before the first error within the
# window; a drafter that is shortened gets exactly its beginning.
def test_windows_count_the_right_beginning(seen, backbone, drafters):
    lines = throws.by_window(seen)
    for name, line in lines.items():
        for n, value in line.items():
            wanted = []
            for own, drafts in zip(seen.own, seen.drafts[name], strict=True):
                right = 0
                while right < n - 1 and drafts[right] == own[right + 1]:
                    right += 1
                wanted.append(1 + right)
            assert value == pytest.approx(np.mean(wanted))
        assert line[1] == 1 and list(line) == list(range(1, 10))
    assert lines["heads"][9] > 1.1
    short = {name: drafter.shortened(2) for name, drafter in drafters.items() if name != "heads"}
    documents = mtp.exercises.documents("arithmetic", 4)
    again = throws.many_windows(backbone, short, documents, seed=1)
    assert again.own.shape[1] == 3 and again.drafts["O-PTP"].shape[1] == 2


# The chance that a draft is kept: with the same die never above the best rule's, place by place; and its mean is
# how often the first draft is right.
def test_chances_to_be_kept(seen):
    assert set(seen.same) == {"heads", "C-PTP"}
    for name, same in seen.same.items():
        assert same.shape == seen.drafts[name].shape and (same <= seen.most[name] + 1e-9).all() and (same >= 0).all()
    lines = throws.kept_chances(seen)
    assert lines["heads, the same die"][1] == pytest.approx(seen.same["heads"][:, 0].mean())
    right = (seen.drafts["heads"][:, 0] == seen.own[:, 1]).mean()
    spread = np.sqrt(0.25 / len(seen.own))
    assert abs(lines["heads, the same die"][1] - right) < 4 * spread


# Impossible pairs: shares over places whose past was possible; the table shows such pairs and no others.
def test_impossible_pairs(seen):
    shares, rates = throws.pairs_of(seen), throws.nonsense_rates(seen)
    assert 0 < shares["heads"] < 1 and all(k >= 2 for line in rates.values() for k in line)
    table = throws.nonsense_pairs(seen, "heads", most=3)
    assert 1 <= len(table.rows) <= 4 and all("|" in row[1] for row in table.rows)
    asked, bad = seen.sound["heads"], seen.absurd["heads"]
    assert shares["heads"] == pytest.approx(bad[:, 1:][asked[:, 1:]].sum() / asked[:, 1:].sum())
    assert throws.guess_nonsense(seen).answer and throws.guess_window(throws.by_window(seen)).answer in seen.drafts


# What is shipped is loaded and nothing is trained; what is not is trained.
def test_shipped_or_trained(backbone):
    refuse = lambda: pytest.fail("trained, though it is shipped")  # noqa: E731
    assert heads.shipped_or("arithmetic/independent", backbone, refuse).name == "independent"
    assert heads.shipped_or("arithmetic/none-k8", backbone, lambda: "made") == "made"


# The two on-the-spot trainings are of the two variants, with the notebook's horizon.
def test_throwers_train_what_is_missing(backbone, monkeypatch):
    monkeypatch.setattr(heads, "shipped", lambda name, backbone, otherwise: otherwise)
    monkeypatch.setattr(throws, "train_throws", lambda backbone, corpus, variant, steps: (variant, steps))
    assert throws.throwers(backbone, None, steps=3) == {"C-PTP": ("categorical", 3), "O-PTP": ("one-hot", 3)}


# A budget of all slots is full quadratic decoding, and buys each of them every time; a small one buys as many as it
# says, those of a branch in order.
@pytest.mark.parametrize("name", ["O-PTP", "C-PTP"])
def test_budgets_buy_what_they_say(backbone, drafters, name):
    drafter = drafters[name].shortened(3)
    every = 4 * drafter.slots_per_branch
    found = throws_budget.by_budget(drafter, [PROMPT], (4, every), tokens=10)
    whole = mtp.generate(backbone, drafter, [PROMPT], 10, rule="match", plan="quadratic", seed=0)
    assert [t.tokens for t in found[every].traces] == [t.tokens for t in whole]
    assert found[every].share[0].tolist() == [1.0] * drafter.slots_per_branch
    share = found[4].share
    assert share.sum() <= 4 + 1e-9 and (np.diff(share, axis=1) <= 1e-9).all()
    calls = throws_budget.calls_by_budget(found)
    assert set(calls) == {4, every} and throws_budget.guess_budget(found).answer in calls


# A batch buys what its rows buy one by one: rows that have ended ask for nothing.
def test_ended_rows_buy_nothing():
    backbone, prompts = toy("llama"), [[1, 2], [3, 4], [7], [9, 9]]
    drafter = mtp.make_drafter("ptp", backbone, horizon=3, rank=2)
    together, single = (throws_budget.Noted("budget=4", drafter) for _ in range(2))
    options = dict(max_new_tokens=20, rule="match")
    made = mtp.generate(backbone, drafter, prompts, plan=together, seed=0, **options)
    for row, prompt in enumerate(prompts):
        alone = mtp.generate(backbone, drafter, prompt, plan=single, seed=(0, row), **options)
        assert alone.tokens == made[row].tokens
    assert len({t.calls for t in made}) > 2  # they end apart
    assert together.calls == single.calls and together.counts.tolist() == single.counts.tolist()


# The toy's words are what the definition says, at every pair of dice; the area of nonsense is that of the product.
def test_toy_by_definition():
    ticks = (np.arange(20) + 0.5) / 20
    for a in ticks:
        for b in ticks:
            one = min(j for j in range(3) if P1[: j + 1].sum() > a)
            two = min(j for j in range(4) if P2[one, : j + 1].sum() > b)
            assert throws_toy.toy_throw((a, b)).picks == [one, len(FIRST) + two]
    assert throws_toy.guess_sentence().answer == "one dog"
    assert throws_toy.toy_dice((0.1, 0.2)).start.picks == [0, NAMES.index(" cat")]
    u = torch.tensor([0.0, 0.3, 0.49, 0.999])
    assert [throws_toy.pick_one(P1, float(x)) for x in u] == pick(torch.tensor(P1).expand(4, -1), u).tolist()


# The teacher's entropies are those of an enumeration, word by word; a student that is told all dice passes both.
def test_teacher_and_students():
    known = throws_learn.teacher()
    futures, chance = known.futures.tolist(), known.chance.tolist()
    assert sum(chance) == pytest.approx(1) and len(futures) == 64

    def law(k, before=()):
        rows = [(f[k], c) for f, c in zip(futures, chance, strict=True) if tuple(f[: len(before)]) == before]
        return np.bincount([t for t, _ in rows], [c for _, c in rows], minlength=4)

    h = lambda p: -sum(x * np.log(x) for x in p if x > 0)  # noqa: E731
    assert known.alone == pytest.approx(np.mean([h(law(k)) for k in (1, 2)]), abs=1e-6)
    given = [
        sum(law(k, tuple(f)).sum() * h(law(k, tuple(f)) / law(k, tuple(f)).sum()) for f in np.ndindex(*[4] * k))
        for k in (1, 2)
    ]
    assert known.given == pytest.approx(np.mean(given), abs=1e-6)
    line = throws_learn.trained(throws_learn.STUDENTS["O-PTP: all dice"], 90)
    assert list(line) == [20, 40, 60, 80] and line[80] < known.given < known.alone < line[20]
    figure = throws_learn.learn_figure({"a": line})
    assert len(figure.layout.shapes) == 2


# Recorded windows: one number per seed, the better way to draft counts, y' alone is 1; nothing recorded is said.
def test_recorded_windows(tmp_path, monkeypatch):
    monkeypatch.setattr("mtp_explore.backbone.files.data_directory", lambda: tmp_path)
    assert throws_results.recorded_windows() == {} and "nothing" in repr(throws_results.window_figure({}))
    (tmp_path / "results" / "ptp").mkdir(parents=True)
    for seed in (0, 1):
        ways = {"arg-max": {"2": [1.5, 1.7], "16": [3.0 + seed]}}
        path = tmp_path / "results" / "ptp" / f"train-n16-s{seed}.json"
        path.write_text(json.dumps({"correct": ways}))
    ways = {"arg-max": {"2": [1.2]}, "pick": {"2": [1.4]}}
    (tmp_path / "results" / "ptp" / "train-n16-constant-s0.json").write_text(json.dumps({"correct": ways}))
    found = throws_results.recorded_windows()
    assert found["u in the slots"] == {1: [1.0], 2: [1.6, 1.6], 16: [3.0, 4.0]}
    assert found["nothing in them"] == {1: [1.0], 2: [1.4]}
    assert len(throws_results.window_figure(found).data) >= 2
