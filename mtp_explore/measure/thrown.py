"""What becomes of a throw of dice: the target's own tokens under given uniforms, and what a drafter makes of them.

Letters: B texts, A anchors in each (places from which windows go on), K horizon, V vocabulary; w [B, A, K+1] the
uniforms of t_0 = y', t_1 .. t_K (t_1 .. t_K are what gets drafted), P_k the target's final law of t_k after the text
and t_0 .. t_{k-1}. papers.md 4.1 (Draxler, Will et al., arXiv 2512.21323):

    t_k = Pick(w_k, P_k)       so w_0 .. w_k fix t_k (Theorem 1), and w_0 .. w_{k-1} leave it the law P_k (Theorem 2)

Windows are blocks behind a frozen text (backbone/blocks.py): thousands of throws go through the model at once. The
target's tokens are found as `match` would find them: guess a window, pick at all places at once, put the picks in the
guess's place, until nothing changes. Each round settles at least one more token, so the end is ordinary decoding's.
"""

from __future__ import annotations

from functools import partial
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor

from ..backbone.blocks import Frozen, block_states, freeze
from ..checks import flag, instance, number, refusal, shaping
from ..contract import Slots, State
from ..decode.loop import draw
from ..tensors.categorical import edges, pick, shape
from ..tensors.given import tensor
from .arguments import drafting, model, sound
from .progress import bar

OF = "pass what text_of() returns"
RARE = 1e-3  # a token that the target says less than once in a thousand times is as good as impossible


class Text(NamedTuple):
    """A text that windows go on from."""

    backbone: object
    tokens: Tensor  # [B, T]
    frozen: Frozen
    anchors: Tensor  # [B, A]
    law: dict  # options of `shape`


class Own(NamedTuple):
    """What the target itself does under the dice."""

    tokens: Tensor  # [B, A, K+1] t_0 .. t_K
    laws: Tensor  # [B, A, K+1, V] P_0 .. P_K, float64


class Drafts(NamedTuple):
    tokens: Tensor  # [B, A, K] d_1 .. d_K
    laws: Tensor | None  # [B, A, K, V] q_1 .. q_K; None where the drafter names tokens without a law


@torch.no_grad()
def text_of(
    backbone,
    tokens: Tensor,
    anchors: Tensor,
    whole: bool = False,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Text:
    """Windows of text [B, T], read once; anchors [B, A] in them. whole: they are prompts, read from their beginnings
    as decoding reads them, where else an end of text begins a document. ValueError: a value out of range.
    """
    _ids("tokens", tokens, "B, T", model("backbone", backbone).vocabulary)
    rows, length = tokens.shape
    if not 1 <= length <= backbone.context:
        raise ValueError(f"tokens has {length} places: give 1 to {backbone.context}, those of {backbone.name!r}")
    if len(_ids("anchors", anchors, "B, A", length)) != rows:
        raise ValueError(f"anchors has {len(anchors)} rows and tokens {rows}: both need one for each text")
    law, whole = shaping(temperature, top_k, top_p), flag("whole", whole)
    return Text(backbone, tokens, freeze(backbone, tokens, whole), anchors, law)


def after(text: Text, tokens: Tensor) -> Tensor:
    """The target's laws [B, A, m+1, V] behind each anchor, and behind each of the tokens [B, A, m] put after it.
    ValueError where the model has no places for them.
    """
    _ids("tokens", tokens, "B, A, m", instance("text", text, Text, OF).backbone.vocabulary)
    _beside("tokens", tokens, text)
    _room("tokens", text, tokens.shape[-1])
    return _after(text, tokens)


def _after(text: Text, tokens: Tensor) -> Tensor:
    states = text.frozen.hidden.gather(1, text.anchors[..., None].expand(-1, -1, text.frozen.hidden.shape[-1]))
    states = states[:, :, None]
    if tokens.shape[-1]:
        rows = block_states(text.backbone, text.frozen, text.anchors, text.backbone.embed(tokens))
        states = torch.cat([states, rows], 2)
    return shape(sound(text.backbone.logits(states), text.backbone), **text.law)


def _ids(name: str, value, axes: str, below: int) -> Tensor:
    """Whole numbers from 0 to below - 1."""
    if tensor(name, value, axes, "whole numbers").numel() and not 0 <= int(value.min()) <= int(value.max()) < below:
        raise ValueError(refusal(name, value, f"its entries must lie from 0 to {below - 1}"))
    return value


def _beside(name: str, value: Tensor, text: Text) -> Tensor:
    """One entry for every anchor of the text."""
    if value.shape[:2] != text.anchors.shape:
        raise ValueError(
            f"{name} has the shape {tuple(value.shape)}, and the text {tuple(text.anchors.shape)} anchors: the first "
            "two axes must be theirs"
        )
    return value


def _room(name: str, text: Text, more: int) -> None:
    """ValueError where the model has no places for `more` tokens behind an anchor."""
    size = int(text.frozen.position.gather(1, text.anchors).amax()) + 1
    if size + more > text.backbone.context:
        raise ValueError(
            f"{name} goes {more} places beyond a text of {size} tokens, and the model has {text.backbone.context} "
            "places: cut the text, or take fewer"
        )


def _dice(text: Text, w) -> None:
    """The dice [B, A, K+1] of the text's anchors."""
    _beside("w", tensor("w", w, "B, A, K+1", "numbers"), instance("text", text, Text, OF))
    if not w.numel() or not bool(((w >= 0) & (w < 1)).all()):
        raise ValueError(refusal("w", w, "it must hold numbers in [0, 1), at least one for every anchor"))


@torch.no_grad()
def own(text: Text, w: Tensor, guess: Tensor | None = None) -> Own:
    """The target's tokens under the dice w [B, A, K+1]. `guess` [B, A, K] for t_1 .. t_K saves rounds, nothing else.
    ValueError where the model has no places for K tokens behind an anchor.
    """
    _dice(text, w)
    size = int(text.frozen.position.gather(1, text.anchors).amax()) + 1
    if size + w.shape[-1] - 1 > text.backbone.context:
        raise ValueError(
            f"w has {w.shape[-1]} dice for a text of {size} tokens, and the model has {text.backbone.context} places: "
            "cut the text, or throw fewer dice"
        )
    if guess is not None:
        _beside("guess", _ids("guess", guess, "B, A, K", text.backbone.vocabulary), text)
        if guess.shape[-1] != w.shape[-1] - 1:
            raise ValueError(f"guess has {guess.shape[-1]} tokens for {w.shape[-1]} dice in w: give one fewer")
    tokens = pick(_after(text, w[..., :0].long()), w[..., :1])
    rest = guess if guess is not None else tokens.expand(*w.shape[:-1], w.shape[-1] - 1)
    tokens = torch.cat([tokens, rest], -1)
    laws = w.new_zeros(*w.shape, text.backbone.vocabulary)
    going = torch.arange(w.shape[1], device=w.device)  # anchors whose windows still change
    with bar("the target's own tokens", total=w.shape[-1] + 1) as shown:
        while len(going):
            guessed = tokens[:, going]
            laws[:, going] = _after(text._replace(anchors=text.anchors[:, going]), guessed[..., :-1])
            tokens[:, going] = pick(laws[:, going], w[:, going])
            going = going[(tokens[:, going] != guessed).any(-1).any(0)]
            shown.update()
    return Own(tokens, laws)


@torch.no_grad()
def drafts(drafter, text: Text, w: Tensor, first: Tensor) -> Drafts:
    """What a drafter draws with the dice w [B, A, K+1], K its horizon, once y' = first [B, A] is known: slots see w
    alone, heads see the text before y', and whoever listens hears y' and its own drafts.
    """
    _dice(text, w)
    if w.shape[-1] != drafting("drafter", drafter).horizon + 1:
        raise ValueError(f"w has {w.shape[-1]} dice, and drafter {drafter.name!r} takes {drafter.horizon + 1} (K + 1)")
    _beside("first", _ids("first", first, "B, A", text.backbone.vocabulary), text)
    _room("drafter", text, w.shape[-1] - 1)
    size, rows = drafter.slots_per_branch, w.flatten(0, 1)
    n, window = len(rows), rows[:, None].expand(-1, w.shape[-1], -1)
    hidden = text.frozen.hidden.gather(1, text.anchors[..., None].expand(-1, -1, text.frozen.hidden.shape[-1]))
    z = hidden.new_zeros(n, 0, hidden.shape[-1])
    if size:
        index = torch.arange(drafter.first_slot, drafter.first_slot + size, device=w.device).expand(n, -1)
        embeds = drafter.embed(Slots(torch.zeros_like(index), index), window)
        embeds = embeds.view(*w.shape[:2], size, -1).to(text.backbone.dtype)
        blocks = text.frozen, text.anchors, embeds, drafter.first_slot
        z = block_states(text.backbone, *blocks, drafter.gate(0)).flatten(0, 1)
    count = torch.full_like(rows[:, 0], size, dtype=torch.long)
    state = State(*committed(text, first), hidden.flatten(0, 1), z, count, rows)
    belief = drafter.absorb(drafter.begin(state), first.flatten())
    drawn = draw(drafter, belief, rows, partial(shape, **text.law), count + drafter.horizon)
    laws = None if drafter.one_hot else drawn.q.view(*w.shape[:2], *drawn.q.shape[1:])
    return Drafts(drawn.tokens.view(*w.shape[:2], -1), laws)


def committed(text: Text, first: Tensor) -> tuple[Tensor, Tensor]:
    """What decoding has written by then, for drafters that read it: (tokens [B A, T+1], length [B A]), the document of
    each anchor from its beginning, and y' = first [B, A].
    """
    _ids("first", first, "B, A", instance("text", text, Text, OF).backbone.vocabulary)
    _beside("first", first, text)
    start = text.anchors - text.frozen.position.gather(1, text.anchors)
    place = start[..., None] + torch.arange(text.tokens.shape[1] + 1, device=start.device)
    tokens = text.tokens[:, None].expand(-1, place.shape[1], -1)
    tokens = tokens.gather(2, place.clamp(max=tokens.shape[2] - 1))
    size = (text.anchors - start + 1)[..., None]
    return tokens.scatter(2, size, first[..., None]).flatten(0, 1), size.flatten() + 1


def agreement(p: Tensor, q: Tensor) -> Tensor:
    """[...] the share of [0, 1) on which Pick names one token for both laws [..., V]: the chance that a draft from q is
    kept by `match`. Never above 1 - TV(p, q), because bins of one token need not lie over one another.
    """
    if tensor("p", p, "..., V", "numbers").shape != tensor("q", q, "..., V", "numbers").shape:
        raise ValueError(f"q has the shape {tuple(q.shape)} and p {tuple(p.shape)}: both need the same axes")
    low, high = zip(*(_bounds(law) for law in (p, q)), strict=True)
    return (torch.minimum(*high) - torch.maximum(*low)).clamp(min=0).sum(-1)


def _bounds(law: Tensor) -> tuple[Tensor, Tensor]:
    high = edges(law)
    return torch.nn.functional.pad(high, (1, 0))[..., :-1], high


def correct(drafts: Tensor, tokens: Tensor) -> Tensor:
    """[...] how many drafts [..., K] are right from the start, held against the target's own tokens [..., K+1]."""
    tensor("drafts", drafts, "..., K", "whole numbers"), tensor("tokens", tokens, "..., K+1", "whole numbers")
    if tokens.shape != (*drafts.shape[:-1], drafts.shape[-1] + 1):
        raise ValueError(f"tokens has the shape {tuple(tokens.shape)} for drafts {tuple(drafts.shape)}: one more each")
    return (drafts == tokens[..., 1:]).long().cumprod(-1).sum(-1)


@torch.no_grad()
def absurd(text: Text, drafts: Tensor, first: Tensor, rare: float = RARE) -> tuple[Tensor, Tensor]:
    """([B, A, K] bool: draft k is as good as impossible after y' = first [B, A] and the drafts before it;
    [B, A, K] bool: those before it were all possible, so that the question has a meaning).
    """
    _ids("drafts", drafts, "B, A, K", instance("text", text, Text, OF).backbone.vocabulary)
    _beside("first", _ids("first", first, "B, A", text.backbone.vocabulary), text)
    rare = number("rare", rare, Real, lambda x: 0 < x <= 1, "a probability above 0")
    _beside("drafts", drafts, text)
    told = torch.cat([first[..., None], drafts], -1)
    chance = after(text, told[..., :-1])[:, :, 1:].gather(-1, drafts[..., None])[..., 0]
    bad = chance < rare
    sound = torch.cat([torch.ones_like(bad[..., :1]), ~bad[..., :-1]], -1).long().cumprod(-1).bool()
    return bad, sound
