"""The backbone's own text: completions of the corpus' beginnings, packed into windows (self-distillation).

A drafter is judged by what the target says next, and on text that somebody else wrote the target often says something
else. So drafters that learn from text can be given what the backbone itself goes on with (`fit(text="own")`): prompts
are the first tokens of the corpus' documents, some shorter, some longer; completions are made by the ordinary loop
without a draft, from the law that the drafter is made for (by default the model's own) in three windows of four and
greedily in one of four. Greedy text soon repeats itself, so its completions are short and there are more of them.

The first document of a window is read as a prompt is, with nothing before it; the others stand behind an end of text,
as in the corpus. What hangs over the end of a window is dropped: so every token of it was chosen by the backbone after
exactly the tokens before it in its document. Tokens that it did not choose (prompts; the end of text behind a
completion that ran out of places) are no targets: they and what follows them are -1 in `future`.

Letters: N windows of T + 1 tokens, T places as in train/texts.py.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .. import checks
from ..backbone.files import replace
from ..backbone.seal import check_seal, seal
from ..corpora.progress import bar
from ..decode.generate import sample
from .features import futures
from .texts import Texts, window
from .windows import TooSmall

PROMPT = (8, 40)  # tokens of a document that are given: any number between, as likely
LONGEST_GREEDY = 64  # tokens of a greedy completion
ROWS = 128  # completions made at a time
GREEDY = 4  # one window of so many is greedy
MODELS_OWN = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}


class Own(NamedTuple):
    windows: Tensor  # [N, T + 1]
    chosen: Tensor  # [N, T + 1] bool: tokens that the backbone chose
    greedy: Tensor  # [N] bool: chosen greedily, else drawn from its law


def own_texts(
    backbone,
    tokens: Tensor,
    horizon: int,
    positions: int,
    anchors: int,
    seed: int = 0,
    file: str | Path | None = None,
    law: dict | None = None,
    progress: bool = False,
    **about,
) -> Texts:
    """`texts`, of completions of the documents that begin in a stream of tokens [N], about `positions` places.

    law: temperature, top_k, top_p of drawn text. file: where they are kept; what lies there is taken if it was made by
    this backbone of these tokens with these arguments (`about`: what else must be the same, such as the corpus' name).
    progress: show a bar where it takes a while. Errors (ValueError): no end of text, too few documents.
    """
    length, law = window(backbone, horizon), law or MODELS_OWN
    seed, positions = checks.seed("seed", seed), checks.whole("positions", positions, 1)
    facts = dict(backbone=backbone.fingerprint, seed=seed, positions=positions, length=length, law=law, **about)
    facts |= dict(prompt=list(PROMPT), longest_greedy=LONGEST_GREEDY)
    facts["tokens"] = zlib.crc32(tokens.cpu().numpy().tobytes())
    made = read(Path(file), facts) if file else None
    if made is None:
        made = completions(backbone, tokens, positions, length, seed, law, progress)
        if file:
            keep(Path(file), made, facts)
    made = Own(*(x.to(backbone.device) for x in made))
    places = length - horizon
    future = targets(made, horizon, backbone.eos)
    return Texts(made.windows, future, min(anchors or places, places), made.greedy)


def targets(made: Own, horizon: int, eos: list[int]) -> Tensor:
    """[N, P, K+1] the tokens after each place, -1 after an end of text and from the first one on that was given."""
    given = (~made.chosen).unfold(1, horizon + 1, 1)[:, 1:].long().cumsum(-1) > 0
    return futures(made.windows, horizon, eos).masked_fill(given, -1)


@torch.no_grad()
def completions(
    backbone,
    tokens: Tensor,
    positions: int,
    length: int,
    seed: int = 0,
    law: dict | None = None,
    progress: bool = False,
) -> Own:
    """Windows of `length` + 1 tokens, about `positions` places in all, fewer where the documents run out; equal for
    equal seeds. The documents of greedy windows are others than those of drawn ones.
    """
    starts = prompts(backbone, tokens, length // 2)
    count = max(2, positions // length)
    greedy = max(1, count // GREEDY)
    wanted = ({"temperature": 0.0}, greedy), (law or MODELS_OWN, count - greedy)
    parts, first = [], 0
    shown = bar("the backbone's own text", count, progress, " windows")
    for law, number in wanted:
        share = len(starts) * number // count if first == 0 else len(starts) - first
        middle, last = first + min(number, -(-share // 3)), first + share
        make = partial(complete, backbone, length=length, law=law, seed=seed)
        openers, others = make(starts[first:middle], first, bare=True), make(starts[middle:last], middle)
        packed = pack(openers, others, length + 1, number, shown.update)
        first += share
        if not packed[0]:
            raise TooSmall(
                f"{len(tokens)} tokens hold the beginnings of {len(starts)} documents, too few to fill windows of "
                f"{length} places: give more text"
            )
        parts.append(Own(*map(torch.stack, packed), torch.full((len(packed[0]),), law["temperature"] == 0)))
    shown.close()
    return Own(*map(torch.cat, zip(*parts, strict=True)))


def prompts(backbone, tokens: Tensor, longest: int) -> list[list[int]]:
    """[end of text, the first tokens] of every longer document of a stream, `PROMPT` of them, at most `longest`; the
    stream's first document may be half a one, and is left out.
    """
    if not backbone.eos:
        raise ValueError(f"backbone {backbone.name!r} has no end-of-text token, which separates documents: set one")
    ends = torch.isin(tokens, torch.tensor(backbone.eos)).nonzero()[:, 0]
    most, draw = min(PROMPT[1], longest), torch.Generator().manual_seed(0)
    size = torch.randint(min(PROMPT[0], most), most + 1, ends[1:].shape, generator=draw)
    long = ends.diff() > size
    return [tokens[i : i + 1 + n].tolist() for i, n in zip(ends[:-1][long].tolist(), size[long].tolist(), strict=True)]


def complete(
    backbone, starts: list[list[int]], first: int, length: int, law: dict, seed: int, bare: bool = False
) -> Iterator[tuple]:
    """(tokens, chosen) of every prompt with its completion, up to its end of text or `length` tokens, as lists; `first`
    is the number of the first prompt, bare: without the end of text before it.
    """
    for at in range(0, len(starts), ROWS):
        part = [start[bare:] for start in starts[at : at + ROWS]]
        new = length - min(map(len, part))
        new = min(new, LONGEST_GREEDY) if law["temperature"] == 0 else new
        made = sample(backbone, None, part, new, **law, seed=(seed, first + at))
        for start, row, size in zip(part, made.tokens.tolist(), made.length.tolist(), strict=True):
            yield (start + row[:size])[:length], ([False] * len(start) + [True] * size)[:length]


def pack(
    openers: Iterator[tuple], others: Iterator[tuple], length: int, count: int, told: Callable = lambda: None
) -> tuple[list, list]:
    """At most `count` windows of `length` tokens, and which of them were chosen, from (tokens, chosen) of documents: an
    opener, and others as far as there is room. told: called once for each.

    Every other document begins with an end of text; where the one before has ended with its own, that one serves.
    """
    windows, chosen = [], []
    while len(windows) < count and (row := next(openers, None)):
        text, own = row
        while len(text) < length and (row := next(others, None)):
            shared = text[-1] == row[0][0]
            text, own = text + row[0][shared:], own + row[1][shared:]
        if len(text) >= length:
            windows.append(torch.tensor(text[:length]))
            chosen.append(torch.tensor(own[:length]))
            told()
    return windows, chosen


def read(file: Path, facts: dict) -> Own | None:
    """What was kept with exactly these facts; None where there is nothing like it."""
    try:
        with safe_open(file, "pt") as kept:
            if json.loads((kept.metadata() or {}).get("facts", "{}")) == facts:
                check_seal(file)
                return Own(*(kept.get_tensor(name) for name in Own._fields))
    except (OSError, SafetensorError, ValueError):
        pass  # not there, or damaged: it is made anew
    return None


def keep(file: Path, made: Own, facts: dict) -> None:
    """Write a file that `read` takes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: x.contiguous().cpu() for name, x in made._asdict().items()}

    def write(temporary: str) -> None:
        save_file(tensors, temporary, {"facts": json.dumps(facts)})
        seal(temporary)

    replace(file, write)
