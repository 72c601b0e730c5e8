"""What meets a law is refused by its name where it is no law, no uniform, no temperature."""

import pytest
import torch
from hostile import sweep

from mtp_explore.tensors import categorical as c

P, U, IDS = torch.full((2, 4), 0.25), torch.full((2,), 0.5), torch.tensor([1, 2])
GOOD = {
    "shape": (c.shape, dict(logits=P, temperature=1.0, top_k=2, top_p=0.9)),
    "one_hot": (c.one_hot, dict(token=IDS, size=8)),
    "edges": (c.edges, dict(law=P)),
    "pick": (c.pick, dict(law=P, u=U)),
    "flip": (c.flip, dict(chance=U, coin=U)),
    "total_variation": (c.total_variation, dict(p=P, q=P)),
}
BROADCAST = {"flip": ("chance", "coin"), "one_hot": ("token",), "total_variation": ("p", "q")}  # sizes are torch's


@pytest.mark.parametrize("name", GOOD)
def test_wrong_arguments_are_named(name):
    wrong = sweep(*GOOD[name])
    assert not [w for w in wrong if "tensor" not in w[1] or w[0] not in BROADCAST.get(name, ())]


# A law shaped by what is no temperature, no top_k, no top_p does not exist.
@pytest.mark.parametrize("odd", [dict(temperature=-1), dict(temperature=float("inf")), dict(top_p=0), dict(top_p=7),
                                 dict(top_p=float("nan")), dict(top_k=-3), dict(top_k=1.5)])  # fmt: skip
def test_no_law_without_a_shaping(odd):
    with pytest.raises(ValueError, match=f"{next(iter(odd))}=.*it must be"):
        c.shape(P, **odd)
