"""What every corpus can do: give documents as strings and, for one tokenizer, as one stream of token ids.

A subclass sets `name` and writes `documents(split)`; the stream is made here, once for all of them.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

CHUNK = 512  # documents encoded at a time


class Corpus:
    """A named source of documents in three splits: "train", "validation", "test"."""

    name: str

    def documents(self, split: str) -> Iterator[str]:
        """The documents of one split, always in the same order."""
        raise NotImplementedError

    def tokens(self, split: str, tokenizer, limit: int | None = None):
        """The split as one 1-D LongTensor: every document followed by the end-of-document token.

        limit: stop after this many ids (the last document may be cut).
        """
        return stream(self.documents(split), tokenizer, limit)


def stream(documents: Iterable[str], tokenizer, limit: int | None = None):
    """Documents encoded one after another, each closed by `tokenizer.eos_token_id`: a 1-D LongTensor."""
    import torch  # here, so that reading documents needs no torch

    if tokenizer is None:
        raise ValueError("tokenizer=None: this backbone has none, so the corpus cannot be read; load one that has")
    end = tokenizer.eos_token_id
    if end is None:
        raise ValueError("tokenizer has no eos_token: set one, it marks the end of every document")
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1 token, got {limit}")
    parts, size, documents = [], 0, iter(documents)
    while (limit is None or size < limit) and (chunk := list(islice(documents, CHUNK))):
        rows = tokenizer(chunk, add_special_tokens=False, return_attention_mask=False, verbose=False)["input_ids"]
        ids = torch.tensor(list(chain.from_iterable([*row, end] for row in rows)), dtype=torch.long)
        parts.append(ids)
        size += len(ids)
    return torch.cat(parts)[:limit] if parts else torch.empty(0, dtype=torch.long)
