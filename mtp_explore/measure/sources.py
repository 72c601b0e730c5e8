"""Who can be asked for the next token after a prefix: a backbone, a drafter's belief, the grammar of the stories.

Each source numbers its tokens 0..V-1. `first` [1, V] is the law of x_1; `laws(parents, last)` yields, in chunks, the
laws [., V] (float64) after the prefixes (parent, x) for parents [G, k] and x in `last` [A], parent by parent;
`ids(names)` (ValueError where they are no tokens of the source) and `names(ids)` translate what an axis stands for.
`measure.joint` multiplies the laws up to exact joints.
V vocabulary, K horizon, D width, M slots, P tokens of the prompt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from numbers import Integral

import torch
from torch import Tensor

from ..backbone.layout import Layout, layout
from ..backbone.load import Backbone
from ..checks import refusal
from ..contract import Draft, Drafter, State
from ..corpora.corpus import Corpus
from ..corpora.stories_automaton import END
from ..corpora.tokenizer import piece
from ..decode.loop import group
from ..decode.plan import resolve
from ..tensors.categorical import one_hot, shape
from .arguments import fitting, single, sound
from .progress import bar

MEMORY = 1 << 28  # bytes of cache and laws that one call may take
ROWS = 1024  # rows per call at most
SIBLINGS = 256  # tokens beside one another in a row at most


class Target:
    """A backbone's own law. A call computes a parent's tokens once, and beside one another, each seeing the prompt,
    the parent and itself, all tokens that may follow it; rows of the batch are parents.
    """

    def __init__(self, backbone: Backbone, prompt, n: int, shaping: dict):
        self.prompt = fitting(backbone, prompt, n - 1) if n > 1 else single(backbone, prompt)
        self.backbone, self.size, self.shape = backbone, backbone.vocabulary, partial(shape, **shaping)

    @cached_property
    def first(self) -> Tensor:
        return self.shape(self._begin(0)[1])

    def _begin(self, room: int, plan=None, drafter: Drafter | None = None):
        """Compute the prompt: a cache with `room` more columns, logits [1, V] and state [1, D] of its last row, and the
        slots that hang from it with their states [1, M, D].
        """
        backbone, size = self.backbone, len(self.prompt)
        tokens = torch.tensor([self.prompt], device=backbone.device)
        zero, last = tokens.new_zeros(1), tokens.new_full((1, 1), size - 1)
        slots = resolve(plan, drafter)(drafter, Draft(tokens[:, :0], None, zero))
        lay, cache = layout(zero, 0, size, last[0], slots, backbone.context), backbone.cache(size + room)
        embeds = backbone.embed(tokens)
        if slots.branch.shape[1]:
            window = torch.full((1, drafter.horizon + 1, drafter.horizon + 1), 0.5, dtype=torch.float64)
            embeds = torch.cat([embeds, drafter.embed(slots, window.to(embeds.device)).to(embeds.dtype)], 1)
        gate = drafter.gate(size) if slots.branch.shape[1] else None
        logits, hidden = backbone.call(embeds, lay, cache, last, gate)
        cache.columns = size
        return cache, sound(logits[:, 0], backbone), hidden[:, size - 1], slots, hidden[:, size:]

    def laws(self, parents: Tensor, last: Tensor) -> Iterator[Tensor]:
        k, some = parents.shape[1], max(1, min(len(last), SIBLINGS, MEMORY // (24 * self.size)))
        cache = self._begin(k + some)[0]
        each = sum(2 * layer.keys.numel() * layer.keys.element_size() for layer in cache.hf.layers)
        rows = max(1, min(len(parents), ROWS, MEMORY // (each + 24 * self.size * some)))
        rows = rows if some == len(last) else 1
        cache.expand(rows)  # every call writes over the columns of the call before
        for chunk in bar(f"law of token {k + 2}", parents.split(rows)):
            full = torch.nn.functional.pad(chunk, (0, 0, 0, rows - len(chunk)))
            for siblings in last.split(some):
                tokens = torch.cat([full, siblings.expand(rows, -1)], 1)
                lay = abreast(rows, len(self.prompt), k, len(siblings), tokens.device)
                keep = torch.arange(k, k + len(siblings), device=tokens.device).expand(rows, -1)
                logits, _ = self.backbone.call(self.backbone.embed(tokens), lay, cache, keep)
                yield self.shape(sound(logits[: len(chunk)], self.backbone)).flatten(0, 1)

    def ids(self, names, called: str = "axes") -> Tensor:
        what = f"token ids from 0 to {self.size - 1}"
        names = listed(names, called, Integral, lambda t: 0 <= t < self.size, what)
        return torch.tensor(names, dtype=torch.long, device=self.backbone.device)

    def names(self, ids: Tensor) -> tuple[list[int], list[str]]:
        """Token ids as they are, and their texts."""
        tokenizer = self.backbone.tokenizer
        known = len(tokenizer) if tokenizer is not None else 0
        return ids.tolist(), [piece(tokenizer, t) if t < known else str(t) for t in ids.tolist()]


def listed(names, called: str, kind: type, fits: Callable, what: str) -> list:
    """What an axis stands for, as a list; ValueError where that is none, or holds what is no token, or one twice."""
    names = names.tolist() if hasattr(names, "tolist") else names
    remedy = f"an axis is a list of {what}, each of them once"
    if isinstance(names, str) or not isinstance(names, Iterable) or not (names := list(names)):
        raise ValueError(f"{called}={names!r:.60}: {remedy}")
    for x in names:
        if isinstance(x, bool) or not isinstance(x, kind) or not fits(x):
            raise ValueError(f"{called} holds {x!r:.60}: {remedy}")
    token, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise ValueError(f"{called} holds {token!r:.60} {times} times: {remedy}, or its windows count more than once")
    return names


def abreast(rows: int, cached: int, k: int, siblings: int, device) -> Layout:
    """`rows` rows of k tokens one after another, then siblings that all stand next and do not see one another."""
    place = torch.arange(k + siblings, device=device)
    positions = cached + place.clamp(max=k)
    sees = (place[:, None] >= place) & (place < k) | (place[:, None] == place)
    allowed = torch.cat([sees.new_ones(k + siblings, cached), sees], 1)
    columns = torch.cat([torch.arange(cached, device=device), positions])
    return Layout(positions.expand(rows, -1), allowed.expand(rows, -1, -1), columns.expand(rows, -1), k + siblings)


class Belief(Target):
    """A drafter's belief after the prompt: x_1 from the target's law, then q(x_k | x_1..x_{k-1}) by the three verbs.

    Slots hang from the prompt's last row and, where they carry uniforms, carry 0.5.
    """

    def __init__(self, drafter: Drafter, prompt, n: int, shaping: dict):
        if n - 1 > drafter.horizon:
            raise ValueError(f"n={n}: drafter {drafter.name!r} sees {drafter.horizon + 1} tokens ahead at most")
        super().__init__(drafter.backbone, prompt, n, shaping)
        self.drafter = drafter
        _, logits, self.hidden, slots, states = self._begin(0, "linear", drafter)
        self.first = self.shape(logits)
        self.slots, self.count = group(states, slots, slots.branch.new_zeros(1), drafter.slots_per_branch)

    def laws(self, parents: Tensor, last: Tensor) -> Iterator[Tensor]:
        prefixes = torch.cat([parents.repeat_interleave(len(last), 0), last.repeat(len(parents))[:, None]], 1)
        rows = max(1, min(ROWS // 2, (1 << 21) // (self.size * self.drafter.horizon)))
        for chunk in bar(f"belief about token {prefixes.shape[1] + 1}", prefixes.split(rows)):
            belief = self.drafter.begin(self.state(chunk[:, 0]))
            for token in chunk.unbind(1):
                belief = self.drafter.absorb(belief, token)
            logq = self.drafter.predict(belief)
            yield one_hot(logq.argmax(-1), self.size) if self.drafter.one_hot else self.shape(sound(logq, self.drafter))

    def state(self, first: Tensor) -> State:
        """What `begin` sees once the prompt's call has decided x_1 [N]."""
        rows, device, horizon = len(first), first.device, self.drafter.horizon
        text = torch.tensor(self.prompt, device=device).expand(rows, -1)
        tokens = torch.cat([text, first[:, None], first.new_zeros(rows, horizon + 1)], 1)
        length = torch.full((rows,), len(self.prompt) + 1, device=device)
        window = torch.full((rows, horizon + 1), 0.5, dtype=torch.float64, device=device)
        hidden, slots = self.hidden.expand(rows, -1), self.slots.expand(rows, -1, -1)
        return State(tokens, length, hidden, slots, self.count.expand(rows), window)


class Words:
    """The exact law of a grammar, word by word; words are numbered as they turn up, the end of a document is one."""

    def __init__(self, corpus: Corpus, prompt, n: int, shaping: dict):
        from ..corpora.stories import words

        if shaping.get("temperature", 1.0) != 1.0 or shaping.get("top_k") or shaping.get("top_p", 1.0) != 1.0:
            raise ValueError("temperature, top_k and top_p shape a model's law; the grammar's law is what it is")
        if not isinstance(prompt, str | list | tuple):
            raise ValueError(refusal("prompt", prompt, "pass a string or a list of words, '' being the start"))
        belief = corpus.start()
        for word in words(prompt) if isinstance(prompt, str) else prompt:
            try:
                belief = belief.advance(word)
            except ValueError as error:
                raise ValueError(refusal("prompt", prompt, str(error))) from error
        self.beliefs = {(): belief}
        self.same = {belief.key: belief}  # different words often lead to one belief: its law is worked out once
        self.number: dict[str, int] = {}

    @property
    def size(self) -> int:
        return len(self.number)

    @property
    def first(self) -> Tensor:
        return self._matrix([self.beliefs[()].law()])

    def laws(self, parents: Tensor, last: Tensor) -> Iterator[Tensor]:
        known = list(self.number)
        prefixes = [(*(known[i] for i in parent), known[x]) for parent in parents.tolist() for x in last.tolist()]
        yield self._matrix([self._law(prefix) for prefix in bar(f"grammar's law of word {len(prefixes[0])}", prefixes)])

    def _matrix(self, rows: list[dict[str, float]]) -> Tensor:
        places = [(r, self._number(word), chance) for r, row in enumerate(rows) for word, chance in row.items()]
        law = torch.zeros(len(rows), self.size, dtype=torch.float64)
        row, word, chance = zip(*places, strict=True)
        law[list(row), list(word)] = torch.tensor(chance, dtype=torch.float64)
        return law

    def _law(self, prefix: tuple[str, ...]) -> dict[str, float]:
        """The law after a prefix; empty where the grammar cannot write it, END after an END."""
        if END in prefix:
            return {END: 1.0}
        if prefix not in self.beliefs:
            before = self.beliefs.get(prefix[:-1])
            if before is None or not before.probability(prefix[-1]):
                return {}
            belief = before.advance(prefix[-1])
            self.beliefs[prefix] = self.same.setdefault(belief.key, belief)
        return self.beliefs[prefix].law()

    def _number(self, word: str) -> int:
        return self.number.setdefault(word, len(self.number))

    def ids(self, names, called: str = "axes") -> Tensor:
        return torch.tensor([self._number(word) for word in listed(names, called, str, lambda w: True, "words")])

    def names(self, ids: Tensor) -> tuple[list[str], list[str]]:
        """Words as the grammar writes them, and as they are shown: the end of a document has a name."""
        known = list(self.number)
        plain = [known[i] for i in ids.tolist()]
        return plain, [word or "⟨end⟩" for word in plain]
