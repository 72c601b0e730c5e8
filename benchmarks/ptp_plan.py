"""The runs of `ptp.py`: what each trains, under which name, and in which comparison it stands.

Letters: N = K + 1 tokens of a window, y' and K drafts. Every run trains slots on the backbone of `ptp_town.py`
by one recipe, and differs from the plainest one in a single thing; seeds 0, 1, 2 only where a ratio is claimed. The
windows of `window` have the longest N, and shorter ones are its first slots; other runs have N = 8. A run may stand in
several comparisons; it is trained once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SEEDS = (0, 1, 2)
WINDOWS = (2, 4, 8, 16)  # N; one is y' alone, which verification gives
K, LONG = 7, max(WINDOWS) - 1
CORPUS, BACKBONES = "arithmetic", ("stories", "arithmetic", "code")
SLOTS = ("ptp-k8", "cptp-k8")
DRAFTERS = ("independent", "cp-r8", "masked-k8", *SLOTS)
HEADS = f"heads-n{LONG + 1}"
PAIRS = ("independent", "masked-k8", *SLOTS)
METHODS = ("masked", "cp", "independent")  # beside the slots, trained as they are
LONGER = 4  # times the steps, in `longer`


@dataclass(frozen=True)
class Sizes:
    """The recipe of every training, and how much is measured; only runs of equal sizes compare."""

    trunk_steps: int = 400  # of the backbone
    rate: float = 6e-3
    batch: int = 256  # anchors per step
    anchors: int = 128  # per window of 256 places
    rank: int = 32
    precision: str = "bfloat16"
    positions: int = 300_000  # places of the text that are learned
    steps: int = 600
    heads_steps: int = 1200  # of independent heads beside the windows
    heads_rate: float = 2e-3
    measured: int = 4  # times that the first `few` held windows are measured on the way
    few: int = 8
    held: int = 32_768  # places of the test split's own text: three windows in four are drawn at T = 1
    held_anchors: int = 64  # measured in each window
    prompts: int = 30
    tokens: int = 48  # new tokens per prompt
    table_prompts: int = 30
    table_tokens: int = 48
    budgets: tuple[int, ...] = (8, 16, 24, 40, 72)

    def longer(self, times: int) -> Sizes:
        """Times as many steps on as much more text, and as many more prompts."""
        return replace(self, **{name: times * getattr(self, name) for name in ("steps", "positions", "prompts")})

    def quick(self) -> Sizes:
        """Next to nothing, to see that it runs."""
        steps = dict(trunk_steps=2, steps=2, heads_steps=2, measured=1)
        learned = dict(batch=64, anchors=32, positions=4096, held=2048, few=2, held_anchors=16)
        decoded = dict(prompts=4, tokens=12, table_prompts=4, table_tokens=12, budgets=(8, 24))
        return replace(self, **steps, **learned, **decoded)


@dataclass(frozen=True)
class Run:
    seed: int = 0
    horizon: int = K
    variant: str = "one-hot"
    embedding: str = "bits"
    beta: float = 1.0
    loss: str = "cross-entropy"
    source: str = "teacher"
    text: str = "own"  # "own": teacher completions
    times: int = 1  # the usual steps, on as many times the text

    @property
    def name(self) -> str:
        """What differs from the plainest run; the file's name."""
        parts = [f"n{self.horizon + 1}"] * (self.horizon != K)
        parts += [self.variant] * (self.variant != "one-hot") + [self.embedding] * (self.embedding != "bits")
        parts += [f"beta{self.beta}"] * (self.beta != 1) + [self.loss] * (self.loss != "cross-entropy")
        parts += [self.source] * (self.source != "teacher") + [self.text] * (self.text != "own")
        parts += [f"x{self.times}"] * (self.times != 1)
        return "-".join(["train", *(parts or ["base"]), f"s{self.seed}"])

    def options(self, sizes: Sizes) -> dict:
        """What `make_drafter` gets."""
        form = dict(variant=self.variant, embedding=self.embedding, beta=self.beta, loss=self.loss, source=self.source)
        return dict(horizon=self.horizon, rank=sizes.rank, anchors=sizes.anchors, **form)


def plan() -> dict[str, list[Run]]:
    """Comparisons and their runs, the plainest first."""
    long = [Run(seed=s, horizon=LONG) for s in SEEDS]
    categorical, data = Run(variant="categorical"), Run(variant="categorical", source="inverse", text="corpus")
    return {
        "window": long + [replace(run, embedding="constant") for run in long],
        "variants": [Run(), categorical, replace(categorical, loss="kl")],
        "inverse": [categorical, replace(categorical, text="corpus"), data],
        "embedding": [
            Run(),
            *(Run(embedding=e) for e in ("float", "thresholds", "interpolation", "scalar", "constant")),
        ],
        "beta": [Run(), Run(beta=0.3), Run(beta=2.0)],
        "text": [Run(), Run(text="corpus"), categorical, replace(categorical, text="corpus")],
        "longer": [Run(times=LONGER)],
        "more": [categorical, replace(categorical, loss="kl"), replace(categorical, loss="reverse-kl")],
    }


MASKS = f"method-masked-x{LONGER}"  # in `longer`
GROUPS = (*(title for title in plan() if title != "more"), "methods", "pairs", "budget", "table")


def methods() -> dict[str, Run]:
    """The slots that stand in the comparison of methods."""
    categorical = Run(variant="categorical", loss="kl")
    return {"slots with nothing in them": Run(embedding="constant"), "C-PTP": categorical, "O-PTP": Run()}


def jobs(only: list[str] | tuple[str, ...] = GROUPS) -> dict[str, tuple[str, object]]:
    """{name of a result: (what to do, with what)} of groups, what trains most first; "own-text" comes before all."""
    runs = [run for title, members in plan().items() for run in members if title in only]
    if "methods" in only:
        runs = [*runs, *methods().values()]
    found: dict[str, tuple[str, object]] = {"own-text": ("text", None)} if runs else {}
    found |= {run.name: ("train", run) for run in runs}
    found |= {f"method-{name}": ("method", (name, 1)) for name in METHODS if "methods" in only}
    found |= {MASKS: ("method", ("masked", LONGER))} if "longer" in only else {}
    found |= {HEADS: ("heads", None)} if "window" in only else {}
    if "table" in only or "pairs" in only:
        names = BACKBONES if "table" in only else (CORPUS,)
        which = DRAFTERS if "table" in only else PAIRS
        found |= {f"table-{name}-{d}": ("table", (name, d)) for name in names for d in which}
    return found | {f"budget-{d}": ("budget", d) for d in SLOTS if "budget" in only}


def work(kind: str, what, sizes: Sizes) -> float:
    """Rows through a backbone that a job takes, weighed by what they were seen to cost; only ratios mean anything."""
    length = 256

    def decoded(prompts: int, tokens: int, k: int, slots: int) -> float:
        return 1.4 * prompts * tokens * (k + 1 + slots + 8)

    def held(k: int, windows: float) -> float:
        return 2.8 * windows * (length + sizes.held_anchors * (k + 1))

    if kind == "text":
        return 13 * (sizes.positions + sizes.held)
    if kind == "method":
        what, sizes = what[0], sizes.longer(what[1])
        passes = 4 * (K + 1) * sizes.steps if what == "masked" else 4 * sizes.heads_steps
        return passes * sizes.batch + 4 * decoded(sizes.prompts, sizes.tokens, K, 56 * (what == "masked"))
    if kind == "heads":
        return sizes.heads_steps * sizes.batch * (LONG + 1) * 1.4 + held(LONG, (sizes.measured + 1) * sizes.few)
    if kind == "train":
        sizes = sizes.longer(what.times)
        k, categorical = what.horizon, what.variant == "categorical"
        passes = k * (k - 1) / 2 if what.source == "inverse" else 0
        step = 3 * sizes.batch / sizes.anchors * length + sizes.batch * (4 * (k + 1) + 1.5 * passes)
        ways = 0 if k == LONG else 4 if categorical else 2
        curve = (1 + (what.embedding == "constant")) * ((sizes.measured + 1) * sizes.few + 0.75 * sizes.held / length)
        told = held(k, curve + categorical * 3.5 * sizes.held / length)
        return sizes.steps * step + told + ways * decoded(sizes.prompts, sizes.tokens, k, (k + 1) * k)
    slots = 80 if kind == "budget" or what[1] in (*SLOTS, "masked-k8") else 0
    ways = 2 * (len(sizes.budgets) + 3) if kind == "budget" else 2 if what[1] == "ptp-k8" else 4
    prompts, tokens = (sizes.prompts, sizes.tokens) if kind == "budget" else (sizes.table_prompts, sizes.table_tokens)
    return ways * decoded(prompts, tokens, 8, slots)
