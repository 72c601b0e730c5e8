"""What JupyterLab leaves of an untrusted HTML output, for tests: the tags and attributes its sanitizer keeps.

Lists are those of @jupyterlab/apputils 4.x (tags that matter here); the text of
dropped <script>, <style> and <svg> goes too.
"""

from html import escape
from html.parser import HTMLParser

TAGS = set(
    "a b bdi bdo br button caption code col colgroup dd details div dl dt em figure h1 h2 h3 h4 h5 h6 hr i input ins "
    "kbd label li mark meter ol option output p pre progress q s samp section select small span strike strong sub "
    "summary sup table tbody td textarea tfoot th thead tr tt u ul var wbr".split()
)
ATTRIBUTES = {"class", "dir", "hidden", "lang", "style", "title", "open", "type", "value", "max", "min", "colspan"}
SILENT = {"script", "style", "svg", "iframe", "noscript"}


class Sanitizer(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out, self.silent = [], 0

    def handle_starttag(self, tag, attributes):
        if tag in SILENT:
            self.silent += 1
        elif tag in TAGS and not self.silent:
            kept = "".join(f' {k}="{escape(v or "")}"' for k, v in attributes if k in ATTRIBUTES)
            self.out.append(f"<{tag}{kept}>")

    def handle_endtag(self, tag):
        if tag in SILENT:
            self.silent -= 1
        elif tag in TAGS and not self.silent:
            self.out.append(f"</{tag}>")

    def handle_data(self, data):
        if not self.silent:
            self.out.append(escape(data))


def sanitized(html: str) -> str:
    """`html` as an untrusted notebook shows it."""
    sanitizer = Sanitizer()
    sanitizer.feed(html)
    return "".join(sanitizer.out)
