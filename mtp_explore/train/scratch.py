"""Train a trunk and a drafter together from random weights: the papers' first setting, as far as a shared head allows.

    loss = CE of the trunk's own next-token head + m times the drafter's loss per token,  over every place of the text

m is the number of tokens that the drafter's loss is a mean of: K drafts, and y' with option `first`; so each counts as
much as the trunk's own. (Basharin et al. have n r unembeddings and take the mixture's first marginal for the target;
here all components share one unembedding by low-rank maps, and the target is the trunk's own head.)

The trunk is the small Llama of `pretrain.py`, with its optimiser, schedule and windows; its unembedding is shared and
learns from both. What comes back is an ordinary backbone and an ordinary drafter for it, so everything else works. But
here the drafter's rank shapes the trunk, so **every rank has its own target p**: acceptance and tokens per call of two
such runs are shares of two different laws, and only losses on the same text may be compared (a reviewer's objection to
Basharin et al., papers.md 1.5; train heads on one frozen backbone with `fit` to compare ranks under one target).

Sources: Gloeckle et al. (arXiv 2404.19737) for the loss and for the backward pass in turn; Basharin et al. (arXiv
2410.17765). B windows of T places, D width, K horizon, n = K + 1 tokens of the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from ..backbone.load import Backbone
from ..checks import choice, flag, instance
from ..drafters import DRAFTERS, known_options
from ..tensors.logprob import target_logprob
from .features import Batch, futures
from .fit import losses_of
from .pretrain import Recipe, make_model, make_optimizer
from .recipe import listeners
from .windows import Windows


def scratch(
    recipe: Recipe,
    tokenizer,
    tokens: Tensor,
    name: str,
    in_turn: bool = False,
    callback: Callable[[dict], None] | None = None,
    **options,
) -> tuple[Backbone, object]:
    """Train a trunk by `recipe` and drafter `name` with its `options` on a stream of tokens [N]; both, ready to decode.

    in_turn: every loss runs forward and backward before the next, so that only one head's tensors are alive; the
    gradients are the same. callback: called every 10 steps with {"step", "next", "loss", ...}, nats on the batch:
    "next" is the trunk's own cross-entropy, the rest are the drafter's losses (with `in_turn` only what is summed).
    Errors (ValueError): a stream too short for two windows, a drafter without weights, or one that learns from a frozen
    target (objective "kl").
    """
    instance("recipe", recipe, Recipe, "pass a Recipe of train/pretrain.py")
    choice("name", name, DRAFTERS)
    in_turn, (callback,) = flag("in_turn", in_turn), listeners([callback or (lambda note: None)])
    model = make_model(recipe, len(tokenizer))
    backbone = Backbone(model, tokenizer, name=f"{recipe.corpus} from scratch")
    drafter = DRAFTERS[name](backbone, **known_options(name, backbone, options))  # drawn after the trunk's weights
    refuse(drafter)
    windows = Windows(tokens, recipe.window + drafter.horizon + 1, recipe.seed)
    optimizer = make_optimizer(model.requires_grad_(True).train())
    optimizer.add_param_group({"params": list(drafter.train().parameters()), "weight_decay": 0.0})
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate_at(step)
        window = windows.batch(step, recipe.batch)
        hidden = trunk(model, window[:, : recipe.window], recipe.precision)
        future = futures(window, drafter.horizon, backbone.eos)[:, : recipe.window].flatten(0, 1)
        losses = backward(drafter, hidden, future, in_turn)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % 10 == 0 or step + 1 == recipe.steps:
            callback({"step": step + 1, **{k: v.item() for k, v in losses.items()}})
    trained = Backbone(model, tokenizer, backbone.name)  # frozen, with the fingerprint of its final weights
    drafter.__dict__["backbone"] = trained
    drafter.made_for["backbone"] = trained.fingerprint
    return trained, drafter.eval()


def refuse(drafter) -> None:
    """ValueError for drafters that cannot be trained beside their trunk."""
    if not any(p.requires_grad for p in drafter.parameters()):
        raise ValueError(f"drafter {drafter.name!r} has no weights to train: name another")
    if drafter.wants_ahead or drafter.wants_text:
        raise ValueError(f"drafter {drafter.name!r} learns from a frozen target here: use fit(), or another objective")


def trunk(model, tokens: Tensor, precision: str) -> Tensor:
    """States [B * T, D] that enter the unembedding, of tokens [B, T], in float32 or better."""
    with torch.autocast(tokens.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        hidden = model.base_model(input_ids=tokens, use_cache=False).last_hidden_state
    return hidden.flatten(0, 1).to(model.dtype)


def backward(drafter, hidden: Tensor, future: Tensor, in_turn: bool) -> dict[str, Tensor]:
    """Gradients of CE + m times the drafter's loss per token into trunk, unembedding and drafter; losses, detached.

    hidden [N, D] with the trunk behind it; future [N, K+1].
    """
    unembed, many = drafter.backbone.unembedding, drafter.horizon + getattr(drafter, "first", False)

    def next_token(z: Tensor) -> Tensor:
        return -target_logprob(z, future[:, 0], unembed).mean()

    if in_turn:
        whole = [lambda z: losses_of(drafter, Batch(z, future, None))["loss"]]
        parts = drafter.parts(future) if hasattr(drafter, "parts") else whole
        first, *rest = backward_in_turn(hidden, [next_token, *(lambda z, p=p: many * p(z) for p in parts)])
        return {"next": first, "loss": torch.stack(rest).sum() / many}
    losses = losses_of(drafter, Batch(hidden, future, None))
    found = {"next": next_token(hidden), **losses}
    (found["next"] + many * found["loss"]).backward()
    return {k: v.detach() for k, v in found.items()}


def backward_in_turn(hidden: Tensor, parts: Iterable[Callable[[Tensor], Tensor]]) -> list[Tensor]:
    """Gradients of the sum of parts(hidden), one part at a time (Gloeckle et al., section 2): each runs forward and
    backward into a detached copy of the trunk's output, then the trunk runs backward once. The parts' values, detached.
    """
    cut = hidden.detach().requires_grad_()
    values = []
    for part in parts:
        value = part(cut)
        value.backward()
        values.append(value.detach())
    hidden.backward(cut.grad)
    return values
