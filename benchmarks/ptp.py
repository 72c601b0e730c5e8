"""The claims of parallel token prediction in miniature, and tokens per call of all drafters beside its own.

    python benchmarks/ptp.py [--only window variants ... table] [--list] [--part 1/2] [--quick] [--summary]

Every job (`ptp_plan.py`) writes one JSON under data/results/ptp and is skipped where that exists, so the script may be
killed and started again; `--part 1/2` and `--part 2/2` share the work between two processes (start the second when
the first has done `own-text`: both need the backbone's own text, which is kept under runs/ptp). The forecast comes
first, from one timed step, and is corrected as jobs end. Trainings are of equal steps, batch and slots on a structured
corpus and a small backbone for it (`ptp_town.py`); `pairs`, `budget` and `table` ask the shipped drafters:

window     correct tokens per window of N = 2, 4, 8, 16 at T = 1: slots that carry u against slots that carry nothing,
           three seeds; trained once with N = 16, shorter windows are its first slots (`ptp_train.py`); and independent
           heads, with curves over steps and seconds (`ptp_heads.py`)
variants   one-hot against categorical slots by cross-entropy and by KL, N = 8; `more` (not by default): reverse KL
inverse    categorical slots from data alone; their perplexity beside that of the frozen backbone, whose adapters they
           are
data       the paper's way: a network from scratch by slots from data alone, against the same network that learns the
           next token alone, equal steps and text, three seeds (`ptp_student.py`)
sizes      students of several sizes from scratch, a copy of the target trained whole, and gated adapters
embedding, beta, text   how a slot carries u; where in its bin u lies; own completions or the corpus
methods    tokens per call of masks, cp and independent heads, trained on the same text, beside slots with N = 8
longer     slots, masks and the networks of `data` with four times the steps and text (slots and masks: and prompts)
pairs      drafted pairs that the target rules out, of shipped drafters (part of `table`; every training with N = 8 and
           every method counts its own)
budget     tokens per call against slots per call, shipped drafters; calls per token in one and in turn
table      tokens per call of shipped drafters, K = 8, greedy and at T = 1 by every rule that fits, three backbones

A shipped drafter that is not there is left out and taken up by a later start. `--quick` is next to nothing of
everything, into runs/quick/ptp, with slots that have learned nothing where none are shipped.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path

import ptp_student as students
from common import receipt, shipped
from jobs import Forecast, Skip, carry_out, least, parser
from masked_decode import starts
from ptp_decode import decoded, plans
from ptp_heads import heads
from ptp_methods import method
from ptp_plan import CORPUS, GROUPS, K, Run, Sizes, jobs, work
from ptp_tables import summary
from ptp_town import beginnings, usual
from ptp_train import fresh, held, trained, windows

import mtp_explore as mtp
from mtp_explore.train.fit import train_step
from mtp_explore.train.texts import texts


@lru_cache(1)
def models(name: str) -> tuple:
    """A backbone, its corpus and the drafters that ship for it."""
    target = mtp.load_backbone(name)
    return target, mtp.load_corpus(name), shipped(name, target)


def found(name: str, drafter: str, quick: bool):
    """A shipped drafter; in a quick run an untrained one where there is none."""
    target, _, drafters = models(name)
    if drafter in drafters:
        return drafters[drafter]
    kind, form = drafter.removesuffix("-k8"), {}
    if kind == "cptp":
        kind, form = "ptp", {"variant": "categorical"}
    if not quick:
        options = "".join(f" --{k} {v}" for k, v in form.items())
        raise Skip(f"{name}/{drafter} is not shipped: python -m mtp_explore.train.ship {name} {kind}{options}")
    return mtp.make_drafter(kind, target, horizon=8, **form).eval()


def own_text(sizes: Sizes, runs: Path) -> dict:
    """What is learned and measured, made and kept for the trainings."""
    learn, test = windows(K, sizes, "own", runs), held(K, sizes, "own", runs)
    return {"windows": {"train": len(learn.windows), "greedy": int(learn.greedy.sum()), "test": len(test.windows)}}


def train(run: Run, sizes: Sizes, runs: Path) -> dict:
    """One training; windows of N = 8 are decoded with too."""
    sizes = sizes.longer(run.times)
    drafter, facts = trained(run, sizes, runs)
    facts |= {"run": asdict(run), "decoding": {}}
    if run.horizon == K:
        target, text = usual(sizes.trunk_steps, runs)
        facts["decoding"] = decoded(target, drafter, beginnings(target, text, sizes.prompts), sizes.tokens)
        drafter.save_pretrained(runs / run.name)  # for questions that come later
    return facts


def table(name: str, drafter: str, sizes: Sizes, quick: bool) -> dict:
    """One shipped drafter on one backbone."""
    drafter, (target, text, _) = found(name, drafter, quick), models(name)
    prompts = starts(target, text, sizes.table_prompts)
    return {"horizon": drafter.horizon, "decoding": decoded(target, drafter, prompts, sizes.table_tokens)}


def budget(drafter: str, sizes: Sizes, quick: bool) -> dict:
    """One shipped drafter with every plan."""
    drafter, (target, text, _) = found(CORPUS, drafter, quick), models(CORPUS)
    prompts = starts(target, text, sizes.prompts)
    slots = drafter.slots_per_branch
    facts = {"slots_per_branch": slots, "all_slots": (drafter.horizon + 1) * slots}
    facts["survival"] = [[round(s, 4) for s in row] for row in drafter.survival.tolist()]  # drawn, greedy
    return {**facts, "decoding": plans(target, drafter, prompts, sizes.tokens, sizes.budgets)}


def do(kind: str, what, runs: Path, sizes: Sizes, quick: bool) -> dict:
    """One job from beginning to end."""
    if kind == "text":
        facts = own_text(sizes, runs)
    elif kind == "train":
        facts = train(what, sizes, runs)
    elif kind == "heads":
        facts = heads(sizes, runs)
    elif kind == "method":
        facts = method(*what, sizes, runs)
    elif kind == "student":
        facts = {"run": asdict(what), **students.trained(what, sizes, runs)}
    elif kind == "table":
        facts = table(*what, sizes, quick)
    else:
        facts = budget(what, sizes, quick)
    return {**facts, "sizes": asdict(sizes), "receipt": receipt()}


def forecast(sizes: Sizes, runs: Path) -> Forecast:
    """From one timed step of the plainest run."""
    target, corpus = usual(sizes.trunk_steps, runs)
    drafter, optimizer = fresh(Run(), sizes, target)
    known = texts(target, corpus.tokens("train", target.tokenizer, limit=32_768), K, 8192, sizes.anchors)
    seconds = least(lambda i: train_step(drafter, optimizer, known.batch(i, sizes.batch, 0), 1e-4, sizes.precision))
    one = Sizes(batch=sizes.batch, anchors=sizes.anchors, steps=1, measured=-1, held=0, prompts=0)
    step = work("train", Run(), one)

    def told(kind: str, what) -> float:
        return step * students.work(what, sizes) if kind == "student" else work(kind, what, sizes)

    return Forecast(seconds / step, told)


def every(only: list[str]) -> dict[str, tuple[str, object]]:
    """All jobs of groups, those of students behind the others; `sizes` needs the plainest run beside it."""
    runs = [run for title, members in students.plan().items() for run in members if title in only]
    found = jobs(only)
    if "sizes" in only:
        found = {"own-text": ("text", None), Run().name: ("train", Run()), **found}
    return found | {run.name: ("student", run) for run in runs}


def report(results: dict[str, dict]) -> str:
    """All tables."""
    return "\n\n".join(filter(None, (summary(results), students.tables(results))))


def main() -> None:
    groups = [*GROUPS, *students.plan()]
    args = parser(__doc__, [*groups, "more"], groups).parse_args()
    sizes = Sizes().quick() if args.quick else Sizes()
    told = partial(forecast, sizes, Path("runs/quick" if args.quick else "runs") / "ptp")
    carry_out("ptp", args, every(args.only), told, partial(do, sizes=sizes, quick=args.quick), report)


if __name__ == "__main__":
    main()
