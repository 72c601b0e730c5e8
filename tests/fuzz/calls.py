"""One good, cheap call for every public function: the names of `mtp`, models, drafters, files and command lines."""

from __future__ import annotations

import inspect
import io
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
import torch

import mtp_explore as mtp
from mtp_explore import cli
from mtp_explore.backbone.gated_lora import GatedLoRA
from mtp_explore.backbone.load import Backbone
from mtp_explore.corpora.corpus import Corpus
from mtp_explore.drafters.base import DrafterBase
from mtp_explore.trace.records import Trace
from tests.fuzz.judge import Refusal
from tests.fuzz.world import strangers, world  # noqa: F401

SEEDS, CHANCES = {"seed"}, {"top_p", "close", "share", "sure", "mass", "stay", "slip", "coin", "chance"}
NAMES = {"name", "rule", "plan", "method", "variant", "embedding", "loss", "source", "kind", "precision", "objective"}
PATHS = {"directory", "path", "out"}
THINGS = (Backbone, DrafterBase, Trace, Corpus)


class Call(NamedTuple):
    """A function with arguments that work."""

    name: str
    function: Callable
    given: dict
    kinds: dict = {}  # argument -> kind, where neither its name nor its value says it
    lenient: bool = False  # it answers anything, as the checks of exercises do
    inside: bool = True  # entries of what it is given are bent too; not where that would read a tensor's device

    def kind(self, argument: str):
        value = self.given[argument]
        if argument in self.kinds:
            return self.kinds[argument]
        for kind, names in (("seed", SEEDS), ("chance", CHANCES), ("path", PATHS)):
            if argument in names and value is not None:
                return kind
        if isinstance(value, str):
            return "name" if argument in NAMES else "text"
        if isinstance(value, bool):
            return "flag"
        for kind, of in (("count", int), ("real", float), ("callable", type(print))):
            if isinstance(value, of):
                return kind
        return next((thing for thing in THINGS if isinstance(value, thing)), "any")

    def default(self, argument: str, value) -> bool:
        """Is it the argument's own default? None often means "as you like"."""
        try:
            own = inspect.signature(self.function).parameters[argument].default
        except (KeyError, ValueError, TypeError):
            return value is None or value in self.kinds.get("may be", ())
        return own is value or value is None and own is None


@cache
def the_calls() -> list[Call]:
    from tests.fuzz.calls_exercises import exercises, widgets
    from tests.fuzz.calls_measure import measure, plots, tensors

    return [
        *names(),
        *models(),
        *makers(),
        *files(),
        *lines(),
        *measure(),
        *tensors(),
        *plots(),
        *widgets(),
        *exercises(),
    ]


def names() -> list[Call]:
    """What `import mtp_explore as mtp` gives."""
    w, n = world(), 4
    shaping = dict(temperature=0.9, top_k=2, top_p=0.9, seed=3, rule="block", eos=True)
    decoding = dict(backbone=w.tiny, drafter=w.rough, prompt=w.prompt, max_new_tokens=n, **shaping)
    any_prompt = {"prompt": "any", "drafter": "any"}
    slots = dict(backbone=w.small, drafter=w.ptp, prompt="abcd", max_new_tokens=n, plan="budget=2")
    law = dict(temperature=0.9, top_k=2, top_p=0.9)
    fit = dict(steps=1, seed=1, batch=4, rate=1e-3, positions=64, every=1, progress=False, precision="float32")
    return [
        *(Call(f"mtp.{f}", getattr(mtp, f), decoding, any_prompt) for f in ("generate", "decode", "sample")),
        Call("mtp.generate slots", mtp.generate, slots, any_prompt),
        Call(
            "mtp.generate tape",
            mtp.generate,
            dict(backbone=w.tiny, drafter=None, prompt=[w.prompt], uniforms=np.full((1, 9), 0.4), max_new_tokens=n),
            any_prompt,
        ),
        Call(
            "mtp.exact_law",
            mtp.exact_law,
            dict(backbone=w.tiny, drafter=w.rough, prompt=w.prompt, n=2, rule="rejection", cells=None, **law),
            any_prompt,
        ),
        Call("mtp.exact_joint", mtp.exact_joint, dict(source=w.small, prompt="ab", n=2, top=3, **law), any_prompt),
        Call("mtp.exact_joint axes", mtp.exact_joint, dict(source=w.heads, prompt="ab", n=2, axes=w.joint), any_prompt),
        Call("mtp.exact_joint words", mtp.exact_joint, dict(source=mtp.load_corpus("stories"), prompt="", n=1, top=3)),
        Call(
            "mtp.meter",
            mtp.meter,
            dict(backbone=w.tiny, drafter=w.rough, prompt=w.prompt, n=2, samples=20, chunk=10, cells=4, seed=1)
            | dict(rule="rejection", **law),
            any_prompt,
        ),
        Call(
            "mtp.fit",
            mtp.fit,
            dict(drafter=w.heads, backbone=w.small, corpus=w.corpus, callbacks=[], text="corpus", out=None, **fit),
            {"text": "name", "corpus": Corpus},
        ),
        Call(
            "mtp.fit slots", mtp.fit, dict(drafter=w.ptp, backbone=w.small, corpus=w.corpus, **fit), {"corpus": Corpus}
        ),
        Call("mtp.recorded", mtp.recorded, dict(name="code-lookup-t1")),
        Call("mtp.load_backbone", mtp.load_backbone, dict(name="stories", device="cpu", dtype=torch.float32)),
        Call("mtp.load_corpus", mtp.load_corpus, dict(name="code", field=None)),
        Call("mtp.load_drafter", mtp.load_drafter, dict(name="stories/independent", backbone=w.stories)),
        Call("mtp.play", mtp.play, dict(trace=w.trace, start=1)),
        Call("mtp.Trace.from_json", mtp.Trace.from_json, dict(text=w.trace.to_json())),
        Call("mtp.Trace", lambda **given: shown(mtp.Trace(**given)), {"prompt": [1], "steps": w.trace.steps}),
    ]


def shown(trace: Trace):
    return mtp.play(trace), trace.metrics(), trace.to_dataframe()


def models() -> list[Call]:
    """A backbone's own functions, and the gated adapters."""
    w, model = world(), world().toy.model
    saved = Path(tempfile.mkdtemp(prefix="mtp-fuzz-"))
    w.lora.save_peft(saved / "peft")
    return [
        Call(
            "Backbone",
            lambda **given: Backbone(**given),
            dict(model=model, tokenizer=None, name="toy"),
            {"name": "text"},
        ),
        Call("Backbone.encode", w.small.encode, dict(prompt="abcd"), {"prompt": "any"}),
        Call("Backbone.decode", w.small.decode, dict(ids=[1, 2, 3])),
        Call("Backbone.cache", w.small.cache, dict(capacity=4)),
        Call("Backbone.logits", w.small.logits, dict(hidden=torch.ones(1, w.small.width))),
        Call("Backbone.save_pretrained", w.toy.save_pretrained, dict(directory=str(saved / "backbone"))),
        Call("GatedLoRA", GatedLoRA, dict(model=model, rank=2, alpha=2.0, targets="all"), {"targets": "name"}),
        Call("GatedLoRA.gate", lambda first: gated(w.lora, first), dict(first=1)),
        Call("GatedLoRA.pair", w.lora.pair, dict(name=next(iter(w.lora.layers)))),
        Call("GatedLoRA.save_peft", w.lora.save_peft, dict(directory=str(saved / "more"))),
        Call("GatedLoRA.from_peft", GatedLoRA.from_peft, dict(model=model, directory=str(saved / "peft"))),
    ]


def gated(lora: GatedLoRA, first):
    with lora.gate(first):
        return lora


def makers() -> list[Call]:
    """Every drafter with all its options, and what a drafter can be asked."""
    w = world()
    circuit = dict(
        horizon=3, rank=2, head_rank=2, depth=1, hidden=8, mixing="token", objective="conditional", discount=0.9
    )
    circuit |= dict(first=True, balance=0.1, balancing="kl")
    slots = dict(horizon=2, anchors=4)
    law = dict(temperature=0.9, top_k=3, top_p=0.9)
    taught = dict(loss="cross-entropy", source="teacher", embedding="bits", beta=1.0, **law)
    options = {
        "independent": dict(horizon=3, hidden=8, depth=1),
        **{kind: circuit for kind in ("cp", "hmm", "btree")},
        "masked": dict(rank=2, alpha=2.0, targets="all", sampler=True, residual=False, argmax=False, consistency=1.0)
        | slots,
        "ptp": dict(rank=2, alpha=2.0, targets="all", variant="one-hot", **slots, **taught),
        "student": dict(variant="one-hot", width=32, layers=1, heads=2, **slots, **taught),
        "lookup": dict(horizon=2, ngram=3),
        "oracle": dict(horizon=2, answer=[1, 2, 3]),
    }
    made = [
        Call(
            f"mtp.make_drafter {name}",
            mtp.make_drafter,
            dict(name=name, backbone=w.small, **given),
            {"targets": "name"},
        )
        for name, given in options.items()
    ]
    law = dict(temperature=0.9, top_k=0, top_p=1.0)
    return [
        *made,
        Call("Drafter.check", w.heads.check, dict(backbone=w.small)),
        Call("Drafter.shortened", w.masked.shortened, dict(slots=1)),
        Call("Drafter.start_from", w.cptp.start_from, dict(other=w.ptp), {"other": DrafterBase}),
    ]


def files() -> list[Call]:
    """What writes and reads files."""
    w, tokenizer = world(), world().small.tokenizer
    here = tempfile.mkdtemp(prefix="mtp-fuzz-")
    text = Path(here, "text.jsonl")
    text.write_text('{"text": "a document"}\n' * 4, encoding="utf-8")
    return [
        Call("Player.save", mtp.play(w.trace).save, dict(path=os.path.join(here, "page.html"))),
        Call("Drafter.save_pretrained", w.heads.save_pretrained, dict(directory=os.path.join(here, "drafter"))),
        Call("mtp.load_corpus file", mtp.load_corpus, dict(name=str(text), field="text")),
        Call("Corpus.documents", mtp.load_corpus("code").documents, dict(split="test"), {"split": "name"}),
        Call(
            "Corpus.tokens",
            mtp.load_corpus(text).tokens,
            dict(split="test", tokenizer=tokenizer, limit=20),
            {"split": "name"},
        ),
    ]


def lines() -> list[Call]:
    """Command lines; an argument that is no text is written as its repr."""
    options = dict(prompt="A", max_new_tokens=2, temperature=1.0, top_k=0, top_p=1.0, seed=0, rule="match")
    more = dict(backbone="stories", drafter="stories/independent", plan="linear", device="cpu", json=None, html=None)
    kinds = {key: "any" for key in (*options, *more)}
    return [Call("mtp-explore generate", command_line, options | more, kinds)]


def command_line(**options) -> str:
    """`mtp-explore generate` with these options: what it prints; Refusal where it ends with exit code 2."""
    argv = ["mtp-explore", "generate"]
    for key, value in options.items():
        if value is not None:
            argv += [f"--{key.replace('_', '-')}", value if isinstance(value, str) else safe(value)]
    out, err = io.StringIO(), io.StringIO()
    try:
        with mock.patch.object(sys, "argv", argv), redirect_stdout(out), redirect_stderr(err):
            cli.main()
    except SystemExit as end:
        if end.code == 2:
            told = err.getvalue()
            raise Refusal(" ".join(told.replace("│", " ").split())) from None
        if end.code:
            raise RuntimeError(f"exit code {end.code}") from None
    return out.getvalue()


def safe(value) -> str:
    try:
        return repr(value)[:300]
    except Exception:
        return "?"
