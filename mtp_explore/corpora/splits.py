"""The rule that sends a document to a split: a hash of its text, so equal texts never straddle splits."""

from hashlib import sha256

from mtp_explore.checks import choice

SPLITS = ("train", "validation", "test")


def split_of(text: str) -> str:
    """Split of `text`, by SHA-256 of its UTF-8 bytes: 90 % "train", 5 % "validation", 5 % "test"."""
    bucket = int.from_bytes(sha256(text.encode("utf-8")).digest()[:8], "big") % 20
    return {0: "validation", 1: "test"}.get(bucket, "train")


def check_split(split: str) -> None:
    """ValueError, naming the known splits, if `split` is not one of them."""
    choice("split", split, SPLITS)
