"""Byte-level BPE tokenizers: trained here, kept as ordinary transformers tokenizers, every text round-trips exactly.

All 256 bytes are tokens: nothing is unknown. A digit is always a token of its own, with or without a space before it.
"""

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from mtp_explore.checks import whole

END = "<|endoftext|>"
SMALLEST = 257  # the bytes and END
PIECES = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # GPT-2's, but digits one by one


def train_tokenizer(documents: Iterable[str], vocab_size: int, characters: int = 10_000_000) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `vocab_size` tokens, fitted to the first `characters` characters of `documents`.

    END (id 0) ends a document and serves as eos, bos and pad.
    """
    vocab_size = whole("vocab_size", vocab_size, SMALLEST, why=f"256 bytes and {END}")
    core = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PIECES), behavior="isolated")
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator(_first(documents, characters), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        bos_token=END,
        pad_token=END,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


def _first(documents, characters):
    for document in documents:
        if characters <= 0:
            return
        yield document
        characters -= len(document)


def load_tokenizer(directory: str | Path) -> PreTrainedTokenizerFast:
    """The tokenizer saved in `directory` by `save_pretrained`."""
    if not (Path(directory) / "tokenizer.json").is_file():
        raise FileNotFoundError(f"no tokenizer.json in {str(directory)!r}")
    return AutoTokenizer.from_pretrained(directory, trust_remote_code=False)


def fingerprint(tokenizer) -> str:
    """SHA-256 of what decides the ids: vocabulary, merges, the way text is cut."""
    return sha256(tokenizer.backend_tokenizer.to_str().encode("utf-8")).hexdigest()


def piece(tokenizer, index: int) -> str:
    """What to show for one token: its text, or its bytes as "⟨F0 9F⟩" where they are no whole characters.

    A special token is shown by its name.  Works for byte-level and SentencePiece vocabularies.
    """
    if not 0 <= index < len(tokenizer):
        raise ValueError(f"token id {index} is outside the vocabulary of {len(tokenizer)}")
    name = tokenizer.convert_ids_to_tokens(index)
    if index in tokenizer.all_special_ids or name is None:
        return name or ""
    if "▁" in name:  # SentencePiece's space
        return name.replace("▁", " ")
    text = tokenizer.decode([index], clean_up_tokenization_spaces=False)
    if "\ufffd" not in text:
        return text
    raw = token_bytes(name)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return f"⟨{raw.hex(' ').upper()}⟩"


def name_of(tokenizer, index: int) -> str:
    """`piece` for any token of a model: its number where there is no tokenizer, or none of its tokens has this number
    (models may have more rows than their tokenizers have tokens).
    """
    if tokenizer is None:
        return str(index)
    return piece(tokenizer, index) if index < len(tokenizer) else f"⟨{index}⟩"


def token_bytes(name: str) -> bytes:
    """The bytes behind a vocabulary entry: byte-level ("ðŁ") or SentencePiece's byte form ("<0xF0>")."""
    if name.startswith("<0x") and name.endswith(">"):
        return bytes([int(name[3:-1], 16)])
    return b"".join(_alphabet().get(c, c.encode("utf-8")) for c in name)


@cache
def _alphabet() -> dict[str, bytes]:
    """Byte-level BPE's letters: printable Latin-1 bytes stand for themselves, the rest for U+0100 and on, in order."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in plain]
    return {chr(b): bytes([b]) for b in plain} | {chr(0x100 + i): bytes([b]) for i, b in enumerate(others)}
