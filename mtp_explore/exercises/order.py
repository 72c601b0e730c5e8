"""Notebook 05: a language in which order matters, circuits fitted to it, cuts of real joints, and guesses about them.

R states of every latent, n tokens of a window, V tokens of the language, P [V, .., V] a joint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ..trace.glyphs import quoted
from ..trace.metrics import interval
from .guessing import Guess, guess

WORDS = ("morning", "noon", "night")
KINDS = {"cp": "CP", "btree": "BTree", "hmm": "HMM"}


def round_trip(n: int, stay: float = 0.6, slip: float = 0.02):
    """The law [3, .., 3] of `n` words about the time of day. Time stays or goes on by one: morning, noon, night,
    morning, ...; a word names another time with chance `slip`. It is a chain of three states, exactly.
    """
    import torch

    moves = stay * torch.eye(3) + (1 - stay) * torch.eye(3).roll(1, 1)
    names = (1 - 1.5 * slip) * torch.eye(3) + slip / 2
    moves, names = moves.double(), names.double()
    message = names.T / 3  # [words so far, time of the last]
    for _ in range(n - 1):
        message = ((message @ moves)[:, None] * names.T).flatten(0, 1)
    return message.sum(-1).view([3] * n)


def random_circuit(n: int = 4, rank: int = 3, size: int = 5, seed: int = 0):
    """Log-weights logw [R] and log-factors logphi [n, R, V] of a random mixture."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    some = lambda *shape: torch.randn(*shape, generator=draw, dtype=torch.float64)  # noqa: E731
    return some(rank).log_softmax(-1), (2 * some(n, rank, size)).log_softmax(-1)


def circuits(law, ranks: Iterable[int], kinds: Iterable[str] = KINDS, iterations: int = 100) -> list[dict]:
    """Rows like those of `measure.fidelity.sweep`: the best circuits of every kind and rank that EM finds for a law."""
    from ..measure.circuit_em import circuit_em
    from ..measure.fidelity import price

    found = [(kind, r, circuit_em(law, kind, r, iterations)) for kind in kinds for r in ranks]
    return [dict(method=KINDS[kind], rank=r) | price(law, one.dense())._asdict() for kind, r, one in found]


def by_length(lengths: Iterable[int], rank: int = 3, rule: str = "block") -> dict[str, dict[int, float]]:
    """{method: {n: expected accepted drafts of a window of n words}} on `round_trip`, by circuits of one rank."""
    out: dict[str, dict[int, float]] = {"independent heads": {}, **{name: {} for name in KINDS.values()}}
    for n in lengths:
        law = round_trip(n)
        rows = circuits(law, [rank], [k for k in KINDS if n > 2 or k != "btree"]) + circuits(law, [1], ["cp"])
        for row in rows:
            out[row["method"] if row["rank"] > 1 else "independent heads"][n] = row[rule]
    return out


def guess_states(rows: Iterable[Mapping], n: int, close: float = 0.01) -> Guess:
    """How many experts does a mixture need where a chain needs three states? `rows` of `circuits`."""
    rows = [row for row in rows if row["method"] == KINDS["cp"]]
    near = [row["rank"] for row in rows if row["kl"] < close]
    ranks = [str(row["rank"]) for row in rows]
    more = f"more than {ranks[-1]}"
    why = "Its KL by rank: " + ", ".join(f"{row['rank']}: {row['kl']:.3f}" for row in rows) + " nats."
    question = f"Three states write these {n} words exactly. How many experts does a mixture of whole windows need?"
    return guess(question, [*ranks, more], str(min(near)) if near else more, why)


def guess_behind(lines: Mapping[str, Mapping[int, float]], slack: float = 0.05) -> Guess:
    """At which length does the tree stop having nearly every draft accepted? `lines` of `by_length`."""
    tree = lines[KINDS["btree"]]
    short = [n for n, kept in sorted(tree.items()) if kept < n - 1 - slack]
    answer, never = (str(short[0]) if short else "none of these"), "none of these"
    said = ", ".join(f"{n} words: {kept:.2f} of {n - 1}" for n, kept in sorted(tree.items()))
    question = "The mixture gives way first. From which length on does the tree of three states lose drafts as well?"
    return guess(question, [*map(str, sorted(tree)), never], answer, f"{said}.")


def guess_cut(values: Mapping, mass: float = 0.99) -> Guess:
    """How many singular values of the first cut carry `mass` of it, in the median context? `values` of `spectra`."""
    from ..measure.fidelity import rank_of_mass

    name, rows = next(iter(values.items()))
    needed = rank_of_mass(rows, mass)
    answer = int(needed.median())
    why = f"From {int(needed.min())} to {int(needed.max())} in these {len(needed)} contexts."
    edges = (1, 2, 4, 8, 16, 32)
    names = ["1", "2", "3 or 4", "5 to 8", "9 to 16", "17 to 32", "more than 32"]
    chosen = names[int(np.searchsorted(edges, answer))]
    question = f"The cut {name}: how many singular values carry {mass:.0%} of its squares in the median context?"
    return guess(question, names, chosen, why)


def averaged(joints: Iterable) -> dict:
    """{cut: singular values} of joints of two tokens over the same axes, one by one and of their average."""
    from ..measure.fidelity import spectra

    joints = list(joints)
    mean = sum(joint.law for joint in joints) / len(joints)
    (each,), (all_,) = (spectra(laws).values() for laws in (joints, [mean]))
    return {"x1 | x2, in every context": each, "x1 | x2, on average": all_}


def guess_average(values: Mapping, mass: float = 0.99) -> Guess:
    """Does the average of joints need more singular values than one context does? `values` of `averaged`."""
    from ..measure.fidelity import rank_of_mass

    each, mean = (rank_of_mass(rows, mass) for rows in values.values())
    one, all_ = int(each.median()), int(mean[0])
    choices = ["fewer: averages are smooth", "about as many", "more: every context brings its own"]
    answer = choices[int(np.searchsorted([0.8, 1.25], all_ / one))]
    why = f"For {mass:.0%} of the squares: {one} in the median context, {all_} for the average of all {len(each)}."
    return guess("And the average of these joints: how many singular values does it need?", choices, answer, why)


def guess_next(path, k: int) -> Guess:
    """Which state is the likeliest once the chain has read its k-th token? `path` is what `beliefs.follow` gives."""
    laws, read = path.laws.numpy(), quoted(path.tokens[k - 1])
    (before, odds), (after, new) = ((law.argmax() + 1, law.max()) for law in laws[[k - 1, k]])
    why = f"Before {read} state {before} had {odds:.2f}; for the token after it state {after} has {new:.2f}."
    question = f"State {before} is the likeliest. Now the chain reads {read}. Which state will write the next token?"
    return guess(question, range(1, laws.shape[1] + 1), int(after), why)


def moved(path) -> int:
    """The token (from 1) of a `follow`ed text at which the belief moves most, in total variation."""
    return 1 + int((path.laws.diff(dim=0).abs().sum(1) / 2).argmax())


def changes(drafter, prompts: Iterable[str]) -> dict[int, list[float]]:
    """{k: chances}: how likely a trained chain is in another state at place k + 1 of its window than at place k, for
    each prompt, before any token is read.
    """
    import torch

    from ..measure.sources import Belief

    out: dict[int, list[float]] = {}
    for prompt in prompts:
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
    answer = names[int(np.searchsorted(edges, mean))]
    why = f"{mean:.2f} on average; it started training with {len(chances)} transitions close to the identity."
    question = f"{len(chances)} steps from place to place: how many changes of state does the trained chain expect?"
    return guess(question, names, answer, why)


def guess_kind(runs: Mapping[str, Iterable]) -> Guess:
    """Which drafter gets the most tokens out of a call on these prompts?"""
    rates = {name: interval(trace.metrics()["tokens_per_call"] for trace in run) for name, run in runs.items()}
    why = "Tokens per call: " + ", ".join(f"{name} {rate}" for name, rate in rates.items()) + " (95 %)."
    return guess("Which of them gets the most out of a call?", list(runs), max(rates, key=lambda n: rates[n].mean), why)
