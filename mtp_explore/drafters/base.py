"""What every drafter has: defaults of the contract, and saving and loading.

A drafter is saved as config.json (its name, options and the backbone it was made for) and model.safetensors.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..backbone.files import CONFIG, WEIGHTS, checked, save_directory, write_text
from ..backbone.load import Backbone
from ..backbone.now import Gate
from ..backbone.seal import check_seal
from ..checks import instance, plain, whole

MOST = 64  # tokens per step that a drafter may be asked for


class DrafterBase(nn.Module):
    """Defaults of `contract.Drafter`; subclasses set `name` and write begin, predict, absorb, left.

    config: the options that rebuild the module, without the backbone. `backbone` is a reference, not a submodule.
    """

    name = "drafter"
    slots_per_branch = 0
    first_slot = 1
    one_hot = False
    wants_ahead = False  # its losses ask for the states of the next K places (train/features.py)
    law = None  # temperature, top_k and top_p that it is made for, where that matters
    wants_text = False  # its losses ask for windows of text instead of states (train/texts.py)

    def __init__(self, backbone: Backbone, horizon: int, **options):
        super().__init__()
        self.horizon = whole("horizon", horizon, 1, MOST)
        self.options = {"horizon": self.horizon, **{k: plain(v) for k, v in options.items()}}
        self.made_for = identity(backbone)
        self.__dict__["backbone"] = backbone

    def check(self, backbone: Backbone) -> None:
        """ValueError where this drafter was made for another backbone, or lies in another precision or on another
        device.
        """
        here = identity(backbone)
        for key, mine in self.made_for.items():
            if mine != here[key]:
                what = "fingerprint" if key == "backbone" else key
                raise ValueError(
                    f"drafter {self.name!r} was made for a backbone of {what} {mine}, but {backbone.name!r} has "
                    f"{here[key]}: load the drafter of this backbone, or train one with fit()"
                )
        there, here = place(self.backbone), place(backbone)
        mine = next((place(w) for w in self.parameters() if w.is_floating_point()), here)
        if not there == mine == here:
            raise ValueError(
                f"drafter {self.name!r} is in {mine} for a backbone in {there}, and {backbone.name!r} is in {here}: "
                "load or make the drafter with this backbone, load_drafter(name, backbone)"
            )

    def advise(self, temperature: float, top_k: int, top_p: float) -> None:
        """A chance to warn that text is decoded under a law that it was not made for. Nothing by default."""

    def gate(self, first: int) -> Gate | None:
        """No adapters by default."""
        return None

    def embed(self, slots, window: Tensor) -> Tensor:
        """Drafters without slots are never asked."""
        raise NotImplementedError(f"drafter {self.name!r} has no slots")

    def describe(self, belief) -> dict[str, Tensor]:
        """Nothing beyond the laws, by default."""
        return {}

    def settle(self, batches) -> None:
        """Measure on held-out batches what it has to know of itself; called when training ends. Nothing by default."""

    def save_pretrained(self, directory: str | Path) -> None:
        """config.json and model.safetensors, sealed; never half written. A card that lies there speaks of the old
        weights and is removed. ValueError: `directory` is a file. OSError: it cannot be written.
        """
        config = {"name": self.name, "options": self.options, "made_for": self.made_for}
        weights = {k: v.detach().contiguous().cpu() for k, v in self.state_dict().items()}

        def write(where: Path) -> None:
            save_file(weights, where / WEIGHTS)
            write_text(where / CONFIG, json.dumps(config, indent=2) + "\n")

        save_directory(directory, write)

    def load_weights(self, directory: Path) -> None:
        """Weights of `save_pretrained`, cast to the backbone's dtype; ValueError where the file does not fit."""
        try:
            weights = load_file(checked(directory) / WEIGHTS)
            check_seal(directory / WEIGHTS)
            self.load_state_dict(weights)
        except Exception as error:
            if isinstance(error, ValueError):
                raise
            raise ValueError(
                f"{str(directory / WEIGHTS)!r} cannot be read as drafter {self.name!r} "
                f"({str(error).splitlines()[0]}): the file is damaged or belongs to another drafter"
            ) from error
        self.to(self.backbone.device, self.backbone.dtype)


def place(x) -> str:
    """The precision and device of a backbone or tensor, in words."""
    return f"{str(x.dtype).removeprefix('torch.')} on {x.device}"


def identity(backbone: Backbone) -> dict:
    """What a drafter remembers of the backbone it is made for. TypeError where it is none."""
    instance("backbone", backbone, Backbone, "pass what load_backbone() returns")
    return {"width": backbone.width, "vocabulary": backbone.vocabulary, "backbone": backbone.fingerprint}


def one_hot_log(token: Tensor, size: int) -> Tensor:
    """log of the one-hot law [B, V] of a token [B]: 0 at the token, -inf elsewhere."""
    law = torch.full((*token.shape, size), -torch.inf, device=token.device)
    return law.scatter_(-1, token[..., None], 0.0)
