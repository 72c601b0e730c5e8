"""Nothing makes the device wait: at most one read by the host per step, counted on any machine.

A read is what would stop a GPU: taking a number out of a tensor, copying one to the host, and every operation whose
result's size depends on values. On the CPU all of these exist and are counted just the same.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from toys import PLANS, SLOT_DRAFTERS, Told, on_every_device, ragged, toy

from mtp_explore.decode.generate import sample
from mtp_explore.drafters import make_drafter

READS = {"_local_scalar_dense", "item", "is_nonzero", "equal", "allclose", "nonzero", "nonzero_numpy", "masked_select"}
READS |= {"_unique2", "unique_dim", "unique_consecutive", "bincount"}
BY_HAND = ("tolist", "numpy", "cpu", "__array__")  # on the CPU these bypass the dispatcher


class Reads(TorchDispatchMode):
    """Counts the host's reads between calls of a model: `spans` has one number per stretch, the first before any."""

    def __init__(self, model, monkeypatch):
        super().__init__()
        self.spans, self.inside = [0], False
        self.hook = model.register_forward_pre_hook(lambda *_: self.spans.append(0))
        for name in BY_HAND:
            monkeypatch.setattr(torch.Tensor, name, self.counted(getattr(torch.Tensor, name)))

    def counted(self, method):
        def read(tensor, *args, **kwargs):
            self.note()
            was, self.inside = self.inside, True  # what it is made of does not count again
            try:
                return method(tensor, *args, **kwargs)
            finally:
                self.inside = was

        return read

    def note(self):
        self.spans[-1] += not self.inside

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        where = name == "where" and len(args) == 1  # the places themselves, not a choice between two tensors
        mask = name in ("index", "index_put", "index_put_") and any(
            i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1]
        )
        repeats = (
            name == "repeat_interleave" and "Tensor" in func._overloadname and not (kwargs or {}).get("output_size")
        )
        if name in READS or where or mask or repeats or self.leaves(name, args, kwargs or {}):
            self.note()
        return func(*args, **(kwargs or {}))

    def leaves(self, name, args, kwargs):
        """A copy from an accelerator to the host."""
        tensors = [a for a in args if isinstance(a, torch.Tensor)]
        if name == "copy_":
            return tensors[0].device.type == "cpu" != tensors[1].device.type
        to = kwargs.get("device")
        return name == "_to_copy" and to is not None and torch.device(to).type == "cpu" != tensors[0].device.type

    def __exit__(self, *error):
        self.hook.remove()
        return super().__exit__(*error)


def reads(backbone, drafter, monkeypatch, **options):
    """Reads after each call of the model, before the next."""
    with monkeypatch.context() as patch, Reads(backbone.model, patch) as seen:
        sample(backbone, drafter, ragged(), 6, seed=1, **options)
    return seen.spans[1:]


def cases(backbone):
    yield None, None
    yield Told(backbone, ragged()), None
    for name in ("lookup", "independent", "cp", "hmm", "btree"):
        yield make_drafter(name, backbone, horizon=3), None
    yield make_drafter("independent", backbone, horizon=3), None
    yield from ((make_drafter("masked", backbone, horizon=3, rank=2), plan) for plan in PLANS)
    for variant in ("one-hot", "categorical"):
        yield from ((make_drafter("ptp", backbone, horizon=3, rank=2, variant=variant), plan) for plan in PLANS)
    yield make_drafter("oracle", backbone, answer=ragged(), horizon=3), None
    for kind in SLOT_DRAFTERS.values():
        for plan in PLANS:
            yield kind(backbone), plan


# One read per step, with every drafter, plan and rule, greedy or not, with and without end-of-text tokens.
@on_every_device
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma3"])
@pytest.mark.filterwarnings("ignore:drafter .ptp. was made for")
def test_one_read_a_step(architecture, device, monkeypatch):
    backbone = toy(architecture, device)
    for drafter, plan in cases(backbone):
        if architecture != "gpt2" and plan != "quadratic":
            continue
        cut = dict(rule="block", temperature=0.7, top_k=5, top_p=0.9)
        for options in [{}, cut, dict(rule="match")] if plan in (None, "quadratic") else [cut]:
            spans = reads(backbone, drafter, monkeypatch, plan=plan, **options)
            assert len(spans) > 2 and max(spans) == 1, (drafter and drafter.name, plan, options)
    assert max(reads(backbone, None, monkeypatch, temperature=0)) == 1


PLANTED = {
    "item": lambda x: x.amax().item(),
    "bool": lambda x: bool(x.any()),
    "int": lambda x: int(x.argmax()),
    "float": lambda x: float(x.amax()),
    "range": lambda x: range(x.argmax() + 1),
    "if": lambda x: 1 if x.amax() > 0 else 0,
    "tolist": lambda x: x.tolist(),
    "cpu": lambda x: x.cpu(),
    "numpy": lambda x: x.detach().cpu().numpy(),
    "mask": lambda x: x[x > 0],
    "nonzero": lambda x: (x > 0).nonzero(),
    "where": lambda x: torch.where(x > 0),
    "equal": lambda x: torch.equal(x, x),
    "unique": lambda x: x.unique(),
    "repeat": lambda x: x[0].repeat_interleave((x[0] > 0).long()),
    "put": lambda x: x.index_put_((x > 9e9,), x.new_tensor(0.0)),
}


# The counter counts: a drafter that reads its tensors once per step, in any of the usual ways, is caught.
@on_every_device
@pytest.mark.parametrize("way", PLANTED)
def test_planted_reads_are_counted(way, device, monkeypatch):
    backbone = toy("gpt2", device)
    drafter = Told(backbone, ragged())
    begin = drafter.begin
    monkeypatch.setattr(drafter, "begin", lambda state: (PLANTED[way](state.hidden), begin(state))[1])
    assert min(reads(backbone, drafter, monkeypatch)) >= 2
