"""Notebook 05: what trained chains and trees believe along a text, and guesses about it.

R states of every latent, m tokens of a text that are read after the prompt; `path` is what `measure.beliefs.follow`
gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ..trace.glyphs import quoted
from ..trace.metrics import Table, interval
from .close import around, boxes, fixed, leaders
from .experts import component_laws, in_play
from .guessing import Guess, guess
from .heads import gain
from .waiting import watched


def changes(drafter, prompts: Iterable[str]) -> dict[int, list[float]]:
    """{k: chances}: how likely a trained chain is in another state at place k + 1 of its window than at place k, for
    each prompt, before any token is read.
    """
    import torch

    from ..measure.sources import Belief

    out: dict[int, list[float]] = {}
    for prompt in watched([*prompts], "prompt"):
        with torch.no_grad():
            circuit = drafter.circuit(Belief(drafter, prompt, 1, {}).hidden)
            law = circuit.logw[0].exp()
            for k, moves in enumerate(circuit.logT[0].exp(), 1):
                out.setdefault(k, []).append(float((law * (1 - moves.diagonal())).sum()))
                law = law @ moves
    return out


def guess_changes(chances: Mapping[int, list[float]]) -> Guess:
    """How many changes of state does a trained chain expect in a window? `chances` of `changes`."""
    mean = sum(float(np.mean(v)) for v in chances.values())
    edges, names = [0.1, 0.5, 1, 2], ["hardly any, below 0.1", "0.1 to 0.5", "0.5 to 1", "1 to 2", "more than 2"]
    answer = boxes(names, edges, mean, fixed)
    why = f"{mean:.2f} on average, summed over the {len(chances)} steps."
    question = f"{len(chances)} steps from place to place: how many changes of state does the trained chain expect?"
    return guess(question, names, answer, why)


def moved(path) -> int:
    """The token (from 1) at which the belief moves most, in total variation."""
    return 1 + int((path.laws.diff(dim=0).abs().sum(1) / 2).argmax())


def states_say(drafter, prompt: str, path, k: int, most: int = 2) -> Table:
    """What each state of a chain would write at places k and k + 1 of the window, and how likely it writes the k-th
    token; the likeliest state first.
    """
    import torch

    from ..measure.sources import Target

    _reached(path, k, min(len(path.laws), drafter.horizon))
    names = Target(drafter.backbone, prompt, 1, {}).names
    with torch.no_grad():
        laws = component_laws(drafter, prompt)[k - 1 : k + 1]

    def said(law) -> str:
        best, tokens = law.topk(min(most, len(law)))
        return ", ".join(f"{quoted(text)} {p:.2f}" for text, p in zip(names(tokens)[1], best, strict=True))

    order = path.laws[k - 1].argsort(descending=True).tolist()
    rows = [(f"{z + 1}", f"{path.laws[k - 1, z]:.2f}", said(laws[0, z]), said(laws[1, z])) for z in order]
    columns = ("state", f"writes token {k} with", f"as token {k} it writes", f"as token {k + 1} it would write")
    return Table(columns, rows, [f"state {row[0]}: its likeliest tokens, with their probabilities" for row in rows])


def _reached(path, k: int, most: int) -> None:
    """ValueError where a path does not reach so far."""
    if k > most:
        raise ValueError(f"k={k}: this path reaches from 1 to {most}; take one of these, or follow a longer text")


def guess_next(path, k: int) -> Guess:
    """Which state is the likeliest once the chain has read its k-th token?"""
    _reached(path, k, len(path.tokens))
    laws, read = path.laws.numpy(), quoted(path.tokens[k - 1])
    (before, odds), (after, new) = ((law.argmax() + 1, law.max()) for law in laws[[k - 1, k]])
    why = f"Before {read} state {before} had {odds:.2f}; for the token after it state {after} has {new:.2f}."
    question = f"State {before} is the likeliest. Now the chain reads {read}. Which state will write the next token?"
    return guess(question, range(1, laws.shape[1] + 1), leaders(dict(enumerate(laws[k].tolist(), 1))), why)


def doubts(drafters: Mapping, prompts: Iterable[str], texts: Iterable[list[int]]) -> dict[str, np.ndarray]:
    """{name: [contexts, m + 1]}: how many states are in play (exp of the entropy) for the latent of the next token,
    before the first token of each text and after every one.
    """
    from ..measure.beliefs import follow

    prompts, texts = list(prompts), list(texts)
    if len(prompts) != len(texts):
        raise ValueError(f"prompts has {len(prompts)} entries and texts {len(texts)}: give a text for each prompt")
    pairs = list(zip(prompts, texts, strict=True))
    return {
        name: np.array([[in_play(law) for law in follow(drafter, *pair).laws.numpy()] for pair in pairs])
        for name, drafter in watched(drafters.items(), "drafter")
    }


def guess_doubt(rows: Mapping[str, np.ndarray], k: int, known: str = "cp", asked: str = "hmm") -> Guess:
    """How many states are in play after k tokens, on average? `rows` of `doubts`; of `known` it is told."""
    reach = min(rows[name].shape[-1] for name in (known, asked)) - 1
    if k > reach or any(rows[name].ndim != 2 for name in (known, asked)):
        raise ValueError(f"k={k}: rows must be tables [contexts, tokens + 1] that reach so far; these reach {reach}")
    first, later, answer = rows[known][:, 1].mean(), rows[known][:, k].mean(), interval(rows[asked][:, k])
    edges, names = [1.5, 2.5, 4], ["1 to 1.5, as in the mixture", "1.5 to 2.5", "2.5 to 4", "more than 4"]
    question = (
        f"The mixture has {first:.1f} experts in play once one token is read, and {later:.1f} after {k}. "
        f"The chain has as many states. How many are in play after {k} tokens?"
    )
    return guess(question, names, boxes(names, edges, around(answer)), f"{answer} (95 %).")


def guess_nodes(path, k: int) -> Guess:
    """Which node of a tree has the most states in play once k tokens are read?"""
    names = [f"x{a}..x{b}" + (" (root)" if i == 0 else "") for i, (a, b) in enumerate(path.spans)]
    alive = [in_play(law) for law in path.nodes[k].numpy()]
    why = "States in play: " + ", ".join(f"{name} {value:.1f}" for name, value in zip(names, alive, strict=True)) + "."
    question = f"The tokens x1 to x{k} are read. Which of the tree's nodes has the most states still in play?"
    return guess(question, names, leaders(dict(zip(names, alive, strict=True)), "{:.1f}".format), why)


def guess_kind(runs: Mapping[str, list]) -> Guess:
    """Which drafter gets the most tokens out of a call on these prompts, beyond what chance explains?

    One is ahead where its paired difference to each other has a 95% interval above 0.
    """
    rates = {name: interval(trace.metrics()["tokens_per_call"] for trace in run) for name, run in runs.items()}
    best = max(rates, key=lambda name: rates[name].mean)
    leads = {name: gain(runs, best, name) for name in runs if name != best}
    nobody = "no one can be told to lead"
    ahead = all(lead.half is not None and lead.mean > lead.half for lead in leads.values())
    why = "Tokens per call: " + ", ".join(f"{name} {rate}" for name, rate in rates.items())
    why += (
        f". Prompt by prompt {best} leads "
        + ", ".join(f"{name} by {lead}" for name, lead in leads.items())
        + " (95 %)."
    )
    return guess("Which of them gets the most out of a call?", [*runs, nobody], best if ahead else nobody, why)
