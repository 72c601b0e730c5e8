"""Put the table of data/results/tokens_per_call.json between the marks in README.md."""

from __future__ import annotations

from pathlib import Path

from common import BACKBONES, read

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- tokens per call -->", "<!-- end -->"
LINES = [
    ("plain greedy", "greedy", "none (ordinary decoding)", ""),
    ("lookup greedy match", "greedy", "lookup", "match"),
    ("independent greedy match", "greedy", "independent", "match"),
    ("oracle greedy match", "greedy", "oracle", "match"),
    ("lookup T=1 match", "T = 1", "lookup", "match"),
    ("independent T=1 match", "T = 1", "independent", "match"),
    ("independent T=1 rejection", "T = 1", "independent", "rejection"),
    ("independent T=1 block", "T = 1", "independent", "block"),
    ("oracle T=1 match", "T = 1", "oracle", "match"),
]


def table(results: dict) -> str:
    """The table in Markdown, with a line on how it was measured."""
    rows = [f"| | drafter | rule | {' | '.join(BACKBONES)} |", "|---|---|---|" + "---|" * len(BACKBONES)]
    for key, mode, drafter, rule in LINES:
        cells = []
        for name in BACKBONES:
            line = results["backbones"][name][key]
            cells.append(f"{line['tokens_per_call_mean']:.2f} ± {line['half_width_95']:.2f}")
        rows.append(f"| {mode} | {drafter} | {rule} | {' | '.join(cells)} |")
    r = results["receipt"]
    note = (
        f"Tokens per backbone call (the prefill counted), K = {r['horizon']}: mean over {r['prompts']} test prompts of "
        f"{r['prompt_tokens']} tokens, {r['new_tokens']} new tokens, seed {r['seed']}, "
        "± half a 95 % interval over prompts."
    )
    return "\n".join([*rows, "", note])


def main() -> None:
    text = README.read_text()
    head, rest = text.split(BEGIN)
    README.write_text(f"{head}{BEGIN}\n{table(read('tokens_per_call'))}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
