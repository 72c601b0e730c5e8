"""Train one of the three small backbones: python -m mtp_explore.train.pretrain stories --out DIRECTORY

A Llama of about 1.7 million parameters learns packed windows of the train split.  The learning rate warms up, stays
on a plateau and falls over the last third; on the plateau nothing depends on the number of steps, so a run may be
resumed there with another --steps.  The weights are rounded to bf16 at the end and all figures are measured afterwards.
It starts from random weights, or with --start from those of an earlier run (with a fresh optimiser and another --seed).
"""

import argparse
import math
import platform
import sys
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

from mtp_explore.backbone.card import machine, read_card, write_card
from mtp_explore.backbone.files import CONFIG, read_json
from mtp_explore.backbone.load import Backbone
from mtp_explore.checks import choice, real, refusal, whole
from mtp_explore.checks import seed as check_seed
from mtp_explore.corpora import load_corpus
from mtp_explore.corpora.corpus import stream
from mtp_explore.corpora.splits import SPLITS
from mtp_explore.corpora.tokenizer import fingerprint, train_tokenizer
from mtp_explore.train.alone import LOCK, alone
from mtp_explore.train.checkpoint import load_checkpoint, read_facts, save_checkpoint
from mtp_explore.train.command import command
from mtp_explore.train.evaluate import evaluate
from mtp_explore.train.recipe import RATE, directory
from mtp_explore.train.windows import Windows

VOCABULARY = {"stories": 512, "arithmetic": 512, "code": 1024}
STEPS = {"stories": 2400, "arithmetic": 2200, "code": 3000}
FURTHER = {"stories": 3300, "arithmetic": 3300, "code": 3300}  # with --start
QUICK = 300
PRECISIONS = ("bf16", "fp32")


@dataclass(frozen=True)
class Recipe:
    """How a run goes; equal recipes on one machine give equal weights."""

    corpus: str
    vocabulary: int
    steps: int
    seed: int = 0
    threads: int = 1
    precision: str = "bf16"  # of the matrix products in training; weights and moments are fp32
    window: int = 512
    batch: int = 4
    rate: float = 2e-3
    warmup: int = 100
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    kv_heads: int = 2
    intermediate: int = 512
    start: str | None = None  # directory of the model whose weights it starts from

    def rate_at(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, plateau, cosine to 5 % over the last third."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        left = (self.steps - step) / (self.steps - self.plateau_end)
        return self.rate * (1.0 if left >= 1 else 0.05 + 0.95 * 0.5 * (1 - math.cos(math.pi * left)))

    def __post_init__(self):
        sizes = ("vocabulary", "threads", "window", "batch", "hidden", "layers", "heads", "kv_heads", "intermediate")
        plain = {name: whole(name, getattr(self, name), 1) for name in ("steps", *sizes)}
        plain |= dict(seed=check_seed("seed", self.seed), warmup=whole("warmup", self.warmup))
        plain |= dict(precision=choice("precision", self.precision, PRECISIONS))
        plain |= dict(rate=real("rate", self.rate, above=0, below=RATE))
        for name, value in plain.items():
            object.__setattr__(self, name, value)

    @property
    def plateau_end(self) -> int:
        return self.steps - max(1, self.steps // 3)


def make_model(recipe: Recipe, vocab_size: int) -> LlamaForCausalLM:
    """A Llama with weights drawn from the recipe's seed, in fp32."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.kv_heads,
        intermediate_size=recipe.intermediate,
        max_position_embeddings=recipe.window,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config).float()


def make_optimizer(model) -> torch.optim.AdamW:
    """AdamW with weight decay 0.1 on matrices and none on the norms' vectors."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), fused=True)


def loss_of(model, batch, precision: str):
    """Mean cross-entropy in nats per token over windows [B, L]: L - 1 predictions each."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
    return F.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())


def train(recipe: Recipe, model, tokens, validation, checkpoint: Path, resume=False, every=300.0, say=print) -> dict:
    """Run the recipe's steps, checkpointing every `every` seconds and at the end.  Returns {"step", "seconds", ...}."""
    optimizer = make_optimizer(model)
    facts = {"recipe": asdict(recipe), "step": 0, "seconds": 0.0}
    if resume and checkpoint.is_file():
        check_resumable(recipe, read_facts(checkpoint), checkpoint)
        facts = load_checkpoint(checkpoint, model, optimizer) | {"recipe": asdict(recipe)}
        say(f"resumed at step {facts['step']}")
    windows = Windows(tokens, recipe.window + 1, recipe.seed)
    held_out = Windows(validation, recipe.window + 1).batch(0, 16)
    model.train()
    first, before, began = facts["step"], facts["seconds"], time.monotonic()
    saved, logged, shown = began, began, first
    for step in range(first, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate_at(step)
        loss = loss_of(model, windows.batch(step, recipe.batch), recipe.precision)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        now = time.monotonic()
        facts |= {"step": step + 1, "seconds": before + now - began}
        if (step + 1) % 100 == 0 or step + 1 == recipe.steps:
            with torch.no_grad():
                val = loss_of(model, held_out, recipe.precision).item()
            speed = (step + 1 - shown) * recipe.batch * recipe.window / (now - logged)
            logged, shown = time.monotonic(), step + 1
            left = (recipe.steps - step - 1) * (now - began) / (step + 1 - first) / 60
            losses = f"train {loss.item():.4f} validation {val:.4f}"
            say(f"step {step + 1}/{recipe.steps} {losses} {speed:.0f} tokens/s {left:.0f} min left")
        if now - saved > every or step + 1 == recipe.steps:
            save_checkpoint(checkpoint, model, optimizer, facts)
            saved = time.monotonic()
    return facts


def check_resumable(recipe: Recipe, facts: dict, path: Path) -> None:
    """ValueError unless the checkpoint lies on this recipe's course."""
    old, new, step = facts["recipe"], asdict(recipe), facts["step"]
    other = [k for k in new if new[k] != old.get(k) and k != "steps"]
    if other:
        detail = ", ".join(f"{k} was {old.get(k)!r}, is {new[k]!r}" for k in other)
        raise ValueError(f"cannot resume from {str(path)!r}: {detail}. Use the same settings or delete it")
    plateau = min(recipe.plateau_end, Recipe(**old).plateau_end)
    if old["steps"] != recipe.steps and step > plateau:
        raise ValueError(
            f"cannot resume with --steps {recipe.steps}: step {step} of {old['steps']} is past the plateau "
            f"({plateau}). Use the same number of steps or start afresh"
        )


def round_to_bf16(model) -> None:
    """Round every weight to the nearest bf16 number, kept in fp32."""
    for parameter in model.parameters():
        parameter.data = parameter.data.bfloat16().float()


def save_rounded(model, tokenizer, out: Path) -> None:
    """config.json, model.safetensors (bf16), generation_config.json and the tokenizer's files."""
    copy = LlamaForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    Backbone(copy.bfloat16(), tokenizer).save_pretrained(out)


def go_on_from(model, directory: Path) -> dict:
    """Give the model the weights of an earlier run; returns that run's card.  ValueError where they do not fit."""
    earlier = LlamaForCausalLM.from_pretrained(
        directory, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
    )
    try:
        model.load_state_dict(earlier.state_dict())
    except RuntimeError as error:
        raise ValueError(
            f"start={str(directory)!r} is a model of another shape: {str(error).splitlines()[1]}"
        ) from error
    return read_card(directory)


def corpus_facts(corpus) -> dict:
    """Sizes of the splits (documents) and a hash of the first 1,000 training documents."""
    sample = "\0".join(islice(corpus.documents("train"), 1000))
    sizes = {split: sum(1 for _ in corpus.documents(split)) for split in SPLITS}
    return {"corpus_sha256_of_first_1000": sha256(sample.encode()).hexdigest(), "documents": sizes}


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m mtp_explore.train.pretrain", description=__doc__)
    parser.add_argument("corpus", choices=list(VOCABULARY))
    parser.add_argument(
        "--out", type=Path, required=True, help="directory of the finished model; one there is replaced"
    )
    parser.add_argument("--steps", type=int, help=f"optimiser steps; default {STEPS}, with --start {FURTHER}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} steps: a few minutes, a worse model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", type=Path, help="directory of a model of ours to go on from")
    parser.add_argument("--precision", choices=PRECISIONS, default="bf16", help="of matrix products in training")
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints lie")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    options = read_arguments(arguments)
    with command("pretrain"):
        usual = QUICK if options.quick else (FURTHER if options.start else STEPS)[options.corpus]
        steps = usual if options.steps is None else options.steps
        settings = options.corpus, VOCABULARY[options.corpus], steps, options.seed, options.threads, options.precision
        recipe = Recipe(*settings, start=str(options.start) if options.start else None)
        if options.start and not (options.start / CONFIG).is_file():
            raise ValueError(refusal("start", str(options.start), "it must be the directory of a model of ours"))
        out, runs = directory("out", options.out), directory("runs", options.runs)
        config = out / CONFIG
        if config.is_file() and "made_for" in read_json(config):
            raise ValueError(refusal("out", str(out), "it holds a drafter: use another directory"))
        checkpoint = runs / f"pretrain-{options.corpus}-{options.seed}.safetensors"
        lock = checkpoint.with_name(f".{checkpoint.name}{LOCK}")
        with alone(out / LOCK, "out", out, asdict(recipe)), alone(lock, "runs", runs, asdict(recipe)):
            pretrain(recipe, out, checkpoint, options.resume)


def pretrain(recipe: Recipe, out: Path, checkpoint: Path, resume: bool = False) -> None:
    """Train a backbone by a recipe into the directory `out`, and write its card."""
    torch.set_num_threads(recipe.threads)
    corpus = load_corpus(recipe.corpus)
    tokenizer = train_tokenizer(corpus.documents("train"), recipe.vocabulary)
    tokens, validation = (stream(corpus.documents(s), tokenizer) for s in ("train", "validation"))
    model, before = make_model(recipe, len(tokenizer)), {}
    if recipe.start:
        before = go_on_from(model, Path(recipe.start))
    parameters = sum(p.numel() for p in model.parameters())
    print(
        f"{recipe.corpus}: {parameters:,} parameters, {len(tokens):,} training tokens, {recipe.steps} steps", flush=True
    )
    facts = train(recipe, model, tokens, validation, checkpoint, resume, say=lambda s: print(s, flush=True))
    round_to_bf16(model)
    save_rounded(model, tokenizer, out)
    command = f"python -m mtp_explore.train.pretrain {recipe.corpus} --out {out} --steps {recipe.steps}"
    command += f" --seed {recipe.seed} --threads {recipe.threads} --precision {recipe.precision}"
    command += f" --start {recipe.start}" if recipe.start else ""
    about = (
        f"A small Llama trained from scratch on the corpus {recipe.corpus!r} of mtp-explore. The file is bf16; its "
        "numbers, computed in fp32, are the model, and every figure below is measured with them. The test split was "
        "never read by training or by these measurements, except to count its documents."
    )
    card = write_card(
        out,
        f"Backbone: {recipe.corpus}",
        about,
        {
            "command": command,
            **evaluate(model, tokenizer, corpus, recipe.window),
            "parameters": parameters,
            "tokens_seen": before.get("tokens_seen", 0) + recipe.steps * recipe.batch * recipe.window,
            **({"started_from": {k: before[k] for k in ("command", "tokens_seen", "sha256")}} if before else {}),
            "training_tokens": len(tokens),
            "seconds": round(facts["seconds"]),
            **corpus_facts(corpus),
            "tokenizer_sha256": fingerprint(tokenizer),
            "recipe": asdict(recipe),
            "machine": machine(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "licence": "see data/README.md",
        },
    )
    print("\n".join(f"{key}: {value}" for key, value in card.items()))


if __name__ == "__main__":
    sys.exit(main())
