"""Put the table of data/results/tokens_per_call.json between the marks in README.md."""

from __future__ import annotations

from pathlib import Path

from common import BACKBONES, read

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- tokens per call -->", "<!-- end -->"
ORDER = "plain", "lookup", "independent", "cp-r8", "hmm", "btree", "masked-k8", "ptp-k8", "cptp-k8", "oracle"


def lines(results: dict) -> list[str]:
    """The keys "drafter mode rule" of the table: greedy first, then temperature 1."""
    known = {key for name in BACKBONES for key in results["backbones"][name] if key.split()[0] in ORDER}
    known = [key for key in known if not (key.endswith("T=1 match") and f"{key[:-5]}rejection" in known)]
    return sorted(known, key=lambda key: ("greedy" not in key, ORDER.index(key.split()[0]), "rejection" not in key))


def table(results: dict) -> str:
    """The table in Markdown, with a line on how it was measured."""
    rows = [f"| | drafter | rule | {' | '.join(BACKBONES)} |", "|---|---|---|" + "---|" * len(BACKBONES)]
    for key in lines(results):
        drafter, mode, rule = (*key.split(), "")[:3]
        drafter, mode = drafter.replace("plain", "none (ordinary decoding)"), mode.replace("=", " = ")
        cells = []
        for name in BACKBONES:
            line = results["backbones"][name].get(key)
            cells.append(f"{line['tokens_per_call_mean']:.2f} ± {line['half_width_95']:.2f}" if line else "–")
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
