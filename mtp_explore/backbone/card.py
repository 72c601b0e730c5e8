"""Model cards: what a shipped directory says about itself, for programs (card.json) and for readers (README.md)."""

import json
import os
import platform
import re
from pathlib import Path

from .files import CARD, WEIGHTS, check_weights, checksum, read_card, write_text

__all__ = ["check_weights", "machine", "read_card", "write_card"]


def write_card(directory: str | Path, title: str, about: str, facts: dict) -> dict:
    """Write card.json (facts, the weights' SHA-256) and README.md (the same as a table); return the former."""
    directory = Path(directory)
    facts = {**facts, "sha256": checksum(directory / WEIGHTS)}
    write_text(directory / CARD, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    rows = "\n".join(f"| {key} | {_shown(value)} |" for key, value in facts.items())
    text = f"# {title}\n\n{about}\n\n| | |\n|---|---|\n{rows}\n"
    write_text(directory / "README.md", text)
    return facts


def _shown(value):
    if isinstance(value, dict):
        return ", ".join(f"{k} {_shown(v)}" for k, v in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value).replace("|", "\\|")


def machine() -> str:
    """Processor and number of cores, as far as the system tells."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = re.search(r"(?m)^model name\s*: (.*)$", info.read_text())
        name = found[1] if found else name
    return f"{name}, {os.cpu_count()} cores"
