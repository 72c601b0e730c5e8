"""Notebook 05: a language in which order matters, circuits fitted to it, cuts of real joints, and guesses about them.

R states of every latent, n tokens of a window, V tokens of the language, P [V, .., V] a joint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .close import boxes, first_below
from .guessing import Guess, guess
from .waiting import watched

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
    weights, factors = (torch.randn(*s, generator=draw, dtype=torch.float64) for s in ((rank,), (n, rank, size)))
    return weights.log_softmax(-1), (2 * factors).log_softmax(-1)


def frozen(n: int = 4, rank: int = 3, size: int = 5, seed: int = 0) -> dict[str, float]:
    """{kind: largest difference} of a random mixture's joint to that of the chain and the tree which never change
    state and have its weights and factors.
    """
    import torch

    from ..tensors import btree, cp, hmm
    from ..tensors.circuits import whole

    logw, logphi = random_circuit(n, rank, size, seed)
    still = torch.eye(rank, dtype=logw.dtype).log().expand(n - 1, rank, rank)
    law = whole(cp.CP(logw), logphi).exp()
    others = {"HMM": hmm.HMM(logw, still), "BTree": btree.BTree(logw, still[1:])}
    return {kind: float((law - whole(other, logphi).exp()).abs().max()) for kind, other in others.items()}


def circuits(law, ranks: Iterable[int], kinds: Iterable[str] = KINDS, iterations: int = 100) -> list[dict]:
    """Rows like those of `measure.fidelity.sweep`: the best circuits of every kind and rank that EM finds for a law."""
    from ..measure.circuit_em import circuit_em
    from ..measure.fidelity import price

    jobs = watched([(kind, r) for kind in kinds for r in ranks], "circuit")
    found = [(kind, r, circuit_em(law, kind, r, iterations)) for kind, r in jobs]
    return [dict(method=KINDS[kind], rank=r) | price(law, one.dense())._asdict() for kind, r, one in found]


def by_length(lengths: Iterable[int], rank: int = 3, rule: str = "block") -> dict[str, dict[int, float]]:
    """{method: {n: expected accepted drafts of a window of n words}} on `round_trip`, by circuits of one rank."""
    out: dict[str, dict[int, float]] = {"independent heads": {}, **{name: {} for name in KINDS.values()}}
    for n in watched([*lengths], "length"):
        law = round_trip(n)
        rows = circuits(law, [rank], [k for k in KINDS if n > 2 or k != "btree"]) + circuits(law, [1], ["cp"])
        for row in rows:
            out[row["method"] if row["rank"] > 1 else "independent heads"][n] = row[rule]
    return out


def guess_states(rows: Iterable[Mapping], n: int, close: float = 0.01) -> Guess:
    """How many experts does a mixture need where a chain needs three states? `rows` of `circuits`."""
    rows = [row for row in rows if row["method"] == KINDS["cp"]]
    ranks = [str(row["rank"]) for row in rows]
    more = f"more than {ranks[-1]}"
    near = first_below({str(row["rank"]): row["kl"] for row in rows}, close, "{:.3f}".format)
    why = "Its KL by rank: " + ", ".join(f"{row['rank']}: {row['kl']:.3f}" for row in rows) + " nats."
    question = f"Three states write these {n} words exactly. How many experts does a mixture of whole windows need?"
    return guess(question, [*ranks, more], [rank or more for rank in near], why)


def guess_behind(lines: Mapping[str, Mapping[int, float]], slack: float = 0.05) -> Guess:
    """At which length does the tree stop having nearly every draft accepted? `lines` of `by_length`."""
    tree = lines[KINDS["btree"]]
    never = "none of these"
    short = first_below({str(n): kept - (n - 1) for n, kept in sorted(tree.items())}, -slack)
    said = ", ".join(f"{n} words: {kept:.2f} of {n - 1}" for n, kept in sorted(tree.items()))
    question = "The mixture gives way first. From which length on does the tree of three states lose drafts as well?"
    return guess(question, [*map(str, sorted(tree)), never], [n or never for n in short], f"{said}.")


def guess_cut(values: Mapping, mass: float = 0.99) -> Guess:
    """How many singular values of the first cut carry `mass` of it, in the median context? `values` of `spectra`."""
    from ..measure.fidelity import rank_of_mass

    name, rows = next(iter(values.items()))
    needed = rank_of_mass(rows, mass)
    answer = int(needed.median())
    why = f"From {int(needed.min())} to {int(needed.max())} in these {len(needed)} contexts."
    edges = (1, 2, 4, 8, 16, 32)
    names = ["1", "2", "3 or 4", "5 to 8", "9 to 16", "17 to 32", "more than 32"]
    question = f"The cut {name}: how many singular values carry {mass:.0%} of its squares in the median context?"
    return guess(question, names, boxes(names, edges, answer), why)


def averaged(joints: Iterable) -> dict:
    """{cut: singular values} of joints of two tokens over the same axes, one by one and of their average."""
    from ..measure.fidelity import spectra

    joints = list(joints)
    mean = sum(joint.law for joint in joints) / len(joints)
    (each,), (all_,) = (spectra(laws).values() for laws in (joints, [mean]))
    return {"per context": each, "on average": all_}


def guess_average(values: Mapping, mass: float = 0.99) -> Guess:
    """Does the average of joints need more singular values than one context does? `values` of `averaged`."""
    from ..measure.fidelity import rank_of_mass

    each, mean = (rank_of_mass(rows, mass) for rows in values.values())
    one, all_ = int(each.median()), int(mean[0])
    choices = ["fewer: averages are smooth", "about as many", "more: every context brings its own"]
    answer = boxes(choices, [0.8, 1.25], all_ / one)
    why = f"For {mass:.0%} of the squares: {one} in the median context, {all_} for the average of all {len(each)}."
    return guess("And the average of these joints: how many singular values does it need?", choices, answer, why)
