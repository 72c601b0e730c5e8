"""Does a model, called as the loop calls it, say what it says when it is given the token ids of the whole text?

The loop passes embeddings, positions and a mask, keeps keys and values from call to call, drops the rows of refused
drafts, and lets the rows of a batch have different lengths. A model that looks at anything else (token ids, columns of
the cache, a state of its own) would run and decode another distribution without a word. It is refused by name when it
is wrapped: by its configuration where that says enough, else by a comparison of four short calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor

from ..contract import Slots
from .fingerprint import fingerprint
from .layout import layout
from .now import NOW, listen, lock_of

REMEDY = "take a causal model with full or sliding-window attention (Llama, Qwen, Mistral, Gemma, GPT-2, GPT-NeoX, ...)"
KERNELS = ("flex", "flash")  # attention that takes no additive mask; with one, flex_attention ends the process
# How far logits may be off: a share of their spread over the vocabulary, or of what the text changes about them.
EXACT, ROUNDED = (2e-5, 1e-3), (0.05, 0.05)  # float32 and wider; narrower, or quantised
ROWS, SEED = 3, 20
KNOWN: dict[tuple, bool] = {}  # what was found of each model


def refuse_strange(model, text) -> None:
    """ValueError for models whose configuration says that they read columns of the cache as positions, or keep a state
    that cannot be rolled back, for attention that takes no mask, and for a device without float64.
    """
    refuse_mps(model.device)
    if any(weight.is_meta for weight in model.parameters()):
        raise ValueError(
            f"model type {text.model_type!r} has weights on the device 'meta', which are not there until used: "
            "load it whole, without offloading"
        )
    for config in (model.config, text):
        kernel = str(getattr(config, "_attn_implementation", None))
        if any(k in kernel for k in KERNELS):
            raise ValueError(
                f"attn_implementation={kernel!r}: it does not take the masks of this loop; load the model with "
                "attn_implementation='sdpa' or 'eager'"
            )
    layers = set(getattr(text, "layer_types", None) or getattr(text, "attention_layers", None) or ())
    odd = sorted(layers - {"full_attention", "sliding_attention", "global"})
    alibi = getattr(text, "alibi", False) or text.model_type in ("bloom", "mpt")
    why = ", ".join(odd) or ("ALiBi" if alibi else "a recurrent state" if getattr(model, "_is_stateful", False) else "")
    if why:
        raise ValueError(f"model type {text.model_type!r} uses {why}, which this loop cannot serve: {REMEDY}")
    ends = model.get_input_embeddings(), model.get_output_embeddings()
    if any(getattr(end, "weight", None) is None for end in ends) or not hasattr(text, "hidden_size"):
        raise ValueError(
            f"model type {text.model_type!r} does not begin with a table of embeddings and end with an unembedding, so "
            f"this loop cannot serve it: {REMEDY}"
        )


def refuse_mps(device: torch.device) -> None:
    """ValueError for a device without float64."""
    if device.type == "mps":
        raise ValueError(f"device={str(device)!r} has no float64, in which chances are computed: use 'cpu'")


def compared(backbone) -> bool:
    """`takes_slots`, asked once in a process of the same weights in the same class, precision and place."""
    model = backbone.model
    key = type(model), model.config.to_json_string(), model.dtype, str(model.device), fingerprint(model)
    if key not in KNOWN:
        compiled = hasattr(model, "_orig_mod")  # minutes, for shapes that do not come again
        with torch.compiler.set_stance("force_eager") if compiled else nullcontext():
            KNOWN[key] = takes_slots(backbone)
    return KNOWN[key]


@torch.inference_mode()
def takes_slots(backbone) -> bool:
    """Whether the model also takes embeddings that are no rows of its table, as slots are.

    Its first layers are compared, up to one of each kind, by the states that enter the unembedding; where they do not
    agree, the whole model is asked, by its logits.
    Errors (ValueError): called as the loop calls it, the model cannot run, or its logits differ from those of a whole
    forward pass by token ids. What is not a number is left to the loop.
    """
    text, wrong = texts(backbone)
    with lock_of(backbone.model), first_layers(backbone):
        try:
            if not fault(backbone, text, wrong, by_ids(backbone, text, whole=False), slots=1, whole=False):
                return True
        except Exception:  # a shortened model may fail where the whole one does not
            pass
    try:
        truth = by_ids(backbone, text, whole=True)
    except Exception as error:
        raise ValueError(refused(backbone, f"cannot be called by token ids ({said(error)})")) from error
    if truth.isnan().any() or not fault(backbone, text, wrong, truth, slots=1, whole=True):
        return True
    found = fault(backbone, text, wrong, truth, slots=0, whole=True)
    if found:
        raise ValueError(refused(backbone, found))
    return False


def texts(backbone) -> tuple[Tensor, Tensor]:
    """Token ids [2, T] of two texts that begin alike, and [2, T] other ones for drafts that are refused. No special
    tokens: a model may give them a meaning of their own.
    """
    size = min(backbone.vocabulary, len(backbone.embed.weight))
    special = set(special_ids(backbone))
    ordinary = torch.tensor([t for t in range(size) if t not in special] or list(range(size)))
    length = min(3 * ROWS - 1, backbone.context)
    draw = torch.randint(len(ordinary), (2, length), generator=torch.Generator().manual_seed(SEED))
    draw[1, : ROWS + 1] = draw[0, : ROWS + 1]
    return tuple(ordinary[x % len(ordinary)].to(backbone.device) for x in (draw, draw + 1))


def special_ids(backbone) -> Iterator[int]:
    """Ids that the configuration or the tokenizer names."""
    yield from getattr(backbone.tokenizer, "all_special_ids", None) or ()
    for config in (backbone.config, backbone.config.get_text_config()):
        for name, value in vars(config).items():
            if "token_id" in name or "token_index" in name:
                yield from value if isinstance(value, list | tuple) else [value]


def by_ids(backbone, text: Tensor, whole: bool) -> Tensor:
    """What the model says by token ids [B, T] alone: its logits, or the states [B, T, D] that enter the unembedding."""
    if whole:
        return backbone.by_ids(text).float()
    listen(backbone.model.get_output_embeddings())
    try:
        NOW.keep = text[:, :0]
        backbone.by_ids(text)
        return NOW.states.float()
    finally:
        NOW.keep = NOW.states = None


@contextmanager
def first_layers(backbone):
    """The model without its later layers, as long as it has two and one of each kind."""
    text = backbone.config.get_text_config()
    count = getattr(text, "num_hidden_layers", 0)
    lists = ((n, m) for n, m in backbone.model.named_modules() if isinstance(m, torch.nn.ModuleList))
    name, layers = next(((n, m) for n, m in lists if len(m) == count), ("", []))
    told = [v for v in vars(text).values() if isinstance(v, list | tuple) and len(v) == count]
    kinds = [kind(layer, [v[i] for v in told]) for i, layer in enumerate(layers)]
    most = max([2, *(kinds.index(k) + 1 for k in kinds)])
    if most >= len(layers):
        yield
        return
    owner, _, last = name.rpartition(".")
    owner = backbone.model.get_submodule(owner)
    try:
        setattr(owner, last, layers[:most])
        yield
    finally:
        setattr(owner, last, layers)


def kind(layer, told: list) -> str:
    """What tells one sort of layer from another: what the configuration says of it, its modules, and what they note of
    themselves but their number.
    """
    notes = [
        sorted((k, v) for k, v in vars(m).items() if isinstance(v, bool | int | str) and k != "layer_idx")
        for m in layer.modules()
    ]
    return f"{told} {layer} {notes}"


def fault(backbone, text: Tensor, wrong: Tensor, truth: Tensor, slots: int, whole: bool) -> str:
    """What is wrong with the model as the loop calls it, as the rest of a sentence; "" where nothing is.

    A text is read, then a draft that is refused in part; from there on there are two texts, of different lengths.
    """
    cache, cached = backbone.cache(text.shape[1] + 1), torch.zeros(1, dtype=torch.long, device=text.device)
    narrow = any(w.dtype.itemsize < 4 for w in backbone.model.parameters())
    narrow |= torch.get_float32_matmul_precision() != "highest"
    limit = most(truth, *(ROUNDED if narrow else EXACT))
    for kept, more, what in (
        ((ROWS,), 0, "called by embeddings and positions"),
        ((ROWS - 1, 1), 0, "called with kept keys and values"),
        ((ROWS, ROWS), slots, "called with rows of different lengths"),
    ):
        if int(cached.amax()) + ROWS > text.shape[1]:
            break  # a model with very few positions
        kept, place = torch.tensor(kept, device=text.device), cached[:, None] + torch.arange(ROWS, device=text.device)
        try:
            found = call(backbone, text, wrong, cache, cached, kept, place, more, whole)
        except Exception as error:
            return f"cannot be {what} ({said(error)})"
        for row, count in enumerate(kept[: len(cached)].tolist()):
            ours, told = found[row, :count].float(), truth[row, place[row, :count]]
            off = distance(ours, told)
            if not (off.median() if narrow else off.amax()) <= limit:  # experts may change places by rounding
                return (
                    f"gives other logits {what} than by the token ids of the whole text (largest difference "
                    f"{(ours - told).abs().amax():.2g}, logits up to {told.abs().amax():.2g})"
                )
        if len(kept) > len(cached):
            cache.expand(len(kept))
        cache.keep(cached, kept, most=ROWS)
        cached = cached + kept
        cache.columns = max(cached.tolist())
    return ""


def call(backbone, text, wrong, cache, cached, kept, place, slots: int, whole: bool) -> Tensor:
    """Logits of the main rows, or states of all rows [B, Q, D]: a text's rows at place [B, R], right up to `kept`."""
    batch, rows = place.shape
    right = torch.arange(rows, device=text.device) < kept[:batch, None]
    embeds = backbone.embed(torch.where(right, text[:batch].gather(1, place), wrong[:batch].gather(1, place)))
    embeds = torch.cat([embeds, embeds[:, :2].mean(1, keepdim=True)[:, :slots]], 1)
    branch = torch.zeros(batch, slots, dtype=torch.long, device=text.device)
    lay = layout(cached, cache.columns, rows, kept[:batch] - 1, Slots(branch, branch + 1), backbone.context)
    keep = torch.arange(rows if whole else 0, device=text.device).expand(batch, -1)
    logits, states = backbone.call(embeds, lay, cache, keep)
    return logits if whole else states


def distance(found: Tensor, wanted: Tensor) -> Tensor:
    """[n] how far logits [n, V] are from others; a constant does not count."""
    off = torch.where(wanted.isfinite(), found - wanted, 0.0)
    return (off - off.mean(1, keepdim=True)).norm(dim=1)


def most(truth: Tensor, of_spread: float, of_change: float) -> Tensor:
    """The farthest that logits may be from these [B, T, V]: rounding follows their size, and what a fault can change
    is bounded by what the text changes.
    """
    rows = torch.where(truth.isfinite(), truth, 0.0).flatten(0, 1)
    rows = rows - rows.mean(1, keepdim=True)
    return max(of_spread * rows.norm(dim=1).mean(), of_change * (rows - rows.mean(0)).norm(dim=1).mean())


def said(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error) or repr(error)).splitlines()[0]:.200}"


def refused(backbone, why: str) -> str:
    text = backbone.config.get_text_config()
    if vars(text).get("is_decoder") is False:
        why += "; its configuration says is_decoder=False"
    return f"model type {text.model_type!r} {why}, so this loop cannot serve it: {REMEDY}"


def refuse_slots(backbone, name: str) -> None:
    """ValueError for a drafter with slots on a model that does not take them."""
    if not backbone.takes_slots:
        raise ValueError(
            f"drafter {name!r} has slots, and model type {backbone.config.get_text_config().model_type!r} takes no "
            "embeddings that are not rows of its table: take a drafter without slots (independent, cp, lookup, ...)"
        )
