"""Lookup against a slow, obvious twin: walk back through the text, longest suffix first."""

import pytest
import torch
from beliefs import one_hots, state
from hypothesis import given
from hypothesis import strategies as st
from toys import ragged, toy

from mtp_explore.decode.generate import generate
from mtp_explore.drafters import make_drafter


def continuation(text: list[int], ngram: int, count: int) -> list[int]:
    """What followed the last time the text ended like now, the longest ending first: `count` tokens, copied one by one
    behind the text, so that the copy may be copied in its turn. [] where it never ended so.
    """
    for size in range(min(ngram, len(text)), 0, -1):
        for end in range(len(text) - 1, size - 1, -1):
            if text[end - size : end] == text[-size:]:
                longer = list(text)
                for place in range(end, end + count):
                    longer.append(longer[place])
                return longer[len(text) :]
    return []


texts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=4)


# The draft is the continuation, token by token, for any batch of texts, whatever lies beyond their ends.
@given(texts, st.integers(1, 4), st.integers(1, 8), st.integers(0, 2))
def test_draft_equals_the_slow_twin(texts, horizon, ngram, junk):
    drafter = make_drafter("lookup", toy(), horizon=horizon, ngram=ngram)
    belief = drafter.begin(state(texts, junk))
    last = [t[-1] for t in texts]
    assert one_hots(drafter.predict(belief)) == last  # before y' is absorbed: y' itself
    belief = drafter.absorb(belief, torch.tensor(last))
    expected = [continuation(t, ngram, horizon) for t in texts]
    spans = drafter.describe(belief)["span"].tolist()
    assert [s >= 0 for s in spans] == [bool(e) for e in expected]
    assert all(t[s] == e[0] for t, s, e in zip(texts, spans, expected, strict=True) if e)
    for k in range(horizon):
        assert drafter.left(belief).tolist() == [horizon if e else 0 for e in expected]
        drafted = one_hots(drafter.predict(belief))
        assert all(d == e[k] for d, e in zip(drafted, expected, strict=True) if e)
        belief = drafter.absorb(belief, torch.tensor(drafted))


# A text that runs in a circle is drafted to the horizon, however short the circle: the copy runs into itself.
@pytest.mark.parametrize("circle", [[5], [5, 6], [5, 6, 7]])
def test_a_circle_is_drafted_to_the_horizon(circle):
    drafter, text = make_drafter("lookup", toy(), horizon=8), circle * 3
    belief = drafter.absorb(drafter.begin(state([text])), torch.tensor(text[-1:]))
    for k in range(8):
        assert drafter.left(belief).item() == 8
        drafted = one_hots(drafter.predict(belief))
        assert drafted == [circle[k % len(circle)]]
        belief = drafter.absorb(belief, torch.tensor(drafted))


# Once a token leaves the span there is nothing left for that row, whatever comes after; the other row goes on.
def test_leaving_the_span():
    drafter = make_drafter("lookup", toy(), horizon=4)
    text = [5, 6, 7, 8, 9, 5]  # after 5 came 6, 7, 8, 9, 5
    belief = drafter.absorb(drafter.begin(state([text, text])), torch.tensor([5, 5]))
    assert drafter.left(belief).tolist() == [4, 4]
    belief = drafter.absorb(belief, torch.tensor([6, 1]))
    assert drafter.left(belief).tolist() == [4, 0]
    belief = drafter.absorb(belief, torch.tensor([7, 7]))
    assert drafter.left(belief).tolist() == [4, 0]
    assert drafter.describe(belief)["span"].tolist() == [1, -1]


# A longer ending beats a more recent one, and of equal ones the most recent counts.
def test_longest_then_latest():
    text = [1, 2, 3, 9, 2, 4, 1, 2, 5, 2, 6, 1, 2]
    for ngram, follows in [(1, 6), (2, 5), (3, 5)]:
        drafter = make_drafter("lookup", toy(), ngram=ngram)
        belief = drafter.absorb(drafter.begin(state([text])), torch.tensor([2]))
        assert one_hots(drafter.predict(belief)) == [follows]


# In the loop it changes nothing of the text, and a text that repeats itself comes with fewer calls.
def test_decodes():
    backbone, prompts = toy("gpt2"), ragged()
    options = dict(max_new_tokens=40, temperature=0, eos=False)
    plain = generate(backbone, None, prompts, **options)
    traces = generate(backbone, make_drafter("lookup", backbone, horizon=4), prompts, **options)
    assert [t.tokens for t in traces] == [t.tokens for t in plain]
    assert sum(len(t.steps) for t in traces) < sum(len(t.steps) for t in plain)


# Suffixes have 1 to 8 tokens.
@pytest.mark.parametrize("ngram", [0, 9, -1])
def test_bad_ngram_is_refused(ngram):
    with pytest.raises(ValueError, match=f"ngram={ngram}: .*1 to 8"):
        make_drafter("lookup", toy(), ngram=ngram)
