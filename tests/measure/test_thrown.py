"""Throws in bulk against the decoding loop, against sweeps of Pick and against one window at a time."""

import pytest
import torch
from toys import CONTEXT, VOCABULARY, on_every_device, ragged, toy

from mtp_explore.decode.generate import generate, sample
from mtp_explore.drafters import make_drafter
from mtp_explore.measure import thrown
from mtp_explore.tensors.categorical import pick, shape, total_variation
from tests.drafters.test_ptp import made as ptp_of

K = 3
CUT = {"temperature": 0.7, "top_k": 9, "top_p": 0.9}


def rows(n: int, size: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, n, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def text_after(backbone, prompt: list[int], n: int, **law):
    tokens = torch.tensor([prompt], device=backbone.device)
    return thrown.text_of(backbone, tokens, torch.full((1, n), len(prompt) - 1, device=backbone.device), **law)


# The target's tokens under given dice are those of ordinary decoding on the same tape, with and without a (wrong) guess
# to start from, and the laws are those that decoding met.
@on_every_device
@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
@pytest.mark.parametrize("law", [{}, CUT])
def test_own_tokens_are_ordinary_decoding(architecture, law, device):
    backbone, prompt = toy(architecture, device), ragged()[1]
    w = rows(12, K + 1).to(device)
    tape = torch.cat([w[0], w[0].flip(1)], 1)
    wanted = sample(backbone, None, [prompt] * 12, K + 1, uniforms=tape, eos=False, **law).tokens
    text = text_after(backbone, prompt, 12, **law)
    for guess in (None, torch.ones(1, 12, K, dtype=torch.long, device=device)):
        found = thrown.own(text, w, guess)
        assert torch.equal(found.tokens[0], wanted)
        assert torch.equal(pick(found.laws, w), found.tokens)
    one = torch.tensor([[*prompt, *wanted[0].tolist()]], device=device)
    logits = backbone.model(one).logits[0, len(prompt) - 1 : -1]
    torch.testing.assert_close(found.laws[0, 0], shape(logits, **law), atol=1e-5, rtol=0)


# Windows may go on from many places of several texts at once: each is what it is alone.
def test_many_anchors_are_each_alone():
    backbone, texts = toy("gpt2"), torch.tensor([ragged(3, (9,))[0], ragged(4, (9,))[0]])
    anchors = torch.tensor([[2, 5, 8], [1, 5, 7]])
    w = torch.rand(2, 3, K + 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    drafter = ptp_of(backbone, K)
    together = thrown.text_of(backbone, texts, anchors)
    own = thrown.own(together, w)
    drafts = thrown.drafts(drafter, together, w, own.tokens[..., 0]).tokens
    for b in range(2):
        for a in range(3):
            alone = text_after(backbone, texts[b, : anchors[b, a] + 1].tolist(), 1)
            one = thrown.own(alone, w[b, a][None, None])
            assert torch.equal(one.tokens[0, 0], own.tokens[b, a])
            found = thrown.drafts(drafter, alone, w[b, a][None, None], one.tokens[..., 0])
            assert torch.equal(found.tokens[0, 0], drafts[b, a])


# What decoding has written by then is the anchor's document, and y'.
def test_many_anchors_have_each_its_text():
    backbone, anchors = toy("gpt2"), torch.tensor([[1, 3, 5], [0, 4, 5]])
    texts, first = torch.tensor([[7, 8, 0, 4, 5, 6], [0, 3, 3, 3, 0, 9]]), torch.tensor([[1, 2, 3], [4, 5, 6]])
    tokens, length = thrown.committed(thrown.text_of(backbone, texts, anchors), first)
    wanted = [[7, 8, 1], [0, 4, 2], [0, 4, 5, 6, 3], [0, 4], [0, 5], [0, 9, 6]]
    assert [row[:n].tolist() for row, n in zip(tokens, length, strict=True)] == wanted
    prompts, length = thrown.committed(thrown.text_of(backbone, texts, anchors, whole=True), first)
    assert prompts[2].tolist() == [7, 8, 0, 4, 5, 6, 3] and length.tolist() == [3, 5, 7, 2, 6, 7]


# A prompt is read whole, as decoding reads it; in windows of text an end of text begins a document. Where the places
# end, that is said.
def test_a_prompt_is_one_document():
    backbone, w = toy("gpt2"), rows(1, K + 1)
    tape = torch.cat([w[0], w[0]], 1)
    for prompt in ([5, 6, 0, 7], [5, 6, 0], [1] * (CONTEXT - K)):
        wanted = sample(backbone, None, prompt, K, uniforms=tape, eos=False).tokens[0].tolist()
        found, alone = (thrown.own(text_after(backbone, p, 1, whole=True), w).tokens[0, 0, :K] for p in (prompt, [7]))
        assert found.tolist() == wanted
        if prompt[-1] == 7:
            assert thrown.own(text_after(backbone, prompt, 1), w).tokens[0, 0, :K].tolist() != wanted != alone.tolist()
    with pytest.raises(ValueError, match=f"w has 4 dice for a text of {CONTEXT - K + 1} tokens.*{CONTEXT} places: cut"):
        thrown.own(text_after(backbone, [1] * (CONTEXT - K + 1), 1), w)


# Drafts and their laws are those of the loop's first window, for slots with and without laws, for heads, for a chain
# that hears its own drafts, and for a network that reads what is written.
@pytest.mark.parametrize("kind", ["one-hot", "categorical", "independent", "hmm", "student"])
def test_drafts_are_those_of_the_loop(kind):
    backbone, prompt = toy("gpt2"), ragged()[1]
    if kind in ("one-hot", "categorical"):
        drafter = ptp_of(backbone, K, variant=kind)
    else:
        drafter = make_drafter(kind, backbone, horizon=K, **({"variant": "categorical"} if kind == "student" else {}))
        for x in drafter.parameters():
            x.data.add_(0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(2)))
    tape = torch.rand(1, 30, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    trace = generate(backbone, drafter, prompt, 8, rule="match", uniforms=tape, eos=False)
    step = trace.steps[1]
    text, w = text_after(backbone, prompt, 1), tape[:, : K + 1][:, None]
    own = thrown.own(text, w)
    found = thrown.drafts(drafter, text, w, own.tokens[..., 0])
    assert found.tokens[0, 0].tolist() == [d.token for d in step.drafts]
    assert thrown.correct(found.tokens, own.tokens).item() == step.accepted
    assert (found.laws is None) == drafter.one_hot
    if found.laws is not None:
        q = found.laws[0, 0].gather(1, found.tokens[0, 0][:, None])[:, 0]
        torch.testing.assert_close(q, torch.tensor([d.q for d in step.drafts]).double(), atol=1e-5, rtol=0)


# The share on which two laws name one token is what a fine sweep of u counts; it is 1 for equal laws and never above
# what the best coupling reaches.
def test_agreement_is_a_sweep():
    g = torch.Generator().manual_seed(0)
    p, q = (torch.rand(6, 7, generator=g, dtype=torch.float64) ** 4 for _ in range(2))
    p, q = p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)
    q[0] = p[0]
    u = ((torch.arange(20_000) + 0.5) / 20_000).double()
    swept = torch.stack([(pick(a.expand(len(u), -1), u) == pick(b.expand(len(u), -1), u)).double().mean()
                         for a, b in zip(p, q, strict=True)])  # fmt: skip
    found = thrown.agreement(p, q)
    torch.testing.assert_close(found, swept, atol=1e-3, rtol=0)
    assert found[0].item() == pytest.approx(1) and (found <= 1 - total_variation(p, q) + 1e-12).all()


# A draft is absurd where the model, given the text and the drafts before it, says it less often than `rare`; it is
# asked about only where those before it were not.
def test_absurd_drafts_one_by_one():
    backbone, prompt, n, rare = toy("gpt2"), ragged()[1], 5, 0.05
    text = text_after(backbone, prompt, n)
    g = torch.Generator().manual_seed(1)
    told = torch.randint(0, VOCABULARY, (1, n, K + 1), generator=g)
    bad, sound = thrown.absurd(text, told[..., 1:], told[..., 0], rare)
    for i in range(n):
        possible = True
        for k in range(1, K + 1):
            ids = torch.tensor([[*prompt, *told[0, i, :k].tolist()]])
            chance = backbone.model(ids).logits[0, -1].softmax(-1)[told[0, i, k]].item()
            assert bad[0, i, k - 1].item() == (chance < rare) and sound[0, i, k - 1].item() == possible
            possible = possible and chance >= rare
    assert bad.any() and not bad.all() and sound.any() and not sound.all()


# Right drafts count from the start only.
def test_correct_counts_the_beginning():
    tokens = torch.tensor([[9, 1, 2, 3], [9, 1, 2, 3], [9, 1, 2, 3]])
    drafts = torch.tensor([[1, 2, 3], [1, 0, 3], [0, 2, 3]])
    assert thrown.correct(drafts, tokens).tolist() == [3, 1, 0]
