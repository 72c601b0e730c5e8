"""Features: the model's own states, and the tokens that follow them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import CONTEXT, VOCABULARY, WINDOW, on_every_architecture, on_every_device, toy

from mtp_explore.train.features import Features, features, futures, states
from mtp_explore.train.windows import Windows


def stream(length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, VOCABULARY, (length,), generator=torch.Generator().manual_seed(seed))


# States are those of a plain forward pass: unembedded, they give the model's own logits (also beyond a window).
@on_every_device
@on_every_architecture
def test_states_equal_a_plain_pass(architecture, device):
    backbone = toy(architecture, device)
    tokens = stream(3 * 40).view(3, 40).to(device)
    assert tokens.shape[1] > 2 * WINDOW
    with torch.no_grad():
        plain = backbone.model(input_ids=tokens, use_cache=False).logits
        hidden = states(backbone, tokens)
        torch.testing.assert_close(backbone.logits(hidden), plain, atol=2e-4, rtol=1e-4)
    assert hidden.shape == (3, 40, backbone.width) and not hidden.requires_grad


# Features are the states of every place of the windows, with the K+1 tokens after it, cut at the end of a text.
@on_every_device
def test_features_equal_a_slow_twin(device):
    backbone, horizon = toy("llama", device), 3
    tokens = stream(1500)
    made = features(backbone, tokens, horizon, 500, seed=5)
    windows = Windows(tokens, CONTEXT + horizon + 1, 5)
    row, ends = 0, set(backbone.eos)
    for number in range(500 // CONTEXT):
        window = windows[number].tolist()
        given = torch.tensor([window[:CONTEXT]], device=device)
        hidden = backbone.model(input_ids=given, output_hidden_states=True).hidden_states[-1][0]
        torch.testing.assert_close(made.hidden[row : row + CONTEXT], hidden, atol=1e-4, rtol=1e-4)
        for place in range(CONTEXT):
            assert made.future[row].tolist() == followers(window, place, horizon, ends)
            row += 1
    assert row == len(made.hidden) == len(made.future)
    assert not made.hidden.requires_grad


def followers(window: list[int], place: int, horizon: int, ends: set[int]) -> list[int]:
    """The horizon + 1 tokens after a place; -1 once a text has ended among them."""
    out, over = [], False
    for token in window[place + 1 : place + 2 + horizon]:
        out.append(-1 if over else token)
        over = over or token in ends
    return out


# Futures are the next tokens; after the first end of a text, whichever end token it is, there is no future.
@given(
    st.lists(st.lists(st.integers(0, 4), min_size=9, max_size=9), min_size=1, max_size=3),
    st.integers(1, 4),
    st.sets(st.integers(0, 4), max_size=3),
)
def test_futures_equal_a_slow_twin(rows, horizon, ends):
    made = futures(torch.tensor(rows), horizon, sorted(ends))
    assert made.shape == (len(rows), 9 - horizon - 1, horizon + 1)
    assert made.tolist() == [[followers(row, t, horizon, ends) for t in range(9 - horizon - 1)] for row in rows]


# A model without an end token has a future everywhere; one with two ends at either.
def test_end_tokens_are_the_backbones_own(monkeypatch):
    backbone, tokens = toy("llama"), stream(400)
    for ends in ([], [3, 11]):
        monkeypatch.setattr(type(backbone), "eos", ends)
        future = features(backbone, tokens, 3, 200).future
        last = torch.isin(future, torch.tensor(ends, dtype=torch.long))
        assert (future[:, 1:] < 0).equal(last.cumsum(1)[:, :-1] > 0) and (future[:, 0] >= 0).all()
        assert last.any() == bool(ends)


# The number of places follows `positions` as far as the text goes; another seed chooses others.
def test_number_of_positions():
    backbone, tokens = toy("llama"), stream(1000)
    sizes = {n: len(features(backbone, tokens, 2, n).hidden) for n in (1, 64, 200, 10_000)}
    assert sizes == {1: 64, 64: 64, 200: 192, 10_000: 64 * (1000 // 67 - 1)}
    one, same, other = (features(backbone, tokens, 2, 64, seed).future for seed in (0, 0, 1))
    assert one.equal(same) and not one.equal(other)


# A batch depends on (seed, step) alone, and pairs every state with its own future.
def test_batches():
    made = Features(torch.arange(50.0)[:, None], torch.arange(50)[:, None].expand(-1, 3))
    batch = made.batch(4, 30, seed=1)
    assert batch.hidden[:, 0].long().equal(batch.future[:, 0]) and batch.future.shape == (30, 3)
    assert batch.future.equal(made.batch(4, 30, seed=1).future)
    assert not batch.future.equal(made.batch(5, 30, seed=1).future)
    assert not batch.future.equal(made.batch(4, 30, seed=2).future)


# With `ahead`, a place brings the states of the K places after it, each the one that predicts its token; the places
# are those with K more in their window, and the states are stored once.
@given(st.integers(1, 4), st.integers(0, 3))
def test_states_ahead_equal_a_slow_twin(horizon, seed):
    backbone, tokens = toy("llama"), stream(1000)
    made = features(backbone, tokens, horizon, 130, seed, ahead=True)
    plain = features(backbone, tokens, horizon, 130, seed)
    assert made.hidden.equal(plain.hidden) and made.future.equal(plain.future)
    whole = made.take(slice(None))
    expected = [w * CONTEXT + t for w in range(2) for t in range(CONTEXT - horizon)]
    assert made.size == len(whole.hidden) == len(expected)
    for row, place in enumerate(expected):
        assert whole.hidden[row].equal(plain.hidden[place]) and whole.future[row].equal(plain.future[place])
        for k in range(1, horizon + 1):
            assert whole.ahead[row, k - 1].equal(plain.hidden[place + k])
            if whole.future[row, k] >= 0:
                assert whole.future[row, k] == plain.future[place + k, 0]
    batch = made.batch(3, 20, seed)
    assert batch.ahead.shape == (20, horizon, backbone.width) and plain.batch(3, 20, seed).ahead is None
    parts = list(made.parts(50))
    assert torch.cat([p.ahead for p in parts]).equal(whole.ahead) and len(parts[0].hidden) == 50


# A window must be longer than what lies ahead.
def test_long_horizon_is_refused():
    with pytest.raises(ValueError, match="horizon=64.*64 positions"):
        features(toy("llama"), stream(1000), CONTEXT, 64, ahead=True)


# Two windows are the least.
def test_short_stream_is_refused():
    features(toy("llama"), stream(2 * 67), 2, 64)
    with pytest.raises(ValueError, match="133 tokens.*at least 134"):
        features(toy("llama"), stream(133), 2, 64)
