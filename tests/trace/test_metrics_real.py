"""Metrics of real generations: three drafters, all rules, sampled and greedy, on a tiny random Llama."""

import pytest

from mtp_explore.trace.metrics import joined, metrics, pooled
from mtp_explore.trace.records import IGNORED, KEPT, REFUSED, Trace
from tests.trace.identities import broken

V, EOS, LIMIT = 12, 3, 24


@pytest.fixture(scope="module")
def backbone():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from mtp_explore.backbone.load import Backbone

    torch.manual_seed(0)
    sizes = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
    sizes |= dict(vocab_size=V, max_position_embeddings=128, initializer_range=0.3)  # far from uniform laws
    config = LlamaConfig(**sizes, eos_token_id=EOS, bos_token_id=None)
    return Backbone(LlamaForCausalLM(config))


@pytest.fixture(scope="module")
def real(backbone):
    """Generations by three drafters, by all rules, sampled and greedy, until the end of text or the limit."""
    from mtp_explore.decode.generate import generate
    from mtp_explore.drafters import make_drafter

    prompts = [[1, 2, 5, 1, 2], [4, 4], [7, 8, 9, 7, 8, 9], [2], [6, 1, 0]]
    out = []
    for temperature, rule in [(0, "match"), (1.0, "match"), (1.0, "rejection"), (1.0, "block")]:
        options = dict(max_new_tokens=LIMIT, temperature=temperature, seed=1)
        plain = generate(backbone, None, prompts, **options)
        drafters = [
            make_drafter("independent", backbone, horizon=4),
            make_drafter("lookup", backbone, horizon=4, ngram=2),
            make_drafter("oracle", backbone, horizon=5, answer=plain),
        ]
        out += plain
        for drafter in drafters:
            out += generate(backbone, drafter, prompts, rule=rule, **options)
    return out


# The traces below show every case that the metrics must get right.
def test_real_traces_show_all_cases(real):
    steps = [s for t in real for s in t.steps]
    cut = [(t.finish, t.steps[-1]) for t in real if metrics(t)["num_cut_steps"]]
    assert {finish for finish, _ in cut} == {"eos", "length"}
    assert any(finish == "eos" and s.kept < s.accepted for finish, s in cut)
    assert any(s.kept == s.accepted for _, s in cut)
    assert any(t.finish == "eos" and not metrics(t)["num_cut_steps"] for t in real)
    assert any(not s.drafts for t in real for s in t.steps[1:])
    assert any(s.drafts and s.accepted == 0 for s in steps) and any(0 < s.accepted == len(s.drafts) for s in steps)


# On real generations the identities hold, and the metrics equal a recount of the rows of the trace's DataFrame.
def test_real_traces_recounted(real):
    for t in real:
        m, rows = metrics(t), t.to_dataframe()
        assert broken(m) == set()
        drafts, own = rows[rows.source == "draft"], rows[rows.source != "draft"]
        assert m["tokens"] == rows.committed.sum() == len(t.tokens) and m["calls"] == len(own)
        assert m["num_accepted_draft_tokens"] == drafts.committed.sum()
        assert m["num_target_tokens"] == own.committed.sum()
        assert (m["num_draft_tokens"], m["num_spec_steps"]) == (len(drafts), drafts.step.nunique())
        per_place = drafts[drafts.committed.astype(bool)].groupby("place").size()
        assert m["num_accepted_tokens_per_pos"] == [per_place.get(k, 0) for k in range(1, m["num_spec_tokens"] + 1)]
        if not m["num_cut_steps"]:
            verdicts = [int((drafts.verdict == v).sum()) for v in (KEPT, REFUSED, IGNORED)]
            assert verdicts == [m[f"num_{x}_draft_tokens"] for x in ("accepted", "refused", "ignored")]
    assert metrics(joined(real))["tokens"] == sum(len(t.tokens) for t in real)


# An oracle of the same tape is never refused, plain decoding has one token per call, one-hot refusals have no rank.
def test_real_drafters(real):
    by = {}
    for t in real:
        by.setdefault((t.settings["drafter"], t.settings["rule"]), []).append(t)
    assert pooled(by["plain", "match"])["tokens_per_call"] == 1
    oracle, lookup = pooled(by["oracle", "match"]), pooled(by["lookup", "match"])
    assert oracle["num_refused_draft_tokens"] == 0 and oracle["tested_acceptance_rate"] == 1
    assert lookup["num_refused_draft_tokens"] == lookup["num_unranked_refusals"] > 0
    ranked = pooled(by["independent", "rejection"])
    assert sum(ranked["rank_ledger"].values()) == ranked["num_refused_draft_tokens"] > 0
    assert max(ranked["rank_ledger"]) < V


# A trace that went through JSON has the same metrics.
def test_metrics_survive_json(real):
    assert all(metrics(Trace.from_json(t.to_json())) == metrics(t) for t in real[::7])
