"""Own text: who chose every token, which of them are targets, and `fit` on it."""

from functools import cache

import pytest
import torch
from learnable import Cycle, backbone, train
from test_fit import equal, weights
from toys import ARCHITECTURES, build

from mtp_explore.drafters import make_drafter
from mtp_explore.train import completions as own
from mtp_explore.train.fit import OWN, Recipe, prepare, split_features

LENGTH, POSITIONS = 64, 64 * 24


@cache
def stream():
    return Cycle().tokens("train", backbone().tokenizer)


def generated(seed: int = 0) -> own.Own:
    return own.completions(backbone(), stream(), POSITIONS, LENGTH, seed)


def documents(made: own.Own):
    """(greedy, tokens, chosen, given) of every document of every window: the end of text that begins it is among its
    tokens, but for the first of a window, which has none; given: how many tokens were not chosen at its beginning.
    """
    for window, chosen, greedy in zip(*(x.tolist() for x in made), strict=True):
        starts = [0, *(i for i, t in enumerate(window) if t == 0)]
        assert window[0] != 0
        for first, last in zip(starts, [*starts[1:], LENGTH + 1], strict=True):
            if first < LENGTH:
                told = [False] * (first > 0) + chosen[first + (first > 0) : last + 1]
                yield greedy, window[first : last + 1], told, (told + [True]).index(True)


# Every document is the beginning of one of the corpus and then what the backbone says: at each place the likeliest
# token in greedy windows, a draw from its law in the others (its surprise is the law's entropy on average). One window
# of four is greedy.
def test_every_token_is_the_backbones_choice():
    made, corpus = generated(), {tuple(d) for d in own.prompts(backbone(), stream(), LENGTH // 2)}
    corpus |= {d[1:] for d in corpus}
    assert made.windows.shape == made.chosen.shape == (24, LENGTH + 1) and made.greedy.sum() == 6
    excess, variance, count, sizes, bare = 0.0, 0.0, {True: 0, False: 0}, set(), 0
    for greedy, tokens, chosen, given in documents(made):
        if given >= len(tokens) - 1:
            continue  # cut before the backbone began
        assert tuple(tokens[:given]) in corpus
        sizes.add(given - (tokens[0] == 0))
        bare += tokens[0] != 0
        with torch.no_grad():
            law = backbone().model(torch.tensor([tokens[:LENGTH]])).logits[0].log_softmax(-1)
        for i in range(given, len(tokens)):
            if not chosen[i]:
                assert tokens[i] == 0 and i == len(tokens) - 1  # it had no place left
                continue
            count[greedy] += 1
            if greedy:
                assert law[i - 1].argmax() == tokens[i]
            else:
                entropy = -(law[i - 1].exp() * law[i - 1]).sum()
                excess += float(-law[i - 1, tokens[i]] - entropy)
                variance += float((law[i - 1].exp() * (law[i - 1] + entropy).square()).sum())
    assert min(count.values()) > 100 and abs(excess) < 4 * variance**0.5
    assert bare == 24 and min(sizes) < 16 < max(sizes)  # prompts as `generate` has them, of many lengths


# Equal seeds give equal text; another seed changes what is drawn and leaves the greedy windows.
def test_seeds():
    one, again, other = generated(), generated(), generated(seed=1)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert torch.equal(one.windows[one.greedy], other.windows[other.greedy])
    drawn = ~one.greedy
    assert not torch.equal(one.windows[drawn], other.windows[drawn])


# Targets, place by place: the tokens that follow, as long as no text ends and the backbone chose them.
def test_targets():
    draw, k = torch.Generator().manual_seed(0), 3
    windows = torch.randint(0, 6, (5, 30), generator=draw)
    chosen = torch.rand(5, 30, generator=draw) < 0.7
    found = own.targets(own.Own(windows, chosen, torch.zeros(5, dtype=torch.bool)), k, [0])
    assert found.shape == (5, 26, k + 1)
    for b in range(5):
        for i in range(26):
            expected = []
            for j in range(i + 1, i + k + 2):
                if not chosen[b, j] or (expected and expected[-1] == 0):
                    break
                expected.append(int(windows[b, j]))
            assert found[b, i].tolist() == expected + [-1] * (k + 1 - len(expected))


# A file that was kept is read again, and only by the same backbone, seed, size, corpus and text of it; a damaged one is
# made anew.
def test_kept_text(tmp_path, monkeypatch):
    file, calls, honest = tmp_path / "own.safetensors", [], own.completions
    monkeypatch.setattr(own, "completions", lambda *args: calls.append(args) or honest(*args))

    def made(seed: int = 0, positions: int = 64 * 8, corpus: str = "cycle", tokens=None):
        return own.own_texts(
            backbone(), stream() if tokens is None else tokens, 3, positions, 10, seed, file, corpus=corpus
        )

    first, second = made(), made()
    assert len(calls) == 1 and all(torch.equal(a, b) for a, b in zip(first[:2], second[:2], strict=True))
    assert first.greedy.tolist() == second.greedy.tolist() == [True] * 2 + [False] * 6 and first.anchors == 10
    for number, change in enumerate(
        [dict(seed=1), dict(positions=64 * 9), dict(corpus="other"), dict(tokens=stream()[60:]), {}], 2
    ):
        made(**change)
        assert len(calls) == number
    file.write_bytes(file.read_bytes()[:-1])
    assert torch.equal(made().windows, first.windows) and len(calls) == 7


# Batches say which of their windows are greedy; corpus text is none.
def test_batches_know_what_is_greedy():
    made = own.own_texts(backbone(), stream(), 3, POSITIONS, 8)
    lines = {tuple(w[:-1]): g for w, g in zip(made.windows.tolist(), made.greedy.tolist(), strict=True)}
    batches = [*made.parts(64), *(made.batch(step, 64, 0) for step in range(3))]
    for batch in batches:
        assert batch.greedy.tolist() == [lines[tuple(w)] for w in batch.text.tolist()]
    assert any(b.greedy.any() for b in batches) and not all(b.greedy.all() for b in batches)
    assert not made._replace(greedy=None).batch(0, 64, 0).greedy.any()


# `fit` learns own text where it is asked to: the same weights from what it makes itself, from what `prepare` made and
# from what an earlier run has kept, and other weights than from the corpus.
def test_fit(tmp_path, monkeypatch):
    settings = dict(steps=40, batch=64, positions=1000, every=40, rate=2e-2)

    def learner():
        return make_drafter("masked", backbone(), horizon=3, rank=2, anchors=8)

    made, given, kept, corpus = (learner() for _ in range(4))
    report = train(made, tmp_path, text="own", **settings)
    assert report.settings["recipe"]["text"] == "own"
    assert all((tmp_path / OWN.format(split)).is_file() for split in ("train", "validation"))
    train(given, prepared=prepare(given, backbone(), Cycle(), 1000, text="own"), text="own", **settings)
    (tmp_path / "checkpoint.safetensors").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(own, "completions", lambda *args: pytest.fail("made again"))
        train(kept, tmp_path, text="own", **settings)
    train(corpus, **settings)
    assert equal(weights(made), weights(given)) and equal(weights(made), weights(kept))
    assert not equal(weights(made), weights(corpus))
    held = split_features(made, backbone(), Cycle(), "validation", Recipe(1, 0, 1, 1.0, 1000, text="own"))
    settled = made.survival.clone()
    assert not torch.equal(settled[0], settled[1])  # drawn and greedy windows apart
    made.settle(b.given(torch.float32) for b in held.parts(8192))
    assert torch.equal(settled, made.survival)


# What cannot be: too little text, no end of text, windows shorter than the horizon, heads on own text.
def test_refusals():
    with pytest.raises(ValueError, match="40 tokens hold the beginnings of . documents, too few.*give more text"):
        own.completions(backbone(), stream()[:40], POSITIONS, LENGTH)
    endless = build(ARCHITECTURES["gpt2"]())
    endless.config.eos_token_id = endless.model.generation_config.eos_token_id = None
    with pytest.raises(ValueError, match="no end-of-text token"):
        own.prompts(endless, stream(), 4)
    with pytest.raises(ValueError, match="horizon=64: windows have 64 places"):
        own.own_texts(backbone(), stream(), 64, POSITIONS, 8)
    heads, masks = make_drafter("independent", backbone(), horizon=3), make_drafter("masked", backbone(), horizon=3)
    for make in (train, lambda drafter, **o: prepare(drafter, backbone(), Cycle(), **o)):
        with pytest.raises(ValueError, match="text='own' is for .* 'independent' learns from its states"):
            make(heads, text="own")
        with pytest.raises(ValueError, match="text='other': use one of 'corpus', 'own'"):
            make(masks, text="other")


# A drafter that is made for another law learns text of that law: with the k likeliest tokens kept, nothing else occurs;
# with one kept, drawn windows are as greedy as the greedy ones.
def test_text_is_drawn_from_the_drafters_law():
    drafter = make_drafter("ptp", backbone(), horizon=2, rank=1, temperature=0.7, top_k=1)
    held = split_features(drafter, backbone(), Cycle(), "train", Recipe(1, 0, 1, 1.0, POSITIONS, text="own"))
    assert not held.greedy.all()
    law, place = {"temperature": 0.7, "top_k": 1, "top_p": 1.0}, 0
    made = own.completions(backbone(), stream(), POSITIONS, LENGTH, 0, law)
    for greedy, tokens, chosen, given in documents(made):
        with torch.no_grad():
            best = backbone().model(torch.tensor([tokens[:LENGTH]])).logits[0].argmax(-1).tolist()
        told = [(best[i - 1], tokens[i]) for i in range(given, len(tokens)) if chosen[i] and not greedy]
        assert all(a == b for a, b in told)
        place += len(told)
    assert place > 500
    assert not torch.equal(made.windows, generated().windows)


def test_prepared_text_of_the_other_kind_is_refused():
    drafter = make_drafter("masked", backbone(), horizon=2, rank=1)
    corpus = prepare(drafter, backbone(), Cycle(), POSITIONS)
    with pytest.raises(ValueError, match="text='own'.*prepare"):
        train(drafter, prepared=corpus, text="own")
