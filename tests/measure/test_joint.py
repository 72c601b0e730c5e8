"""Exact joints against whole forward passes, against the drafter's own loop, and against the grammar's sampler."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from toys import SLOT_DRAFTERS, toy

import mtp_explore as mtp
from mtp_explore.corpora.stories import words
from mtp_explore.decode.loop import run
from mtp_explore.decode.plan import resolve
from mtp_explore.drafters import make_drafter
from mtp_explore.measure import sources
from mtp_explore.measure.heads import head_chain
from mtp_explore.measure.joint import exact_joint
from mtp_explore.tensors.categorical import shape
from mtp_explore.verify import rejection

PROMPT = [3, 1, 4, 1, 5]


def whole(backbone, prefix, **shaping):
    """[V] the target's law after a prefix, by a whole forward pass without cache."""
    return shape(backbone.model(torch.tensor([prefix]), use_cache=False).logits[0, -1], **shaping)


# Every cell of a joint over all of V is the product of the laws of whole forward passes; nothing is left out.
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma3"])
@pytest.mark.parametrize("shaping", [{}, {"temperature": 0.7, "top_k": 5}], ids=["T=1", "T=0.7, top-k"])
def test_cells_are_products_of_whole_passes(architecture, shaping):
    backbone = toy(architecture, dtype=torch.float32)
    found = exact_joint(backbone, PROMPT, n=2, **shaping)
    first = whole(backbone, PROMPT, **shaping)
    slow = torch.stack([first[x] * whole(backbone, [*PROMPT, x], **shaping) for x in range(17)])
    assert torch.allclose(found.law, slow, atol=1e-6) and found.mass == pytest.approx(1, abs=1e-6)
    assert torch.allclose(found.marginal(1), first, atol=1e-6)
    assert torch.allclose(found.marginal(2), slow.sum(0), atol=1e-6)
    assert found.law.dtype == torch.float64 and found.tokens == ([*range(17)],) * 2


# Three tokens over all of V: sums over the last axis give the joint of two; a cut to the likeliest keeps what it says.
def test_marginals_and_mass():
    backbone = toy("llama")
    two, three = exact_joint(backbone, PROMPT, n=2), exact_joint(backbone, PROMPT, n=3, top=17, axes=[range(17)] * 3)
    assert torch.allclose(three.law.sum(2), two.law, atol=1e-5)
    cut = exact_joint(backbone, PROMPT, n=3, top=5)
    kept = three.law[cut.tokens[0]][:, cut.tokens[1]][:, :, cut.tokens[2]]
    assert cut.mass == pytest.approx(float(kept.sum()), abs=1e-5)
    assert torch.allclose(cut.law, kept / kept.sum(), atol=1e-5)
    # each axis holds the five tokens that are likeliest given the axes before it
    assert set(cut.tokens[0]) == set(two.marginal(1).topk(5).indices.tolist())
    assert set(cut.tokens[1]) == set(two.law[cut.tokens[0]].sum(0).topk(5).indices.tolist())
    assert set(cut.tokens[2]) == set(three.law[cut.tokens[0]][:, cut.tokens[1]].sum((0, 1)).topk(5).indices.tolist())


# Parents come in chunks of rows, siblings in chunks beside one another; last chunks are shorter. No cut shows.
@pytest.mark.parametrize("limits", [dict(ROWS=4), dict(SIBLINGS=4), dict(MEMORY=1)])
def test_chunks_change_nothing(monkeypatch, limits):
    backbone = toy("gpt2", dtype=torch.float64)
    at_once = exact_joint(backbone, PROMPT, n=3, top=6)
    for name, value in limits.items():
        monkeypatch.setattr(sources, name, value)
    small = exact_joint(backbone, PROMPT, n=3, top=6)
    assert small.tokens == at_once.tokens and torch.allclose(small.law, at_once.law, atol=1e-12)


def drafter_of(name, backbone):
    if name in SLOT_DRAFTERS:
        return SLOT_DRAFTERS[name](backbone, 2)
    torch.manual_seed(2)
    drafter = make_drafter(name, backbone, horizon=2)
    for weight in drafter.parameters():
        weight.data.normal_().mul_(0.3)
    return drafter


# A drafter's joint is p(x_1) times the laws that the decoding loop itself draws from: every draft law of every path,
# read off the loop's own calls while a tape forces the path.
@pytest.mark.parametrize("name", ["independent", "cp", "hmm", "lookup", "toy-masked"])
def test_belief_is_what_the_loop_draws_from(name):
    backbone = toy("gpt2", dtype=torch.float64)
    drafter, text = drafter_of(name, backbone), [2, 5, 2, 5, 3, 2, 5]
    shaping = dict(temperature=0.8, top_k=4)
    found = exact_joint(drafter, text, n=3, axes=[range(17)] * 3, **shaping)
    first = whole(backbone, text, **shaping)
    assert torch.allclose(found.marginal(1), first, atol=1e-10)
    law = partial(shape, **shaping)
    for x1, u in itertools.product(torch.nonzero(first > 0)[:, 0].tolist(), (0.1, 0.5, 0.9)):
        edge = float(first[:x1].sum() + first[x1] / 2)  # lies in the bin of x_1

        def tape(step, offset, edge=edge, u=u):
            window = torch.full((1, 3, 3), u, dtype=torch.float64)
            window[:, :, 0] = edge if step == 0 else u
            return window, torch.full((1, 2), 0.5, dtype=torch.float64)

        calls = run(backbone, drafter, [text], 4, law, rejection, resolve("linear", drafter), tape, [])
        assert int(next(calls).verdict.token) == x1
        draft = next(calls).draft
        x2, x3 = draft.tokens[0].tolist()
        if int(draft.n) < 2:
            continue  # the span that is looked up has ended: nothing is drafted
        after = found.law[x1] / first[x1]
        assert torch.allclose(after.sum(1), draft.q[0, 0], atol=1e-9)
        assert torch.allclose(after[x2] / after[x2].sum(), draft.q[0, 1], atol=1e-9) and after[x2, x3] > 0


# The parts read off a CP or HMM drafter multiply up to its belief, on cut axes too.
@pytest.mark.parametrize("name", ["cp", "hmm"])
@pytest.mark.parametrize("n", [2, 3])
def test_head_chain_is_the_belief(name, n):
    backbone = toy("gpt2", dtype=torch.float64)
    drafter = drafter_of(name, backbone)
    target = exact_joint(backbone, PROMPT, n=n, top=6)
    belief = exact_joint(drafter, PROMPT, axes=target, n=n)
    parts = head_chain(drafter, PROMPT, target).dense()
    assert float(parts.sum()) == pytest.approx(belief.mass, abs=1e-10)
    assert torch.allclose(parts / parts.sum(), belief.law, atol=1e-10)


# Word by word: cells are products of the grammar's own next-word laws; axes are the likeliest words; an end ends.
def test_grammar():
    corpus = mtp.load_corpus("stories")
    text = words(next(corpus.documents("test")))[:-2]  # the end is near
    found = exact_joint(corpus, text, n=3, top=4)
    assert found.law.sum().item() == pytest.approx(1, abs=1e-12) and 0 < found.mass <= 1 + 1e-12
    start = corpus.start()
    for word in text:
        start = start.advance(word)
    for place in itertools.product(*map(range, found.law.shape)):
        chance, belief = 1.0, start
        for axis, i in enumerate(place):
            word = found.tokens[axis][i]
            chance *= belief.probability(word) if belief else float(word == "")
            if not chance:
                break
            belief = belief.advance(word) if belief and word else None
        assert found.law[place].item() * found.mass == pytest.approx(chance, abs=1e-12)
    assert any("" in axis for axis in found.tokens) and "⟨end⟩" in found.words[2]
    assert exact_joint(corpus, text, n=1, top=9999).mass == pytest.approx(1)


# Beliefs of equal key have equal laws, now and after every word: the key says all that matters.
def test_equal_keys_have_equal_laws():
    corpus = mtp.load_corpus("stories")
    belief, found = corpus.start(), {}
    for word in words(next(corpus.documents("test")))[:-1]:  # two further words at every place of a story
        for other in sorted(belief.law(), key=belief.law().get)[-2:]:
            if other:
                branch = belief.advance(other)
                found.setdefault(branch.key, []).append(branch)
        belief = belief.advance(word)
    twins = [same for same in found.values() if len(same) > 1]
    assert twins
    for same in twins:
        laws = [b.law() for b in same]
        assert all(a == pytest.approx(laws[0], abs=1e-9) for a in laws[1:])


# What cannot be asked is refused with the remedy, before anything is computed.
@pytest.mark.parametrize(
    "options, complaint",
    [
        (dict(n=0), "n=0"),
        (dict(n=2, top=0), "top=0"),
        (dict(n=6, top=17), "take top=16 or fewer"),
        (dict(n=3, axes=[[1], [2]]), "2 axes for n=3"),
        (dict(prompt=[1] * 63, n=3), "cut the prompt"),
        (dict(source="stories"), "load_backbone"),
        (dict(n=True), "n=True.*from 1 to 8"),
        (dict(top=2.5), "top=2.5.*whole number >= 1"),
        (dict(top=True), "top=True"),
        (dict(temperature=-1), "temperature=-1.*>= 0"),
        (dict(temperature="warm"), "temperature='warm'"),
        (dict(top_p=0), r"top_p=0.*\(0, 1\]"),
        (dict(top_k=-5), "top_k=-5.*>= 0"),
        (dict(axes=[[1, 2, 1], [3]]), r"axes\[0\] holds 1 2 times.*each of them once"),
        (dict(axes=[[1], [3, 17]]), r"axes\[1\] holds 17: .*from 0 to 16"),
        (dict(axes=[[-1], [3]]), r"axes\[0\] holds -1"),
        (dict(axes=[["fox"], [3]]), r"axes\[0\] holds 'fox': .*token ids"),
        (dict(axes=["fox", "hen"]), r"axes\[0\]='fox': .*a list of token ids"),
        (dict(axes=[1, 2]), r"axes\[0\]=1: .*a list of token ids"),
        (dict(axes=[[1], []]), r"axes\[1\]=\[\]"),
        (dict(axes="fox"), "axes='fox': give a Joint, or one list"),
    ],
)
def test_bad_arguments(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        exact_joint(**dict(source=toy("gpt2"), prompt=PROMPT) | options)


# Whatever holds whole numbers is a list of ids, and numpy's whole numbers are whole numbers.
def test_axes_and_numbers_of_any_kind():
    backbone, plain = toy("gpt2"), [[1, 2], [3, 4, 5]]
    wanted = exact_joint(backbone, PROMPT, axes=plain)
    for axes in ([torch.tensor(a) for a in plain], [np.array(a) for a in plain], [range(1, 3), range(3, 6)], wanted):
        found = exact_joint(backbone, PROMPT, n=np.int64(2), axes=axes)
        assert torch.equal(found.law, wanted.law) and found.tokens == wanted.tokens == tuple(plain)
    assert exact_joint(backbone, PROMPT, top=np.int32(3)).law.shape == (3, 3)


# Axes that part all of V part its mass: no cell counts twice.
def test_axes_part_the_mass():
    backbone = toy("gpt2", dtype=torch.float64)
    parts = [exact_joint(backbone, PROMPT, axes=[a, range(17)]).mass for a in (range(5), range(5, 17))]
    assert sum(parts) == pytest.approx(1, abs=1e-10)


def test_bad_sources():
    drafter = make_drafter("independent", toy("gpt2"), horizon=1)
    with pytest.raises(ValueError, match="2 tokens ahead"):
        exact_joint(drafter, PROMPT, n=3)
    with pytest.raises(ValueError, match="no mixture and no chain"):
        head_chain(drafter, PROMPT, exact_joint(toy("gpt2"), PROMPT))
    stories = mtp.load_corpus("stories")
    with pytest.raises(ValueError, match="the grammar's law is what it is"):
        exact_joint(stories, "", temperature=0.5)
    with pytest.raises(ValueError, match=r"axes\[0\] holds 7: .*words"):
        exact_joint(stories, "", n=1, axes=[[7]])
    with pytest.raises(ValueError, match="prompt=None: pass a string"):
        exact_joint(stories, None)
    words_of = exact_joint(stories, "", n=1, top=3)
    with pytest.raises(ValueError, match=r"axes\[0\] holds '.*token ids"):
        exact_joint(toy("gpt2"), PROMPT, n=1, axes=words_of)
    with pytest.raises(ValueError, match="none of these sequences"):
        exact_joint(toy("gpt2"), PROMPT, temperature=0, axes=[[0], [0]] if greedy(PROMPT) != 0 else [[1], [0]])


def greedy(prompt):
    return int(whole(toy("gpt2"), prompt).argmax())
