"""Floor 1: text.  `load_corpus` finds a corpus by name, by path or on the Hub; nothing is imported too early."""

from importlib import import_module
from pathlib import Path

from mtp_explore.checks import nearest, path, refusal, shown

BUILT_IN = {"stories": "Stories", "arithmetic": "Arithmetic", "code": "Code"}


def load_corpus(name, field: str | None = None):
    """The corpus behind a name.

    name: "stories", "arithmetic", "code"; a path to a .txt, .md or .jsonl file (.gz behind it or not) or to a folder of
        .py / .txt files; or "hf:dataset:split:column" for a column of a dataset on the Hugging Face Hub.
    field: for .jsonl only, the key that holds the text (default "text").
    Returns a `Corpus` with `documents(split)` and `tokens(split, tokenizer, limit=None)`. Texts are text: a
    "<|endoftext|>" in one is read as letters, and ends no document.
    Raises ValueError for an unknown name (the nearest known ones are listed), FileNotFoundError for a missing path,
    TypeError for what is no name.
    """
    if not isinstance(name, (str, Path)):
        remedy = f"pass a name ({', '.join(map(repr, BUILT_IN))}) or a path; this is a {type(name).__name__}"
        raise TypeError(refusal("name", name, remedy))
    text = str(name)
    if field is not None:
        check_field(field, text)
    if text in BUILT_IN:
        return getattr(import_module(f"mtp_explore.corpora.{text}"), BUILT_IN[text])()
    if text.startswith("hf:"):
        from mtp_explore.corpora.hub import HubColumn

        return HubColumn(text)
    place = path("name", name)
    if "/" in text or "\\" in text or place.suffix or place.exists():
        from mtp_explore.corpora.files import open_files

        return open_files(place, field)
    near = nearest(text, BUILT_IN) or f"; known: {', '.join(BUILT_IN)}"
    others = "a path to a .txt, .md or .jsonl file or to a folder works too, and hf:dataset:split:column"
    raise ValueError(refusal("name", text, f"no corpus is called so{near} ({others})"))


def check_field(field: str, name: str) -> None:
    """ValueError unless `field` is a key, and of a file that has keys."""
    from mtp_explore.corpora.files import kind

    if kind(Path(name)) != ".jsonl":
        raise ValueError(
            refusal("field", field, f"it goes with a .jsonl file only, and name is {shown(name)}: leave it out")
        )
    if not isinstance(field, str):
        raise ValueError(refusal("field", field, "it must be the key that holds the text, as a string"))
