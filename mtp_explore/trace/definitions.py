"""Every number that speculative decoding is judged by, one function per metric, from the trace alone.

Legend, over the steps s of a trace (one step = one backbone call, the prefill is the first):

    spec step   a step with at least one draft;    S   how many there are;    K   the horizon
    n   drafts of a step            t   tokens it committed
    a   drafts it committed (`Step.kept`): what lies behind the end of the text is not accepted, whatever the rule said
    tested   drafts whose place in the text was filled, min(n, t): the a kept, and the refused one if y' replaced it
    cut      a step that committed fewer tokens than its rule gave, so without y' (end of text, length limit)

Names are vLLM's where it has one (docs.vllm.ai, "Per-Request Acceptance Metrics"). One difference: vLLM counts what the
rule accepted before the text is cut, we count what was committed, so that these hold exactly:

    tokens = num_accepted_draft_tokens + num_target_tokens        (the second: how many y' were committed)
    tokens = calls + num_accepted_draft_tokens - num_cut_steps

On a trace without a cut both counts agree. Under the block rule a test is read off its result: the first a drafts
passed, the next one did not. A ratio whose denominator is 0 is None, never 0. Ranks are those of the shaped q.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from .records import Step, Trace


class Metric(NamedTuple):
    """One entry of the glossary."""

    name: str
    formula: str
    who: str  # who uses this definition
    function: Callable[[Trace], Any]

    @property
    def meaning(self) -> str:
        """What it says, in a sentence or two."""
        return " ".join((self.function.__doc__ or "").split())


GLOSSARY: dict[str, Metric] = {}


def metric(formula: str, who: str):
    """Enter a function of a trace in the glossary, under its own name."""

    def enter(function: Callable[[Trace], Any]) -> Callable[[Trace], Any]:
        GLOSSARY[function.__name__] = Metric(function.__name__, formula, who, function)
        return function

    return enter


def _spec(trace: Trace) -> list[Step]:
    return [s for s in trace.steps if s.drafts]


def _tested(step: Step) -> int:
    return min(len(step.drafts), len(step.tokens))


def _refusals(trace: Trace) -> list[Step]:
    """Steps in which y' took the place of a refused draft."""
    return [s for s in _spec(trace) if _tested(s) > s.kept]


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


# --- counts ---------------------------------------------------------------------------------------------------------


@metric("Σ t", "everyone")
def tokens(trace: Trace) -> int:
    """Committed tokens."""
    return sum(len(s.tokens) for s in trace.steps)


@metric("number of steps", "everyone")
def calls(trace: Trace) -> int:
    """Backbone calls, the prefill counted."""
    return len(trace.steps)


@metric("K", "vLLM")
def num_spec_tokens(trace: Trace) -> int:
    """The horizon: how many drafts a step may verify. Steps may bring fewer."""
    return max([trace.settings.get("horizon") or 0, *(len(s.drafts) for s in trace.steps)])


@metric("S", "vLLM")
def num_spec_steps(trace: Trace) -> int:
    """Calls that verified at least one draft; the prefill never does."""
    return len(_spec(trace))


@metric("Σ n", "vLLM")
def num_draft_tokens(trace: Trace) -> int:
    """All drafts that were put before the target, also those behind a refusal or behind the end of the text."""
    return sum(len(s.drafts) for s in trace.steps)


@metric("Σ min(n, t)", "LM Studio (accepted + rejected)")
def num_tested_draft_tokens(trace: Trace) -> int:
    """Drafts whose place in the text was filled, by themselves or by the target's token instead of them."""
    return sum(map(_tested, trace.steps))


@metric("Σ a", "vLLM")
def num_accepted_draft_tokens(trace: Trace) -> int:
    """Drafts that became text."""
    return sum(s.kept for s in trace.steps)


@metric("tested - accepted", "LM Studio (rejected)")
def num_refused_draft_tokens(trace: Trace) -> int:
    """Drafts in whose place the target's own token stands: at most one per step."""
    return len(_refusals(trace))


@metric("drafted - tested", "LM Studio (ignored)")
def num_ignored_draft_tokens(trace: Trace) -> int:
    """Drafts that nobody needed: behind a refusal, or behind the end of the text."""
    return num_draft_tokens(trace) - num_tested_draft_tokens(trace)


@metric("steps that committed y'", "this package")
def num_target_tokens(trace: Trace) -> int:
    """Committed y': tokens that came from the target's side of a rule (plain, bonus, residual or its own pick)."""
    return sum(len(s.tokens) > s.accepted for s in trace.steps)


@metric("steps that did not commit y'", "this package")
def num_cut_steps(trace: Trace) -> int:
    """Calls whose y' was not committed because the text ended before it: at most one per text, its last."""
    return sum(len(s.tokens) <= s.accepted for s in trace.steps)


# --- rates of acceptance --------------------------------------------------------------------------------------------


@metric("accepted / drafted", "vLLM, AIPerf; llama.cpp since #14104")
def draft_acceptance_rate(trace: Trace) -> float | None:
    """The share of all proposed drafts that became text. Falls as K grows: drafts behind a refusal count against it."""
    return _ratio(num_accepted_draft_tokens(trace), num_draft_tokens(trace))


@metric("accepted / tested", "the i.i.d. α of Leviathan et al. (2211.17192)")
def tested_acceptance_rate(trace: Trace) -> float | None:
    """The share of tested drafts that became text: the likeliest α if every test were the same coin."""
    return _ratio(num_accepted_draft_tokens(trace), num_tested_draft_tokens(trace))


@metric("k ↦ steps with a ≥ k, k = 1..K", "vLLM (Prometheus)")
def num_accepted_tokens_per_pos(trace: Trace) -> list[int]:
    """How often the k-th draft became text; the sum over k is the number of accepted drafts."""
    return [sum(s.kept >= k for s in trace.steps) for k in range(1, num_spec_tokens(trace) + 1)]


@metric("k ↦ steps with a ≥ k / S, k = 1..K", "vLLM's log, llama.cpp since #24536")
def per_position_rate(trace: Trace) -> list[float | None]:
    """P(draft k accepted), unconditional: the curve that falls with k even where every draft is equally good."""
    steps = num_spec_steps(trace)
    return [_ratio(n, steps) for n in num_accepted_tokens_per_pos(trace)]


@metric("k ↦ steps with a ≥ k / steps that tested k, k = 1..K", "EAGLE's n-α, vllm#9565")
def conditional_rate(trace: Trace) -> list[float | None]:
    """α_k = P(draft k accepted given the k - 1 before it): the only rate that does not depend on K."""
    tested = [sum(_tested(s) >= k for s in trace.steps) for k in range(1, num_spec_tokens(trace) + 1)]
    return [_ratio(n, m) for n, m in zip(num_accepted_tokens_per_pos(trace), tested, strict=True)]


# --- lengths and what a call buys -----------------------------------------------------------------------------------


@metric("τ = 1 + accepted / S", "vLLM, EAGLE, Spec-Bench, AIPerf")
def mean_acceptance_length(trace: Trace) -> float | None:
    """Tokens per spec step, the target's own included; a cut step counts as if its y' had been committed."""
    extra = _ratio(num_accepted_draft_tokens(trace), num_spec_steps(trace))
    return None if extra is None else 1 + extra


@metric("(1 - α^(K+1)) / (1 - α), α = accepted / tested", "Leviathan et al. (2211.17192), eq. 1")
def iid_acceptance_length(trace: Trace) -> float | None:
    """What τ would be if every test were the same coin and every step brought K drafts."""
    alpha, k = tested_acceptance_rate(trace), num_spec_tokens(trace)
    return None if alpha is None else math.fsum(alpha**i for i in range(k + 1))


@metric("i.i.d. length - τ", "EAGLE#169 asks")
def iid_gap(trace: Trace) -> float | None:
    """How far the i.i.d. formula misses: α is not constant in k, and steps may bring fewer than K drafts."""
    guess, tau = iid_acceptance_length(trace), mean_acceptance_length(trace)
    return None if guess is None or tau is None else guess - tau


@metric("tokens / calls", "EAGLE's web demo")
def compression_ratio(trace: Trace) -> float | None:
    """Committed tokens per backbone call, prefill and plain steps counted."""
    return _ratio(tokens(trace), calls(trace))


@metric("tokens / calls", "this package")
def tokens_per_call(trace: Trace) -> float | None:
    """The compression ratio by its plain name: 1 for ordinary decoding, never above K + 1."""
    return compression_ratio(trace)


@metric("tokens of spec steps / ((K+1) S)", "vLLM before its V1 engine")
def system_efficiency(trace: Trace) -> float | None:
    """The share of the tokens that spec steps could have emitted at best."""
    steps = _spec(trace)
    return _ratio(sum(len(s.tokens) for s in steps), (num_spec_tokens(trace) + 1) * len(steps))


# --- step by step, and at the refusals ------------------------------------------------------------------------------


@metric("j ↦ spec steps with a = j, j = 0..K", "vLLM, AIPerf")
def acceptance_histogram(trace: Trace) -> list[int]:
    """How many spec steps accepted exactly j drafts; y' is not counted."""
    found = Counter(per_step_accepted(trace))
    return [found[j] for j in range(num_spec_tokens(trace) + 1)]


@metric("a of every spec step", "vLLM (detailed)")
def per_step_accepted(trace: Trace) -> list[int]:
    """Accepted drafts of the spec steps, in order."""
    return [s.kept for s in _spec(trace)]


@metric("n of every spec step", "vLLM (detailed)")
def per_step_drafted(trace: Trace) -> list[int]:
    """Drafts of the spec steps, in order."""
    return [len(s.drafts) for s in _spec(trace)]


@metric("r ↦ refusals whose y' the draft ranked r-th (0 = first choice)", "llama.cpp#28110")
def rank_ledger(trace: Trace) -> dict[int, int]:
    """Where the draft's law ranked the token that the target put in a refused draft's place: would a wider draft have
    had it? A sampled draft can lose to its own law's first choice, rank 0.
    """
    ranks = [_rank(s) for s in _refusals(trace)]
    return dict(sorted(Counter(r for r in ranks if r is not None).items()))


@metric("refusals - Σ ledger", "this package")
def num_unranked_refusals(trace: Trace) -> int:
    """Refusals whose y' the draft did not rank: always so for one-hot drafters, which name one token."""
    return sum(_rank(s) is None for s in _refusals(trace))


@metric("refusals whose y' had rank 1 / refusals", "llama.cpp#28110")
def second_choice_rate(trace: Trace) -> float | None:
    """How often the draft's second choice was what the target said: the gain of one more branch at a refusal."""
    return _ratio(rank_ledger(trace).get(1, 0), num_refused_draft_tokens(trace))


def _rank(step: Step) -> int | None:
    """Where the draft ranked the token that replaced it; None for one-hot drafts, which rank nothing."""
    return step.drafts[step.accepted].rank
