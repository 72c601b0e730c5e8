"""How well a language model predicts a corpus: nats per token, bits per byte, and the gap to the corpus's own law."""

import math
from itertools import islice

import torch
import torch.nn.functional as F

from mtp_explore.corpora.corpus import reader


@torch.no_grad()
def document_nats(model, tokenizer, document: str, context: int = 512) -> tuple[float, int]:
    """(nats, predictions) of one document after an end-of-document token, its own end included.

    Documents longer than the context are read in pieces that overlap by half a context, every token predicted once.
    """
    end = tokenizer.eos_token_id
    ids = torch.tensor([end, *reader(tokenizer)([document])[0], end])
    nats, done = 0.0, 0  # `done` predictions are counted
    while done < len(ids) - 1:
        start = 0 if done == 0 else max(0, done - context // 2)
        piece = ids[start : start + context + 1]
        logits = model(input_ids=piece[None, :-1], use_cache=False).logits[0].float()
        nats += F.cross_entropy(logits[done - start :], piece[1 + done - start :], reduction="sum").item()
        done = start + len(piece) - 1
    return nats, len(ids) - 1


def evaluate(model, tokenizer, corpus, context: int, split: str = "validation", documents: int = 200) -> dict:
    """Figures on the first `documents` documents of a split, computed in the model's own precision.

    A corpus that knows its own law (`log_law`, one log probability per word of its `words`) is asked about the same
    documents: the gap is what the model loses against the best possible prediction, in bits per word.
    """
    model.eval()
    texts = list(islice(corpus.documents(split), documents))
    if not texts:
        raise ValueError(f"corpus {corpus.name!r} has no document in the split {split!r}: give more text")
    pairs = [document_nats(model, tokenizer, text, context) for text in texts]
    nats, tokens = sum(n for n, _ in pairs), sum(t for _, t in pairs)
    words = sum(len(text.split()) for text in texts)
    figures = {
        f"{split}_documents": len(texts),
        f"{split}_nats_per_token": nats / tokens,
        f"{split}_bits_per_byte": nats / math.log(2) / sum(len(text.encode("utf-8")) for text in texts),
        "tokens_per_word": tokens / words,
    }
    if hasattr(corpus, "log_law"):
        from mtp_explore.corpora.stories import words as split_words

        exact = [log for text in texts for log in corpus.log_law(split_words(text))]
        figures["bits_per_word_model"] = nats / math.log(2) / len(exact)
        figures["bits_per_word_law"] = -sum(exact) / math.log(2) / len(exact)
        figures["bits_per_word_gap"] = figures["bits_per_word_model"] - figures["bits_per_word_law"]
    return figures
