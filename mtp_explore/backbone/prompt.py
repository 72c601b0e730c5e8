"""Prompts as people have them, to token ids: text, ids, batches of either, and what tokenizers and chats return."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral

from ..checks import refusal

WAYS = "pass a string, a list of token ids, or a list of either"
CHAT = "pass the text or token ids of tokenizer.apply_chat_template(messages)"


def is_single(prompt) -> bool:
    """One text (a string or ids), not a batch of them; TypeError where it is neither."""
    if isinstance(prompt, str):
        return True
    try:
        return len(prompt) > 0 and (getattr(prompt[0], "ndim", 1) == 0 or isinstance(prompt[0], Integral))
    except (TypeError, KeyError):
        raise TypeError(refusal("prompt", prompt, WAYS)) from None


def unpacked(prompt):
    """The ids of what a tokenizer returns (a mapping with input_ids), one list or several, without the places that its
    attention_mask hides; other prompts as they are.
    """
    if not isinstance(prompt, Mapping):
        return prompt
    if "input_ids" not in prompt:
        remedy = CHAT if "content" in prompt else f"a mapping needs input_ids, as tokenizers return it; {WAYS}"
        raise TypeError(refusal("prompt", prompt, remedy))
    ids, mask = (x.tolist() if hasattr(x, "tolist") else x for x in (prompt["input_ids"], prompt.get("attention_mask")))
    if mask is None:
        return ids
    if is_single(ids):
        return _real(ids, mask)
    return [_real(*row) for row in zip(ids, mask, strict=True)]


def _real(ids, mask) -> list:
    return [t for t, real in zip(ids, mask, strict=True) if real]


def rows_of(prompt, tokenizer) -> list[list[int]]:
    """Token ids of every text of a prompt; `tokenizer` reads those that are strings. Errors name `prompt`."""
    prompt = unpacked(prompt)
    rows = [prompt] if is_single(prompt) else prompt
    if not len(rows):
        raise ValueError(f"prompt is an empty list: {WAYS}")
    return [_read(row, tokenizer) if isinstance(row, str) else _ids(row) for row in rows]


def _ids(row) -> list[int]:
    """One text that is given as ids."""
    ids = unpacked(row)
    ids = ids.tolist() if hasattr(ids, "tolist") else ids
    if not isinstance(ids, list | tuple) or not all(type(t) is int or isinstance(t, Integral) for t in ids):
        chat = isinstance(ids, list) and any(isinstance(m, Mapping) and "content" in m for m in ids)
        raise TypeError(refusal("prompt", row, f"it is neither text nor ids; {CHAT if chat else WAYS}"))
    return [int(t) for t in ids]


def _read(text: str, tokenizer) -> list[int]:
    """One text that is given as a string."""
    if tokenizer is None:
        raise ValueError(refusal("prompt", text, "it is text, but this backbone has no tokenizer: pass token ids"))
    try:
        ids = tokenizer(text)["input_ids"]
    except Exception as error:  # lone surrogates, say
        raise ValueError(refusal("prompt", text, f"the tokenizer cannot read it ({error}); {WAYS}")) from error
    bos = tokenizer.bos_token_id
    twice = bos is not None and ids[:2] == [bos, bos] and text.startswith(tokenizer.bos_token)
    return ids[1:] if twice else ids  # a chat template has written it already
