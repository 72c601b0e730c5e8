"""What the drafters CP, HMM and BTree share: a joint law of the window y', d_1..d_K, made from one state h.

n = K + 1. `begin` computes the states of all components and the weights of the sums; asked before the first token, the
drafter answers with the target's own law. The first token y' is never drafted: it is absorbed with the learned factor
P_a^(1)(y'), and the K drafts follow from the law given y'. Component laws [B, R, V] are made for some places at a time,
as many as stay small.

mixing: "state", w = softmax(G h + b), the papers'; "token": y' also speaks through its embedding, and what it says,
linear in E[y'], is added to the log-law of the latent it hangs from. Either way the belief is a proper law given y'
(papers.md 1.6 has the reason: the mixture's first token is worse than the target's, so it should not be drafted).
Sources: Basharin et al. (arXiv 2410.17765); Grivas et al. (arXiv 2511.11346); papers.md 1.6 and 2.5 (pending token).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..checks import choice, whole
from ..contract import State
from ..tensors.circuits import filtered, leaves, predicted
from ..tensors.components import component_logprob
from ..tensors.logprob import exact, target_logprob
from . import objectives
from .base import DrafterBase
from .heads import ComponentHeads, SumWeights, sizes

RANKS = 256
BLOCK = 1 << 22  # numbers of component laws that a belief holds, if there is more than one place of them


class Window(NamedTuple):
    hidden: Tensor  # [B, D] the state that predicts y'
    z: Tensor  # [B, n, R, D] states of the components
    circuit: Any  # the weights of the sums
    seen: Any  # what was absorbed
    logphi: Tensor  # [B, m, R, V] component laws of the places `first`.. , the next among them
    first: int


class CircuitDrafter(DrafterBase):
    """Subclasses say how the sums' weights come from h (`circuit`).

    horizon: K; rank: R; head_rank: of H - I, 0 for a full matrix; depth, hidden: the MLP before it; mixing: above.
    Training (`objectives.py`): objective; discount, for "conditional" and "kl"; first: whether y', which is never
    drafted, counts in the loss, as in the papers ("dpace" speaks of the drafts alone and refuses it); balance: weight
    of the balancing loss, which speaks of the root's weights alone, beside a loss in nats per token: 0.1 here is 0.1 K
    beside the papers' loss of a window; balancing: its form.
    """

    def __init__(
        self,
        backbone,
        horizon: int = 8,
        rank: int = 8,
        head_rank: int = 16,
        depth: int = 0,
        hidden: int = 256,
        mixing: str = "state",
        objective: str = "joint",
        discount: float = 1.0,
        first: bool = False,
        balance: float = 0.0,
        balancing: str = "kl",
    ):
        rank, mixing = whole("rank", rank, 1, RANKS), choice("mixing", mixing, ("state", "token"))
        heads = sizes(backbone.width, head_rank, depth, hidden)
        training = objectives.check(objective, discount, first, balance, balancing)
        super().__init__(backbone, horizon, rank=rank, **heads, mixing=mixing, **training)
        self.n, self.rank = self.horizon + 1, rank
        self.objective, self.discount, self.first = training["objective"], training["discount"], training["first"]
        self.balance, self.balancing, self.wants_ahead = training["balance"], balancing, objective == "kl"
        self.heads = ComponentHeads(backbone.width, self.n, rank, **heads)
        self.prior = SumWeights(backbone.width, rank)
        self.tilt = nn.Linear(backbone.width, rank, bias=False) if mixing == "token" else None
        if self.tilt is not None:
            nn.init.zeros_(self.tilt.weight)
        self.sums(backbone.width)
        self.to(backbone.device, backbone.dtype)

    def sums(self, width: int) -> None:
        """Make the modules of the sums below the root."""

    def circuit(self, hidden: Tensor):
        """The circuit [N, ...] of states h [N, D]."""
        raise NotImplementedError

    def begin(self, state: State) -> Window:
        z, circuit = self.heads(state.hidden), self.circuit(state.hidden)
        return Window(state.hidden, z, circuit, circuit.start(), self.block(z, 0), 0)

    def predict(self, belief: Window) -> Tensor:
        """The law of the next draft, given what was absorbed; before y', the target's own."""
        k = belief.seen.k
        if k == 0:
            return self.backbone.logits(belief.hidden).log_softmax(-1)
        return predicted(belief.seen.state, belief.logphi[:, min(k, self.n - 1) - belief.first])

    def absorb(self, belief: Window, token: Tensor) -> Window:
        """Fold a token [B] in; after the last place nothing changes any more."""
        k = belief.seen.k
        if k == self.n:
            return belief
        leaf = leaves(belief.logphi[:, k - belief.first, None], token[:, None])[:, 0]
        if k == 0 and self.tilt is not None:
            leaf = leaf + self.said(token)
        belief = belief._replace(seen=belief.circuit.absorb(belief.seen, leaf))
        if k + 1 in (self.n, *range(belief.first, belief.first + belief.logphi.shape[1])):
            return belief
        return belief._replace(logphi=self.block(belief.z, k + 1), first=k + 1)

    def block(self, z: Tensor, k: int) -> Tensor:
        """Component laws [B, m, R, V] of the places k, k + 1, ..., of as many as `BLOCK` allows."""
        size = len(z) * self.rank * self.backbone.vocabulary
        return self.factors(z[:, k : k + max(1, BLOCK // size)])

    def left(self, belief: Window) -> Tensor:
        return torch.full_like(belief.hidden[:, 0], self.n - belief.seen.k, dtype=torch.long)

    def states(self, belief: Window) -> Tensor:
        """[B, n-k, R] the law of every latent from which a token still to come hangs, given the k absorbed ones."""
        seen, free, out = belief.seen, torch.zeros_like(belief.seen.state), []
        while seen.k < self.n:
            out.append(seen.state)
            seen = belief.circuit.absorb(seen, free)  # a missing token
        return torch.stack(out, 1).exp()

    def describe(self, belief: Window) -> dict[str, Tensor]:
        """A law [B, R] for each place still to come."""
        return {"states": self.states(belief)}

    def factors(self, z: Tensor) -> Tensor:
        """Component laws log phi [..., V] of states z [..., D]."""
        return exact(self.backbone.logits(z)).log_softmax(-1)

    def said(self, token: Tensor) -> Tensor:
        """[N, R] what y' [N] adds to the log-law of its latent; 0 where it is missing (-1)."""
        embedding = self.backbone.embed(token.clamp(min=0))
        return exact(self.tilt(embedding.to(self.tilt.weight.dtype))) * (token >= 0)[:, None]

    def leaf(self, hidden: Tensor, future: Tensor) -> Tensor:
        """Log-probabilities [N, n, R] that the components after h [N, D] give the tokens future [N, n]; missing: 0."""
        target, unembed, heads = future.clamp(min=0), self.backbone.unembedding, self.heads
        if heads.down is None:
            z = heads(hidden)
            each = target[..., None].expand(z.shape[:-1])
            logp = target_logprob(z.flatten(0, 2), each.flatten(), unembed).view(z.shape[:-1])
        else:
            g = heads.base(hidden)
            logp = component_logprob(g.transpose(0, 1), heads.code(g).permute(2, 0, 1, 3), heads.up, target, unembed)
        return logp * (future >= 0)[..., None]

    def losses(self, hidden: Tensor, future: Tensor, ahead: Tensor | None = None) -> dict[str, Tensor]:
        """Means in nats: hidden [N, D]; future [N, n], the tokens y', d_1..d_K; entries -1 (beyond the text's end) are
        summed out. ahead [N, K, D]: the frozen states of the next K places, for objective "kl".

        "loss" is what is minimised, "joint" a whole window's -log q, "first" that of y' alone, "token k" that of the
        window's k-th token given those before it; "kl" and "balance" where they are part of the loss.
        """
        circuit, leaf, real = self.circuit(hidden), self.leaf(hidden, future), future >= 0
        tilt = None if self.tilt is None else self.said(future[:, 0])
        state = filtered(circuit, leaf, tilt)
        logq = (state + leaf).logsumexp(-1)
        each = objectives.offsets(-logq, real)
        out = {"joint": -logq.sum(1).mean(), "first": each[0]}
        out |= {f"token {k + 1}": each[k] for k in range(1, self.n)}
        start, kind = 0 if self.first else 1, self.objective
        if kind == "joint":
            loss = objectives.per_token(-logq[:, start:], real[:, start:])
        elif kind == "conditional":
            loss = objectives.discounted(each[start:], self.discount)
        elif kind == "dpace":
            drafts = logq[:, 1:], real[:, 1:]
            loss = (objectives.dpace(*drafts) - objectives.per_token(*drafts)) / 2
        else:
            kl = self.divergences(state[:, start:], hidden, ahead)
            loss = out["kl"] = objectives.discounted(objectives.offsets(kl, real[:, start:]), self.discount)
        if self.balance:
            told = leaf if tilt is None else torch.cat([leaf[:, :1] + tilt[:, None], leaf[:, 1:]], 1)
            posterior = circuit.logw + circuit.evidence(told)
            out["balance"] = objectives.balancing_loss(circuit.logw, posterior, self.balancing)
            loss = loss + self.balance * out["balance"]
        return {"loss": loss, **out}

    def divergences(self, state: Tensor, hidden: Tensor, ahead: Tensor | None) -> Tensor:
        """KL [N, m] of the target's law to the draft's at the window's last m places, on the gold prefix."""
        if ahead is None:
            raise ValueError("objective='kl' needs the target's states: give losses(..., ahead=) [N, K, D]")
        last = slice(self.n - state.shape[1], None)
        z, teacher = self.heads(hidden)[:, last], torch.cat([hidden[:, None], ahead], 1)[:, last]
        flat = state.flatten(0, 1), z.flatten(0, 1), teacher.flatten(0, 1)
        return objectives.mixture_kl(*flat, self.factors).view(state.shape[:2])
