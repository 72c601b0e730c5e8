"""Notebook 05's helpers on beliefs: a tiny chain and tree whose laws are read off by hand, and hand-made paths."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from trace_of import TRACE

from mtp_explore.drafters import make_drafter
from mtp_explore.exercises import (
    changes,
    doubts,
    guess_changes,
    guess_doubt,
    guess_kind,
    guess_next,
    guess_nodes,
    moved,
    states_say,
    tiny,
)
from mtp_explore.measure.beliefs import follow

PROMPT, TEXT = [0, 1, 2, 0], [2, 1, 0, 1]


def made(kind: str):
    torch.manual_seed(3)
    drafter = make_drafter(kind, tiny(), horizon=3, rank=2, head_rank=2)
    for weight in drafter.parameters():
        weight.data.normal_(0, 0.5)
    return drafter


def path_of(rows, tokens="ab", nodes=None, spans=None):
    return SimpleNamespace(laws=torch.tensor(rows), tokens=list(tokens), nodes=nodes, spans=spans)


# A chain whose transitions are the identity never changes; one that always goes on does so at every step.
@pytest.mark.parametrize("bias, chance", [(torch.eye(2) * 60, 0.0), (torch.eye(2).flip(0) * 60, 1.0)])
def test_changes_are_what_the_transitions_say(bias, chance):
    drafter = made("hmm")
    drafter.transitions.weight.data.zero_()
    drafter.transitions.bias.data.copy_(bias.expand_as(drafter.transitions.bias))
    found = changes(drafter, [PROMPT, PROMPT[:2]])
    assert list(found) == [1, 2, 3] and all(len(v) == 2 for v in found.values())
    assert np.allclose(list(found.values()), chance, atol=1e-9)
    assert guess_changes(found).answer == ("more than 2" if chance else "hardly any, below 0.1")


# With equal chances everywhere half of the mass moves, whatever the weights are.
def test_changes_of_a_fair_chain():
    drafter = made("hmm")
    for weight in (drafter.transitions.weight, drafter.transitions.bias):
        weight.data.zero_()
    found = changes(drafter, [PROMPT])
    assert np.allclose(list(found.values()), 0.5) and guess_changes(found).answer == "1 to 2"


# The belief moves most where total variation is largest, and the state that follows is the likeliest of the next row.
def test_guess_next_reads_the_path():
    path = path_of([[0.6, 0.4], [0.5, 0.5], [0.1, 0.9]])
    assert moved(path) == 2
    question = guess_next(path_of([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), 1)
    assert question.answer == 2 and question.choices == [1, 2] and "“a”" in question.question


# Each row of the table is a state: its chance, and the likeliest token of its factor at this place and the next.
def test_states_say_shows_factors():
    drafter = made("hmm")
    path = follow(drafter, PROMPT, TEXT)
    rows = list(states_say(drafter, PROMPT, path, 2, most=1))
    hidden = drafter.backbone.model.transformer(torch.tensor([PROMPT])).last_hidden_state[:, -1]
    phi = drafter.factors(drafter.heads(hidden))[0].exp().detach()
    assert sorted(int(row[0]) for row in rows) == [1, 2] and float(rows[0][1]) >= float(rows[1][1])
    for row in rows:
        z = int(row[0]) - 1
        assert row[1] == f"{path.laws[1, z]:.2f}"
        for place, said in zip((1, 2), row[2:], strict=True):
            best = phi[place, z].max(-1)
            assert said == f"“{int(best.indices)}” {float(best.values):.2f}"


# Doubt is between one state and all of them, for every text and after every token.
def test_doubts_count_states_in_play():
    found = doubts({kind: made(kind) for kind in ("cp", "hmm")}, [PROMPT, PROMPT[1:]], [TEXT, TEXT[::-1]])
    laws = follow(made("hmm"), PROMPT[1:], TEXT[::-1]).laws.numpy()
    for rows in found.values():
        assert rows.shape == (2, 5) and rows.min() >= 1 and rows.max() <= 2 + 1e-9
    assert found["hmm"][1] == pytest.approx([2.0 ** (-(law * np.log2(law)).sum()) for law in laws])
    rows = {"cp": np.ones((3, 4)), "hmm": np.full((3, 4), 3.0)}
    assert guess_doubt(rows, 2).answer == "2.5 to 4"
    assert guess_doubt(rows, 2, "hmm", "cp").answer.startswith("1 to 1.5")


# The node with the flattest law has the most states in play.
def test_guess_nodes_finds_the_flattest():
    laws = torch.tensor([[[0.5, 0.5], [0.9, 0.1]], [[0.9, 0.1], [0.6, 0.4]]])
    path = path_of([[1.0, 0.0]], nodes=laws, spans=[(1, 3), (2, 3)])
    assert guess_nodes(path, 0).answer == "x1..x3 (root)" and guess_nodes(path, 1).answer == "x2..x3"


# Nobody leads where all runs are alike, or where a lead is within its interval; a clear lead is named.
def test_guess_kind_wants_more_than_chance():
    def run(*lengths):
        return [replace(TRACE, steps=TRACE.steps[:n]) for n in lengths]

    nobody = "no one can be told to lead"
    assert guess_kind({"a": run(2, 4, 8), "b": run(2, 4, 8)}).answer == nobody
    assert guess_kind({"a": run(1, 8, 2), "b": run(2, 2, 8)}).answer == nobody
    slow, fast = run(1, 1, 1, 1), run(8, 6, 7, 8)
    rates = [t.metrics()["tokens_per_call"] for t in (*slow, *fast)]
    assert max(rates[:4]) < min(rates[4:])
    assert guess_kind({"slow": slow, "fast": fast}).answer == "fast"
