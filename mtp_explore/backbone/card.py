"""Model cards and checksums: what a shipped directory says about itself, and whether its weights are whole."""

import json
import os
import platform
import re
from hashlib import sha256
from pathlib import Path

CARD = "card.json"
WEIGHTS = "model.safetensors"


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_card(directory: str | Path, title: str, about: str, facts: dict) -> dict:
    """Write card.json (facts, the weights' SHA-256) and README.md (the same as a table); return the former."""
    directory = Path(directory)
    facts = {**facts, "sha256": file_hash(directory / WEIGHTS)}
    write_text(directory / CARD, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    rows = "\n".join(f"| {key} | {_shown(value)} |" for key, value in facts.items())
    text = f"# {title}\n\n{about}\n\n| | |\n|---|---|\n{rows}\n"
    write_text(directory / "README.md", text)
    return facts


def _shown(value):
    if isinstance(value, dict):
        return ", ".join(f"{k} {_shown(v)}" for k, v in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value).replace("|", "\\|")


def read_card(directory: str | Path) -> dict:
    """What card.json holds; {} where there is none (a model from elsewhere)."""
    path = Path(directory) / CARD
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def check_weights(directory: str | Path) -> None:
    """ValueError when the weights are not the ones the card speaks of.  No card, no check."""
    expected = read_card(directory).get("sha256")
    if expected is None:
        return
    path = Path(directory) / WEIGHTS
    if not path.is_file():
        raise FileNotFoundError(f"{str(directory)!r} has a card but no {WEIGHTS}: fetch or rebuild it (make models)")
    found = file_hash(path)
    if found != expected:
        raise ValueError(
            f"{str(path)!r} is damaged or was changed: SHA-256 {found[:12]}..., the card says {expected[:12]}.... "
            "Fetch it again or rebuild it (make models)"
        )


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing: a temporary file beside it, then os.replace."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def machine() -> str:
    """Processor and number of cores, as far as the system tells."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = re.search(r"(?m)^model name\s*: (.*)$", info.read_text())
        name = found[1] if found else name
    return f"{name}, {os.cpu_count()} cores"
