"""Ranks of the tokens ahead against whole forward passes of every prefix, in plain loops."""

import pytest
import torch
from toys import toy

from mtp_explore.drafters import make_drafter
from mtp_explore.measure import knowledge
from mtp_explore.measure.joint import exact_joint

LENGTH, HORIZON = 9, 3
DOCUMENTS = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9], [2, 7, 1, 8, 2], [1, 6, 1, 8, 3, 3, 9, 8, 8]]
FULL = [[0, *d, 0] for d in DOCUMENTS]  # with the end-of-text token (0) around


@pytest.fixture(scope="module")
def backbone():
    return toy("llama", dtype=torch.float64)


@pytest.fixture(scope="module")
def heads(backbone):
    """Independent heads with random weights, the same for all tests."""
    drafter = make_drafter("independent", backbone, horizon=HORIZON)
    random = torch.Generator().manual_seed(3)
    for weight in drafter.weights:
        weight.data.copy_(0.4 * torch.randn(weight.shape, generator=random, dtype=torch.float64))
    return drafter


@pytest.fixture(scope="module")
def text(backbone):
    return knowledge.read(backbone, DOCUMENTS, LENGTH, HORIZON)


def places():
    """(row of a table of ranks, tokens up to t, the tokens that follow)."""
    for i, row in enumerate(FULL):
        for t in range(min(LENGTH, len(row))):
            yield i * LENGTH + t, row[: t + 1], row[t + 1 : t + 1 + HORIZON]


def slow_rank(scores, token):
    order = sorted(range(len(scores)), key=lambda v: (-scores[v], v))
    return order.index(token)


def compare(table, scores_of):
    """Every place's ranks are those of the slow twin's scores, and -1 where no token follows."""
    assert table.shape == (len(DOCUMENTS) * LENGTH, HORIZON) and table.device.type == "cpu"
    expected = torch.full_like(table, -1)
    for at, before, after in places():
        for k, token in enumerate(after, 1):
            expected[at, k - 1] = slow_rank(list(scores_of(before, k)), token)
    assert torch.equal(table, expected)


# A place's future are the tokens of its own document up to its end, and nothing of what pads the batch.
def test_read_keeps_documents_apart(text):
    for at, before, after in places():
        row, place = divmod(at, LENGTH)
        assert text.tokens[row, : place + 1].tolist() == before
        assert text.future[row, place].tolist() == after + [-1] * (HORIZON - len(after))
    assert (text.future[1, len(FULL[1]) - 1 :] == -1).all()


# Both readings of a state are those of the state that a whole pass over the prefix computes.
def test_lens_and_heads_equal_whole_passes(backbone, heads, text):
    laws = {}
    for _, before, _ in places():
        out = backbone.model(torch.tensor([before]), output_hidden_states=True, use_cache=False)
        hidden = out.hidden_states[-1][0, -1:]
        ahead = backbone.logits(heads.states(hidden).detach())[:, 0]
        laws[tuple(before)] = [out.logits[0, -1].tolist(), *ahead.tolist()]
    compare(knowledge.lens(backbone, text), lambda before, k: laws[tuple(before)][0])
    compare(knowledge.drafted(heads, text), lambda before, k: laws[tuple(before)][k - 1])


# What absorbs is asked with the true tokens absorbed: lookup is sure of what follows the last repetition.
def test_a_drafter_absorbs_the_true_tokens(backbone):
    text = knowledge.read(backbone, [[5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8]], 8, HORIZON)
    ranks = knowledge.drafted(make_drafter("lookup", backbone, horizon=2), text)
    assert (ranks[5:8] == 0).all()  # from the second 5 on, everything has stood before
    assert (knowledge.drafted(make_drafter("lookup", backbone, horizon=1), text)[:, 2] == -1).all()


# The number of places computed at a time changes nothing.
def test_chunks_change_nothing(backbone, heads, text, monkeypatch):
    whole = knowledge.drafted(heads, text), knowledge.lens(backbone, text)
    monkeypatch.setattr(knowledge, "CELLS", 200)
    assert torch.equal(knowledge.drafted(heads, text), whole[0]) and torch.equal(
        knowledge.lens(backbone, text), whole[1]
    )


# The floors count: how often a token occurs, and how often it stands k places behind another.
def test_floors_count(backbone, text):
    stream = [t for row in FULL for t in row] * 2 + [9, 9, 4]
    counts = [stream.count(v) for v in range(17)]
    compare(knowledge.frequency(torch.tensor(stream), text, 17), lambda before, k: counts)

    def behind(before, k):
        pairs = list(zip(stream, stream[k:], strict=False))
        return [pairs.count((before[-1], v)) + counts[v] / 1e3 for v in range(17)]

    compare(knowledge.neighbour(torch.tensor(stream), text, 17), behind)


# The law of a token further ahead is the exact joint's marginal, up to the noise of the sampling; at k = 1 it is exact.
def test_the_ceiling_is_the_joints_marginal(backbone, text):
    prompts = torch.tensor([FULL[0][:6], FULL[2][:6]])
    random = torch.Generator().manual_seed(0)
    laws = knowledge._ahead(backbone, prompts, 3, 4096, random)
    for row, prompt in zip(laws, prompts.tolist(), strict=True):
        exact = exact_joint(backbone, prompt, n=3, axes=[range(17)] * 3)
        assert torch.allclose(row[0], exact.marginal(1), atol=1e-9)
        for k in (2, 3):
            assert (row[k - 1] - exact.marginal(k)).abs().sum() / 2 < 0.01
        assert (row[1] - row[0]).abs().sum() / 2 > 0.05  # the laws do differ from one place to the next
    ranks = knowledge.ceiling(backbone, text, [2, 5], samples=8)
    lens = knowledge.lens(backbone, text)
    here = torch.tensor([t in (2, 5) for t in range(LENGTH)]).repeat(len(DOCUMENTS))
    assert torch.equal(ranks[here, 0], lens[here, 0]) and (ranks[~here] == -1).all()


# Shares count ranks below the limit; the interval is that of whole texts: equal texts leave no doubt.
def test_shares_resample_whole_texts():
    ranks = torch.tensor([[0, 4], [3, -1], [0, 7], [0, 0]])
    found = knowledge.shares(ranks, texts=2)
    assert found.share.tolist() == [3 / 4, 1 / 3]
    assert knowledge.shares(ranks, texts=2, within=5).share.tolist() == [1, 2 / 3]
    assert found.low[0] == 1 / 2 and found.high[0] == 1  # one text has 1 of 2, the other 2 of 2
    same = knowledge.shares(ranks[:2].repeat(40, 1), texts=40)
    assert torch.equal(same.low, same.share) and torch.equal(same.high, same.share)
    apart = knowledge.shares(ranks[:2].repeat(40, 1), texts=80)  # the same places, as if they were texts of their own
    assert apart.high[0] - apart.low[0] > 0.1


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda b, t: knowledge.read(b, [], 9), "at least one"),
        (lambda b, t: knowledge.read(b, DOCUMENTS, 999), "length=999.*from 1 to 64"),
        (lambda b, t: knowledge.ceiling(b, t, [LENGTH]), "places from 0 to 8"),
        (lambda b, t: knowledge.shares(torch.zeros(5, 2), 2), "equal length"),
    ],
)
def test_bad_input_is_named(backbone, text, call, says):
    with pytest.raises(ValueError, match=says):
        call(backbone, text)
