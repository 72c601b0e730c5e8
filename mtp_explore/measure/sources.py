"""Who can be asked for the next token after a prefix: a backbone, a drafter's belief, the grammar of the stories.

Each source numbers its tokens 0..V-1 and has two verbs: `laws(prefixes)` yields, in chunks of rows, the law [N, V]
(float64) of the token after each prefix [N, k], k = 0, 1, ...; `ids(names)` and `names(ids)` translate what an axis
stands for. `measure.joint` multiplies the laws up to exact joints. V vocabulary, K horizon, D width, M slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from ..backbone.layout import layout
from ..backbone.load import Backbone
from ..contract import Draft, Drafter, Slots, State
from ..corpora.corpus import Corpus
from ..corpora.stories_automaton import END
from ..corpora.tokenizer import piece
from ..decode.loop import group
from ..decode.plan import resolve
from ..tensors.categorical import one_hot, shape

MEMORY = 1 << 28  # bytes of cache and laws that one chunk of rows may take
ROWS = 1024  # rows per chunk at most


class Target:
    """A backbone's own law: the prompt is computed once, its cache repeated for a chunk of rows, and every chunk writes
    its tokens over those of the chunk before.
    """

    def __init__(self, backbone: Backbone, prompt, n: int, shaping: dict, plan=None, drafter: Drafter | None = None):
        (self.prompt,) = backbone.encode([prompt])
        if len(self.prompt) + n - 1 > backbone.context:
            raise ValueError(
                f"prompt has {len(self.prompt)} tokens, and {n} more do not fit into the {backbone.context} positions "
                f"of {backbone.name!r}: cut the prompt"
            )
        self.backbone, self.size, self.shape = backbone, backbone.vocabulary, partial(shape, **shaping)
        self.cache = backbone.cache(len(self.prompt) + n)
        tokens = torch.tensor([self.prompt], device=backbone.device)
        zero, nothing = tokens.new_zeros(1), tokens[:, :0]
        last = torch.full((1, 1), len(self.prompt) - 1, device=backbone.device)
        slots = resolve(plan, drafter)(drafter, Draft(nothing, None, zero))
        lay = layout(zero, 0, len(self.prompt), last[0], slots, backbone.context)
        embeds = backbone.embed(tokens)
        if slots.branch.shape[1]:
            window = torch.full((1, drafter.horizon + 1, drafter.horizon + 1), 0.5, dtype=torch.float64)
            embeds = torch.cat([embeds, drafter.embed(slots, window.to(embeds.device)).to(embeds.dtype)], 1)
            with drafter.gate(len(self.prompt)):
                logits, hidden = backbone.call(embeds, lay, self.cache, last)
        else:
            logits, hidden = backbone.call(embeds, lay, self.cache, last)
        self.cache.columns = len(self.prompt)
        self.first = self.shape(logits[:, 0])
        self.hidden, self.slots, self.asked = hidden[:, len(self.prompt) - 1], hidden[:, len(self.prompt) :], slots
        self.rows = 0  # the cache is expanded when the first chunk comes

    def laws(self, prefixes: Tensor) -> Iterator[Tensor]:
        if not prefixes.shape[1]:
            yield self.first
            return
        if not self.rows:
            each = sum(2 * layer.keys.numel() * layer.keys.element_size() for layer in self.cache.hf.layers)
            self.rows = max(1, min(ROWS, MEMORY // (each + 24 * self.size)))
            self.cache.expand(self.rows)
        cached = torch.full((self.rows,), len(self.prompt), device=self.backbone.device)
        nothing = cached.new_zeros(self.rows, 0)
        last = torch.full((self.rows, 1), prefixes.shape[1] - 1, device=self.backbone.device)
        lay = layout(
            cached, self.cache.columns, prefixes.shape[1], cached * 0, Slots(nothing, nothing), self.backbone.context
        )
        for chunk in prefixes.split(self.rows):
            full = torch.nn.functional.pad(chunk, (0, 0, 0, self.rows - len(chunk)))
            logits, _ = self.backbone.call(self.backbone.embed(full), lay, self.cache, last)
            yield self.shape(logits[: len(chunk), 0])

    def ids(self, names) -> Tensor:
        return torch.as_tensor(names, dtype=torch.long, device=self.backbone.device)

    def names(self, ids: Tensor) -> tuple[list[int], list[str]]:
        """Token ids as they are, and their texts."""
        tokenizer = self.backbone.tokenizer
        known = len(tokenizer) if tokenizer is not None else 0
        return ids.tolist(), [piece(tokenizer, t) if t < known else str(t) for t in ids.tolist()]


class Belief(Target):
    """A drafter's belief after the prompt: x_1 from the target's law, then q(x_k | x_1..x_{k-1}) by the three verbs.

    Slots hang from the prompt's last row and, where they carry uniforms, carry 0.5.
    """

    def __init__(self, drafter: Drafter, prompt, n: int, shaping: dict):
        if n - 1 > drafter.horizon:
            raise ValueError(f"n={n}: drafter {drafter.name!r} sees {drafter.horizon + 1} tokens ahead at most")
        drafter.check(drafter.backbone)
        super().__init__(drafter.backbone, prompt, n, shaping, "linear", drafter)
        self.drafter = drafter
        self.rows = max(1, min(ROWS // 2, (1 << 21) // (self.size * drafter.horizon)))

    def laws(self, prefixes: Tensor) -> Iterator[Tensor]:
        if not prefixes.shape[1]:
            yield self.first
            return
        for chunk in prefixes.split(self.rows):
            belief = self.drafter.begin(self.state(chunk[:, 0]))
            for token in chunk.unbind(1):
                belief = self.drafter.absorb(belief, token)
            logq = self.drafter.predict(belief)
            yield one_hot(logq.argmax(-1), self.size) if self.drafter.one_hot else self.shape(logq)

    def state(self, first: Tensor) -> State:
        """What `begin` sees once the prompt's call has decided x_1 [N]."""
        rows, device, horizon = len(first), first.device, self.drafter.horizon
        text = torch.tensor(self.prompt, device=device).expand(rows, -1)
        tokens = torch.cat([text, first[:, None], first.new_zeros(rows, horizon + 1)], 1)
        length = torch.full((rows,), len(self.prompt) + 1, device=device)
        slots, count = group(self.slots, self.asked, self.asked.branch.new_zeros(1), self.drafter.slots_per_branch)
        window = torch.full((rows, horizon + 1), 0.5, dtype=torch.float64, device=device)
        hidden = self.hidden.expand(rows, -1)
        return State(tokens, length, hidden, slots.expand(rows, -1, -1), count.expand(rows), window)


class Words:
    """The exact law of a grammar, word by word; words are numbered as they turn up, the end of a document is one."""

    def __init__(self, corpus: Corpus, prompt, n: int, shaping: dict):
        from ..corpora.stories import words

        if shaping.get("temperature", 1.0) != 1.0 or shaping.get("top_k") or shaping.get("top_p", 1.0) != 1.0:
            raise ValueError("temperature, top_k and top_p shape a model's law; the grammar's law is what it is")
        belief = corpus.start()
        for word in words(prompt) if isinstance(prompt, str) else prompt:
            belief = belief.advance(word)
        self.beliefs = {(): belief}
        self.same = {belief.key: belief}  # different words often lead to one belief: its law is worked out once
        self.number: dict[str, int] = {}

    @property
    def size(self) -> int:
        return len(self.number)

    def laws(self, prefixes: Tensor) -> Iterator[Tensor]:
        known = list(self.number)
        rows = [self._law(tuple(known[i] for i in prefix)) for prefix in prefixes.tolist()]
        places = [(r, self._number(word), chance) for r, row in enumerate(rows) for word, chance in row.items()]
        law = torch.zeros(len(rows), self.size, dtype=torch.float64)
        row, word, chance = zip(*places, strict=True)
        law[list(row), list(word)] = torch.tensor(chance, dtype=torch.float64)
        yield law

    def _law(self, prefix: tuple[str, ...]) -> dict[str, float]:
        if END in prefix:
            return {END: 1.0}
        if prefix not in self.beliefs:
            belief = self.beliefs[prefix[:-1]].advance(prefix[-1])
            self.beliefs[prefix] = self.same.setdefault(belief.key, belief)
        return self.beliefs[prefix].law()

    def _number(self, word: str) -> int:
        return self.number.setdefault(word, len(self.number))

    def ids(self, names) -> Tensor:
        return torch.tensor([self._number(word) for word in names])

    def names(self, ids: Tensor) -> tuple[list[str], list[str]]:
        """Words as the grammar writes them, and as they are shown: the end of a document has a name."""
        known = list(self.number)
        plain = [known[i] for i in ids.tolist()]
        return plain, [word or "⟨end⟩" for word in plain]
