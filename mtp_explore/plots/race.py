"""Methods side by side: tokens per backbone call, every prompt a dot, the mean with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..checks import instance
from ..trace.metrics import interval
from ..trace.records import Trace
from . import given
from .style import INK, LINE, ORANGE, bare, literal

SYMBOLS = dict(symbol="diamond", size=12, color=ORANGE, line=dict(width=1, color="black"))


def race(runs: Mapping[str, Sequence[Trace]]):
    """Tokens per call of each method on the same prompts: dots are prompts, the diamond is their mean with the 95%
    interval (Student's t over prompts). `runs` maps a method's name to its traces. ValueError where one has none.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    runs = given.table("runs", runs, "{method: traces}", 0)
    runs = {n: [ts] if isinstance(ts, Trace) else given.texts(f"runs[{n!r:.40}]", ts) for n, ts in runs.items()}
    for n, ts in runs.items():
        for t in ts:
            instance(f"runs[{n!r:.40}]", t, Trace, "give each method its traces, as generate() returns them")
    names = [literal(name) for name in runs]
    rates = [[t.metrics()["tokens_per_call"] for t in ts] for ts in runs.values()]
    empty = [name for name, rate in zip(runs, rates, strict=True) if not rate or None in rate]
    if empty or not runs:
        raise ValueError(f"runs has no trace with calls for {empty or 'any method'}: give each method at least one")
    figure.add_scatter(
        x=[r for rate in rates for r in rate], y=[n for n, rate in zip(names, rates, strict=True) for _ in rate],
        mode="markers", name="one prompt", marker=dict(symbol="line-ns-open", size=16, color=INK, line_width=2),
        hovertemplate="%{y}: %{x:.2f}<extra></extra>",
    )  # fmt: skip
    means = [interval(rate) for rate in rates]
    figure.add_scatter(
        x=[m.mean for m in means], y=names, mode="markers", name="mean, 95% interval", marker=SYMBOLS,
        error_x=dict(array=[m.half or 0 for m in means], color=ORANGE, thickness=2, width=7),
        text=[str(m) for m in means], hovertemplate="%{y}: %{text}<extra></extra>",
    )  # fmt: skip
    for name, mean in zip(names, means, strict=True):
        figure.add_annotation(x=mean.mean, y=name, text=str(mean), showarrow=False, yshift=18)
    figure.add_vline(x=1, line=dict(color=LINE, dash="dash"))
    most = max(max([*rate, m.mean + (m.half or 0)]) for rate, m in zip(rates, means, strict=True))
    figure.update_xaxes(title_text="tokens per backbone call", range=[0, 1.05 * most])
    figure.update_yaxes(type="category", range=[len(names) - 0.5, -0.7])
    return bare(figure, 160 + 62 * len(names))
