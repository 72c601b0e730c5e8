"""Turn the dials and watch: controls for one generation, with the token player as an output of its own beneath.

The widget receives the function it runs and knows nothing of models:

    run(prompt=..., drafter=..., rule=..., temperature=..., horizon=..., seed=...) -> Trace

Controls live as long as the kernel; the player is plain HTML in the cell, so it survives saving and reopening. A change
runs again once the controls have been still for a moment; an error of `run` is shown, never swallowed.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping

import ipywidgets as w
from IPython.display import HTML, display

from .. import checks
from ..trace.glyphs import visible
from ..trace.html import player
from ..trace.markup import Html, tag, view
from ..trace.records import Trace

RULES = {"as the drafter needs": "", "match": "match", "rejection": "rejection", "block": "block"}
LONGEST = 15  # of the horizon's slider


class Explorer:
    """Controls, the last `trace` they gave, and the last `error`. Shows itself in a notebook.

    `controls` is {name: widget} with the names `run` is called with; `panel` holds them and the button.
    """

    def __init__(self, run: Callable[..., Trace], controls: Mapping[str, w.Widget], wait: float | None):
        self.run = checks.function("run", run)
        self.controls = dict(checks.instance("controls", controls, Mapping, "give a dict {name: widget}"))
        for name, control in self.controls.items():
            checks.instance(f"controls[{name!r}]", control, w.Widget, "it must be a widget of ipywidgets")
        self.wait = None if wait is None else checks.real("wait", wait, above=-1e-9)
        self.trace: Trace | None = None
        self.error: Exception | None = None
        self.button = w.Button(description="Run", button_style="primary", icon="play")
        self.status = w.HTML()
        dials = w.Box(list(self.controls.values()), layout=w.Layout(flex_flow="row wrap", grid_gap="2px 12px"))
        self.panel = w.VBox([dials, w.HBox([self.button, self.status])])
        self._page = self._timer = None
        self.button.on_click(lambda _: self.refresh())
        for control in self.controls.values():
            control.observe(lambda _: self._later(), names="value")

    def values(self) -> dict:
        """What `run` will be called with."""
        found = {name: control.value for name, control in self.controls.items()}
        if "rule" in found:
            found["rule"] = found["rule"] or None  # a dropdown shows nothing where its value is None
        return found

    def refresh(self) -> Trace | None:
        """Run now and show the result; the trace, or None if `run` failed (then see `error`)."""
        self._forget()
        self.button.disabled, self.status.value = True, "running …"
        try:
            trace = self.run(**self.values())
            if not isinstance(trace, Trace):
                raise TypeError(f"run returned {type(trace).__name__}: it must return a Trace")
            page = player(trace, start=1)
            self.trace, self.error, self.status.value = trace, None, ""
        except Exception as error:  # a callback's exception reaches nobody: show it here
            self.error, page = error, None
            self.status.value = alert(error)
        finally:
            self.button.disabled = False
        if page and self._page:
            self._page.update(HTML(page))
        return None if self.error else self.trace

    def _later(self) -> None:
        """Run once the controls have been still for `wait` seconds; without an event loop, now."""
        self._forget()
        if self.wait is None:
            return
        try:
            self._timer = asyncio.get_running_loop().call_later(self.wait, self.refresh)
        except RuntimeError:
            self.refresh()

    def _forget(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def _ipython_display_(self) -> None:
        display(self.panel)
        self._page = display(HTML(tag("i", "Nothing has run yet.")), display_id=True)
        self.refresh()


def alert(error: Exception) -> Html:
    """An error in words, and folded behind them where it happened."""
    message = tag("b", visible(f"{type(error).__name__}: {error}"))
    where = tag("pre", "".join(traceback.format_exception(error)[-2:]))
    said = message, tag("details", tag("summary", "where it happened"), where)
    return view("", tag("div", *said, role="alert"), style="border-left:3px solid #d55e00;padding:2px 8px")


def explore(
    run: Callable[..., Trace],
    prompt: str = "",
    drafters: Mapping[str, object] | None = None,
    rule: str | None = None,
    temperature: float = 1.0,
    horizon: int = 7,
    seed: int = 0,
    wait: float | None = 0.4,
) -> Explorer:
    """Linked controls for `run`, which is called with prompt=, rule=, temperature=, horizon= and seed=, and returns a
    Trace; with `drafters`, a dict of names, also with drafter= (the chosen value of the dict).

    The others are the controls' first values; `wait` is how many seconds of stillness start a run, None: only the
    button does. TypeError if `run` cannot be called; ValueError for a value that its control cannot hold.
    """
    checks.text("prompt", prompt)
    if drafters is not None and not checks.instance("drafters", drafters, Mapping, "give a dict {name: drafter}"):
        raise ValueError("drafters is empty: name at least one, or leave it out")
    if rule is not None:
        checks.choice("rule", rule, filter(None, RULES.values()))
    temperature = checks.number(
        "temperature", temperature, checks.Real, lambda x: 0 <= x <= 2, "a number from 0 to 2, where the slider ends"
    )
    horizon = checks.whole("horizon", horizon, 1, LONGEST, "where the slider ends")
    seed = checks.whole("seed", seed, 0, 2**31 - 1)
    slow = dict(continuous_update=False)
    controls: dict[str, w.Widget] = {
        "prompt": w.Textarea(prompt, description="prompt", rows=2, layout=w.Layout(width="100%"), **slow)
    }
    if drafters is not None:
        controls["drafter"] = w.Dropdown(options=dict(drafters), description="drafter")
    controls |= {
        "rule": w.Dropdown(options=RULES, value=rule or "", description="rule"),
        "temperature": w.FloatSlider(temperature, min=0, max=2, step=0.1, description="temperature", **slow),
        "horizon": w.IntSlider(horizon, min=1, max=LONGEST, description="horizon K", **slow),
        "seed": w.BoundedIntText(seed, min=0, max=2**31 - 1, description="seed"),
    }
    return Explorer(run, controls, wait)
