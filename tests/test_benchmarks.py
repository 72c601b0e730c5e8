"""The benchmarks' bookkeeping: plans name every run once, tables pair what belongs together, operations are counted."""

import sys
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import cost
from heads_plan import RANKS, Run, chosen, plan, space
from heads_tables import MODES, summary


# A name stands for one run and one run only, and is a file's name.
def test_names_are_unique():
    runs = {run for members in plan().values() for run in members}
    names = {run.name for run in runs}
    assert len(names) == len(runs) > 60
    assert all("/" not in name and " " not in name for name in names)


# Every rank searches the same recipes, on validation alone; the choice has the most tokens per call, is tested in full,
# and there is none before all have been tried.
def test_choice():
    assert [r.options | {"rank": 0} for r in space(1)] == [r.options | {"rank": 0} for r in space(8)]
    assert not any(run.test for run in space(1))
    results = {run.name: result(9.0, [1.0, 1.2 + i % 7]) for i, run in enumerate(space(8))}
    found = chosen(results, 8)
    assert found.test and found.more == space(8)[6].more and found.rate == space(8)[6].rate
    assert chosen(results, 1) is None
    results.pop(space(8)[3].name)
    assert chosen(results, 8) is None


def result(joint, calls):
    losses = {"joint": joint, "first": 1.0, "drafts": joint - 1}
    modes = {mode: {"tokens_per_call": calls, "tested_acceptance_rate": 0.5} for mode in MODES}
    return {"validation": losses, "test": losses, "decoding": modes, "seconds_training": 3.0}


# Seeds are pooled prompt by prompt, and a rank is compared with rank 1 on the same prompts: a gain that is the same on
# all of them has no width, however much the prompts differ. What was not run is not shown.
def test_summary_pairs_prompts():
    runs = plan()["rank"]
    eights = [r for r in runs if r.rank == 8 and r.corpus == "stories"]
    results = {run.name: result(9.0 + run.seed, [1.25, 2.25, 3.25]) for run in eights}
    results |= {run.name: result(12.0, [1.0, 2.0, 3.0]) for run in runs if run.rank == 1 and run.corpus == "stories"}
    text = summary(plan(), results)
    (row,) = [line for line in text.splitlines() if line.startswith("heads-stories-cp-r8") and "+0.250" in line][:1]
    assert (
        "10.000 ± 1.000" in row and "+0.250 ± 0.000" in row and "2.250 ± 2.484" in row and "0.50 / 0.50 / 0.50" in row
    )
    assert "rank (6 of 20 runs)" in text and "cp-r16" not in text and "search" not in text
    assert summary(plan(), {}) == "nothing is measured yet"


# The operations that the cost benchmark states are those that torch counts, in the step and in its bare products; the
# step has a few more, for the sums' weights.
@pytest.mark.parametrize("rank", [1, 3])
def test_operations_are_counted(rank):
    backbone = cost.synthetic(200, "cpu")
    batch = cost.problem(backbone, 96)

    def counted(work) -> int:
        with FlopCounterMode(display=False) as counter:
            work()
        return counter.get_total_flops()

    made = cost.operations(96, 200, rank)[1]
    assert counted(cost.products(backbone, batch, rank)) == made
    weights = 2 * 2 * 96 * cost.WIDTH * rank  # the mixture's weights, forward and their gradient
    assert counted(cost.stepper(backbone, batch, rank)) == made + weights
    logits = torch.randn(96, cost.WIDTH, requires_grad=True)
    spelled = counted(lambda: (logits @ backbone.unembedding.weight.T).sum().backward())
    assert cost.operations(96, 200, rank)[0] == 4 * rank * spelled
    assert RANKS[0] == cost.RANKS[0] == 1 and Run().rank == 1
