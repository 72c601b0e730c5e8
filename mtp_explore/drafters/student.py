"""`student`: parallel token prediction by a network of its own, trained whole (Draxler, Will et al., arXiv 2512.21323).

Letters: K horizon, V vocabulary, D the student's width, B windows of T places, A anchors; t_0 .. t_{K-1} the tokens
after the last committed one, all of them drafts, w_k the uniform with t_k = Pick(w_k, P_k) under the target's law P_k;
z_k [D] the final state that speaks of t_k. What numbers, slots and losses are is in drafters/ptp.py. Here they are rows
of a network beside the target (its copy, or a small Llama of any size), whose weights are all trained:

    one-hot       (O-PTP)  slot k = 0..K-1 carries w_k and names t_k: arg max U z_k
    categorical   (C-PTP)  slot k = 1..K-1 carries w_{k-1} and says q_k = softmax(U z_k); z_0 is the state of the last
                           committed token itself, so q_0 is the student's ordinary next-token law

A network of its own cannot ride in the target's call. It runs after it and sees what was committed, y' too: a step
costs two calls, one of the student and one of the target, 2/(c+1) calls per token with c accepted drafts (papers.md
4.6), where slots in the target take 1/(c+1). It needs no plan. `trace.calls` counts the target's calls alone. The
student reads the committed text anew at every step; it keeps no cache.

Training: text and slots are one pass with gradients through both (backbone/together.py). An anchor stands for the last
committed token; of the K + 1 tokens after it, which `losses` is given as in drafters/ptp.py, the first K are learned.
Categorical students learn the next token of every place too, by cross-entropy ("next"; not on greedy windows, whose
tokens are no draws), because t_0 has its law from there (papers.md 4.3, eq. 12). With source="teacher" numbers come
from the bins of the target's laws; with source="inverse" from the student's own, that of w_0 from q_0 and the others
one after another, and the text is the only teacher.
"""

from __future__ import annotations

import copy
from math import isqrt

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from ..backbone.layout import layout
from ..backbone.load import Backbone
from ..backbone.together import together
from ..checks import whole
from ..contract import Slots, State
from ..tensors.room import DRAWN, WHY, fits
from .auxiliary import Auxiliary
from .base import identity
from .objectives import per_token
from .ptp import PTP, Rows, Thrown
from .slots import at_places

LAYERS, HEADS = 128, 1024  # the most that a network of its own may have
HEAD = 32  # width of an attention head, where heads are not given


class Student(PTP):
    """horizon: K; variant: above; width D, layers, heads (0: one for every 32 of the width): of a small Llama, random
    at first, or width = layers = 0: a copy of the target with its weights. The other options are those of `PTP`.

    `target`: the backbone that it drafts for; `backbone`: its own network.
    """

    name = "student"
    slot = "draft"
    slots_per_branch = 0  # in the target's call

    def __init__(
        self,
        backbone: Backbone,
        horizon: int = 8,
        variant: str = "one-hot",
        width: int = 0,
        layers: int = 0,
        heads: int = 0,
        embedding: str = "bits",
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        loss: str = "cross-entropy",
        beta: float = 1.0,
        source: str = "teacher",
        anchors: int = 64,
    ):
        size = dict(width=width, layers=layers, heads=heads)
        own = network(backbone, **size)
        form = dict(embedding=embedding, loss=loss, beta=beta, source=source, anchors=anchors)
        super().__init__(own, horizon, variant, temperature=temperature, top_k=top_k, top_p=top_p, **form)
        for key in ("rank", "alpha", "targets"):
            del self.options[key]
        self.options |= size
        self.made_for = identity(backbone)
        self.__dict__["target"] = backbone
        self.network = own.model.base_model
        embed, head = own.embed, own.model.get_output_embeddings()
        self.head = None if head.weight is embed.weight else head
        self.auxiliary = Auxiliary(embedding, own.width, self.spread, self.slots).to(own.device, own.dtype)
        self.requires_grad_(True)
        del self.lora

    def adapters(self, **options) -> None:
        """None: the whole network is trained."""

    def gate(self, first: int) -> None:
        """Nothing to gate."""

    def train(self, mode: bool = True) -> Student:
        """The network stays as it is in decoding: no dropout, so a run that was resumed is the same."""
        super().train(mode)
        self.network.eval()
        return self

    @property
    def slots(self) -> int:
        """M: slots of a block."""
        return self.horizon - self.first_slot

    def behind(self, anchors: Tensor) -> Tensor:
        """[B, A, K] the places that predict t_0 .. t_{K-1}."""
        return anchors[..., None] + torch.arange(self.horizon, device=anchors.device)

    def begin(self, state: State) -> Thrown:
        """One call of the student over the committed text and the slots behind it."""
        own, last, first = self.backbone, state.length - 1, self.first_slot
        tokens = state.tokens[:, : own.context]  # no text is longer, whatever room the loop has kept for it
        index = torch.arange(first, self.horizon, device=tokens.device).expand(len(tokens), -1)
        slots = self.auxiliary(state.window[:, 1 : self.slots + 1])
        embeds = torch.cat([own.embed(tokens), slots.to(own.dtype)], 1)
        size = tokens.shape[1]
        lay = layout(torch.zeros_like(last), 0, size, last, Slots(torch.zeros_like(index), index), own.context)
        _, hidden = own.call(embeds, lay, own.cache(embeds.shape[1]), last[:, None])
        at_last = hidden.gather(1, last[:, None, None].expand(-1, first, hidden.shape[-1]))
        z = torch.cat([at_last, hidden[:, size:]], 1)
        return Thrown(state.hidden, z, torch.full_like(last, self.horizon), state.window, 0)

    def predict(self, belief: Thrown) -> Tensor:
        """What z_{k-1} says once y' and k - 1 drafts are absorbed; of y' the target's own law."""
        if belief.k == 0:
            return self.target.logits(belief.hidden).log_softmax(-1)
        return self.backbone.logits(belief.z[:, min(belief.k, self.horizon) - 1]).log_softmax(-1)

    def left(self, belief: Thrown) -> Tensor:
        return (belief.count + 1 - belief.k).clamp(min=0)

    def describe(self, belief: Thrown) -> dict[str, Tensor]:
        return {"uniforms": belief.window}

    def under(self, backbone: Backbone) -> Student:
        """The same, for one whose states are those of `backbone`: laws by its unembedding."""
        other = copy.copy(self)
        other.__dict__["backbone"] = backbone
        return other

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
        """As `PTP.rows`, of t_0 .. t_{K-1}, whatever the variant."""
        return self.read(text, anchors, future, greedy, draw, source, beta)[0]

    def read(
        self, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor | None, draw: int, source: str, beta: float
    ) -> tuple[Rows, Tensor]:
        """(what `rows` gives, the student's states [B, T, D] of the text)."""
        future, by = future[..., : self.horizon], self.under(self.target) if source == "teacher" else self
        frozen, greedy, u, target = self.numbers(by, text, anchors, future, greedy, draw, source, beta)
        slots = self.auxiliary(u[..., : self.slots])
        states, z = (x.to(slots.dtype) for x in together(self.backbone, text, anchors, slots, self.first_slot))
        z = torch.cat([at_places(states, anchors[..., None])[:, :, : self.first_slot], z], 2)
        teacher = at_places(frozen.hidden.to(z.dtype), self.behind(anchors))
        return Rows(u, greedy, z, target, teacher), states

    def losses(
        self, text: Tensor, anchors: Tensor, future: Tensor, greedy: Tensor | None = None, draw: int = 0
    ) -> dict[str, Tensor]:
        """Named means in nats, arguments as in `PTP.rows`: "draft k", that of z_{k-1}; of categorical students "next",
        that of the text's next tokens; "loss", which is minimised: the mean over drafts, plus "next".
        """
        made, states = self.read(text, anchors, future, greedy, draw, self.source, self.beta if self.training else 1.0)
        real = made.target >= 0
        if self.one_hot:
            return self.means(made, real, self.target)
        drawn = torch.ones_like(made.greedy) if self.all_greedy else ~made.greedy
        real = torch.cat([real[..., :1] & drawn[:, None, None], real[..., 1:]], -1)
        told, following = self.means(made, real, self.target), self.following(states, text, drawn)
        return {**told, "loss": told["loss"] + following, "next": following}

    def following(self, states: Tensor, text: Tensor, drawn: Tensor) -> Tensor:
        """Mean cross-entropy of the next tokens of a text [B, T] read to `states` [B, T, D], where drawn [B] bool."""
        each = self.cross_entropy(states[:, :-1], text[:, 1:], self.scale)
        return per_token(each, drawn[:, None].expand_as(each))


def network(target: Backbone, width: int, layers: int, heads: int) -> Backbone:
    """The student's own backbone, on the target's device, in its precision; options as in `Student`.

    Errors (ValueError): sizes that no network has.
    """
    width, layers, heads = whole("width", width), whole("layers", layers, 0, LAYERS), whole("heads", heads, 0, HEADS)
    if not width and not layers and not heads:
        return Backbone(copy.deepcopy(target.model), target.tokenizer, f"copy of {target.name}")
    if not width or not layers:
        raise ValueError(
            f"width={width}, layers={layers}, heads={heads}: a network of its own needs width and layers; leave all "
            "three out for a copy of the target"
        )
    whole("width", width, 1, min(isqrt(fits(12 * layers * DRAWN)), fits(target.vocabulary * DRAWN)), WHY)
    heads = heads or max(1, width // HEAD)
    if width % (2 * heads):
        raise ValueError(f"width={width}, heads={heads}: each head needs an even share of the width; choose another")
    config = LlamaConfig(
        vocab_size=target.vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=next(g for g in (heads // 3, heads // 2, heads) if g and heads % g == 0),
        intermediate_size=8 * width // 3,
        max_position_embeddings=target.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=target.eos or None,
        pad_token_id=None,
        attn_implementation="sdpa",
    )
    model = LlamaForCausalLM(config).to(target.device, target.dtype)
    return Backbone(model, target.tokenizer, f"student of {target.name}")
