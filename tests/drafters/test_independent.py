"""Independent heads: the papers' formulas in plain loops, the start as next-token heads, losses and their gradients."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F
from toys import VOCABULARY, on_every_device, ragged, toy

from mtp_explore.contract import State
from mtp_explore.decode.generate import generate
from mtp_explore.drafters import independent, make_drafter
from mtp_explore.tensors.logprob import target_logprob

K, B = 4, 5
on_every_depth = pytest.mark.parametrize("depth", [0, 1, 2])


def made(depth: int, device: str = "cpu", trained: bool = True):
    """Heads on a float64 model, with random weights everywhere if `trained`."""
    torch.manual_seed(depth)
    drafter = make_drafter("independent", toy("gpt2", device, torch.float64), horizon=K, hidden=6, depth=depth)
    if trained:
        for w in drafter.parameters():
            w.data.normal_(0, 0.4)
    return drafter


def state(drafter, seed: int = 0) -> State:
    """What a call hands over; a drafter without slots looks at `hidden` alone."""
    draw, device = torch.Generator().manual_seed(seed), drafter.backbone.device
    hidden = torch.randn(B, drafter.backbone.width, generator=draw, dtype=torch.float64).to(device)
    text, length = torch.zeros(B, 9, dtype=torch.long, device=device), torch.full((B,), 9, device=device)
    return State(text, length, hidden, hidden.new_zeros(B, 0, 32), 0 * length, hidden.new_zeros(B, K + 1))


def head(drafter, hidden: torch.Tensor, k: int) -> torch.Tensor:
    """log q_k [V] of one state [D], matrix by matrix."""
    matrices = [w[k - 1] for w in drafter.weights]
    if drafter.depth == 0:
        z = hidden + hidden @ matrices[0]
    else:
        z = hidden
        for i in range(drafter.depth):
            inner = z @ matrices[2 * i]
            z = z + (inner * torch.sigmoid(inner)) @ matrices[2 * i + 1]
    return drafter.backbone.logits(z).log_softmax(-1)


def chain(drafter, start: State):
    """Beliefs after 0, 1, .. K tokens; the tokens do not matter."""
    belief = drafter.begin(start)
    yield belief
    for k in range(K):
        belief = drafter.absorb(belief, torch.full((B,), k, device=start.hidden.device))
        yield belief


# After k tokens head k speaks, f_k(h) unembedded; before the first, the target itself.
@on_every_device
@on_every_depth
def test_heads_equal_plain_matrices(depth, device):
    drafter = made(depth, device)
    start = state(drafter)
    for k, belief in enumerate(chain(drafter, start)):
        rows = [head(drafter, h, k) if k else drafter.backbone.logits(h).log_softmax(-1) for h in start.hidden]
        torch.testing.assert_close(drafter.predict(belief), torch.stack(rows), atol=1e-11, rtol=0)
    laws = [drafter.predict(belief) for belief in chain(drafter, start)]
    assert all(not torch.allclose(a, b) for i, a in enumerate(laws) for b in laws[:i])


# An untrained head is the next-token head: each says what the target says of y'.
@on_every_depth
def test_starts_as_the_next_token_head(depth):
    drafter = made(depth, trained=False)
    start = state(drafter)
    for belief in chain(drafter, start):
        torch.testing.assert_close(drafter.predict(belief), drafter.predict(drafter.begin(start)), atol=1e-12, rtol=0)


# Asked before y', the drafter gives the law of the model's own logits after the text.
@pytest.mark.parametrize("architecture", ["llama", "gemma2"])
def test_first_law_is_the_targets(architecture):
    backbone = toy(architecture)
    tokens = torch.tensor(ragged()[1])[None]
    with torch.no_grad():
        out = backbone.model(input_ids=tokens, output_hidden_states=True)
    drafter = make_drafter("independent", backbone, horizon=K)
    hidden = out.hidden_states[-1][:, -1]
    start = State(tokens, torch.tensor([9]), hidden, hidden[:, :0], torch.zeros(1), torch.zeros(1, K + 1))
    torch.testing.assert_close(drafter.predict(drafter.begin(start)), out.logits[:, -1].log_softmax(-1))


# It can predict y' and K more; a belief is left as it was when a token is absorbed.
def test_left_counts_down():
    drafter = made(1)
    beliefs = list(chain(drafter, state(drafter)))
    assert [drafter.left(b).tolist() for b in beliefs] == [[n] * B for n in range(K + 1, 0, -1)]
    last = drafter.absorb(beliefs[-1], torch.zeros(B, dtype=torch.long))
    assert drafter.left(last).tolist() == [0] * B == drafter.left(drafter.absorb(last, None)).tolist()
    assert [b.k for b in beliefs] == list(range(K + 1))


# Every loss is the plain mean cross-entropy of its head over the entries that exist, also where none does.
@on_every_depth
def test_losses_equal_plain_cross_entropy(depth):
    drafter, hidden, future = *problem(depth), None
    hidden, future = hidden
    losses = drafter.losses(hidden, future)
    assert list(losses) == [f"head {k}" for k in range(1, K + 1)]
    for k in range(1, K + 1):
        logq = torch.stack([head(drafter, h, k) for h in hidden])
        plain = F.nll_loss(logq, future[:, k], ignore_index=-1)
        torch.testing.assert_close(losses[f"head {k}"], plain, atol=1e-12, rtol=0)
    nothing = drafter.losses(hidden, torch.full_like(future, -1))
    assert [v.item() for v in nothing.values()] == [0.0] * K


def problem(depth: int):
    drafter, draw = made(depth), torch.Generator().manual_seed(7)
    future = torch.randint(-1, VOCABULARY, (29, K + 1), generator=draw)
    return drafter, (torch.randn(29, 32, generator=draw, dtype=torch.float64), future)


# Gloeckle's memory trick: heads backward one by one, through a detached state whose gradient adds up, or all at once,
# with logits in chunks or whole; the gradients of the heads and of the state are the same.
@on_every_depth
@pytest.mark.parametrize("budget", [1, 5 * VOCABULARY])
def test_gradients_one_by_one_equal_the_joint_ones(depth, budget, monkeypatch):
    drafter, (hidden, future) = problem(depth)
    joint = hidden.clone().requires_grad_()
    torch.stack(list(drafter.losses(joint, future).values())).mean().backward()
    expected = [joint.grad] + [w.grad for w in drafter.parameters()]
    drafter.zero_grad(set_to_none=True)
    monkeypatch.setattr(independent, "target_logprob", partial(target_logprob, budget=budget))
    single = hidden.clone().requires_grad_()
    for part in drafter.parts(future):
        part(single).backward()
    found = [single.grad] + [w.grad for w in drafter.parameters()]
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-9)
    assert all(g.abs().max() > 1e-3 for g in expected)


# At the start the gradient reaches the last matrices only, and it is not zero: training can begin.
@on_every_depth
def test_untrained_heads_receive_gradients(depth):
    drafter, (hidden, future) = made(depth, trained=False), problem(depth)[1]
    torch.stack(list(drafter.losses(hidden, future).values())).sum().backward()
    moves = [w.grad.flatten(1).abs().amax(1).min().item() > 1e-4 for w in drafter.parameters()]
    assert moves == ([True] if depth == 0 else [False, True] * depth)


# The loop drafts K tokens a call with it, and greedy text is the target's own.
def test_decodes():
    backbone, prompt = toy("gpt2"), ragged()[1]
    options = dict(max_new_tokens=12, temperature=0, eos=False)
    trace = generate(backbone, make_drafter("independent", backbone, horizon=K), prompt, **options)
    assert trace.tokens == generate(backbone, None, prompt, **options).tokens
    assert [len(step.drafts) for step in trace.steps[:2]] == [0, K]


# Sizes that cannot be are refused with their value.
def test_bad_sizes_are_refused():
    for wrong in ({"horizon": h} for h in (0, 65, 2.5, "3", None)):
        with pytest.raises(ValueError, match=f"horizon={wrong['horizon']!r}: .*1 to 64"):
            make_drafter("independent", toy(), **wrong)
    for wrong in ({"hidden": 0}, {"depth": -1}, {"depth": 5}):
        ((name, value),) = wrong.items()
        with pytest.raises(ValueError, match=f"{name}={value}"):
            make_drafter("independent", toy(), **wrong)
