"""What a call costs against what it brings, and the line above which a drafter pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from .style import GREEN, INK, bare, literal, look, washed


class Rounds(tuple):
    """A point that was measured in several rounds: (cost, gain), their medians, and all of them as `rounds`."""

    def __new__(cls, rounds: Sequence[tuple[float, float]]):
        one = super().__new__(cls, (median(cost for cost, _ in rounds), median(gain for _, gain in rounds)))
        one.rounds = list(rounds)
        return one


def break_even(points: Mapping[str, tuple[float, float]]):
    """points {name: (cost, gain)}: the seconds of a call as a multiple of an ordinary step's, and tokens per call; of
    `Rounds` a bar goes from the least cost to the most.

    The line is gain = cost: above it tokens come faster than from ordinary decoding, gain / cost times as fast.
    ValueError where there is no point or a number is not above 0.
    """
    import plotly.graph_objects as go

    if not points or any(not (cost > 0 and gain > 0) for cost, gain in points.values()):
        raise ValueError(f"points={dict(points)!r:.80}: give {{name: (cost, gain)}}, all above 0")
    most = 1.15 * max(max(pair) for pair in points.values())
    figure = go.Figure()
    figure.add_scatter(
        x=[0, most, 0], y=[0, most, most], fill="toself", fillcolor=washed(GREEN, 0.12), mode="none", hoverinfo="skip",
        name="faster than ordinary decoding",
    )  # fmt: skip
    figure.add_scatter(
        x=[0, most], y=[0, most], mode="lines", line=dict(color=INK, dash="dash"), hoverinfo="skip", name="break-even"
    )
    for name, point in points.items():
        colour, sign, _ = look(name)
        (cost, gain), costs = point, [cost for cost, _ in getattr(point, "rounds", [point])]
        bar = dict(array=[max(costs) - cost], arrayminus=[cost - min(costs)], color=INK, visible=len(costs) > 1)
        figure.add_scatter(
            x=[cost], y=[gain], mode="markers", name=literal(name), error_x=bar,
            marker=dict(size=14, symbol=sign, color=colour, line=dict(width=1)),
            customdata=[gain / cost],
            hovertemplate=f"{literal(name)}: %{{y:.2f}} tokens per call at %{{x:.2f}} times the cost, "
            "%{customdata:.2f} times as fast<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="seconds per call, in ordinary steps", range=[0, most])
    figure.update_yaxes(title_text="tokens per call", range=[0, most])
    return bare(figure, 460)
