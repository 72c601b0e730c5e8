"""A trained CP or HMM drafter as a chain: the parts of what it believes, on the axes of a joint.

The drafter absorbs the target's own x_1, so its belief is p(x_1) times a mixture (a hidden Markov chain) whose weights
follow from x_1. That is again of rank R, with first factor p(x_1) w_a(x_1): `measure.em` can start from it, and what
EM makes of it is what training could still have won on this context. R components, A_i tokens on axis i, D width.
"""

from __future__ import annotations

import torch

from ..checks import instance
from ..tensors.cp import CP
from ..tensors.hmm import HMM
from .arguments import drafting
from .em import Chain
from .joint import Joint
from .sources import Belief


@torch.no_grad()
def head_chain(drafter, prompt, joint: Joint) -> Chain:
    """The belief of a drafter "cp" or "hmm" after `prompt`, cut to the axes of `joint`: `dense()`, divided by its sum,
    is the law of `exact_joint(drafter, prompt, axes=joint)`.

    Not normalised: what the axes leave out is missing. Temperature 1 (a shaped mixture is no mixture).
    Errors (ValueError): another drafter, a joint of other ids or of more tokens than the drafter's window.
    """
    instance("joint", joint, Joint, "pass what exact_joint() returns")
    asked = Belief(drafting("drafter", drafter), prompt, joint.n, {})
    axes = [asked.ids(tokens) for tokens in joint.tokens]
    belief = drafter.begin(asked.state(axes[0]))
    circuit = getattr(belief, "circuit", None)
    if not isinstance(circuit, CP | HMM):
        raise ValueError(f"drafter {drafter.name!r} is no mixture and no chain: take one made as 'cp' or 'hmm'")
    after = drafter.absorb(belief, axes[0]).seen.state.double().exp()  # [A_1, R] the next latent's law, x_1 known
    weights = (asked.first[0][axes[0], None] * after).T
    later = [drafter.factors(belief.z[0, k]).double().exp()[:, axes[k]] for k in range(1, joint.n)]
    moves = None
    if isinstance(circuit, HMM):  # the first latent is that of x_2 already: no move between the first two
        stay = torch.eye(len(weights), dtype=torch.float64, device=weights.device)
        moves = (stay, *circuit.logT[0, 1 : joint.n - 1].double().exp()) if joint.n > 1 else ()
    total = weights.sum(1)
    return Chain(total, (weights / total[:, None].clamp(min=1e-300), *later), moves)
