"""Model cards: what a shipped directory says about itself, for programs (card.json) and for readers (README.md)."""

import json
import os
import platform
import re
from pathlib import Path

from .. import checks
from .files import CARD, CONFIG, TOKENIZER_FILES, WEIGHTS, check_weights, checksum, read_card, write_text

__all__ = ["check_weights", "machine", "read_card", "write_card"]

FILES = (CONFIG, "generation_config.json", *TOKENIZER_FILES)  # what changes the text, beside the weights


def write_card(directory: str | Path, title: str, about: str, facts: dict) -> dict:
    """Write card.json (facts, the SHA-256 of the weights and of the other files) and README.md (the same as a table);
    return the former. ValueError: there are no weights to speak of.
    """
    directory = checks.path("directory", directory)
    if not (directory / WEIGHTS).is_file():
        raise ValueError(f"directory={str(directory)!r}: it must hold the {WEIGHTS} that the card is about")
    files = {name: checksum(directory / name) for name in FILES if (directory / name).is_file()}
    facts = {**facts, "files": files, "sha256": checksum(directory / WEIGHTS)}
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
