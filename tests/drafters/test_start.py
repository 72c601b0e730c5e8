"""A drafter with slots may start from another's adapters and slots."""

import pytest
import torch
from toys import toy

from mtp_explore.drafters import make_drafter


def scrambled(backbone, name: str, **options):
    """A drafter with random weights everywhere."""
    drafter, g = make_drafter(name, backbone, **options), torch.Generator().manual_seed(5)
    for w in drafter.parameters():
        w.data.copy_(torch.randn(w.shape, generator=g))
    return drafter


# Slot j takes the row of mask j: a one-hot drafter has a slot 0 besides, which takes that of mask 1, and slots beyond
# the last mask take the last one's. Adapters are the same numbers, and the giver keeps its own.
@pytest.mark.parametrize("variant, horizon, taken", [("one-hot", 5, [0, 0, 1, 2, 2, 2]), ("categorical", 2, [0, 1])])
def test_adapters_and_rows_are_taken_by_slot(variant, horizon, taken):
    backbone = toy("llama")
    masked = scrambled(backbone, "masked", horizon=3, rank=2)
    drafter = make_drafter("ptp", backbone, horizon=horizon, rank=2, variant=variant)
    drafter.start_from(masked)
    for key, weight in masked.lora.state_dict().items():
        assert torch.equal(drafter.lora.state_dict()[key], weight)
    assert torch.equal(drafter.slot_rows, masked.masks[taken])
    before = masked.masks.clone()
    drafter.slot_rows.data.zero_()
    drafter.lora.load_state_dict({k: torch.zeros_like(v) for k, v in drafter.lora.state_dict().items()})
    assert torch.equal(masked.masks, before) and masked.lora.state_dict()[key].any()


@pytest.mark.parametrize(
    "name, options", [("masked", dict(rank=3)), ("masked", dict(rank=2, targets="mlp")), ("independent", {})]
)
def test_other_shapes_are_refused(name, options):
    backbone = toy("llama")
    drafter = make_drafter("ptp", backbone, horizon=2, rank=2)
    with pytest.raises(ValueError, match=f"other='{name}'.*same rank"):
        drafter.start_from(make_drafter(name, backbone, horizon=2, **options))


# A student has no adapters to give or to take; a name is no drafter.
def test_what_has_no_adapters_is_refused():
    slots, student = (make_drafter(name, toy("llama"), horizon=2) for name in ("ptp", "student"))
    for one, other in [(slots, student), (student, slots), (student, student), (slots, "masked"), (slots, None)]:
        with pytest.raises(ValueError, match=f"other='?{getattr(other, 'name', other)}'?.*start from a drafter"):
            one.start_from(other)


def test_another_backbone_is_refused():
    drafter = make_drafter("ptp", toy("llama"), horizon=2, rank=2)
    with pytest.raises(ValueError, match="same backbone"):
        drafter.start_from(make_drafter("masked", toy("llama", seed=9), horizon=2, rank=2))
