"""Notebook 07: the ruler behind a prompt. Dice of a tape, the target's tokens and laws under them, and what drafters
make of the same dice; all of it again for every place of every die, and for whatever dice the page asks for.

K horizon, G places of a die, N throws; w [N, K+1]. A drafter that names tokens without a law (O-PTP) has no bins: its
strip is found by trying, die k at G places with the others fixed, and joining neighbours that name one token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..widgets.ruler import Ruler, Side, Throw, ruler
from .check import budget
from .throws_learn import one_thread

PARTS = 25  # G
NARROW = 0.012  # bins below it are not drawn, except the picked one


def dice(
    backbone,
    drafters: Mapping[str, object],
    prompt,
    seed: int = 0,
    parts: int | None = None,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Ruler:
    """The ruler of a prompt (a string, or token ids) with the dice that `generate(seed=seed)` would use first.

    drafters by name, all with one horizon; temperature, top_k, top_p as in `generate`. ValueError where horizons
    differ, for more than one prompt, or one with too few places behind it.
    """
    from ..checks import shaping
    from ..decode.tape import streams

    law = shaping(temperature, top_k, top_p)
    horizons = {d.horizon for d in drafters.values()}
    if len(horizons) != 1:
        raise ValueError(f"drafters have the horizons {sorted(horizons)}: a ruler needs one, see `shortened`")
    ids, *others = backbone.encode(prompt)
    if others:
        raise ValueError(f"prompt holds {len(others) + 1} texts: a ruler stands behind one, give that")
    behind = Behind(backbone, drafters, ids, law)
    w = streams(seed, 1)[0].random(horizons.pop() + 1)
    if temperature == 0:  # greedy decoding throws nothing
        w[:] = 0.5
    parts = parts or budget(PARTS, 7)
    every = np.concatenate([w[None], swept(w, parts, 0)])
    start, *rest = behind.throws(every)
    grid = grouped(rest, parts)
    bands = {
        name: [[throw.sides[name].picks[k] for throw in row] for k, row in enumerate(grid[1:])]
        for name, drafter in drafters.items()
        if drafter.one_hot
    }
    start = behind.banded(start, bands)
    return ruler(start, grid, behind.piece, backbone.decode(behind.ids), behind.ask)


def swept(w: np.ndarray, parts: int, first: int) -> np.ndarray:
    """[(K+1-first) G, K+1]: dice w [K+1], one of them (from `first` on) at the middle of every one of G equal parts."""
    k = np.arange(first, len(w)).repeat(parts)
    made = np.repeat(w[None], len(k), 0)
    made[np.arange(len(k)), k] = np.tile((np.arange(parts) + 0.5) / parts, len(w) - first)
    return made


def grouped(rows: Sequence, size: int) -> list[list]:
    return [list(rows[i : i + size]) for i in range(0, len(rows), size)]


class Behind:
    """A prompt that has been read, and what throws behind it make."""

    def __init__(self, backbone, drafters: Mapping[str, object], ids: Sequence[int], law: Mapping):
        import torch

        from ..measure import thrown

        self.backbone, self.drafters, self.ids = backbone, dict(drafters), list(ids)
        tokens = torch.tensor([self.ids], device=backbone.device)
        last = torch.full_like(tokens[:, :1], len(self.ids) - 1)
        self.text = thrown.text_of(backbone, tokens, last, whole=True, **law)
        self.guess = None

    def piece(self, token: int) -> str:
        from ..corpora.tokenizer import name_of

        return "⟨end⟩" if token in self.backbone.eos else name_of(self.backbone.tokenizer, token)

    def throws(self, w: np.ndarray) -> list[Throw]:
        """Dice [N, K+1] to throws, without the strips that have to be found by trying."""
        import torch

        from ..measure import thrown

        dice = torch.as_tensor(w, dtype=torch.float64, device=self.backbone.device)[None]
        text = self.text._replace(anchors=self.text.anchors.expand(-1, len(w)))
        guess = None if self.guess is None else self.guess.expand(1, len(w), -1)
        own = thrown.own(text, dice, guess)
        self.guess = own.tokens[:, :1, 1:]
        bins, sides = strips(own.laws[0], own.tokens[0]), {}
        for name, drafter in self.drafters.items():
            made = thrown.drafts(drafter, text, dice, own.tokens[..., 0])
            picks, none = made.tokens[0].tolist(), [[None] * drafter.horizon] * len(w)
            if made.laws is None:
                sides[name] = picks, none, none
            else:
                agree = thrown.agreement(own.laws[0, :, 1:], made.laws[0]).tolist()
                sides[name] = picks, strips(made.laws[0], made.tokens[0]), agree
        tokens = own.tokens[0].tolist()
        at = lambda n: {name: Side(*(part[n] for part in parts)) for name, parts in sides.items()}  # noqa: E731
        return [Throw(row.tolist(), tokens[n], bins[n], at(n)) for n, row in enumerate(np.asarray(w))]

    def ask(self, w: Sequence[float], full: bool) -> Throw:
        """What the page asks for; `full`: with the strips that have to be found by trying."""
        with one_thread():
            throw = self.throws(np.asarray(w)[None])[0]
        return self.banded(throw, self.sweep(throw)) if full else throw

    def sweep(self, throw: Throw, parts: int = PARTS) -> dict[str, list[list[int]]]:
        """{drafter without laws: [K][G] what draft k is with its die at each of G places, the others as thrown}."""
        import torch

        from ..measure import thrown

        w = torch.as_tensor(swept(np.asarray(throw.w), parts, 1), device=self.backbone.device)[None]
        text, found = self.text._replace(anchors=self.text.anchors.expand(-1, w.shape[1])), {}
        for name, drafter in self.drafters.items():
            if drafter.one_hot:
                tokens = thrown.drafts(drafter, text, w, w[..., 0].long() * 0 + throw.picks[0]).tokens[0].tolist()
                found[name] = [[row[k] for row in block] for k, block in enumerate(grouped(tokens, parts))]
        return found

    def banded(self, throw: Throw, bands: Mapping[str, list[list[int]]]) -> Throw:
        """The throw with strips made of what was tried."""
        sides = dict(throw.sides)
        for name, tried in bands.items():
            joined = [band(row) for row in tried]
            agree = [common(a, b) for a, b in zip(throw.bins[1:], joined, strict=True)]
            sides[name] = sides[name]._replace(bins=joined, agree=agree)
        return throw._replace(sides=sides)


def strips(laws, tokens) -> list[list[list[tuple[int, float, float]]]]:
    """[N][m] the bins of laws [N, m, V] that are wide enough, and the one of the token [N, m] in any case."""
    from ..tensors.categorical import edges

    high = edges(laws)
    low = high.roll(1, -1)
    low[..., 0] = 0
    wide = (high - low >= NARROW).scatter(-1, tokens[..., None], True) & (high > low)
    found = [[[] for _ in range(laws.shape[1])] for _ in range(laws.shape[0])]
    where = wide.nonzero()
    for (n, k, t), a, b in zip(where.tolist(), low[wide].tolist(), high[wide].tolist(), strict=True):
        found[n][k].append((t, a, b))
    return found


def band(tried: Sequence[int]) -> list[tuple[int, float, float]]:
    """What was tried at G places as bins: neighbours of one name joined."""
    turns = [0, *(i for i in range(1, len(tried)) if tried[i] != tried[i - 1]), len(tried)]
    return [(tried[a], a / len(tried), b / len(tried)) for a, b in zip(turns, turns[1:], strict=False)]


def common(first: Sequence[tuple], second: Sequence[tuple]) -> float:
    """The share of [0, 1) on which two strips name one token."""
    return sum(max(0.0, min(b, d) - max(a, c)) for t, a, b in first for s, c, d in second if s == t)
