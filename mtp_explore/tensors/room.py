"""Whether there is room: what cannot fit into memory is refused by estimate, before any of it is asked for."""

from __future__ import annotations

import os

import torch

WHY = "more does not fit into memory"
DRAWN = 8  # bytes of a weight while it is drawn: normal numbers, and the same scaled
UNKNOWN = 1 << 36  # bytes, where the system does not say


def memory(device: torch.device | str = "cpu") -> int:
    """Bytes of a device's memory, used or not; of the machine's for the CPU."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= getattr(os, "sysconf_names", {}).keys():
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return UNKNOWN


def fits(bytes_each: int, device: torch.device | str = "cpu") -> int:
    """How many things of at least so many bytes a device can hold: the bound of a `whole(...)` in checks.py. More than
    that cannot fit; what passes may still be too much.
    """
    return max(1, memory(device) // max(1, bytes_each))
