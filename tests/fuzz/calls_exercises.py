"""One good, cheap call for every public function of `exercises` and `widgets`."""

from __future__ import annotations

import tempfile

import numpy as np
import torch

from mtp_explore import exercises as ex
from mtp_explore import widgets as controls
from mtp_explore.drafters.base import DrafterBase
from mtp_explore.exercises import heads, throws
from mtp_explore.measure import beliefs, decompose, independence
from tests.fuzz.calls import Call
from tests.fuzz.world import world
from tests.plots import made
from tests.widgets import throws as dice

ANY = {"prompt": "any", "cheap": "any", "dear": "any", "answer": "any", "seen": throws.Seen}


def widgets() -> list[Call]:
    w = world()
    texts = (made.tokens(4), made.tokens(5))
    run = lambda **options: w.trace  # noqa: E731
    explore = dict(
        run=run, prompt="A", drafters={"none": None}, rule="match", temperature=1.0, horizon=3, seed=1, wait=0.1
    )
    dial = dict(p=w.p, shadows={1: w.q, 2: w.p}, texts=texts, lengths={1: 0.5, 2: 0.9}, most=3, scale="sqrt", points=())
    start = dice.throw(list(dice.START))
    ruler = dict(start=start, grid=dice.grid(dice.START), piece=dice.PIECES.__getitem__, prompt="A", ask=None)
    explorer = controls.explore(run, drafters={"none": None})
    shown = controls.ruler(**ruler)
    return [
        Call("widgets.explore", controls.explore, explore, {"prompt": "text"}),
        Call(
            "widgets.Explorer", controls.Explorer, dict(run=run, controls=explorer.controls, wait=0.1), {"wait": "any"}
        ),
        Call("widgets.rank_dial", controls.rank_dial, dial, {"p": "law"}),
        Call("widgets.ruler", controls.ruler, ruler, {"prompt": "text", "piece": "callable"}),
        Call("Ruler.answer", shown.answer, dict(question={"w": list(dice.START), "full": True, "id": 1})),
        Call("Ruler.save", shown.save, dict(path=f"{tempfile.mkdtemp(prefix='mtp-fuzz-')}/ruler.html")),
    ]


def exercises() -> list[Call]:
    rows = {**live_and_guesses(), **knowledge_and_heads(), **order_and_masks(), **throws_and_lossless()}
    found = []
    for name, (given, *more) in rows.items():
        kinds = ANY | dict(*more)
        found.append(Call(f"exercises.{name}", getattr(ex, name), given, kinds, name.startswith("check_")))
    readers = [name for name in ex.__all__ if name.startswith("check_") and name not in rows]
    found += [Call(f"exercises.{n}", getattr(ex, n), dict(function=print), {"function": "any"}, True) for n in readers]
    return found


def live_and_guesses() -> dict:
    w = world()
    runs = {"one": w.trace, "two": w.trace}
    quick = lambda *case: 1  # noqa: E731
    texts = {"question": "text", "why": "text", "praise": "text"}
    return {
        "runner": (dict(backbone=w.small, max_new_tokens=3),),
        "shorter": (dict(drafter=w.heads, horizon=2),),
        "openings": (dict(corpus=w.corpus, count=2, words=3),),
        "watch": (dict(readings=[], title="title"),),
        "beside": (dict(runs=runs),),
        "ask": (dict(name="rows of a call"),),
        "guess": (dict(question="Which?", choices=["a", "b"], answer="a", why="so"), texts),
        "guess_kept": (dict(trace=w.trace, call=None),),
        "guess_faster": (dict(runs=runs),),
        "rates": (dict(trace=w.trace),),
        "guess_temperature": (dict(corpus="stories"), {"corpus": "name"}),
        "watched": (dict(items=[1, 2], what="step"),),
        "budget": (dict(n=5, fast=2),),
        "grade": (
            dict(function=quick, cases=[(1,)], judge=lambda *a: None, praise="yes"),
            texts | {"function": "any", "judge": "callable"},
        ),
        "tiny": (dict(vocabulary=3, seed=1),),
        "rough": (dict(backbone=w.tiny, horizon=2, seed=1),),
        "check_lookup_wins": (dict(name="stories", prompt="A", max_new_tokens=2), {"name": "any"}),
        "case": (dict(number=2, horizon=1, temperature=1.0, n=2, rule="rejection"),),
        "check_fault": (dict(number=2, name="no residual"), {"name": "any"}),
        "places": (dict(trace=w.top5),),
        "telling": (dict(trace=w.top5),),
        "guess_chance": (dict(place=ex.telling(w.top5)),),
    }


def knowledge_and_heads() -> dict:
    w = world()
    table, n = made.ranks(16, 4), 2
    tables = {"heads": table, "floor": made.ranks(16, 4, 1)}
    tensor = torch.tensor(table)
    ranks = {"ranks": "any"}
    costs = independence.costs(w.small, w.heads, ["abcd", "efgh", "ab", "cd"])
    joint, fits = w.joint, {r: decompose.decompose(w.joint, "em-cp", r, 1, 3)[0] for r in (1, 2)}
    head = heads.Head(w.circuits["cp"], None, made.laws(2, 2), [0, 1])
    curve = [dict(joint=3.0, first=1.0)]
    reported = {r: head._replace(report=type("R", (), {"validation": curve})()) for r in ("one",)}
    runs = {"one": w.traces, "two": w.traces[::-1]}
    path = beliefs.follow(w.circuits["hmm"], "abcd", w.ids[:3])
    tree = beliefs.follow(w.circuits["btree"], "abcd", w.ids[:3])
    calls = {"rank 1": [1.0, 2.0], "rank 8": [1.5, 2.5]}
    rows = [dict(method=m, rank=1, kl=0.5, token=0.5) for m in ("a", "b")]
    real = {"independence": "any"}
    return {
        "below": (dict(ranks={"heads": tensor}, texts=n, share=0.1),),
        "guess_below": (dict(ranks=tensor, texts=n, share=0.1),),
        "guess_lens": (dict(lens=table, floor=table),),
        "by_kind": (dict(ranks=np.zeros((16, 3), int), backbone=w.small, text=w.text, least=1),),
        "guess_best": (dict(tables=tables, k=2, what="which"),),
        "guess_ceiling": (dict(read=table, target=table, k=2),),
        "guess_within": (dict(ranks=table, k=2, within=5),),
        "documents": (dict(name="code", count=2),),
        "study": (dict(name="stories", count=1, length=8),),
        "check_foretold": (dict(name="stories", prompt="A", k=2, sure=0.5), {"name": "any"}),
        "foresight": (dict(backbone=w.small, text=w.text, ranks=np.zeros((16, 3), int), row=0, first=0, most=5), ranks),
        "outlook": (dict(backbone=w.small, drafter=w.heads, document="abcd", place=2, horizon=2), {"document": "text"}),
        "nonsense": (dict(cells=independence.invented(joint, most=2)),),
        "guess_impossible": (dict(joint=joint), {"joint": type(joint)}),
        "guess_invented": (dict(joint=joint), {"joint": type(joint)}),
        "guess_part": (dict(costs=costs), real),
        "guess_perfect": (dict(costs=costs),),
        "contexts": (dict(backbone=w.small, corpus=w.corpus, count=2, longest=9, seed=1),),
        "prices": (dict(name="stories", count=1),),
        "guess_dearest": (dict(prices={"one": [1.0], "two": [2.0]}),),
        "dearest": (dict(backbone=w.small, costs=costs, most=1),),
        "guess_clashes": (dict(trace=w.trace),),
        "clashes": (dict(trace=w.trace, most=2),),
        "blame": (dict(backbone=w.small, trace=w.traces[0], most=1),),
        "check_prices": (dict(backbone=w.small, cheap="ab", dear="abcd", costs=costs), {"backbone": "any"}),
        "train_heads": (
            dict(backbone=w.small, corpus=w.corpus, options={"a": dict(rank=2)}, steps=1, horizon=2, favour=0.5),
        ),
        "shipped": (dict(name="stories/cp-r8", backbone=w.stories, otherwise=None), {"name": "text"}),
        "shipped_or_trained": (dict(backbone=w.stories, corpus=w.corpus, kinds=["cp"], steps=1, rank=2, horizon=2),),
        "gain": (dict(runs=runs, better="one", than="two"), {"better": "name", "than": "name"}),
        "reach": (dict(traces=w.traces),),
        "losses": (dict(heads=reported),),
        "recorded_calls": (dict(mode="greedy"), {"mode": "name"}),
        "recorded_losses": (dict(corpus="stories", horizon=3), {"corpus": "text"}),
        "trained": (dict(joint=joint, prompt="abcd", heads={"one": head}), {"joint": type(joint)}),
        "telling_joint": (dict(backbone=w.small, prompts=["ab", "cd"], n=2, top=3),),
        "shadows": (dict(joint=joint, ranks=[1, 2], restarts=1, iterations=3),),
        "experts_of": (dict(joint=joint, fit=fits[2]), {"joint": type(joint)}),
        "guess_second": (dict(joint=joint, fits=fits),),
        "guess_rank": (dict(joint=joint, fits=fits, close=0.2),),
        "guess_shadow": (dict(rows=rows, rank=1),),
        "guess_gain": (dict(heads=ranked(head)),),
        "favourites": (dict(drafter=w.circuits["cp"], prompt="abcd", token=w.ids[1], most=2), {"token": "any"}),
        "guess_play": (dict(path=path),),
        "guess_calls": (dict(runs=runs, better="one", than="two"), {"better": "name", "than": "name"}),
        "guess_recorded": (dict(calls=calls),),
        "guess_recovery": (dict(heads={"one": head}),),
        "changes": (dict(drafter=w.circuits["hmm"], prompts=["ab", "cd"]),),
        "guess_changes": (dict(chances={1: [0.5], 2: [0.5]}),),
        "moved": (dict(path=path),),
        "states_say": (dict(drafter=w.circuits["hmm"], prompt="abcd", path=path, k=1, most=2),),
        "guess_next": (dict(path=path, k=1),),
        "doubts": (dict(drafters={"cp": w.circuits["cp"]}, prompts=["ab"], texts=[w.ids[:2]]),),
        "guess_doubt": (
            dict(rows={"cp": np.ones((2, 3)), "hmm": np.full((2, 3), 1.5)}, k=2, known="cp", asked="hmm"),
            {"known": "name", "asked": "name"},
        ),  # fmt: skip
        "guess_nodes": (dict(path=tree, k=1),),
        "guess_kind": (dict(runs=runs),),
    }


def ranked(head) -> dict:
    """Two heads of two ranks with a loss each."""
    made_of = lambda rank, lost: head._replace(  # noqa: E731
        drafter=type("D", (), {"rank": rank, "horizon": 3})(),
        report=type("R", (), {"validation": [dict(joint=lost, first=0.0)]})(),
    )
    return {"one": made_of(1, 3.0), "two": made_of(8, 2.0)}


def order_and_masks() -> dict:
    w = world()
    law, at = ex.round_trip(3), [1, 3]
    rows = [dict(method="CP", rank=r, kl=0.02 / r**2) for r in (1, 2)]
    lines = {"BTree": {2: 1.0, 3: 1.5}, "CP": {2: 1.0, 3: 1.2}}
    spectra = ex.averaged([w.joint, w.joint])
    ranks, drafter = {"one": made.ranks(16, 3), "two": made.ranks(16, 3), "three": made.ranks(16, 3)}, w.masked
    runs = {"linear": {1: w.traces, 2: w.traces}, "quadratic": {1: w.traces, 2: w.traces}}
    plans = {"linear": {1: 1.1, 2: 1.5}, "quadratic": {1: 1.2, 2: 1.9}}
    slots = {"drafter": type(drafter)}
    return {
        "averaged": (dict(joints=[w.joint, w.joint]),),
        "by_length": (dict(lengths=[2], rank=2, rule="block"),),
        "circuits": (dict(law=law, ranks=[1], kinds=["cp"], iterations=2), {"law": "law"}),
        "frozen": (dict(n=3, rank=2, size=3, seed=1),),
        "round_trip": (dict(n=3, stay=0.6, slip=0.02),),
        "guess_average": (dict(values=spectra, mass=0.9),),
        "guess_behind": (dict(lines=lines, slack=0.05),),
        "guess_cut": (dict(values=spectra, mass=0.9),),
        "guess_states": (dict(rows=rows, n=3, close=0.01),),
        "check_one_bit": (dict(joint=np.eye(2) / 2),),
        "check_order": (dict(law=law),),
        "masked": (dict(backbone=w.stories, corpus=w.corpus, name="masked-k8", steps=1), {"name": "text"}),
        "untrained": (dict(backbone=w.small, masks=2, seed=1),),
        "train_masks": (dict(backbone=w.small, corpus=w.corpus, steps=1, watch=False, rank=2, horizon=2),),
        "mask_outlook": (dict(drafter=drafter, document="abcd", place=2, sampler=True, adapters=True), slots),
        "mask_ranks": (dict(drafter=drafter, text=w.text, at=at, fresh=None), slots),
        "mask_floors": (dict(backbone=w.small, corpus=w.corpus, text=w.text, at=at, tokens=50),),
        "tops": (dict(ranks=ranks, tops=(1, 10)),),
        "guess_behind_masks": (dict(ranks=ranks, vocabulary=264, mask=1),),
        "trained_for": (dict(minute=drafter, longer=drafter, ranks=ranks, text=w.text, at=at), {"minute": DrafterBase}),
        "guess_minute": (dict(tables=ranks, within=10),),
        "guess_switch": (dict(runs={"one": w.traces, "two": w.traces[:1]}),),
        "without_sampler": (dict(drafter=drafter), slots),
        "argmax": (dict(drafter=drafter),),
        "by_masks": (dict(drafter=drafter, prompts=["ab"], counts=[1, 2], plans=["linear"], tokens=3), slots),
        "calls_by_masks": (dict(runs=runs),),
        "match_chances": (dict(traces=w.traces),),
        "closed_forms": (dict(chances=[0.5, 0.25]),),
        "foretold": (dict(runs=runs["linear"]),),
        "guess_plan": (dict(lines=plans),),
        "layouts": (dict(masks=2, text=3), {"text": "count"}),
        "mask_microscope": (dict(masks=2, text=3), {"text": "count"}),
        "harm": (dict(drafters={"one": drafter}, text=w.text),),
        "guess_harm": (dict(losses={"untouched model": 2.0, "one, on all rows": 3.0}),),
        "guess_main_rows": (dict(drafter=drafter, prompt="abcd"), slots),
        "paid": (dict(drafters={"one": (drafter, "linear")}, prompts=["ab"], tokens=2),),
        "guess_paid": (dict(points={"ordinary decoding": (1.0, 1.0), "one": (1.2, 1.5)}),),
        "price": (dict(drafter=drafter, prompt="abcd"), slots),
        "shaken": (dict(drafter=drafter, size=0.1, seed=1), slots),
        "texts_under": (dict(drafter=drafter, prompt="abcd", max_new_tokens=3), slots),
        "unharmed": (dict(drafter=drafter, prompt="abcd"), slots),
        "gate_figure": (dict(lines={"one": {1: 2.0, 2: 1.5}}),),
    }


def throws_and_lossless() -> dict:
    w = world()
    drafters = {"C-PTP": w.cptp, "O-PTP": w.ptp}
    documents = ["abcd efgh abcd efgh hgfe dcba"] * 2
    size, k = 6, 2
    own = np.zeros((size, k + 1), int)
    drafts, bad = {"one": np.zeros((size, k), int), "two": np.ones((size, k), int)}, np.zeros((size, k), bool)
    bad[0, 1] = True
    both, shares = {"one": bad, "two": bad}, {"one": np.full((size, k), 0.5)}
    sound, texts = {name: ~bad for name in both}, torch.ones(2, 9, dtype=torch.long)
    seen = throws.Seen(w.small, texts, [1, 3, 5], own, drafts, both, sound, shares, shares)
    lines, loss = {"one": {1: 1.0, 2: 1.5}, "two": {1: 1.0, 2: 1.7}}, {"one": {20: 1.0, 40: 0.5}}
    purchases = ex.by_budget(w.ptp, ["abcd"], [2, 4], 4)
    return {
        "many_windows": (
            dict(backbone=w.stories, drafters={"heads": w.shipped}, documents=documents, seed=1, temperature=0.9),
        ),
        **{name: (dict(seen=seen),) for name in ("by_window", "kept_chances", "nonsense_rates", "pairs_of")},
        "guess_nonsense": (dict(seen=seen),),
        "nonsense_pairs": (dict(seen=seen, name="one", most=2),),
        "guess_window": (dict(lines=lines),),
        "throwers": (dict(backbone=w.stories, corpus=w.corpus, steps=1),),
        "train_throws": (dict(backbone=w.small, corpus=w.corpus, variant="one-hot", steps=1, rank=2),),
        "dice": (dict(backbone=w.small, drafters=drafters, prompt="abcd", seed=1, parts=2, temperature=0.9),),
        "toy_dice": (dict(w=(0.3, 0.8)),),
        "guess_sentence": (dict(w=(0.3, 0.8)),),
        "by_budget": (dict(drafter=w.ptp, prompts=["abcd"], budgets=[2, 4], tokens=3, seed=1),),
        "calls_by_budget": (dict(purchases=purchases),),
        "budget_figure": (dict(purchases=purchases, drafter=w.ptp),),
        "guess_budget": (dict(purchases=purchases),),
        "learn": (dict(steps=20),),
        "learn_figure": (dict(lines=loss),),
        "guess_learned": (dict(lines=loss),),
        "window_figure": (dict(recorded={"one": {1: [1.0], 2: [1.5]}}),),
    }
