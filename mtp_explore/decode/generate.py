"""`generate`, `decode` and `sample`: the loop with its arguments checked and its result recorded.

All three take a `Backbone`, a drafter (None: ordinary decoding) and a prompt: a string, a list of token ids, or a list
of either (a batch, whose rows have streams (seed, 0), (seed, 1), ...).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from ..backbone.load import Backbone
from ..backbone.prompt import is_single, unpacked
from ..checks import flag, shaping, whole
from ..contract import Drafter
from ..corpora.tokenizer import name_of
from ..tensors.categorical import shape
from ..trace.records import Step, Trace
from ..verify import match, rule_named
from .arguments import pair, refuse_unknown, seed_and_row
from .loop import Call, run
from .plan import resolve
from .recorder import Recorder
from .tape import make_tape


def generate(backbone: Backbone, drafter: Drafter | None, prompt, max_new_tokens: int = 64, **options):
    """Generate text and record every decision: a `Trace`, or a list of them for a batch.

    Options, with their defaults: temperature=1.0 (0: greedy), top_k=0, top_p=1.0, applied to p and q alike;
    rule=None ("match" for temperature 0 or a one-hot draft, else "rejection"; also "block"); plan=None ("quadratic"
    for drafters with slots; "linear", "budget=<slots>"); seed=0 (or (seed, first row)); uniforms=None
    ([B, >= max_new_tokens + 2K + 1], for rule "match"); eos=True (end-of-text tokens end a row).
    Errors (ValueError): a value out of range, an unknown rule or plan, an empty or too long prompt, token ids outside
    the vocabulary, a drafter made for another backbone.
    """
    clock = time.perf_counter()
    job = _Job(backbone, drafter, prompt, max_new_tokens, **options)
    recorder = Recorder(job.rule, len(job.prompts))
    ended = None
    for call in job.calls(describe=True):
        recorder.add(call)
        ended = call
    recorder.flush()
    seconds = time.perf_counter() - clock
    by_eos, length = ended.ended.tolist(), ended.length.tolist()
    traces = [job.trace(r, steps, by_eos[r], length[r], seconds) for r, steps in enumerate(recorder.rows)]
    return traces[0] if job.single else traces


def decode(backbone: Backbone, drafter: Drafter | None, prompt, max_new_tokens: int = 64, **options) -> Iterator:
    """`generate`, one step at a time: yields a `Step` per backbone call, or for a batch a list of them (None for rows
    that have ended). Options and errors as there.
    """
    job = _Job(backbone, drafter, prompt, max_new_tokens, **options)
    recorder = Recorder(job.rule, len(job.prompts))

    def steps() -> Iterator[Step | list[Step | None]]:
        for call in job.calls(describe=True):
            recorder.add(call)
            for row in recorder.flush():
                yield row[0] if job.single else row

    return steps()


class Sample(NamedTuple):
    """What generation without a record returns."""

    tokens: Tensor  # [B, N] new tokens, padded with 0; N = max_new_tokens, or what the context has room for
    length: Tensor  # [B] how many of them are real
    calls: int  # backbone calls, the prefill counted
    drafted: Tensor  # [calls, B] drafts verified
    accepted: Tensor  # [calls, B] drafts accepted by the rule


def sample(backbone: Backbone, drafter: Drafter | None, prompt, max_new_tokens: int = 64, **options) -> Sample:
    """`generate` without records, for many rows at once: the device is read once per step and nothing is kept but the
    tokens. Rows that share one prompt share its prefill. Options and errors as in `generate`.
    """
    job = _Job(backbone, drafter, prompt, max_new_tokens, **options)
    drafted, accepted, calls = [], [], 0
    for call in job.calls(describe=False):
        alive = call.committed > 0
        drafted.append(call.draft.n * alive)
        accepted.append(call.verdict.accepted * alive)
        calls += 1
    start = call.length.new_tensor([len(p) for p in job.prompts])
    place = torch.arange(job.length, device=start.device)
    new = call.tokens.gather(1, (start[:, None] + place).clamp(max=call.tokens.shape[1] - 1))
    length = call.length - start
    new = new.masked_fill(place >= length[:, None], 0)
    return Sample(new, length, calls, torch.stack(drafted), torch.stack(accepted))


class _Job:
    """The checked arguments of one generation."""

    def __init__(
        self,
        backbone: Backbone,
        drafter: Drafter | None,
        prompt,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        rule=None,
        plan=None,
        seed: int | tuple[int, int] = 0,
        uniforms=None,
        eos: bool = True,
        **unknown,
    ):
        refuse_unknown(unknown)
        pair(backbone, drafter)
        max_new_tokens = whole("max_new_tokens", max_new_tokens, 1)
        options = shaping(temperature, top_k, top_p)
        if drafter:
            drafter.advise(**options)
        seed, self.first = seed_and_row(seed)
        self.prompts, self.single = backbone.encode(prompt), is_single(unpacked(prompt))
        exact = options["temperature"] == 0 or drafter is None or drafter.one_hot
        self.rule = rule_named(("match" if exact else "rejection") if rule is None else rule)
        self.backbone, self.drafter, self.max_new_tokens = backbone, drafter, max_new_tokens
        self.length = min(max_new_tokens, backbone.context - min(map(len, self.prompts)))  # the most that can come
        self.plan = resolve(plan, drafter, options["temperature"] == 0)
        self.shape = partial(shape, **options)
        horizon = drafter.horizon if drafter else 0
        rows = len(self.prompts)
        by_position = drafter is None or self.rule is match
        place = (seed, self.first), uniforms, backbone.device
        self.tape = make_tape(by_position, options["temperature"], rows, horizon, self.length, *place)
        self.eos = backbone.eos if flag("eos", eos) else []
        self.settings = dict(
            backbone=backbone.name,
            drafter=drafter.name if drafter else "plain",
            rule=getattr(self.rule, "__name__", "rule").rpartition(".")[2],
            plan=plan if isinstance(plan, str) else getattr(self.plan, "__name__", "plan"),
            horizon=horizon,
            **options,
            seed=seed,
            vocabulary=backbone.vocabulary,
        )

    def calls(self, describe: bool) -> Iterator[Call]:
        return run(
            *(
                self.backbone,
                self.drafter,
                self.prompts,
                self.length,
                self.shape,
                self.rule,
                self.plan,
            ),
            *(self.tape, self.eos, describe),
        )

    def trace(self, row: int, steps: list[Step], by_eos: bool, length: int, seconds: float) -> Trace:
        prompt = self.prompts[row]
        new = [t for s in steps for t in s.tokens]
        ids = {*prompt, *new}
        for s in steps:
            ids.add(s.token)
            ids.update(dict(s.p_top), dict(s.residual_top))
            for d in s.drafts:
                ids.add(d.token)
                ids.update(dict(d.p_top), dict(d.q_top))
        full = length - len(prompt) < self.max_new_tokens
        prompt_text, text = self.backbone.continued(prompt, new)
        return Trace(
            prompt=prompt,
            steps=steps,
            prompt_text=prompt_text,
            text=text,
            pieces={t: self._piece(t) for t in sorted(ids)},
            settings={**self.settings, "stream": self.first + row},
            finish="eos" if by_eos else "context" if full else "length",
            seconds=seconds,
        )

    def _piece(self, token: int) -> str:
        known = self.backbone.pieces
        if token not in known:
            known[token] = name_of(self.backbone.tokenizer, token)
        return known[token]
