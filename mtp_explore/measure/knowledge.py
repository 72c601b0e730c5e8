"""What the state h_t knows about the tokens ahead: at every place t of a text, the rank of the true x_{t+k}.

    lens      softmax(U h_t), the untouched unembedding, read as if it spoke of x_{t+k} (the logit lens, pointed ahead)
    drafted   a drafter begun at h_t; it absorbs the true tokens between. Heads that do not see one another: h_t alone
    floors    how frequent the token is; how often it stood k places after the token x_t
    ceiling   the target's own law of x_{t+k}, the tokens between summed out by sampling

All give [n L, K], place by place, text by text, on the CPU: what `plots.accuracy` and `plots.ranks` take. Rank 0 is the
first choice, -1 means that there is no such token (the text is over); equal scores rank by token id.
n texts of L places, distances k = 1..K, V vocabulary, D width. Logit lens: nostalgebraist (2020); what one state tells
of several tokens ahead: Pal et al., Future Lens (arXiv 2311.04897).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..backbone.cache import RowsCache
from ..backbone.layout import layout
from ..backbone.load import Backbone
from ..checks import instance, refusal, whole
from ..checks import seed as seeded
from ..contract import Slots, State
from ..tensors.categorical import pick, shape
from ..tensors.given import tensor
from ..train.features import futures, states
from .arguments import drafting, listed, model, sound, spots
from .progress import bar

CELLS = 1 << 25  # scores held at a time
ROWS = 512  # continuations sampled at a time
MOST = 100_000  # of distances, samples, resamples


class Text(NamedTuple):
    """Texts side by side, each from its beginning, with what the backbone computed at every place."""

    tokens: Tensor  # [n, L] ids; place 0 is the end-of-text token that stands before a document
    future: Tensor  # [n, L, K] the tokens after each place; -1 where there is none
    hidden: Tensor  # [n, L, D] the states that predict future[..., 0]


@torch.no_grad()
def read(backbone: Backbone, documents: Iterable, length: int = 256, horizon: int = 8) -> Text:
    """The first `length` tokens of each document, and the `horizon` tokens after every one of them.

    documents: strings, or lists of token ids. Errors (ValueError): no document, a length or horizon below 1, more
    places than the backbone has.
    """
    model("backbone", backbone)
    length, horizon = whole("length", length, 1, backbone.context), whole("horizon", horizon, 1, MOST)
    end = backbone.eos[:1]
    documents = enumerate(listed("documents", documents, "documents, texts or lists of token ids"))
    rows = [[*end, *_ids(backbone, d, f"documents[{i}]"), *end][: length + horizon] for i, d in documents]
    empty = next((i for i, row in enumerate(rows) if not row), None)
    if empty is not None:
        raise ValueError(f"documents[{empty}] is empty: give at least one token")
    sizes = torch.tensor([len(r) for r in rows])
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], batch_first=True)
    ids = torch.nn.functional.pad(ids, (0, length + horizon - ids.shape[1])).to(backbone.device)
    after = torch.arange(length)[:, None] + torch.arange(1, horizon + 1)
    beyond = (after >= sizes[:, None, None]).to(ids.device)
    future = futures(ids, horizon - 1, backbone.eos)[:, :length].masked_fill(beyond, -1)
    return Text(ids[:, :length], future, states(backbone, ids[:, :length]))


def _ids(backbone: Backbone, document, name: str) -> list[int]:
    if not isinstance(document, str):
        ids = listed(name, document, "token ids, or a text", 0)
        return [whole(f"{name}[{i}]", t, 0, backbone.vocabulary - 1, why="token ids") for i, t in enumerate(ids)]
    if backbone.tokenizer is None:
        raise ValueError(refusal(name, document, "this backbone has no tokenizer: pass token ids"))
    return backbone.tokenizer(document, add_special_tokens=False, verbose=False)["input_ids"]


def rank_of(scores: Tensor, token: Tensor) -> Tensor:
    """[...] where `token` [...] stands among scores [..., V], 0 = highest; -1 where the token is -1."""
    tensor("scores", scores, "..., V"), tensor("token", token, "...", "whole numbers")
    if scores.shape[:-1] != token.shape or not scores.shape[-1]:
        raise ValueError(
            f"scores has the shape {tuple(scores.shape)} and token {tuple(token.shape)}: give the scores [..., V] of "
            "every token [...]"
        )
    mine = scores.gather(-1, token.clamp(min=0)[..., None])
    earlier = torch.arange(scores.shape[-1], device=scores.device) < token[..., None]
    ahead = ((scores > mine) | ((scores == mine) & earlier)).sum(-1)
    return torch.where(token >= 0, ahead, -1)


@torch.no_grad()
def lens(backbone: Backbone, text: Text) -> Tensor:
    """Ranks under the unembedding of h_t, one law for all distances: at k = 1 it is the target's own."""
    model("backbone", backbone), _text(text)
    hidden, future = text.hidden.flatten(0, 1), text.future.flatten(0, 1)
    step = max(1, CELLS // (backbone.vocabulary * future.shape[1]))
    found = [
        rank_of(sound(backbone.logits(h), backbone)[:, None].expand(-1, f.shape[1], -1), f)
        for h, f in bar("lens", list(zip(hidden.split(step), future.split(step), strict=True)))
    ]
    return torch.cat(found).cpu()


@torch.no_grad()
def drafted(drafter, text: Text) -> Tensor:
    """Ranks under a drafter's law of x_{t+k}, begun at h_t, with the true tokens before x_{t+k} absorbed.

    Heads that do not see one another (`independent`) ignore what they absorb, so theirs is the knowledge of h_t alone.
    At k = 1 it is the target's own law. Distances beyond the drafter's horizon + 1 are -1.
    Errors (ValueError): a drafter with slots, which needs a call of its own for every place.
    """
    drafting("drafter", drafter)
    length, horizon = _text(text).future.shape[1:]
    places = torch.arange(text.tokens.numel(), device=text.tokens.device)
    found = text.future.new_full((len(places), horizon), -1)
    for part in bar("drafts", places.split(max(1, CELLS // (drafter.backbone.vocabulary * (drafter.horizon + 1))))):
        row, place = part // length, part % length
        for k, scores in enumerate(ahead(drafter, text, row, place)):
            found[part, k] = rank_of(scores, text.future[row, place, k])
    return found.cpu()


@torch.no_grad()
def ahead(drafter, text: Text, row: Tensor, place: Tensor) -> Iterator[Tensor]:
    """log q [m, V] of the tokens k = 1, 2, ... after the places (row, place) [m], as far as text and drafter reach.
    ValueError for a drafter with slots.
    """
    if drafting("drafter", drafter).slots_per_branch:
        raise ValueError(f"drafter {drafter.name!r} has slots: ask one that drafts from the state alone")
    shape = _text(text).tokens.shape
    for name, value, size in (("row", row, shape[0]), ("place", place, shape[1])):
        tensor(name, value, "m", "whole numbers")
        if value.shape != row.shape or (len(value) and not 0 <= int(value.min()) <= int(value.max()) < size):
            raise ValueError(refusal(name, value, f"it must hold numbers from 0 to {size - 1}, one for each place"))
    future = text.future[row, place]
    belief = drafter.begin(_state(drafter, text, row, place, future))
    for k in range(min(future.shape[1], drafter.horizon + 1)):
        yield sound(drafter.predict(belief), drafter)
        belief = drafter.absorb(belief, future[:, k].clamp(min=0))


def _state(drafter, text: Text, row: Tensor, place: Tensor, future: Tensor) -> State:
    """What `begin` sees after the places (row, place) [m], whose next token is known."""
    tokens = torch.nn.functional.pad(text.tokens[row], (0, drafter.horizon + 2))
    tokens = tokens.scatter(1, place[:, None] + 1, future[:, :1].clamp(min=0))
    hidden, none = text.hidden[row, place], torch.zeros_like(place)
    window = torch.full((len(row), drafter.horizon + 1), 0.5, dtype=torch.float64, device=hidden.device)
    return State(tokens, place + 2, hidden, hidden[:, None][:, :0], none, window)


def frequency(counted: Tensor, text: Text, vocabulary: int) -> Tensor:
    """Ranks by how frequent the true tokens are in the stream `counted` [N]: knowing nothing of the place."""
    counted, vocabulary = _stream(counted, text, vocabulary)
    counts = torch.bincount(counted, minlength=vocabulary)
    standing = rank_of(counts.expand(vocabulary, -1), torch.arange(vocabulary, device=counts.device))
    return torch.where(text.future >= 0, standing[text.future.clamp(min=0)], -1).flatten(0, 1).cpu()


def neighbour(counted: Tensor, text: Text, vocabulary: int) -> Tensor:
    """Ranks by how often the token stood k places after the token x_t in the stream `counted` [N]; what was never seen
    there ranks by frequency. This is what x_t alone tells: what h_t knows beyond it, it has from the context.
    """
    (counted, vocabulary), found = _stream(counted, text, vocabulary), []
    future, now = text.future.flatten(0, 1), text.tokens.flatten()
    rare = torch.bincount(counted, minlength=vocabulary) / (len(counted) + 1)  # below 1: decides among equals
    for k in bar("pairs of tokens", range(1, future.shape[1] + 1)):
        pairs = torch.bincount(counted[:-k] * vocabulary + counted[k:], minlength=vocabulary**2)
        scores = pairs.view(vocabulary, vocabulary) + rare
        parts = zip(now.split(4096), future[:, k - 1].split(4096), strict=True)
        found.append(torch.cat([rank_of(scores[a], b) for a, b in parts]))
    return torch.stack(found, -1).cpu()


@torch.no_grad()
def ceiling(backbone: Backbone, text: Text, at: Sequence[int], samples: int = 32, seed: int = 0) -> Tensor:
    """Ranks under the target's own law of x_{t+k} given x_1..x_t, for the places t in `at`; -1 at all others.

    The law is the mean of p(x_{t+k} | ...) over `samples` continuations of k - 1 tokens; at k = 1 it is exact. If the
    target is right, no reading of h_t does better on average; too few samples lower what is found.
    Errors (ValueError): a place outside the text, or too near the end of the backbone's context.
    """
    model("backbone", backbone)
    length, horizon = _text(text).future.shape[1:]
    at = spots("at", at, min(length - 1, backbone.context - horizon))
    samples = whole("samples", samples, 1, MOST)
    found = torch.full_like(text.future, -1)
    random = torch.Generator().manual_seed(seeded("seed", seed))
    for t in bar("ceiling", at):
        rows = torch.nonzero(text.future[:, t, 0] >= 0)[:, 0]
        for part in rows.split(max(1, ROWS // samples)):
            laws = _ahead(backbone, text.tokens[part, : t + 1], horizon, samples, random)
            found[part, t] = rank_of(laws, text.future[part, t])
    return found.flatten(0, 1).cpu()


def _ahead(backbone: Backbone, prompts: Tensor, horizon: int, samples: int, random: torch.Generator) -> Tensor:
    """[m, K, V] laws of the tokens 1..K after prompts [m, T], those between summed out by sampling."""
    cache, laws = backbone.cache(prompts.shape[1] + horizon), []
    law = _law(backbone, prompts, cache).repeat_interleave(samples, 0)
    cache.expand(samples)
    for k in range(horizon):
        laws.append(law.unflatten(0, (-1, samples)).mean(1))
        if k + 1 < horizon:
            u = torch.rand(len(prompts), samples, generator=random, dtype=torch.float64)
            order = torch.rand(u.shape, generator=random).argsort(1)
            u = (order + u) / samples  # one draw in each of `samples` equal strata: less noise, the same mean
            law = _law(backbone, pick(law, u.flatten().to(law.device))[:, None], cache)
    return torch.stack(laws, 1)


def _law(backbone: Backbone, tokens: Tensor, cache: RowsCache) -> Tensor:
    """[B, V] the law of the token after tokens [B, Q], which follow what is cached and join it."""
    rows, columns = tokens.shape[1], cache.columns
    cached = torch.full_like(tokens[:, 0], columns)
    lay = layout(cached, columns, rows, cached * 0, Slots(tokens[:, :0], tokens[:, :0]), backbone.context)
    logits, _ = backbone.call(backbone.embed(tokens), lay, cache, torch.full_like(tokens[:, :1], rows - 1))
    cache.columns = columns + rows
    return shape(sound(logits[:, 0], backbone))


def _text(text: Text) -> Text:
    return instance("text", text, Text, "pass what read() returns")


def _stream(counted: Tensor, text: Text, vocabulary: int) -> tuple[Tensor, int]:
    """The stream [N] on the text's device, and V; ValueError where it holds what is no token, or is too short."""
    most = max(1, int(_text(text).future.max()) + 1, int(text.tokens.max()) + 1)
    vocabulary = whole("vocabulary", vocabulary, most, why="the backbone's, so that every token of the text is in it")
    tensor("counted", counted, "N", "whole numbers")
    if len(counted) <= text.future.shape[2] or not 0 <= int(counted.min()) <= int(counted.max()) < vocabulary:
        raise ValueError(
            f"counted={tuple(counted.shape)}: a stream of more than {text.future.shape[2]} token ids below {vocabulary}"
        )
    return counted.to(text.future.device), vocabulary


class Shares(NamedTuple):
    """By distance [K]: the share of places whose true token is among the first choices, and its 95% interval."""

    share: Tensor
    low: Tensor
    high: Tensor


def shares(ranks: Tensor, texts: int, within: int = 1, resamples: int = 1000, seed: int = 0) -> Shares:
    """Shares of ranks [n L, K] below `within`, with intervals that take whole texts as independent, not their places
    (bootstrap over the n `texts`). ValueError where the rows are no n equal parts.
    """
    tensor("ranks", ranks, "n L, K")
    texts, within = whole("texts", texts, 1), whole("within", within, 1)
    resamples, seed = whole("resamples", resamples, 1, MOST), seeded("seed", seed)
    if not len(ranks) or len(ranks) % texts:
        raise ValueError(f"texts={texts}: the {len(ranks)} rows of ranks are not that many texts of equal length")
    known = (ranks >= 0).unflatten(0, (texts, -1)).sum(1).double()
    hits = ((ranks >= 0) & (ranks < within)).unflatten(0, (texts, -1)).sum(1).double()
    draw = torch.randint(texts, (resamples, texts), generator=torch.Generator().manual_seed(seed))
    again = hits[draw].sum(1) / known[draw].sum(1).clamp(min=1)
    low, high = again.quantile(torch.tensor([0.025, 0.975], dtype=again.dtype), 0)
    return Shares(hits.sum(0) / known.sum(0), low, high)
