"""A key-value cache that keeps any of the rows of the last call, per row of the batch.

The only file that knows transformers' cache classes. New rows are written once, at a common column (the longest kept
prefix of the batch); `keep` then moves what each batch row keeps to that row's own end, so kept row j always lies in
column j. Nothing is copied as a whole and no holes arise.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer


class _Layer(DynamicLayer):
    """Keys and values of one layer in a buffer [B, H, capacity + 1, d]; the last column is waste."""

    owner: RowsCache

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        start, stop = self.owner.columns, self.owner.columns + key_states.shape[2]
        if not self.is_initialized:
            self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
            size = (*key_states.shape[:2], max(self.owner.capacity, stop) + 1)
            self.keys = key_states.new_zeros(*size, key_states.shape[3])
            self.values = value_states.new_zeros(*size, value_states.shape[3])
        elif stop >= self.keys.shape[2]:
            more = max(stop + 1 - self.keys.shape[2], self.keys.shape[2])
            self.keys = torch.nn.functional.pad(self.keys, (0, 0, 0, more))
            self.values = torch.nn.functional.pad(self.values, (0, 0, 0, more))
        self.keys[:, :, start:stop] = key_states
        self.values[:, :, start:stop] = value_states
        return self.keys[:, :, :stop], self.values[:, :, :stop]

    def get_seq_length(self) -> int:
        return self.owner.columns


class RowsCache:
    """Cache of a batch; pass `.hf` to a transformers model.

    capacity: columns set aside at first (it grows when needed).
    columns: the longest kept prefix, a Python number that the caller sets after `keep` (reading it from the device
    here would make the device wait).
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self.columns = 0
        layer = type("_OwnedLayer", (_Layer,), {"owner": self})
        self.hf = Cache(layer_class_to_replicate=layer)

    def keep(self, lengths: Tensor, count: Tensor, rows: Tensor | None = None, most: int | None = None) -> None:
        """Keep `count` [B] of the rows of the last call, appended to the `lengths` [B] rows kept before.

        `rows` [B, m] names them in order by their place in the call; None means its first rows (at most `most`).
        """
        first = self.columns
        if rows is None and len(lengths) == 1:
            return  # one row's first rows already lie at its own end
        if rows is None:
            rows = torch.arange(most, device=lengths.device).expand(len(lengths), most)
        place = torch.arange(rows.shape[1], device=lengths.device)
        wanted, found = place < count[:, None], {}
        for layer in self.hf.layers:
            batch, heads, columns, _ = layer.keys.shape
            if (heads, columns) not in found:  # layers of one shape share the places
                line = torch.arange(batch * heads, device=lengths.device).view(batch, heads, 1) * columns
                to = torch.where(wanted, lengths[:, None] + place, columns - 1)
                found[heads, columns] = [(line + x[:, None]).flatten() for x in (to, first + rows)]
            to, source = found[heads, columns]
            for x in (layer.keys.view(-1, layer.keys.shape[3]), layer.values.view(-1, layer.values.shape[3])):
                x.index_copy_(0, to, x.index_select(0, source))

    def expand(self, times: int) -> None:
        """Repeat every row `times` times, copies side by side: a batch whose rows share their prefixes."""
        for layer in self.hf.layers:
            layer.keys = layer.keys.repeat_interleave(times, 0)
            layer.values = layer.values.repeat_interleave(times, 0)
