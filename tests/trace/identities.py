"""What the tests of the metrics share: records built from counts, a trace counted by hand, and the identities."""

import math

from mtp_explore.trace.records import BONUS, IGNORED, KEPT, PLAIN, REFUSED, RESIDUAL, Drafted, Step, Trace


def step(n: int, a: int, committed: int | None = None, rank: int = 1) -> Step:
    """A step with n drafts of which a were accepted; tokens 1..n are drafts, 99 is y'; `committed` cuts it."""
    verdicts = [KEPT] * a + [REFUSED] * (a < n) + [IGNORED] * (n - a - 1)
    wide = [(token, 0.1) for token in range(10, 15)]
    drafts = [
        Drafted(k + 1, 0.5, 0.5, 1.0, 0.5, v, None if v == IGNORED else rank if k == a else 0, q_top=wide)
        for k, v in enumerate(verdicts)
    ]
    tokens = [*range(1, a + 1), 99][:committed]
    source = PLAIN if n == 0 else BONUS if a == n else RESIDUAL
    return Step(0, 7, drafts, a, 99, tokens, source, 0.5, 0.5)


def trace(*steps: Step, horizon: int = 3) -> Trace:
    return Trace([0], [step(0, 0), *steps], settings={"horizon": horizon})


# Two refusals (ranks 1 and 4), a step without drafts, a short draft, and an end of text among three accepted drafts.
HAND = trace(step(3, 2), step(3, 3), step(0, 0), step(2, 0, rank=4), step(3, 3, committed=2))


def near(a: float | None, b: float | None) -> bool:
    return a is b is None or (a is not None and b is not None and math.isclose(a, b, abs_tol=1e-12))


def broken(m: dict) -> set[str]:
    """Names of the identities that the metrics `m` of one trace violate."""
    k, s, per_pos = m["num_spec_tokens"], m["num_spec_steps"], m["num_accepted_tokens_per_pos"]
    accepted, tested, drafted = (m[f"num_{x}_tokens"] for x in ("accepted_draft", "tested_draft", "draft"))
    histogram, tau = m["acceptance_histogram"], m["mean_acceptance_length"]
    plain = m["calls"] - s
    truths = {
        "tokens = accepted + committed y'": m["tokens"] == accepted + m["num_target_tokens"],
        "calls = committed y' + cuts": m["calls"] == m["num_target_tokens"] + m["num_cut_steps"],
        "one text is cut once": m["num_cut_steps"] <= 1,
        "drafted = accepted + refused + ignored": drafted
        == accepted + m["num_refused_draft_tokens"] + m["num_ignored_draft_tokens"],
        "accepted <= tested <= drafted <= K S": accepted <= tested <= drafted <= k * s,
        "accepted = sum over places": accepted == sum(per_pos),
        "accepted = sum over steps": accepted == sum(m["per_step_accepted"]),
        "drafted = sum over steps": drafted == sum(m["per_step_drafted"]),
        "one entry per spec step": len(m["per_step_accepted"]) == len(m["per_step_drafted"]) == s,
        "histogram sums to S": sum(histogram) == s and len(histogram) == k + 1,
        "histogram's first moment": accepted == sum(j * h for j, h in enumerate(histogram)),
        "histogram's tails": per_pos == [sum(histogram[j:]) for j in range(1, k + 1)],
        "refusals = ledger + unranked": m["num_refused_draft_tokens"]
        == sum(m["rank_ledger"].values()) + m["num_unranked_refusals"],
        "compression = tokens / calls": m["compression_ratio"] == m["tokens_per_call"] == m["tokens"] / m["calls"],
        "undefined iff no drafts": [m[x] is None for x in RATIOS] == [s == 0] * len(RATIOS),
        "undefined iff no refusals": (m["second_choice_rate"] is None) == (m["num_refused_draft_tokens"] == 0),
    }
    if s:
        rates, given_earlier = m["per_position_rate"], m["conditional_rate"]
        alpha, efficiency = m["tested_acceptance_rate"], m["system_efficiency"]
        truths |= {
            "tau = 1 + sum_k P(a >= k)": near(tau, 1 + sum(rates)),
            "tau within 1..K+1": 1 <= tau <= k + 1,
            "rates fall with k": rates == sorted(rates, reverse=True),
            "unconditional <= conditional": all(
                r == 0 if c is None else r <= c <= 1 for r, c in zip(rates, given_earlier, strict=True)
            ),
            "draft rate <= tested rate": 0 <= m["draft_acceptance_rate"] <= alpha <= 1,
            "tokens = S tau + plain - cuts": near(m["tokens"], s * tau + plain - m["num_cut_steps"]),
            "efficiency": near(efficiency * (k + 1) * s, m["tokens"] - plain) and efficiency <= 1,
            "i.i.d. length": near(
                m["iid_acceptance_length"], k + 1 if alpha == 1 else (1 - alpha ** (k + 1)) / (1 - alpha)
            ),
            "gap": near(m["iid_gap"], m["iid_acceptance_length"] - tau),
        }
    return {name for name, true in truths.items() if not true}


RATIOS = "draft_acceptance_rate tested_acceptance_rate mean_acceptance_length iid_acceptance_length iid_gap".split()
RATIOS += ["system_efficiency"]
