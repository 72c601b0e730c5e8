"""A safetensors file that knows what it should hold: the SHA-256 of its tensors stands in its own header.

The format is 8 bytes with the header's length (little endian), the header in JSON (name -> dtype, shape, place; and
"__metadata__", strings of one's own), then the tensors. The seal is taken of the names, dtypes, shapes and places and
of all that follows the header, so it stays the same whatever else the metadata say. Files from elsewhere carry none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

SEAL, METADATA = "mtp_explore.sha256", "__metadata__"
LONGEST = 100_000_000  # bytes of a header that safetensors itself takes


def header(path: str | Path) -> tuple[dict, int]:
    """The header of a safetensors file and where its tensors begin; ValueError where it has none."""
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            found = json.loads(file.read(size)) if 0 < size <= LONGEST else None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is damaged: its header is no JSON ({error}). Restore the file") from error
    if not isinstance(found, dict) or not isinstance(found.get(METADATA, {}), dict):
        raise ValueError(f"{str(path)!r} is damaged or no safetensors file: it has no header. Restore the file")
    return found, 8 + size


def seal(path: str | Path) -> None:
    """Write the seal into the header of a safetensors file that has just been made."""
    path = Path(path)
    found, start = header(path)
    found[METADATA] = {**found.get(METADATA, {}), SEAL: _digest(path, found, start)}
    text = json.dumps(found, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at multiples of 8
    sealed = path.with_name(path.name + ".sealed")
    try:
        with open(path, "rb") as old, open(sealed, "wb") as new:
            old.seek(start)
            new.write(len(text).to_bytes(8, "little") + text)
            shutil.copyfileobj(old, new, 1 << 20)
        os.replace(sealed, path)
    finally:
        sealed.unlink(missing_ok=True)


def check_seal(path: str | Path) -> None:
    """ValueError when the tensors are not those that were sealed. No seal, no check."""
    found, start = header(path)
    stated = found.get(METADATA, {}).get(SEAL)
    if stated is not None and stated != _digest(path, found, start):
        raise ValueError(
            f"{str(path)!r} is damaged or was changed: its tensors are not those that were saved. Restore the file or "
            "save it anew"
        )


def _digest(path: str | Path, header: dict, start: int) -> str:
    entries = {name: about for name, about in header.items() if name != METADATA}
    digest = hashlib.sha256(json.dumps(entries, sort_keys=True).encode())
    with open(path, "rb") as file:
        file.seek(start)
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
