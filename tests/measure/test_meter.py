"""The lossless meter: inside the band for the healthy loop, far outside for a planted fault."""

import pytest
import torch
from toys import toy

from mtp_explore.drafters import make_drafter
from mtp_explore.measure.faults import planted
from mtp_explore.measure.law import exact_law
from mtp_explore.measure.meter import likeliest, meter


def drafter(backbone):
    torch.manual_seed(3)
    made = make_drafter("independent", backbone, horizon=2)
    for weight in made.weights:
        weight.data.normal_().mul_(0.3)
    return made


def test_cells_carry_the_targets_exact_probabilities():
    """The beam's cells have the probabilities that whole enumeration gives, and the rest is the rest."""
    backbone = toy("llama")
    cells = likeliest(backbone, [1, 2, 3], 2, 40, top_k=4)
    whole = exact_law(backbone, None, [1, 2, 3], 2, top_k=4)
    known = dict(zip(map(tuple, whole.tokens.tolist()), whole.target.tolist(), strict=True))
    for tokens, law in zip(cells.tokens.tolist(), cells.law, strict=False):
        assert known[tuple(tokens)] == pytest.approx(law, abs=1e-5)
    assert cells.law.sum() == pytest.approx(1)
    few = likeliest(backbone, [1, 2, 3], 2, 3, top_k=4)
    assert len(few.law) == 4 and few.law[-1] > 0.01


def test_samples_fall_within_the_band_of_chance():
    """20,000 samples of three tokens are as close to the exact law as chance allows, drafted or not."""
    backbone = toy("llama")
    for own, rule in ((None, None), (drafter(backbone), "rejection"), (drafter(backbone), "block")):
        *_, last = meter(backbone, own, [1, 2, 3], 3, samples=20_000, chunk=5_000, cells=64, rule=rule)
        assert last.samples == 20_000 and last.lossless, last
        assert last.total_variation > 0  # a meter that shows nothing would be broken


def test_a_planted_fault_leaves_the_band():
    """Without the residual the same meter is far outside."""
    backbone = toy("llama")
    with planted("no residual"):
        *_, last = meter(backbone, drafter(backbone), [1, 2, 3], 3, samples=20_000, chunk=5_000, cells=64)
    assert last.total_variation > 2 * last.limit


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="chunk=0"):
        next(meter(toy("llama"), None, [1], chunk=0))
