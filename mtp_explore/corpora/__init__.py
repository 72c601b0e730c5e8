"""Floor 1: text.  `load_corpus` finds a corpus by name, by path or on the Hub; nothing is imported too early."""

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

BUILT_IN = {"stories": "Stories", "arithmetic": "Arithmetic", "code": "Code"}


def load_corpus(name, field: str | None = None):
    """The corpus behind a name.

    name: "stories", "arithmetic", "code"; a path to a .txt or .jsonl file or to a folder of .py / .txt files;
        or "hf:dataset:split:column" for a column of a dataset on the Hugging Face Hub.
    field: for .jsonl only, the key that holds the text (default "text").
    Returns a `Corpus` with `documents(split)` and `tokens(split, tokenizer, limit=None)`.
    Raises ValueError for an unknown name (the nearest known ones are listed), FileNotFoundError for a missing path.
    """
    if not isinstance(name, (str, Path)):
        raise TypeError(f"name must be a string or a path, got {type(name).__name__}")
    text = str(name)
    if field is not None and Path(text).suffix != ".jsonl":
        raise ValueError(f"field={field!r} goes with a .jsonl file only, and name is {text!r}: leave field out")
    if text in BUILT_IN:
        return getattr(import_module(f"mtp_explore.corpora.{text}"), BUILT_IN[text])()
    if text.startswith("hf:"):
        from mtp_explore.corpora.hub import HubColumn

        return HubColumn(text)
    if "/" in text or "\\" in text or Path(text).suffix or Path(text).exists():
        from mtp_explore.corpora.files import open_files

        return open_files(text, field)
    near = get_close_matches(text, BUILT_IN, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(BUILT_IN)}"
    others = "a path to a .txt or .jsonl file or to a folder works too, and hf:dataset:split:column"
    raise ValueError(f"no corpus is called {text!r}; {hint} ({others})")
