"""Figures about keeping and refusing drafts. Traces and plain numbers in, a plotly figure out.

The colours' meanings stand in `style`. A second sign (dash, pattern, marker) carries every meaning too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ..trace.metrics import joined
from ..trace.records import Trace
from .style import BLUE, GREEN, INK, ORANGE, PINK, bare, hatched, literal, washed

Traces = Trace | Iterable[Trace]


def acceptance(traces: Traces):
    """How often the k-th draft becomes text: of all calls with drafts, and of those in which the k - 1 before it did.

    Bars are 95% intervals (Wilson), calls taken as independent. `traces` is one Trace or several.
    ValueError where no call has a draft.
    """
    import plotly.graph_objects as go

    steps = _spec(traces)
    places = list(range(1, max(len(s.drafts) for s in steps) + 1))
    kept = [sum(s.kept >= k for s in steps) for k in places]
    tested = [sum(min(len(s.drafts), len(s.tokens)) >= k for s in steps) for k in places]
    figure = go.Figure()
    for name, counts, whole, colour, sign in [
        ("of all calls", kept, [len(steps)] * len(places), GREEN, "circle"),
        ("of calls that kept the drafts before it", kept, tested, INK, "diamond"),
    ]:
        rows = [(k, n / m, *wilson(n, m), n, m) for k, n, m in zip(places, counts, whole, strict=True) if m]
        k, rate, low, high, n, m = zip(*rows, strict=True)
        up, down = ([abs(end - r) for end, r in zip(ends, rate, strict=True)] for ends in (high, low))
        figure.add_scatter(
            x=k, y=rate, error_y=dict(array=up, arrayminus=down, color=washed(colour, 0.6)),
            customdata=list(zip(n, m, strict=True)), name=name, mode="lines+markers",
            marker=dict(color=colour, symbol=sign, size=10),
            line=dict(color=colour, width=2.5, dash="solid" if sign == "circle" else "dot"),
            hovertemplate="draft %{x}: %{y:.3f} (%{customdata[0]} of %{customdata[1]} calls)<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="place k of the draft", dtick=1)
    figure.update_yaxes(title_text="share of calls", range=(0, 1.03))
    return bare(figure, 400, title="Which draft becomes text")


def histogram(traces: Traces):
    """How many drafts a call keeps, over the calls that had any, and the mean. ValueError where no call has a draft."""
    import plotly.graph_objects as go

    steps = _spec(traces)
    most = max(len(s.drafts) for s in steps)
    counts = [sum(s.kept == a for s in steps) for a in range(most + 1)]
    mean = sum(s.kept for s in steps) / len(steps)
    figure = go.Figure()
    figure.add_bar(
        x=list(range(most + 1)), y=[c / len(steps) for c in counts], marker_color=GREEN, customdata=counts,
        hovertemplate="%{x} kept: %{customdata} calls (%{y:.1%})<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=mean, line=dict(color=INK, dash="dash"), annotation=dict(text=f" mean {mean:.2f}", y=1.02))
    figure.update_xaxes(title_text="drafts kept", dtick=1).update_yaxes(title_text="share of calls")
    return bare(figure, 380, legend=False, title=f"Drafts kept per call ({len(steps)} calls with drafts)")


def overlap(p: Sequence[float], q: Sequence[float], labels: Sequence[str] | None = None):
    """Target p and draft q, what they share, and what is left: three panels over the tokens.

    The sum of min(p, q) is the chance that a draft from q is kept under p (Leviathan et al. 2211.17192, Theorem 3.5);
    after a refusal the token is drawn from the residual (p - q)_+, scaled to 1. p and q [V] are probabilities.
    ValueError where they are not, or differ in length.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    p, q = _law("p", p), _law("q", q)
    labels = [literal(x) for x in (range(len(p)) if labels is None else labels)]
    if not len(p) == len(q) == len(labels):
        raise ValueError(f"p, q and labels have {len(p)}, {len(q)} and {len(labels)} entries: they must agree")
    shared = [min(a, b) for a, b in zip(p, q, strict=True)]
    rest = [max(a - b, 0.0) for a, b in zip(p, q, strict=True)]
    left = math.fsum(rest)
    residual = [r / left for r in rest] if left > 1e-12 else [0.0] * len(p)
    titles = [
        "two laws",
        f"shared: a draft is kept with {math.fsum(shared):.3f}",
        "residual: drawn after a refusal" if left > 1e-12 else "no residual: the laws agree",
    ]
    figure = make_subplots(1, 3, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.03)
    panels = [(1, "target p", p, BLUE, ""), (1, "draft q", q, ORANGE, "/"), (2, "min(p, q)", shared, GREEN, "")]
    for panel, name, law, colour, pattern in [*panels, (3, "(p − q)₊, scaled", residual, PINK, "x")]:
        marker = hatched(colour, pattern) if pattern else dict(color=colour)
        bar = go.Bar(x=labels, y=law, name=name, marker=marker, hovertemplate="%{x}: %{y:.3f}")
        figure.add_trace(bar, row=1, col=panel)
    figure.update_xaxes(title_text="token", type="category")
    figure.update_yaxes(title_text="probability", col=1)
    return bare(figure, 400).update_layout(barmode="group")


def meter(tv_by_n: Mapping[int, float], noise_by_n: Mapping[int, tuple[float, float]]):
    """Total variation between samples and the target's law against their number, beside what chance alone gives.

    `tv_by_n` maps the number of samples to the distance (0 to 1), `noise_by_n` to the (expected, upper limit) of the
    same distance for samples that truly come from the law. ValueError where either is empty, or a number is not > 0.
    """
    import plotly.graph_objects as go

    for name, given in (("tv_by_n", tv_by_n), ("noise_by_n", noise_by_n)):
        if not given or min(given) <= 0:
            raise ValueError(f"{name}={dict(given)!r:.60}: give at least one number of samples > 0 with its distance")
    n, noise = sorted(tv_by_n), sorted(noise_by_n)
    expected, limit = ([noise_by_n[k][i] for k in noise] for i in (0, 1))
    figure = go.Figure()
    figure.add_scatter(x=noise, y=limit, mode="lines", name="limit of chance", line=dict(color=INK, dash="dash"))
    figure.add_scatter(
        x=noise, y=expected, mode="lines", name="expected by chance", line=dict(color=INK, dash="dot"),
        fill="tonexty", fillcolor=washed(INK, 0.15),
    )  # fmt: skip
    figure.add_scatter(
        x=n, y=[tv_by_n[k] for k in n], mode="lines+markers", name="samples", line=dict(color=BLUE, width=3),
        marker=dict(size=9),
    )  # fmt: skip
    marks = [m * 10.0**e for e in range(-6, 9) for m in (1, 2, 5)]
    named = dict(type="log", tickvals=marks, ticktext=[f"{m:,g}" for m in marks])
    figure.update_xaxes(title_text="samples (logarithmic)", **named)
    figure.update_yaxes(title_text="total variation (0 to 1, logarithmic)", **named)
    return bare(figure, 420, title="Distance from the target's law")


def wilson(kept: int, tested: int) -> tuple[float, float]:
    """95% interval of a share `kept` of `tested` > 0 independent trials (Wilson 1927)."""
    z, share = 1.959964, kept / tested
    middle = (share + z * z / (2 * tested)) / (1 + z * z / tested)
    half = z / (1 + z * z / tested) * math.sqrt(share * (1 - share) / tested + z * z / (4 * tested**2))
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def _spec(traces: Traces) -> list:
    steps = [s for s in joined(traces).steps if s.drafts]
    if not steps:
        raise ValueError("no call of these traces verified a draft: generate with a drafter")
    return steps


def _law(name: str, values: Sequence[float]) -> list[float]:
    law = [float(v) for v in values]
    if not law or min(law) < 0 or not math.isclose(math.fsum(law), 1, abs_tol=1e-4):
        raise ValueError(
            f"{name} is no law: its entries must be >= 0 and sum to 1, and the sum is {math.fsum(law):.4g}"
        )
    return law
