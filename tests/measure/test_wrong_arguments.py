"""No function of this floor answers a wrong argument with an error from inside: what it raises names the argument."""

from functools import cache

import pytest
import torch
from hostile import sweep
from toys import ToyMasked, peaked, toy

from mtp_explore.drafters import make_drafter
from mtp_explore.exercises import case, rough, tiny
from mtp_explore.measure import (
    beliefs,
    circuit_em,
    decompose,
    em,
    fidelity,
    heads,
    independence,
    joint,
    kinds,
    knowledge,
    law,
    masks,
    meter,
    thrown,
)
from mtp_explore.measure.faults import planted

PROMPT = [0, 1, 2, 0]


@cache
def parts():
    """Small things to call with."""
    backbone = tiny()
    circuit = make_drafter("cp", backbone, horizon=2, rank=2, head_rank=2)
    masked = make_drafter("masked", toy("llama"), horizon=2)
    text = knowledge.read(backbone, [[1, 2, 0, 1, 1, 2]], length=6, horizon=2)
    of_masks = knowledge.read(toy("llama"), [[1, 2, 3, 4, 5, 6]], length=6, horizon=3)
    place = torch.tensor([[2, 3]])
    throw = thrown.text_of(backbone, torch.tensor([[1, 2, 0, 1, 1]]), place)
    return backbone, rough(backbone), circuit, masked, text, of_masks, throw


def opened(name: str) -> None:
    with planted(name):
        pass


def calls() -> dict:
    backbone, drafter, circuit, masked, text, of_masks, throw = parts()
    two = joint.exact_joint(backbone, PROMPT)
    dice, first, P = torch.full((1, 2, 3), 0.4).double(), torch.ones(1, 2, dtype=torch.long), peaked(3, 3)
    start = em.random_chain(P, 2, False, 0)
    fits = dict(rank=2, iterations=2, seed=1)
    shaping = dict(temperature=1.0, top_k=2, top_p=0.9)
    return {
        "exact_law": (law.exact_law, dict(
            backbone=backbone, drafter=drafter, prompt=PROMPT, n=1, rule="rejection", plan=None, cells=[0.5],
            **shaping)),
        "likeliest": (meter.likeliest, dict(backbone=backbone, prompt=PROMPT, n=2, most=4, **shaping)),
        "meter": (lambda **o: next(meter.meter(**o)), dict(
            backbone=backbone, drafter=drafter, prompt=PROMPT, n=1, samples=4, chunk=4, cells=4, seed=0,
            rule="rejection", plan=None, **shaping)),
        "exact_joint": (joint.exact_joint, dict(source=backbone, prompt=PROMPT, n=2, top=2, axes=None, **shaping)),
        "belief": (joint.exact_joint, dict(source=drafter, prompt=PROMPT, n=2)),
        "case": (case, dict(number=1, horizon=1, temperature=1.0, n=2, rule="block")),
        "planted": (opened, dict(name="raw q")),
        "follow": (beliefs.follow, dict(drafter=circuit, prompt=PROMPT, tokens=[1, 2])),
        "places": (beliefs.places, dict(n=4)),
        "circuit_em": (circuit_em.circuit_em, dict(law=peaked(2, 2, 2), kind="btree", restarts=1, **fits)),
        "random_circuit": (circuit_em.random_circuit, dict(law=peaked(2, 2), kind="cp", rank=2, seed=0)),
        "decompose": (decompose.decompose, dict(
            joint=P, method="em-cp", restarts=1, tolerance=1e-8, start=start, **fits)),
        "em": (em.em, dict(law=P, hmm=False, start=start, tolerance=1e-8, **fits)),
        "random_chain": (em.random_chain, dict(law=P, rank=2, hmm=True, seed=0)),
        "divergence": (em.divergence, dict(p=P, q=P)),
        "price": (fidelity.price, dict(joint=two, fit=two)),
        "clipped": (fidelity.clipped, dict(fit=P)),
        "total_correlation": (fidelity.total_correlation, dict(joint=P)),
        "accepted": (fidelity.accepted, dict(p=P, q=P)),
        "spectra": (fidelity.spectra, dict(joints=[P])),
        "effective_rank": (fidelity.effective_rank, dict(values=P)),
        "rank_of_mass": (fidelity.rank_of_mass, dict(values=P, mass=0.9)),
        "sweep": (fidelity.sweep, dict(joint=P, methods=["em-cp"], ranks=[1], restarts=1, iterations=2)),
        "head_chain": (heads.head_chain, dict(drafter=circuit, prompt=PROMPT, joint=two)),
        "product": (independence.product, dict(joint=P)),
        "invented": (independence.invented, dict(joint=two, draft=two, most=2)),
        "incompatible": (independence.incompatible, dict(joint=two, draft=two, times=10.0)),
        "costs": (independence.costs, dict(backbone=backbone, drafter=drafter, contexts=[PROMPT])),
        "common_words": (kinds.common_words, dict(documents=["a fox", "a hen"], share=0.5)),
        "kinds": (kinds.kinds, dict(pieces=["a", " fox"], common={"a"})),
        "read": (knowledge.read, dict(backbone=backbone, documents=[[1, 2]], length=4, horizon=2)),
        "rank_of": (knowledge.rank_of, dict(scores=torch.rand(2, 3), token=torch.tensor([0, 2]))),
        "lens": (knowledge.lens, dict(backbone=backbone, text=text)),
        "drafted": (knowledge.drafted, dict(drafter=drafter, text=text)),
        "ahead": (lambda **o: list(knowledge.ahead(**o)), dict(
            drafter=drafter, text=text, row=torch.tensor([0]), place=torch.tensor([2]))),
        "frequency": (knowledge.frequency, dict(counted=torch.arange(9) % 3, text=text, vocabulary=3)),
        "neighbour": (knowledge.neighbour, dict(counted=torch.arange(9) % 3, text=text, vocabulary=3)),
        "ceiling": (knowledge.ceiling, dict(backbone=backbone, text=text, at=[2], samples=2, seed=0)),
        "shares": (knowledge.shares, dict(
            ranks=torch.tensor([[0, 1], [1, 0]]), texts=2, within=1, resamples=10, seed=0)),
        "behind": (masks.behind, dict(drafter=masked, text=of_masks, at=[2], adapters=True)),
        "masks ahead": (masks.ahead, dict(drafter=masked, text=of_masks, at=[2], sampler=True, adapters=True)),
        "masks ranks": (masks.ranks, dict(drafter=masked, text=of_masks, at=[2], sampler=True, adapters=True)),
        "call_seconds": (masks.call_seconds, dict(
            drafter=ToyMasked(toy("llama"), 2), prompt=[1, 2, 3], plans={"plain": None}, times=1)),
        "text_of": (thrown.text_of, dict(
            backbone=backbone, tokens=torch.tensor([[1, 2, 0, 1]]), anchors=torch.tensor([[2]]), whole=False,
            **shaping)),
        "after": (thrown.after, dict(text=throw, tokens=torch.ones(1, 2, 1, dtype=torch.long))),
        "own": (thrown.own, dict(text=throw, w=dice, guess=torch.ones(1, 2, 2, dtype=torch.long))),
        "drafts": (thrown.drafts, dict(drafter=drafter, text=throw, w=dice, first=first)),
        "committed": (thrown.committed, dict(text=throw, first=first)),
        "agreement": (thrown.agreement, dict(p=P, q=P)),
        "correct": (thrown.correct, dict(drafts=first, tokens=torch.ones(1, 3, dtype=torch.long))),
        "absurd": (thrown.absurd, dict(
            text=throw, drafts=torch.ones(1, 2, 2, dtype=torch.long), first=first, rare=0.1)),
    }  # fmt: skip


# What an argument is made of may be named in its place; prompts and sources are read by others.
ALIASES = {
    "joint": ("law",), "start": ("Chain",), "source": ("drafter", "backbone"), "contexts": ("prompt",),
    "methods": ("method",), "ranks": ("rank",), "plans": ("plan=",), "law": ("start",), "hmm": ("start",),
}  # fmt: skip


@pytest.mark.parametrize("name", calls())
def test_wrong_arguments_are_named(name):
    assert not sweep(*calls()[name], ALIASES)
