"""One good, cheap call for every public function of `measure`, `tensors` and `plots`."""

from __future__ import annotations

import numpy as np
import torch

from mtp_explore import plots as figures
from mtp_explore.drafters.base import DrafterBase
from mtp_explore.measure import (
    beliefs,
    circuit_em,
    decompose,
    em,
    faults,
    fidelity,
    heads,
    independence,
    kinds,
    knowledge,
    law,
    masks,
    meter,
    thrown,
)
from mtp_explore.measure.joint import exact_joint
from mtp_explore.plots.microscope import Key, View
from mtp_explore.tensors import btree, categorical, circuits, cp, hmm, uniforms
from mtp_explore.trace import metrics
from tests.fuzz.calls import Call
from tests.fuzz.world import world
from tests.plots import made


def measure() -> list[Call]:
    w = world()
    p = torch.from_numpy(w.p)
    fits = decompose.decompose(w.joint, "em-cp", 2, restarts=1, iterations=3)
    contexts = ["abcd", "efgh"]
    draft = exact_joint(w.heads, "abcd", n=2, axes=w.joint)
    laws, of = {"p": "law", "q": "law", "law": "law", "joint": "law"}, lambda module, name: getattr(module, name)
    at, first = [2, 4], thrown.own(w.thrown, w.w).tokens[..., 0]
    em_given = dict(rank=2, iterations=3, seed=1)
    rows = [
        (beliefs, "follow", dict(drafter=w.circuits["hmm"], prompt="abcd", tokens=w.ids[:2]), {"prompt": "any"}),
        (circuit_em, "circuit_em", dict(law=w.law3, kind="hmm", restarts=1, **em_given)),
        (
            decompose,
            "decompose",
            dict(joint=w.joint, method="em-cp", restarts=1, tolerance=1e-6, start=None, **em_given),
        ),
        (em, "em", dict(law=p, hmm=False, tolerance=1e-6, start=None, **em_given)),
        (em, "divergence", dict(p=p, q=torch.from_numpy(w.q))),
        (fidelity, "price", dict(joint=w.joint, fit=fits[0])),
        (fidelity, "clipped", dict(fit=fits[0])),
        (fidelity, "total_correlation", dict(joint=w.joint)),
        (fidelity, "accepted", dict(p=p[None], q=torch.from_numpy(w.q)[None])),
        (fidelity, "spectra", dict(joints=[w.joint])),
        (fidelity, "effective_rank", dict(values=torch.ones(2, 3)), {"values": "law"}),
        (fidelity, "rank_of_mass", dict(values=torch.ones(2, 3), mass=0.9), {"values": "law"}),
        (fidelity, "sweep", dict(joint=w.joint, methods=["em-cp"], ranks=[1, 2], restarts=1, iterations=2)),
        (heads, "head_chain", dict(drafter=w.circuits["cp"], prompt="abcd", joint=w.joint), {"prompt": "any"}),
        (independence, "product", dict(joint=w.joint)),
        (independence, "invented", dict(joint=w.joint, draft=draft, most=2)),
        (independence, "incompatible", dict(joint=w.joint, draft=draft, times=10.0)),
        (independence, "costs", dict(backbone=w.small, drafter=w.heads, contexts=contexts)),
        (kinds, "common_words", dict(documents=["a b c", "a b"], share=0.5)),
        (kinds, "kinds", dict(pieces=[" a", "b", "."], common={"a"})),
        (knowledge, "read", dict(backbone=w.small, documents=contexts, length=8, horizon=2)),
        (knowledge, "rank_of", dict(scores=torch.ones(2, 3), token=torch.tensor([0, 1]))),
        (knowledge, "lens", dict(backbone=w.small, text=w.text)),
        (knowledge, "drafted", dict(drafter=w.heads, text=w.text)),
        (knowledge, "frequency", dict(counted=w.text.tokens.flatten(), text=w.text, vocabulary=w.small.vocabulary)),
        (knowledge, "neighbour", dict(counted=w.text.tokens.flatten(), text=w.text, vocabulary=w.small.vocabulary)),
        (knowledge, "ceiling", dict(backbone=w.small, text=w.text, at=at, samples=2, seed=1)),
        (knowledge, "shares", dict(ranks=torch.tensor(made.ranks(16, 3)), texts=2, within=1, resamples=5, seed=1)),
        (masks, "ranks", dict(drafter=w.masked, text=w.text, at=at, sampler=True, adapters=True)),
        (masks, "ahead", dict(drafter=w.masked, text=w.text, at=at, sampler=True, adapters=True)),
        (masks, "behind", dict(drafter=w.masked, text=w.text, at=at, adapters=True)),
        (masks, "call_seconds", dict(drafter=w.masked, prompt=w.ids, plans={"one": None, "all": "linear"}, times=1)),
        (meter, "likeliest", dict(backbone=w.tiny, prompt=w.prompt, n=2, most=4, temperature=0.9), {"prompt": "any"}),
        (thrown, "text_of", dict(backbone=w.small, tokens=w.text.tokens, anchors=torch.tensor([[3, 5]] * 2), top_k=3)),
        (thrown, "after", dict(text=w.thrown, tokens=first[..., None])),
        (thrown, "own", dict(text=w.thrown, w=w.w, guess=None)),
        (thrown, "drafts", dict(drafter=w.cptp, text=w.thrown, w=w.w, first=first), {"drafter": DrafterBase}),
        (thrown, "committed", dict(text=w.thrown, first=first)),
        (thrown, "agreement", dict(p=p, q=torch.from_numpy(w.q)), {"p": "any", "q": "any"}),
        (thrown, "absurd", dict(text=w.thrown, drafts=first[..., None], first=first, rare=0.01), {"rare": "chance"}),
    ]
    found = [
        Call(f"measure.{m.__name__.rpartition('.')[2]}.{name}", of(m, name), given, laws | dict(*more))
        for m, name, given, *more in rows
    ]
    return [
        *found,
        Call("measure.faults.planted", lambda name: faults.planted(name).__enter__(), dict(name="no residual")),
        Call("Joint.marginal", w.joint.marginal, dict(k=1)),
        *metrics_calls(w),
    ]


def metrics_calls(w) -> list[Call]:
    several = dict(traces=w.traces)
    return [
        Call("trace.metrics", metrics.metrics, dict(trace=w.trace)),
        Call("trace.table", metrics.table, dict(trace=w.trace)),
        Call("trace.pooled", metrics.pooled, several),
        Call("trace.joined", metrics.joined, several),
        Call("trace.interval", metrics.interval, dict(values=[1.0, 2.0])),
    ]


def tensors() -> list[Call]:
    w = world()
    p, token, u = torch.from_numpy(w.p), torch.tensor([0, 1, 2, 3]), torch.tensor([0.1, 0.2, 0.3, 0.4]).double()
    logw, logphi = torch.zeros(2).log_softmax(0), torch.zeros(3, 2, 4).log_softmax(-1)
    logT, logA = torch.zeros(2, 2, 2).log_softmax(-1), torch.zeros(1, 2, 2).log_softmax(-1)
    shaping = dict(temperature=0.9, top_k=2, top_p=0.9)
    chain, tree, mixture = hmm.HMM(logw, logT), btree.BTree(logw, logA), cp.CP(logw)
    leaf, row = logphi[:, :, 0], {"law": "law"}
    algebra = [
        Call("tensors.shape", categorical.shape, dict(logits=torch.rand(2, 4), **shaping)),
        Call("tensors.one_hot", categorical.one_hot, dict(token=token, size=4)),
        Call("tensors.pick", categorical.pick, dict(law=p, u=u), row),
        Call("tensors.flip", categorical.flip, dict(chance=u, coin=u), {"chance": "any", "coin": "any"}),
        Call("tensors.excess", categorical.excess, dict(p=p, q=p)),
        Call("tensors.total_variation", categorical.total_variation, dict(p=p, q=p)),
        Call("tensors.bins", uniforms.bins, dict(law=p, token=token), row),
        Call("tensors.unpick", uniforms.unpick, dict(law=p, token=token, place=u), row),
        Call("tensors.places", uniforms.places, dict(like=u, shape=1.0, draw=3), {"draw": "any"}),
        Call("tensors.leaves", circuits.leaves, dict(logphi=logphi, tokens=torch.tensor([0, 1, 2]))),
        Call("tensors.joint", circuits.joint, dict(circuit=chain, leaf=leaf)),
        Call("tensors.prefixes", circuits.prefixes, dict(circuit=tree, leaf=leaf)),
        Call("tensors.conditionals", circuits.conditionals, dict(circuit=mixture, leaf=leaf)),
        Call("tensors.whole", circuits.whole, dict(circuit=mixture, logphi=logphi)),
    ]
    return [call._replace(inside=False) for call in algebra]  # it is called in every step and reads nothing back


def plots() -> list[Call]:
    w = world()
    texts = (made.tokens(4), made.tokens(5))
    lines = {"one": {1: 1.0, 2: 2.0}, "two": {1: 0.5, 2: 0.25}}
    p, q, labels = [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], ["a", "b", "c"]
    table = made.ranks(20, 4)
    keys = [Key("x0", "text", 0), Key("m1", "mask", 1, "x0")]
    view = View(keys, [0, 1], [[True, False], [True, True]], "says")
    rows = [dict(method="em-cp", rank=r, kl=0.5 / r, tv=0.2 / r, token=1.0, block=1.1) for r in (1, 2)]
    spans, nodes = [(1, 4), (1, 2), (3, 4)], made.laws(3, 4)
    joints = dict(names=("p", "q"), most=3, scale="sqrt")
    given = {
        "acceptance": dict(traces=w.traces),
        "accuracy": dict(ranks={"heads": table}, within=1),
        "areas": dict(p=p, q=q, labels=labels),
        "bought": dict(shares={2: [[1.0, 0.5], [0.5, 0.0]]}, calls={2: 1.5}, first=1),
        "break_even": dict(points={"one": (1.0, 1.0), "two": (1.2, 1.5)}),
        "collapse": dict(weights=made.laws(4, 3), tokens=["a", "b", "c"]),
        "curves": dict(lines=lines, across="k", up="share", ceiling={1: 1.0, 2: 1.0}, ceiling_name="c", log=False)
        | dict(zero=True),
        "emitted": dict(law=figures_law(w), labels=None, most=4),
        "evidence": dict(distances=[0.1, 0.2], p=p, q=q, out=p, accepted=(0.5, 0.4)),
        "fidelity": dict(rows=rows, total_correlation=0.5),
        "forward": dict(states=made.laws(4, 3), tokens=["a", "b", "c"], names=["x", "y", "z"], most=3),
        "histogram": dict(traces=w.traces),
        "joint": dict(p=w.p, q=w.q, texts=texts, **joints),
        "load": dict(weights=made.laws(3, 4), steps=[0, 10, 20]),
        "meter": dict(tv_by_n={10: 0.2, 20: 0.1}, noise_by_n={10: (0.1, 0.3), 20: (0.1, 0.2)}),
        "microscope": dict(views={"one": view}),
        "nodes": dict(laws_of_nodes=nodes, spans=spans, tokens=["a", "b", "c", "d"]),
        "overlap": dict(p=p, q=q, labels=labels),
        "race": dict(runs={"one": w.traces, "two": w.traces}),
        "ranks": dict(ranks={"heads": table}, quantiles=(0.25, 0.75)),
        "slices": dict(p=w.law3, q=made.product(w.law3), texts=(made.tokens(3),) * 3, **joints),
        "spectra": dict(values={"cut": np.array([[0.9, 0.1], [0.8, 0.2]])}),
        "spread": dict(values={"one": [1.0, 2.0, None]}, unit="nats", bins=5),
        "square": dict(first=[0.5, 0.5], second=[[0.5, 0.5], [1.0, 0.0]], words=(["a", "b"], ["c", "d"])),
        "standings": dict(table=table, name="heads"),
        "tallies": dict(values={"one": 1.0}, title="title", colour="#009E73"),
    }
    of_laws = {"p": "law", "q": "law", "out": "law", "first": "any", "name": "text", "weights": "law", "states": "law"}
    return [Call(f"plots.{name}", getattr(figures, name), row, of_laws | {"law": "any"}) for name, row in given.items()]


def figures_law(w):
    return law.exact_law(w.tiny, w.rough, w.prompt, 1)
