"""Nothing is measured beyond the context's end, and nobody waits in silence."""

import numpy as np
import pytest
import torch
from toys import CONTEXT, toy

from mtp_explore.drafters import make_drafter
from mtp_explore.exercises import case, rough, tiny
from mtp_explore.measure import beliefs, knowledge, masks, progress, thrown
from mtp_explore.measure.joint import exact_joint
from mtp_explore.measure.meter import likeliest, meter


# At the context's end the meter reads what can be said, and refuses what cannot before it samples.
def test_the_meter_ends_with_the_context():
    backbone = tiny()
    *_, last = meter(backbone, rough(backbone), [1] * 29, n=3, samples=2000, chunk=1000)
    assert last.lossless
    for ask in (lambda: meter(backbone, None, [1] * 30, n=3), lambda: likeliest(backbone, [1] * 30, 3, 4)):
        with pytest.raises(ValueError, match="n=3: prompt has 30 tokens.*32 positions.*cut the prompt to 29 tokens"):
            ask()


# Masks, throws and beliefs stand at places that the model has.
def test_nothing_stands_beyond_the_context():
    backbone, ids = toy("llama"), [1 + i % 16 for i in range(CONTEXT - 1)]
    masked = make_drafter("masked", backbone, horizon=3)
    text = knowledge.read(backbone, [ids], length=CONTEXT, horizon=4)
    last = CONTEXT - 1 - 3
    assert masks.ranks(masked, text, [last]).shape == (1, 4)
    with pytest.raises(ValueError, match=rf"at\[0\]={last + 1}: .*from 0 to {last}"):
        masks.ranks(masked, text, [last + 1])
    with pytest.raises(ValueError, match="prompt has 58 tokens, and 7 more do not fit"):
        masks.call_seconds(masked, ids[:58], {"plain": None}, times=1)
    throw = thrown.text_of(backbone, torch.tensor([ids[: CONTEXT - 2]]), torch.tensor([[CONTEXT - 3]]))
    first, dice = torch.ones(1, 1, dtype=torch.long), torch.full((1, 1, 4), 0.5).double()
    for ask in (
        lambda: thrown.after(throw, torch.ones(1, 1, 3, dtype=torch.long)),
        lambda: thrown.drafts(masked, throw, dice, first),
        lambda: thrown.own(throw, dice),
    ):
        with pytest.raises(ValueError, match=f"{CONTEXT} places: cut the text"):
            ask()
    circuit = make_drafter("cp", backbone, horizon=3, rank=2, head_rank=2)
    with pytest.raises(ValueError, match="do not fit into the 64 positions"):
        beliefs.follow(circuit, ids[:62], [1, 2, 3, 4])


# The bug hunt takes no law that does not exist.
@pytest.mark.parametrize("odd", [dict(temperature=-1), dict(temperature=float("nan")), dict(rule="best"), dict(rule=[]),
                                 dict(n=2.5), dict(horizon=True), dict(number="one")])  # fmt: skip
def test_cases_refuse_what_does_not_exist(odd):
    with pytest.raises((ValueError, TypeError), match=f"{next(iter(odd))}="):
        case(**{"number": 1, **odd})


# Numbers of numpy are numbers; what is none is refused when the meter is called, not when it is read.
def test_the_meter_checks_first():
    backbone = tiny()
    taken = dict(n=np.int64(1), samples=np.int32(8), chunk=np.int64(4), cells=np.int64(3), seed=np.int64(1))
    assert len(list(meter(backbone, None, [1], **taken))) == 2
    for odd in (dict(samples=2.5), dict(chunk=0), dict(cells=-1), dict(seed=-1), dict(seed=1 << 63), dict(top_p=7),
                dict(rule="best"), dict(plan="all")):  # fmt: skip
        with pytest.raises(ValueError, match=f"{next(iter(odd))}="):
            meter(backbone, None, [1], **odd)


# A bar appears once work has lasted two seconds, and not before.
@pytest.mark.parametrize("quiet, seen", [(0.0, True), (2.0, False)])
def test_bars_wait_for_two_seconds(monkeypatch, capfd, quiet, seen):
    monkeypatch.setattr(progress, "QUIET", quiet)
    exact_joint(toy("gpt2"), [1, 2], n=3, top=4)
    assert ("law of token" in capfd.readouterr().err) == seen
