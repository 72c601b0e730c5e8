"""The runs of `masked.py`: what each trains, under which name, and in which comparison it stands.

Every run trains masks on the shipped backbone of `arithmetic` by one recipe, and differs from the plainest one in a
single thing; seeds 0, 1, 2 where intervals are wanted. The comparison of plans is decoding alone. A run may stand in
several comparisons; it is trained once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SEEDS = (0, 1, 2)
K = 8  # masks
EVERY = 0  # anchors: all places of a window
CORPUS, BACKBONES, TEXTS = "arithmetic", ("stories", "arithmetic", "code"), ("gsm8k", "tinyshakespeare")


@dataclass(frozen=True)
class Sizes:
    """The recipe of every training, and how much is measured; only runs of equal sizes compare."""

    rate: float = 8e-3
    batch: int = 256  # anchors per step
    anchors: int = 128  # per window of 512 places
    rank: int = 16
    precision: str = "bfloat16"
    positions: int = 262_144  # places of the text that are learned
    steps: int = 240  # of an ablation
    measured: int = 6  # times that validation is measured on the way
    held: int = 4096  # places of the validation split
    prompts: int = 40  # of an ablation
    tokens: int = 48  # new tokens per prompt
    masks: tuple[int, ...] = (2, 4, K)  # used in decoding, of the K that are trained
    table_prompts: int = 100
    table_tokens: int = 64
    table_masks: tuple[int, ...] = tuple(range(1, K + 1))
    trunk_steps: int = 800  # of a backbone for `text`
    text_prompts: int = 50
    text_steps: int = 500  # of masks on it
    heads_steps: int = 2400  # of the independent heads beside them: their own best recipe
    heads_rate: float = 6e-3
    heads_positions: int = 1_000_000  # places whose states are kept, so that none is seen twice
    lengths: tuple[int, ...] = (128, 256, 512)  # windows of `speed`
    repeats: int = 5

    def quick(self) -> Sizes:
        """Next to nothing, to see that it runs."""
        small = dict(positions=32_768, steps=6, measured=2, held=1024, prompts=4, tokens=12, masks=(2, K), repeats=1)
        table = dict(table_prompts=4, table_tokens=12, table_masks=(1, K), lengths=(128, 256))
        text = dict(trunk_steps=6, text_prompts=4, text_steps=4, heads_steps=4, heads_positions=16_384)
        return replace(self, **small, **table, **text)


@dataclass(frozen=True)
class Run:
    seed: int = 0
    rank: int | None = None  # None, here and below: as in `Sizes`
    anchors: int | None = None
    sampler: bool = True
    consistency: bool = True
    text: str = "corpus"
    form: str = "cheap"  # "gated": one pass over n(K+1) rows, the same maths; "plain": that with adapters on all rows

    @property
    def name(self) -> str:
        """What differs from the plainest run; the file's name."""
        parts = [f"r{self.rank}"] * (self.rank is not None)
        parts += [f"a{self.anchors or 'll'}"] * (self.anchors is not None)
        parts += ["nosampler"] * (not self.sampler) + ["noconsistency"] * (not self.consistency)
        parts += [self.text] * (self.text != "corpus") + [f"{self.form}lora"] * (self.form != "cheap")
        return "-".join(["ablation", *(parts or ["base"]), f"s{self.seed}"])

    def options(self, sizes: Sizes) -> dict:
        """What `make_drafter` gets."""
        return {
            "horizon": K,
            "rank": self.rank or sizes.rank,
            "anchors": sizes.anchors if self.anchors is None else self.anchors,
            "sampler": self.sampler,
            "consistency": float(self.consistency),
        }


def plan() -> dict[str, list[Run]]:
    """Comparisons and their runs, the plainest first."""
    base = [Run(seed=s) for s in SEEDS]
    return {
        "plans": base,
        "sampler": base + [replace(run, sampler=False) for run in base],
        "consistency": base + [replace(run, consistency=False) for run in base],
        "rank": [Run(), *(Run(rank=r) for r in (1, 4, 64))],
        "anchors": [Run(), Run(anchors=16), Run(anchors=EVERY)],
        "targets": [Run(), Run(text="own")],
        "gate": [Run(), Run(form="plain")],
    }


GROUPS = ("table", "text", "ablations", "speed")


def jobs(only: list[str] | tuple[str, ...] = GROUPS, device: str = "cpu") -> dict[str, tuple[str, object]]:
    """{name of a result: (what to do, with what)} of groups, or of single comparisons among the ablations."""
    runs = [run for title, members in plan().items() for run in members if title in only or "ablations" in only]
    found = {run.name: ("ablation", run) for run in runs}
    found |= {f"table-{name}": ("table", name) for name in BACKBONES if "table" in only}
    found |= {f"text-{name}": ("text", name) for name in TEXTS if "text" in only}
    return found | ({"speed" if device == "cpu" else f"speed-{device}": ("speed", None)} if "speed" in only else {})


def work(kind: str, what, sizes: Sizes) -> float:
    """Rows through a backbone that a job takes, weighed by what they were seen to cost; only ratios mean anything."""
    length = 512

    def decoded(prompts: int, tokens: int, masks) -> float:
        return prompts * tokens * sum((k + 1) ** 2 + 2 * k + 1 for k in masks)

    def trained(steps: int, anchors: int, form: str = "cheap") -> float:
        anchors = anchors or length - K
        windows = max(1, sizes.batch // anchors)
        held = 2.5 * (sizes.measured + 1) * sizes.held * (1 + sizes.anchors * K / length)
        text, masks = windows * length, windows * anchors * K
        return steps * ((text if form == "cheap" else 8 * text) + 4 * masks) + held

    if kind == "ablation":
        options = what.options(sizes)
        told = trained(sizes.steps, options["anchors"], what.form) + 6.5 * sizes.positions * (what.text == "own")
        return told + decoded(sizes.prompts, sizes.tokens, (*sizes.masks, K)) * (what.form == "cheap")
    prompts = sizes.text_prompts if kind == "text" else sizes.table_prompts
    table = 3 * decoded(prompts, sizes.table_tokens, sizes.table_masks)
    table += 2 * sizes.heads_steps * sizes.batch + 2 * sizes.heads_positions
    if kind == "text":
        return trained(sizes.text_steps, sizes.anchors) + sizes.trunk_steps * 6 * 4 * length + table
    return table if kind == "table" else trained(40 * sizes.repeats, EVERY, "gated") + 5e6  # a process for each peak
