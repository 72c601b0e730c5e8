"""What a run has seen: the losses of training and of measuring, from its first step on."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """The drafter's losses, in nats, by their names, of the whole run: what was seen before it was resumed is kept with
    its checkpoint.
    """

    settings: dict
    training: list[dict] = field(default_factory=list)  # {"step", "loss", "head 1", ...}
    validation: list[dict] = field(default_factory=list)
    seconds: float = 0.0  # of training in this call, features not counted
    feature_seconds: float = 0.0

    def to_dataframe(self):
        """Both curves in one table, with the columns `split`, `step`, `loss` and one for every other loss."""
        import pandas as pd

        parts = [("training", self.training), ("validation", self.validation)]
        rows = [{"split": name, **row} for name, part in parts for row in part]
        return pd.DataFrame(rows, columns=list(dict.fromkeys(["split", "step", "loss", *(k for r in rows for k in r)])))
