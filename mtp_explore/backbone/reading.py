"""A model and its tokenizer from files, and what loading may be asked for.

What files and configuration can tell comes before anything is built; code that lies beside a model is never run.
"""

from __future__ import annotations

from pathlib import Path

import torch

from ..checks import choice, printable, refusal
from .files import ADAPTER, CONFIG, read_json, tokenizer_files
from .seal import check_seal
from .sense import check_config, check_fit, tensors_in
from .truth import refuse_mps

DTYPES = ("float32", "bfloat16", "float16", "float64", "auto")


def read_model(source: str, directory: Path | None, dtype: str) -> tuple:
    """Model and tokenizer as transformers has them; what files and config can tell comes before any building."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.models.auto.tokenization_auto import get_tokenizer_config, tokenizer_class_from_name
    from transformers.utils import logging as progress

    for file in sorted(directory.glob("model*.safetensors")) if directory else ():
        check_seal(file)
    config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    check_config(config.get_text_config(), tensors_in(directory) if directory else None)
    about = {} if directory and not tokenizer_files(directory) else get_tokenizer_config(source)
    if "auto_map" in about and tokenizer_class_from_name(about.get("tokenizer_class") or "") is None:
        raise ValueError("its tokenizer brings code of its own, which is never run")
    bars = progress.is_progress_bar_enabled()
    progress.disable_progress_bar()
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            source,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        check_fit(info)
        bare = directory is not None and not tokenizer_files(directory)
        return model, None if bare else AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    finally:
        if bars:
            progress.enable_progress_bar()


def refuse_other_kinds(directory: Path) -> None:
    """ValueError for directories that hold something else than a model."""
    if (directory / ADAPTER).is_file():
        what = (
            "a peft adapter: load the model it is for, and read it with GatedLoRA.from_peft(backbone.model, directory)"
        )
    elif (directory / CONFIG).is_file() and "made_for" in read_json(directory / CONFIG):
        what = "a drafter: use load_drafter"
    else:
        return
    raise ValueError(f"name={str(directory)!r}: the directory holds {what}")


def device_of(device: str | torch.device | None) -> torch.device:
    """The device to load onto; ValueError where it cannot be used."""
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device is None else device
    try:
        refuse_mps(torch.device(chosen))
        tried = torch.ones(1, dtype=torch.float64, device=chosen)
        tried.item()
    except (RuntimeError, AssertionError, TypeError) as error:
        why = printable(str(error).splitlines()[0])
        raise ValueError(refusal("device", device, f"it cannot be used here ({why}); use 'cpu'")) from error
    return tried.device


def dtype_of(dtype: torch.dtype | str | None) -> str | None:
    """The name of a dtype to load in, or None; ValueError for any but floating ones."""
    name = str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype) else dtype
    return None if dtype is None else choice("dtype", name, DTYPES)
