"""One number against another, one line per method: losses against rank, accepted drafts against the window's length.

lines     {name: {x: y}}, or {name: {x: [y, ...]}} where there are several (seeds, contexts): a line through their means
          and a band from least to most
ceiling   {x: y}: what nobody can pass, or nobody should fall below, dashed
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..checks import flag, instance
from . import given
from .fidelity import dress
from .style import INK, bare, literal, washed


def curves(
    lines: Mapping[str, Mapping],
    across: str,
    up: str,
    ceiling: Mapping[float, float] | None = None,
    ceiling_name: str = "ceiling",
    log: bool = False,
    zero: bool = False,
):
    """The lines over the x that occur, every x a tick; `across` and `up` name the axes, with their units.

    log: a logarithmic x axis (ranks); zero: y starts at 0. ValueError where there is no finite point.
    """
    import plotly.graph_objects as go

    log, zero = flag("log", log), flag("zero", zero)
    for name, value in (("across", across), ("up", up)):
        instance(name, value, str, "it must be a text: the name of the axis, with its unit")
    lines = given.table("lines", lines, "{name: {x: y}}", 0)
    read = {name: given.axis(f"lines[{name!r:.40}]", line, "{x: y}") for name, line in lines.items() if line != {}}
    found = {n: [(x, _many(f"lines[{n!r:.40}]", y)) for x, y in sorted(line.items())] for n, line in read.items()}
    found = {name: [(x, ys) for x, ys in line if ys] for name, line in found.items()}
    if not any(found.values()):
        raise ValueError(f"lines {list(lines)} hold no finite value: give {{name: {{x: y}}}}")
    instance("ceiling_name", ceiling_name, str, "it must be a text")
    if ceiling is not None:
        ceiling = given.axis("ceiling", ceiling, "{x: y}", least=0)
    if ceiling:
        given.numbers("ceiling", list(ceiling.values()), 1)
    figure = go.Figure()
    for name, line in found.items():
        look, shown = dress(name), literal(name)
        x, low, high = [x for x, _ in line], [min(ys) for _, ys in line], [max(ys) for _, ys in line]
        if low != high:
            figure.add_scatter(
                x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=washed(look["marker"]["color"]),
                mode="none", hoverinfo="skip", showlegend=False, legendgroup=shown,
            )  # fmt: skip
        said = [f"{len(ys)} values, {min(ys):.4g} to {max(ys):.4g}" if len(ys) > 1 else "" for _, ys in line]
        figure.add_scatter(
            x=x, y=[math.fsum(ys) / len(ys) for _, ys in line], name=shown, legendgroup=shown, customdata=said, **look,
            hovertemplate=f"{shown}, %{{x}}: %{{y:.4g}}<br>%{{customdata}}<extra></extra>",
        )  # fmt: skip
    if ceiling:
        x = sorted(ceiling)
        figure.add_scatter(
            x=x, y=[ceiling[k] for k in x], name=literal(ceiling_name), mode="lines", line=dict(color=INK, dash="dash"),
            hovertemplate=f"{literal(ceiling_name)}, %{{x}}: %{{y:.4g}}<extra></extra>",
        )  # fmt: skip
    ticks = sorted({x for line in found.values() for x, _ in line} | set(ceiling or ()))
    figure.update_xaxes(title_text=across, type="log" if log else "linear", tickvals=ticks)
    figure.update_xaxes(ticktext=[f"{x:g}" for x in ticks])
    figure.update_yaxes(title_text=up, rangemode="tozero" if zero else "normal")
    return bare(figure, 420)


def _many(name: str, value) -> list[float]:
    """The finite numbers of one entry."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    return [v for v in given.numbers(name, values, 1, finite=False) if math.isfinite(v)] if values else []
