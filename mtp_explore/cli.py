"""The terminal's door: `mtp-explore lab` and `mtp-explore generate`, over the same functions as a script.

Whatever goes wrong is one printable line on stderr and exit code 2, as for a wrong option.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

import mtp_explore as mtp

from . import atomic, checks
from .trace.glyphs import visible

LEGEND = "underlined: accepted drafts; ★: the target's own token, one per call"
START = "notebooks/00_start_here.ipynb"
CHECKOUT = Path(__file__).resolve().parent.parent

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Multi-token prediction, method beside method.",
)


def main() -> None:
    """Run the app; whatever goes wrong ends it with one printable line and exit code 2."""
    try:
        app()
    except Exception as error:
        told = str(error) if isinstance(error, ValueError | TypeError | OSError) else f"{type(error).__name__}: {error}"
        print(f"mtp-explore: {checks.printable(' '.join(told.split()))}", file=sys.stderr)
        sys.exit(2)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab on the first notebook, on localhost, with its token. Further arguments go to JupyterLab."""
    if not (CHECKOUT / START).is_file():
        raise FileNotFoundError(f"{CHECKOUT / START} is missing: `lab` needs a checkout of the project")
    quiet = [  # nothing leaves localhost: no news, no update check, no package search, nor a question about them
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--LabApp.app_settings_dir={CHECKOUT / 'mtp_explore' / 'lab'}",
    ]
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # containers have no other user
    from jupyterlab.labapp import LabApp

    place = [f"--ServerApp.root_dir={CHECKOUT}", f"--LabApp.default_url=/lab/tree/{START}", "--ip=localhost"]
    LabApp.launch_instance([*place, *quiet, *root, *context.args])


@app.command()
def generate(
    prompt: Annotated[str, typer.Option(help="The text to continue.")],
    backbone: Annotated[str, typer.Option(help="stories, arithmetic, code, a directory or a Hub id.")] = "stories",
    drafter: Annotated[str, typer.Option(help="For example stories/cp-r8; none: ordinary decoding.")] = "none",
    max_new_tokens: Annotated[int, typer.Option(help="Stop after so many tokens.")] = 64,
    temperature: Annotated[float, typer.Option(help="0 is greedy decoding.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Keep the k likeliest tokens; 0 keeps all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Keep the likeliest tokens of this total mass.")] = 1.0,
    rule: Annotated[str | None, typer.Option(help="match, rejection or block.")] = None,
    plan: Annotated[str | None, typer.Option(help="linear, quadratic or budget=<slots>.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the trace here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the player, one page that needs no network, here.")] = None,
) -> None:
    """Generate text; accepted drafts are underlined on a terminal."""
    json, html = writable("--json", json), writable("--html", html)
    if not sys.stderr.isatty():
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
    target = mtp.load_backbone(backbone, device=device)
    helper = None if drafter == "none" else mtp.load_drafter(drafter, target)
    shape = dict(temperature=temperature, top_k=top_k, top_p=top_p)
    trace = mtp.generate(target, helper, prompt, max_new_tokens, rule=rule, plan=plan, seed=seed, **shape)
    if json:
        atomic.write_text(json, trace.to_json())
    if html:
        mtp.play(trace).save(html)
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(marked(trace), Text(LEGEND if helper else "", "dim"), sep="\n")
    else:
        print(trace.text)
    print(summary(trace))


def writable(option: str, file: Path | None) -> Path | None:
    """Where an option wants a file, before any work; ValueError where none can lie there."""
    if file is None:
        return None
    file = checks.path(option, file)
    if not file.resolve().parent.is_dir():
        raise ValueError(checks.refusal(option, str(file), "its directory does not exist; make it first"))
    if file.is_dir():
        raise ValueError(checks.refusal(option, str(file), "it is a directory; name a file in it"))
    return file


def marked(trace: mtp.Trace) -> Text:
    """Prompt dim, accepted drafts underlined, the target's own tokens starred; control characters made visible."""
    text = Text(shown(trace.prompt_text), "dim")
    drafts = any(step.drafts for step in trace.steps)
    for step in trace.steps:
        for place, token in enumerate(step.tokens):
            text.append(shown(trace.piece(token)), "underline" if place < step.accepted else "")
            text.append("★" if drafts and place >= step.accepted else "", "dim")
    return text


def shown(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def summary(trace: mtp.Trace) -> str:
    """The metrics of a trace in one line."""
    m = trace.metrics()
    counts = f"{len(trace.tokens)} tokens in {trace.calls} calls, {m['tokens_per_call']:.2f} tokens per call"
    if not m["num_draft_tokens"]:
        return f"{counts}; no drafts; {trace.seconds:.2f} s"
    length, rate = m["mean_acceptance_length"], m["draft_acceptance_rate"]
    return f"{counts}; mean acceptance length {length:.2f}, draft acceptance rate {rate:.2f}; {trace.seconds:.2f} s"
