"""Which slots a budget buys, and what it brings: a heat map with a slider, and tokens per call beside it.

    shares    {m: [K+1][M]} how often slot j of branch b (exactly b of the pending drafts survive) was among m slots
    calls     {m: tokens per call}

The slider is plotly's own, so it turns in a saved page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..checks import refusal, whole
from . import given
from .heat import colourbar, dressed, ramp, slider
from .style import INK, ORANGE

FORM = "{m: [K+1][M] shares}"


def bought(shares: Mapping[int, Sequence[Sequence[float]]], calls: Mapping[int, float], first: int = 1):
    """first: the number of a branch's first slot. ValueError where the two do not speak of the same budgets."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    shares, calls = given.axis("shares", shares, FORM, True), given.axis("calls", calls, "{m: tokens per call}", True)
    first = whole("first", first, 0)
    if set(shares) != set(calls):
        raise ValueError(f"shares has the budgets {sorted(shares)}, calls {sorted(calls)}: give both for each")
    order = sorted(shares)
    tables = {m: given.numbers(f"shares[{m}]", shares[m], 2) for m in order}
    calls = {m: float(given.numbers(f"calls[{m}]", [calls[m]], 1)[0]) for m in order}
    if len({t.shape for t in tables.values()}) > 1:
        raise ValueError(refusal("shares", [t.shape for t in tables.values()], "its tables must have one shape"))
    titles = (" ", " ")
    figure = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.2, column_widths=[0.55, 0.45])
    one = tables[order[0]]
    slots = list(range(first, first + one.shape[1]))
    figure.add_trace(
        go.Heatmap(
            z=one.tolist(), x=slots, y=list(range(one.shape[0])), xgap=1, ygap=1, zmin=0, zmax=1,
            colorscale=ramp(ORANGE), colorbar=colourbar(1.0, "linear", False, x=0.46),
            hovertemplate="if %{y} drafts survive, slot %{x}: bought in %{z:.0%} of the calls<extra></extra>",
        ),
        row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=order, y=[calls[m] for m in order], mode="lines+markers", showlegend=False, line=dict(color=INK, width=2),
        marker=dict(color=INK, size=8, opacity=1), selectedpoints=[0],
        selected=dict(marker=dict(color=ORANGE, size=17)), unselected=dict(marker=dict(opacity=1)),
        hovertemplate="%{x} slots: %{y:.2f} tokens per call<extra></extra>", row=1, col=2,
    )  # fmt: skip
    figure.update_xaxes(title_text="slot of the branch", tickvals=slots, row=1, col=1)
    figure.update_yaxes(title_text="branch: drafts that survive", autorange="reversed", dtick=1, row=1, col=1)
    figure = dressed(figure, 470)
    top = max(calls.values())
    figure.update_xaxes(title_text="slots bought per call", row=1, col=2, showline=True)
    figure.update_yaxes(
        title_text="tokens per call", range=[1, 1 + 1.1 * max(top - 1, 0.1)], row=1, col=2, showgrid=True
    )
    steps = []
    for i, m in enumerate(order):
        heads = {
            "annotations[0].text": f"{m} slots: how often each is bought",
            "annotations[1].text": f"{calls[m]:.2f} tokens per call",
        }
        data = {"z": [tables[m].tolist(), None], "selectedpoints": [None, [i]]}
        steps.append(dict(label=f"{m}", method="update", args=[data, heads, [0, 1]]))
    figure.update_layout(steps[0]["args"][1], sliders=[slider(steps, "slots m = ", below=62)], margin_b=150)
    return figure
