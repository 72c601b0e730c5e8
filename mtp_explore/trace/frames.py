"""Data frames whose text JupyterLab shows as it is: pandas would let MathJax typeset "$5 and $6". Opens with pandas."""

from __future__ import annotations

import pandas as pd


class Frame(pd.DataFrame):
    """A DataFrame in every respect; it, and what is cut out of it, shows formulas' signs as signs."""

    @property
    def _constructor(self):
        return Frame

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.html.use_mathjax", False):
            return super()._repr_html_()
