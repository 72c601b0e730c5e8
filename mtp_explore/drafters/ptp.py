"""`ptp`: slots that carry the uniforms of the tape, so that the future is drafted as a function of them (Draxler, Will
et al., arXiv 2512.21323).

Letters: K horizon, D width, V vocabulary, B windows of T places, A anchors, M slots; P_k the target's final law of
token k, t_0 = y' the token that verification fixes, t_1..t_K the drafts, w_k the uniform with t_k = Pick(w_k, P_k);
z_j [D] the final state of slot j. The tape is thrown first, and given w_0..w_k the token t_k is certain (Theorem 1,
papers.md 4.1); w_0..w_{k-1} fix t_0..t_{k-1}, so given them its law is P_k itself (Theorem 2). Hence two variants:

    one-hot       (O-PTP)  slot j = 0..K carries w_j and names t_j itself: arg max U z_j. Slot 0 only repeats y'.
    categorical   (C-PTP)  slot j = 1..K carries w_{j-1} and says q_j = softmax(U z_j); the draft is Pick(w_j, q_j)

What slots share is in drafters/slots.py, how they carry u in drafters/auxiliary.py.

Training (papers.md 4.3): for an anchor at place i of a text t_0 is the token after it, and the w are numbers that would
have drawn this text (drafters/throws.py). Losses, means over slots:

    cross-entropy   -log softmax(U z_j)[t_j]; for one-hot it can reach 0
    kl, reverse-kl  KL(P_j || q_j), KL(q_j || P_j), for categorical: the frozen backbone's whole law as teacher

The law's temperature divides the logits of categorical losses on both sides, as it will when decoding; top-k and top-p
do not enter them (no KL would be finite). With source="inverse" (categorical) the w are the drafter's own, and there is
no teacher but the text.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from ..backbone.blocks import Frozen, freeze
from ..checks import choice, real, shaping
from ..contract import Slots, State
from ..tensors.categorical import pick, shape
from ..tensors.uniforms import places
from .auxiliary import Auxiliary
from .objectives import divergence, per_token
from .slots import SlotDrafter, at_places
from .throws import throw

VARIANTS, LOSSES, SOURCES = ("one-hot", "categorical"), ("cross-entropy", "kl", "reverse-kl"), ("teacher", "inverse")


class Thrown(NamedTuple):
    hidden: Tensor  # [B, D] the state that predicts y'
    z: Tensor  # [B, M, D] states of the slots of the branch that survived
    count: Tensor  # [B] how many of them are real
    window: Tensor  # [B, K+1] w_0 .. w_K
    k: int  # tokens absorbed


class Rows(NamedTuple):
    """The rows of training."""

    u: Tensor  # [B, A, K+1] w_0 .. w_K
    greedy: Tensor  # [B] bool
    z: Tensor  # [B, A, M, D]
    target: Tensor  # [B, A, M] what the slots speak of; -1 where that is not known
    teacher: Tensor  # [B, A, M, D] the frozen states that predict it


class PTP(SlotDrafter):
    """horizon: K; variant; rank, alpha (0: the rank), targets: of the adapters (`GatedLoRA`); embedding: of u
    (`EMBEDDINGS`); temperature, top_k, top_p: the law that is drafted for: another one stays exact, but fewer drafts
    are accepted. Training: loss, source: above; beta: u ~ Beta(beta, beta) within a bin; anchors: places of a window
    that get slots in a step (0: all).
    """

    name = "ptp"
    slot_rows = property(lambda self: self.auxiliary.rows)

    def __init__(
        self,
        backbone,
        horizon: int = 8,
        variant: str = "one-hot",
        rank: int = 16,
        alpha: float = 0.0,
        targets: str = "all",
        embedding: str = "bits",
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        loss: str = "cross-entropy",
        beta: float = 1.0,
        source: str = "teacher",
        anchors: int = 64,
    ):
        adapters, law = dict(rank=rank, alpha=alpha, targets=targets), shaping(temperature, top_k, top_p)
        beta = real("beta", beta, above=0, why="of Beta(beta, beta), 1: uniform")
        training = dict(loss=loss, beta=beta, source=source)
        form = dict(variant=variant, embedding=embedding, **law)
        for key, value, known in (("variant", variant, VARIANTS), ("loss", loss, LOSSES), ("source", source, SOURCES)):
            choice(key, value, known)
        super().__init__(backbone, horizon, anchors, **adapters, **form, **training)
        if variant == "one-hot" and (loss, source) != ("cross-entropy", "teacher"):
            raise ValueError(
                f"loss={loss!r}, source={source!r}: a one-hot slot has no law of its own, so it learns by "
                "cross-entropy from a teacher; use variant='categorical'"
            )
        if source == "inverse" and loss != "cross-entropy":
            raise ValueError(
                f"loss={loss!r}, source='inverse': under the drafter's own numbers the backbone's law is no teacher; "
                "use loss='cross-entropy' or source='teacher'"
            )
        self.one_hot = variant == "one-hot"
        self.first_slot = 0 if self.one_hot else 1
        self.form, self.beta, self.source, self.law, self.advised = loss, beta, source, law, set()
        self.scale, self.all_greedy = 1.0 if self.one_hot else law["temperature"] or 1.0, temperature == 0
        self.auxiliary = Auxiliary(embedding, backbone.embed_width, self.spread, self.horizon + 1 - self.first_slot)
        self.lora = self.adapters(**adapters)
        self.to(backbone.device, backbone.dtype)

    def advise(self, **asked) -> None:
        """Warn, once for each other law, that drafts were learnt for the bins of `law`. Greedy text has bins of its
        own, [0, 1), and asks for no other drafter.
        """
        key = tuple(asked.items())
        if asked == self.law or asked["temperature"] == 0 or key in self.advised:
            return
        self.advised.add(key)
        warnings.warn(
            f"drafter {self.name!r} was made for {self.law}, and this text is decoded with {asked}: it stays exact, "
            "but fewer drafts will be accepted; decode with that law, or train a drafter with these options",
            stacklevel=4,
        )

    def embed(self, slots: Slots, window: Tensor) -> Tensor:
        rows = torch.arange(len(window), device=window.device)[:, None]
        slot = slots.index - self.first_slot
        return self.auxiliary(window[rows, slots.branch.clamp(min=0), slot], slot)

    def begin(self, state: State) -> Thrown:
        return Thrown(state.hidden, state.slots, state.count, state.window, 0)

    def predict(self, belief: Thrown) -> Tensor:
        """What slot k says of token k; of y' the target's own law."""
        slot = min(max(belief.k - self.first_slot, 0), self.slots_per_branch - 1)
        return self.backbone.logits(belief.z[:, slot] if belief.k else belief.hidden).log_softmax(-1)

    def absorb(self, belief: Thrown, token: Tensor) -> Thrown:
        return belief._replace(k=belief.k + 1)

    def describe(self, belief: Thrown) -> dict[str, Tensor]:
        return {**super().describe(belief), "uniforms": belief.window}

    def rows(
        self,
        text: Tensor,
        anchors: Tensor,
        future: Tensor,
        greedy: Tensor | None = None,
        draw: int = 0,
        source: str = "teacher",
        beta: float = 1.0,
    ) -> Rows:
        """What the losses are made of: windows of text [B, T], anchors [B, A] in them, at most T - 1 - K, the tokens
        future [B, A, K+1] that follow each, -1 where there are none; greedy [B] bool: windows of greedy text; draw: a
        number of the batch's own, by which places in the bins are drawn; beta: of those.
        """
        first = self.first_slot
        frozen, greedy, u, target = self.numbers(self, text, anchors, future, greedy, draw, source, beta)
        z = self.blocks(frozen, anchors, self.auxiliary(u[..., : self.slots_per_branch]))
        teacher = at_places(frozen.hidden.to(z.dtype), self.behind(anchors))
        return Rows(u, greedy, z, target[..., first:], teacher[:, :, first:])

    def numbers(
        self,
        by: PTP,
        text: Tensor,
        anchors: Tensor,
        future: Tensor,
        greedy: Tensor | None,
        draw: int,
        source: str,
        beta: float,
    ) -> tuple[Frozen, Tensor, Tensor, Tensor]:
        """(the text as `by`'s backbone reads it, greedy, u, target): numbers from the bins of `by`'s laws, and what is
        known under them (`throw`); arguments as `rows` has.
        """
        where = places(future, beta, draw)
        greedy = self.all_greedy | (torch.zeros_like(anchors[:, 0]).bool() if greedy is None else greedy)
        with torch.autocast(text.device.type, enabled=False):  # bins are where decoding will have them
            frozen = freeze(by.backbone, text)
            return frozen, greedy, *throw(by, frozen, anchors, future, greedy, where, source)

    def losses(
        self, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor | None = None, draw: int = 0
    ) -> dict[str, Tensor]:
        """Named means in nats, arguments as in `rows`: "loss", which is minimised, and "slot j", that of slot j. With
        `eval()` numbers are uniform in their bins, as the tape's are, whatever beta.
        """
        beta = self.beta if self.training else 1.0
        made = self.rows(text, anchors, future, greedy, draw, self.source, beta)
        return self.means(made, made.target >= 0)

    def means(self, made: Rows, real: Tensor, teacher=None) -> dict[str, Tensor]:
        """The losses of rows, means over those that are real [B, A, M] bool; teacher: the backbone whose states
        `made.teacher` are, by default the drafter's own.
        """
        if self.form == "cross-entropy":
            each = self.cross_entropy(made.z, made.target, self.scale)
        else:
            own, other = ((lambda z, b=b: b.logits(z) / self.scale) for b in (self.backbone, teacher or self.backbone))
            pair = (made.z, own), (made.teacher, other)
            (a, p), (b, q) = pair if self.form == "reverse-kl" else pair[::-1]
            each = divergence(a.flatten(0, -2), b.flatten(0, -2), p, other=q).view_as(real)
        names = (f"{self.slot} {j}" for j in range(self.horizon + 1 - real.shape[-1], self.horizon + 1))
        means = {name: per_token(each[..., m], real[..., m]) for m, name in enumerate(names)}
        return {"loss": per_token(each, real), **means}

    def right(self, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor | None = None, draw: int = 0):
        """Drafts under numbers from the frozen backbone's bins, against the tokens that came. Numbers are uniform in
        their bins, whatever training's beta: so the tape's are, and `match` meets those.
        """
        made = self.rows(text, anchors, future, greedy, draw)
        target, z = made.target[..., -self.horizon :], made.z[:, :, -self.horizon :]
        u, greedy = made.u[..., -self.horizon :], made.greedy[:, None, None].expand_as(target)

        def draft(z: Tensor, u: Tensor, g: Tensor) -> Tensor:
            logits = self.backbone.logits(z)
            best = logits.argmax(-1)
            return best if self.one_hot else torch.where(g, best, pick(shape(logits, **self.law), u))

        best = self.in_parts(draft, z.flatten(0, 2), u.flatten(), greedy.flatten()).view_as(target)
        return (best == target).flatten(0, 1), (target >= 0).flatten(0, 1)
