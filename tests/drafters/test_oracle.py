"""The oracle drafts the answer it was given, row by row, up to its end."""

import pytest
import torch
from beliefs import one_hots, state
from toys import VOCABULARY, ragged, toy

from mtp_explore.decode.generate import generate
from mtp_explore.drafters import make_drafter


# After y' at place n the drafts are the answer's tokens n+1, n+2, ..; beyond its end there is nothing left.
def test_drafts_the_answer():
    answers = [[3, 1, 4, 1, 5, 9], [2, 7, 1]]
    drafter = make_drafter("oracle", toy(), answer=answers, horizon=2)
    belief = drafter.begin(state([[3, 1], [2, 7]]))
    for token, left in [([1, 7], [2, 2]), ([4, 1], [2, 1]), ([1, None], [2, 0]), ([5, None], [2, 0])]:
        said = one_hots(drafter.predict(belief))
        assert all(t in (None, s) for t, s in zip(token, said, strict=True))
        assert drafter.left(belief).tolist() == left
        belief = drafter.absorb(belief, torch.tensor(said))
    assert drafter.left(belief).tolist() == [1, 0]


# Token ids, a tensor of them, a trace, and lists of these name the same answer.
def test_ways_to_give_the_answer():
    backbone = toy()
    traces = generate(backbone, None, ragged()[:2], max_new_tokens=5, eos=False)
    whole = [t.prompt + t.tokens for t in traces]
    one, both = torch.tensor([whole[0]]), [traces[0], whole[1]]
    for answer in (whole[0], one[0], one, traces[0], [traces[0]]):
        assert make_drafter("oracle", backbone, answer=answer).answer.equal(one)
    assert make_drafter("oracle", backbone, answer=both).ends.tolist() == [len(w) for w in whole]


# With the right answer every draft is kept: n tokens need 1 + ceil((n - 1) / (K + 1)) calls, in every row of a batch.
def test_is_the_ceiling():
    backbone, horizon = toy("gpt2"), 3
    for temperature in (0, 1.0):
        options = dict(max_new_tokens=13, temperature=temperature, eos=False, seed=3, rule="match")
        plain = generate(backbone, None, ragged(), **(options | {"rule": None}))
        drafter = make_drafter("oracle", backbone, answer=plain, horizon=horizon)
        for trace, known in zip(generate(backbone, drafter, ragged(), **options), plain, strict=True):
            assert trace.tokens == known.tokens
            assert [len(s.tokens) for s in trace.steps] == [1, 4, 4, 4]


# An answer that ends early leaves the rest to the target.
def test_short_answer():
    backbone, prompt = toy("gpt2"), ragged()[1]
    options = dict(max_new_tokens=10, temperature=0, eos=False)
    plain = generate(backbone, None, prompt, **options)
    for known in range(1, 9):
        drafter = make_drafter("oracle", backbone, answer=prompt + plain.tokens[:known], horizon=3)
        trace = generate(backbone, drafter, prompt, **options)
        assert trace.tokens == plain.tokens
        assert sum(len(s.drafts) for s in trace.steps) <= known
    drafter = make_drafter("oracle", backbone, answer=prompt[:3], horizon=3)  # shorter than the prompt
    trace = generate(backbone, drafter, prompt, **options)
    assert trace.tokens == plain.tokens and not any(s.drafts for s in trace.steps)


# No answer, ids that no law covers, and another number of rows than the batch's are refused.
def test_bad_answers_are_refused():
    for nothing in ([], [[]], [[1], []]):
        with pytest.raises(ValueError, match="answer=.*: it is empty"):
            make_drafter("oracle", toy(), answer=nothing)
    for token in (-1, VOCABULARY):
        with pytest.raises(ValueError, match=f"answer holds the token id {token}, outside the vocabulary 0..16"):
            make_drafter("oracle", toy(), answer=[[1], [2, token]])
    drafter = make_drafter("oracle", toy(), answer=[[1, 2], [3]])
    with pytest.raises(ValueError, match=r"answer has 2 row\(s\), but the batch has 4"):
        generate(toy(), drafter, ragged())
