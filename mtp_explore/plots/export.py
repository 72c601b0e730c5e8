"""Figures that are still there when a notebook is exported as HTML, by JupyterLab's menu or by nbconvert.

In a kernel plotly by itself hands out a figure's data alone, which JupyterLab draws and an exported page does not.
Beside that, the output gets HTML and, once, plotly's script: a page of 5 MB. Plotly's own renderer "notebook" does the
same, but its page asks a server for MathJax. Who has chosen a renderer (`plotly.io.renderers.default`, or
PLOTLY_RENDERER) keeps it.
"""

from __future__ import annotations

import os
from functools import cache

ALONE, OFFLINE = "plotly_mimetype", "offline"


@cache
def exportable() -> None:
    """Once, before the first figure: let figures of this kernel survive an export."""
    import plotly.io
    from IPython import get_ipython
    from plotly.io.base_renderers import NotebookRenderer

    class Offline(NotebookRenderer):
        def to_mimebundle(self, fig_dict: dict) -> dict:
            whole = dict(include_plotlyjs=False, include_mathjax=False, full_html=False, validate=False)
            return {"text/html": plotly.io.to_html(fig_dict, default_width="100%", default_height=525, **whole)}

    own = "PLOTLY_RENDERER" not in os.environ and plotly.io.renderers.default == ALONE
    if own and getattr(get_ipython(), "kernel", None):
        plotly.io.renderers[OFFLINE] = Offline()
        plotly.io.renderers.default = f"{ALONE}+{OFFLINE}"
