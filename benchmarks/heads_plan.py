"""The runs of `heads.py`: what each trains and measures, under which name, and in which comparison it stands.

Letters: K drafts per call, n = K + 1 tokens of the window, r rank. "heads": a drafter is fitted on cached states of a
shipped, frozen backbone; "scratch": a small trunk is trained together with it (`train/scratch.py`), so every such run
has its own target. A run may stand in several comparisons; it is trained once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from itertools import product
from statistics import fmean

RANKS = (1, 2, 4, 8, 16)
SEEDS = (0, 1, 2)
WHOLE = (("first", True),)  # y' counts in the loss, as in the papers; elsewhere it is absorbed, not learned
MANY = 32  # the rank that stands against 1 in the search
SHAPE = (("depth", 1), ("head_rank", 8), ("mixing", "token"))


@dataclass(frozen=True)
class Sizes:
    """How much every run sees; the figures of two runs compare only where these are the same."""

    positions: int = 262_144  # places whose states are cached; 65,536 are so few that rank 8 learns them by heart
    batch: int = 512  # places per step on a frozen backbone
    scratch_steps: int = 500  # of 4 windows of 256 places
    held: int = 16_384  # places of the validation and of the test split
    prompts: int = 60
    tokens: int = 64  # new tokens per prompt

    def quick(self) -> Sizes:
        """The same in a sixteenth of the time, to see that it runs."""
        return Sizes(16_384, 512, 20, 2048, 4, 16)


@dataclass(frozen=True)
class Run:
    corpus: str = "stories"
    drafter: str = "cp"
    rank: int = 1
    horizon: int = 3
    seed: int = 0
    mode: str = "heads"  # or "scratch"
    epochs: float = 1  # over the cached places; "scratch" runs have one
    width: int = 128  # of a trunk from scratch
    rate: float = 2e-3
    wall: int = 0  # as many seconds as this rank takes for `epochs`, instead of as many steps
    more: tuple = field(default=())  # further options of the drafter, ((name, value), ...)
    test: bool = True  # measured on the test split; else on validation alone

    @property
    def options(self) -> dict:
        """What `make_drafter` gets."""
        return {"rank": self.rank, "horizon": self.horizon, **dict(self.more)}

    @property
    def name(self) -> str:
        """What differs from the plainest run of its kind; the file's name."""
        plain = asdict(Run())
        head = f"{self.mode}-{self.corpus}-{self.drafter}-r{self.rank}-n{self.horizon + 1}-s{self.seed}"
        rest = [("e", "epochs"), ("w", "width"), ("rate", "rate")]
        tail = [f"{short}{getattr(self, key):g}" for short, key in rest if getattr(self, key) != plain[key]]
        tail += (
            [f"wall{self.wall}"] * bool(self.wall)
            + [f"{k}={v}" for k, v in self.more]
            + ["validation"] * (not self.test)
        )
        return "-".join([head, *tail])


def plan() -> dict[str, list[Run]]:
    """Comparisons and their runs."""
    base = [replace(Run(), rank=r, seed=s) for s in SEEDS for r in RANKS] + [
        replace(Run(), corpus="code", rank=r) for r in RANKS
    ]
    eight = Run(rank=8)
    forms = [("cp", 1), ("cp", 8), ("hmm", 8), ("btree", 8)]
    balance = [(), (("balance", 0.01),), (("balance", 0.1),)]
    balance += [(("balance", 0.1), ("balancing", kind)) for kind in ("switch", "square")]
    return {
        "rank": base,
        "first": [replace(Run(), rank=r, more=WHOLE) for r in RANKS],
        "scratch": [replace(run, mode="scratch", more=WHOLE) for run in base],
        "long": [Run(drafter=d, rank=r, horizon=k) for k in (7, 15) for d, r in forms],
        "epochs": [replace(run, epochs=e) for e in (1, 2, 4) for run in (Run(), eight)],
        "widths": [replace(run, mode="scratch", width=w, more=WHOLE) for w in (64, 128, 192) for run in (Run(), eight)],
        "balance": [replace(eight, more=more) for more in balance],
        "wall": [replace(Run(), rank=r, wall=8) for r in RANKS],
        "search": [run for rank in (1, MANY) for run in space(rank)],
    }


def space(rank: int) -> list[Run]:
    """The recipes that every rank may choose from, on the validation split."""
    plain = Run("arithmetic", "hmm", rank, 4, epochs=0.5, test=False)
    choices = product(("joint", "dpace"), (192, 768), (2e-3, 4e-3))
    return [
        replace(plain, rate=rate, more=(*SHAPE, ("hidden", hidden), ("objective", objective)))
        for objective, hidden, rate in choices
    ]


def chosen(results: dict[str, dict], rank: int) -> Run | None:
    """The recipe of this rank with the most tokens per call on validation prompts, T = 1, to be trained for longer and
    tested once; None while some recipe has not been tried.
    """
    tried = [
        (fmean(results[run.name]["decoding"]["T=1 rejection"]["tokens_per_call"]), run)
        for run in space(rank)
        if run.name in results
    ]
    if len(tried) < len(space(rank)):
        return None
    return replace(max(tried, key=lambda pair: pair[0])[1], epochs=4.5, test=True)


def best(results: dict[str, dict]) -> list[Run]:
    """The chosen recipes of both ranks, as far as they are known."""
    return [run for rank in (1, MANY) if (run := chosen(results, rank))]
