"""Making a drafter: its seed, and options that are odd, huge or of another kind than asked for."""

import inspect
import math

import numpy as np
import pytest
import torch
from toys import toy

from mtp_explore.drafters import DRAFTERS, make_drafter
from mtp_explore.tensors import room

SMALL = dict(
    independent=dict(hidden=8),
    **{kind: dict(rank=2, head_rank=3, depth=1, hidden=8) for kind in ("cp", "hmm", "btree")},
    **{kind: dict(rank=2, anchors=8) for kind in ("masked", "ptp")},
    student=dict(width=16, layers=1, heads=2, anchors=8),
    **dict(lookup=dict(ngram=2), oracle=dict(answer=[1, 2, 3])),
)
OPTIONS = {name: list(inspect.signature(d.__init__).parameters)[2:] for name, d in DRAFTERS.items()}
TRAINABLE = [name for name in DRAFTERS if name not in ("lookup", "oracle")]
ODD = [
    None,
    "many",
    math.nan,
    math.inf,
    -1,
    2.5,
    [3],
    {},
    b"8",
    10**12,
    10**400,
    np.float32("nan"),
    object(),
    print,
    [],
    "",
    "ab/" * 300,
    np.zeros((2, 2)),
]
every_kind = pytest.mark.parametrize("name", DRAFTERS)


def made(name: str, **options):
    return make_drafter(name, toy("llama"), **{"horizon": 2, **SMALL[name], **options})


def weights(drafter) -> list:
    return list(drafter.state_dict().values())


def equal(a, b) -> bool:
    return all(map(torch.equal, weights(a), weights(b)))


# Equal seeds give equal weights, whatever torch's own generator has seen, and leave it where it was; others give
# others. By default the seed is 0.
@pytest.mark.parametrize("name", TRAINABLE)
def test_weights_follow_the_seed(name):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first = made(name, seed=5)
    assert torch.equal(before, torch.get_rng_state())
    torch.randn(7)
    assert equal(first, made(name, seed=np.int64(5))) and not equal(first, made(name, seed=6))
    assert equal(made(name), made(name, seed=0))


# What was made after torch.manual_seed(seed) is what this seed makes: weights of older runs can be drawn again.
@pytest.mark.parametrize("name", TRAINABLE)
def test_the_seed_is_torchs(name):
    backbone = toy("llama")
    torch.manual_seed(3)
    before = DRAFTERS[name](backbone, **{"horizon": 2, **SMALL[name]})
    assert equal(before, made(name, seed=3))


@pytest.mark.parametrize("seed", [-1, 1 << 63, 0.5, None, "0", True, math.nan])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="^seed="):
        made("cp", seed=seed)
    assert made("independent", seed=(1 << 63) - 1)


# numpy's and torch's numbers are numbers, for every option that has a number; what is kept of them is plain.
@every_kind
def test_numbers_of_numpy_and_torch(name):
    plain = made(name)
    asked = {k: v for k, v in plain.options.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    for kind in (np.asarray, torch.tensor):
        again = made(name, **{k: kind(v)[()] for k, v in asked.items()})
        assert again.options == plain.options
        assert {k: type(v) for k, v in again.options.items()} == {k: type(v) for k, v in plain.options.items()}
        assert equal(plain, again)


# Whatever is given for an option, it serves or is refused by its name and value, and huge sizes before they are
# allocated: never an error from inside.
@every_kind
def test_odd_options(name, monkeypatch):
    monkeypatch.setattr(room, "memory", lambda device="cpu": 1 << 30)
    for option in OPTIONS[name]:
        for value in ODD:
            try:
                made(name, **{option: value})
            except (ValueError, TypeError) as error:
                assert f"{option}=" in str(error).split(":")[0], (option, value, error)


# Sizes that do not fit into memory are refused before a byte of them is asked for, with what would fit.
@pytest.mark.parametrize(
    "name, huge",
    [
        ("independent", dict(hidden=10**12)),
        ("cp", dict(hidden=10**12, depth=1)),
        ("hmm", dict(rank=256, head_rank=0)),
        ("student", dict(width=64 * 10**6, layers=2)),
    ],
)
def test_what_does_not_fit_is_refused(name, huge, monkeypatch):
    monkeypatch.setattr(room, "memory", lambda device="cpu": 1 << 20)
    monkeypatch.setattr(torch, "randn", lambda *a, **k: pytest.fail("asked for memory"))
    option = next(iter(huge))
    with pytest.raises(
        ValueError, match=f"^{option}={huge[option]}: .* from 1 to [0-9]+ .more does not fit into memory"
    ):
        made(name, **huge)


def test_layers_have_a_bound():
    with pytest.raises(ValueError, match="^layers=2000: .*from 0 to 128"):
        made("student", layers=2000)


# Names, backbones and answers of another kind, and options that are missing, are said by their names.
class Mute(str):
    """A name whose text is no help."""

    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __repr__


@pytest.mark.parametrize("name", [None, 5, "", "cq", ["cp"], toy, Mute("cq")])
def test_bad_names(name):
    with pytest.raises(ValueError, match="^name=.*'independent'"):
        make_drafter(name, toy("llama"))


@pytest.mark.parametrize("backbone", [None, "stories", 5, toy("llama").model, DRAFTERS])
def test_bad_backbones(backbone):
    with pytest.raises(TypeError, match=r"^backbone=.*load_backbone\(\)"):
        make_drafter("independent", backbone)


@pytest.mark.parametrize("answer", [None, 5, "text", [1, "a"], [[1], None], [1.5], [True], {1: 2}])
def test_bad_answers(answer):
    with pytest.raises(TypeError, match="^answer=.*token ids"):
        make_drafter("oracle", toy(), answer=answer)


@pytest.mark.parametrize(
    "answer", [np.array([1, 2]), torch.tensor([1, 2]), (1, 2), [np.int64(1), 2], [torch.tensor([1, 2])]]
)
def test_answers(answer):
    assert make_drafter("oracle", toy(), answer=answer).answer.tolist() == [[1, 2]]


def test_missing_options():
    with pytest.raises(ValueError, match="answer= is missing: drafter 'oracle'"):
        make_drafter("oracle", toy())
