"""What every corpus can do: give documents as strings and, for one tokenizer, as one stream of token ids.

A subclass sets `name` and writes `documents(split)`; the stream is made here, once for all of them.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from itertools import chain, islice

from mtp_explore.checks import refusal, whole
from mtp_explore.corpora.progress import bar
from mtp_explore.corpora.splits import check_split

CHUNK = 64  # documents encoded at a time


class Corpus:
    """A named source of documents in three splits: "train", "validation", "test"."""

    name: str

    def documents(self, split: str) -> Iterator[str]:
        """The documents of one split, always in the same order."""
        raise NotImplementedError

    def tokens(self, split: str, tokenizer, limit: int | None = None, progress: bool = False):
        """The split as one 1-D LongTensor: every document followed by the end-of-document token.

        limit: stop after this many ids (the last document may be cut). progress: show a bar where it takes a while.
        """
        check_split(split)
        return stream(self.documents(split), tokenizer, limit, f"reading {self.name}, {split}" if progress else None)


def stream(documents: Iterable[str], tokenizer, limit: int | None = None, progress: str | None = None):
    """Documents encoded one after another, each closed by `tokenizer.eos_token_id`: a 1-D LongTensor.

    A document is text and nothing else: "<|endoftext|>" in it is read as these letters and signs, and ends nothing.
    progress: the words of a bar.
    """
    import torch  # here, so that reading documents needs no torch

    limit = None if limit is None else whole("limit", limit, 1)
    end, encode = ending(tokenizer), reader(tokenizer)
    parts, size, documents = [], 0, iter(documents)
    with bar(progress, limit, progress is not None) as shown:
        while (limit is None or size < limit) and (chunk := list(islice(documents, CHUNK))):
            ids = torch.tensor(list(chain.from_iterable([*row, end] for row in encode(chunk))), dtype=torch.long)
            parts.append(ids)
            shown.update(len(ids) if limit is None else min(len(ids), limit - size))
            size += len(ids)
    return torch.cat(parts)[:limit] if parts else torch.empty(0, dtype=torch.long)


def ending(tokenizer) -> int:
    """The id that closes a document; ValueError or TypeError where `tokenizer` cannot read a corpus."""
    if tokenizer is None:
        raise ValueError("tokenizer=None: this backbone has none, so the corpus cannot be read; load one that has")
    if not callable(tokenizer) or not hasattr(tokenizer, "eos_token_id"):
        raise TypeError(refusal("tokenizer", tokenizer, "pass a tokenizer of transformers, as backbone.tokenizer is"))
    if tokenizer.eos_token_id is None:
        raise ValueError("tokenizer has no eos_token: set one, it marks the end of every document")
    return tokenizer.eos_token_id


def reader(tokenizer) -> Callable[[list[str]], list[list[int]]]:
    """A function from documents to the ids of each. Names of special tokens are read as the letters that they are; a
    vocabulary that holds its end as an ordinary word cannot write it as text, and there it is left out.
    """
    end = ending(tokenizer)
    own = deepcopy(tokenizer)  # a tokenizer of transformers remembers how it was last told to read special tokens
    how = dict(add_special_tokens=False, split_special_tokens=True, return_attention_mask=False, verbose=False)
    return lambda documents: [[i for i in row if i != end] for row in own(documents, **how)["input_ids"]]
