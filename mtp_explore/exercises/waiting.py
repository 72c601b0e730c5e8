"""What a cell shows while one waits: a line that says how far it is, or curves that grow. Without IPython, nothing.

watched(items, what)     the same items, one by one; a line counts them meanwhile and is gone at the end
Falling(...)             a callback of `fit` that draws losses while they fall
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

MOMENT = 0.3  # seconds between two states of a line


class Shown:
    """One output of a cell that is replaced in place."""

    def __init__(self):
        self.handle = None

    def show(self, bundle: dict) -> None:
        """bundle: {MIME type: data}."""
        from IPython.display import display

        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)

    def figure(self, figure) -> None:
        """A plotly figure: it would show itself past display ids."""
        self.show(figure._repr_mimebundle_())

    def words(self, text: str) -> None:
        """A line of text, in a notebook; elsewhere nothing."""
        if in_notebook():
            self.show({"text/plain": text})


def in_notebook() -> bool:
    from IPython import get_ipython

    return get_ipython() is not None


class Watched:
    """What `watched` returns: a collection that is counted while it is gone through."""

    def __init__(self, items: Collection, what: str):
        self.items, self.what = items, what

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self):
        line, start, last = Shown(), time.perf_counter(), 0.0
        try:
            for done, item in enumerate(self.items):
                now = time.perf_counter()
                if not done or now - last > MOMENT:
                    line.words(f"{self.what}: {done + 1} of {len(self)}{left(now - start, done, len(self))}")
                    last = now
                yield item
        finally:
            line.words("")


def watched(items: Collection, what: str = "step") -> Watched:
    """The items of a collection, while a line says which one it is and about how long the rest takes."""
    return Watched(items, what)


def left(seconds: float, done: int, every: int) -> str:
    """ ", about 40 s left", by what `done` of `every` have taken; nothing before the first is done."""
    return f", about {seconds / done * (every - done):.0f} s left" if done else ""


class Falling:
    """A callback of `fit` that draws losses over the steps while they fall, and says how long the rest takes.

    keys: {a loss of `fit`: its name in the figure}. `lines` go on where an earlier training's are given.
    """

    def __init__(self, steps: int, keys: Mapping[str, str], lines: dict | None = None, shown: Shown | None = None):
        self.steps, self.keys = steps, dict(keys)
        self.lines: dict[str, dict[int, float]] = {} if lines is None else lines
        self.shown = shown or Shown()

    def __call__(self, facts: Mapping) -> None:
        for key, name in self.keys.items():
            if key in facts:
                self.lines.setdefault(name, {})[facts["step"]] = facts[key]
        if not in_notebook():
            return
        said = f"step {facts['step']} of {self.steps}{left(facts['seconds'], facts['step'], self.steps)}"
        self.shown.figure(self.figure(said))

    def figure(self, title: str = ""):
        from ..plots import curves
        from ..plots.style import bare

        figure = bare(curves(self.lines, "step", "loss, nats", zero=True), 450, title=title)
        return figure.update_xaxes(tickvals=None, ticktext=None, range=[0, 1.02 * self.steps])
