"""Everything that shows itself as HTML: strings stay text, whoever wrote them, and MathJax leaves them alone."""

import ast
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mtp_explore.plots.microscope import LOW, low
from mtp_explore.trace.markup import Html, data, join, radios, script, style, tag, text, view
from tests.views import VIEWS, nasty_trace

ROOT = Path(__file__).parent.parent / "mtp_explore"
NASTY = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "</style></title></textarea><svg onload=alert(3)>",
    "\"onmouseover=alert(4) x='",
    "' onfocus=alert(5) autofocus '",
    "&lt;img src=x onerror=alert(6)&gt;",
    "${alert(7)}`",
    "<!--<script>",
    "]]>--><a href=javascript:alert(8)>x</a>",
    "__proto__",
    "constructor",
    "\x1b[31m\u202e\x00\ud83d",
]
TAGS = set(
    "p pre span bdi b i u s sup small br details summary table thead tbody tr td th input label script".split()
    + ["div", "style"]
)
ATTRIBUTES = set("class style type title name id checked for tabindex role data-lm-suppress-shortcuts".split())


class Read(HTMLParser):
    """Tags, attributes and text of a page, and what its scripts hold."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.scripts, self.inside = set(), set(), "", [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts.append(data)
        elif self.inside != "style":
            self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


def trees() -> dict[str, ast.Module]:
    return {str(f.relative_to(ROOT)): ast.parse(f.read_text("utf-8")) for f in ROOT.rglob("*.py")}


def prose(tree: ast.Module) -> set[ast.AST]:
    """The docstrings of a module."""
    bodies = (node.body for node in ast.walk(tree) if hasattr(node, "body") and isinstance(node.body, list))
    return {body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)}


# Whatever text a view is given, in any place, the page has the tags and attributes it always has, and the text itself.
@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("nasty", NASTY)
def test_text_stays_text(name, nasty):
    html, tame = (VIEWS[name](given)._repr_html_() for given in (nasty, "a b\n"))
    page, other = Read(html), Read(tame)
    assert page.tags - {"br", "i"} == other.tags - {"br", "i"} and page.tags <= TAGS
    assert page.attributes == other.attributes <= ATTRIBUTES
    assert html.count("<script") == html.count("</script") == tame.count("<script")
    for mine, tame in zip(page.scripts, other.scripts, strict=True):
        if mine.startswith("{"):
            assert json.loads(mine) and not re.search("[<>&]", mine), "data"
        else:
            assert re.sub("-[0-9a-f]{8,10}", "", mine) == re.sub("-[0-9a-f]{8,10}", "", tame), "code"
    if name != "Table of a trace":  # it holds numbers alone
        assert bare(low(nasty)) in bare(page.text.translate(LOW))


def bare(shown: str) -> str:
    """Without spaces and the signs that stand for them."""
    return re.sub(r"[\s·↵]", "", shown)


# No unseen sign reaches a page, the isolates around right-to-left words excepted, and UTF-8 can hold all of it.
@pytest.mark.parametrize("name", VIEWS)
def test_unseen_signs_are_seen(name):
    html = VIEWS[name](NASTY[-1] + "\u2066\u200b")._repr_html_()
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\u2066\u200b\ud800-\udfff]", html)
    html.encode("utf-8")


# MathJax, which JupyterLab runs over every output, is told to leave each view alone: at its root, before any text.
@pytest.mark.parametrize("name", VIEWS)
def test_formulas_are_left_alone(name):
    html = VIEWS[name]("Tea costs $5 and coffee costs $6 \\(x^2\\)")._repr_html_()
    assert isinstance(html, Html) and re.match(r'<(div|table) class="mathjax_ignore[ "]', html)
    root = re.match(r"<(\w+)", html)[1]
    depth = [1 if opened else -1 for opened in re.findall(rf"<(/?){root}\b", html) for opened in [not opened]]
    assert min(sum(depth[:i]) for i in range(1, len(depth))) > 0, "one root around all of it"


# The list of views above is whole: every class that shows itself as HTML is in it.
def test_every_view_is_tried():
    classes = {
        node.name
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(f, ast.FunctionDef) and f.name == "_repr_html_" for f in node.body)
    }
    assert classes - {*VIEWS, "Frame"} == set() and len(classes) > 9


# Markup comes from one file: no other string of the package holds a tag (plotly's own four excepted), and no other file
# says of a string that it is markup.
def test_tags_are_made_in_one_place():
    plotly = re.compile(r"<br>|</?extra>|</?span( style=\"font-size:)?")
    places = re.compile("<(slots|corpus|drafter)>")  # to be filled in, in a message
    found = []
    for name, tree in trees().items():
        if name == "trace/markup.py" or name.startswith("corpora/"):
            continue
        skip = prose(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skip:
                own = plotly.sub("", node.value) if name.startswith(("plots", "widgets/rank_dial")) else node.value
                if re.search(r"</?[a-z][a-z0-9]*[ >/]", places.sub("", own)):
                    found.append((name, node.value[:60]))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Html":
                found.append((name, ast.unparse(node)[:60]))
    assert found == []


# No script of ours makes markup of a string.
@pytest.mark.parametrize("file", sorted(f.name for f in ROOT.rglob("*.js")))
def test_scripts_write_text_nodes_only(file):
    code = next(ROOT.rglob(file)).read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function", code
    )


# A tag escapes what is no markup, inside and in attributes; markup put together stays markup, and text is not escaped
# twice; joined with a plain string it is text again.
def test_tag():
    assert tag("b", "a<b", 3, None, tag("i", "&")) == "<b>a&lt;b3<i>&amp;</i></b>"
    assert tag("input", class_='"x', aria_label="<", checked=True, title=None) == (
        '<input class="&quot;x" aria-label="&lt;" checked>'
    )
    assert join(["<", tag("br")], " · ") == "&lt; · <br>" and text(text("<")) == "&lt;"
    assert text(tag("b") + "<i>") == "&lt;b&gt;&lt;/b&gt;&lt;i&gt;"
    assert text("a\nb\x00\u202e\u2068x\u2069") == "a\nb␀⟨U+202E⟩\u2068x\u2069"
    assert view("mtp", "$5") == '<div class="mathjax_ignore mtp">$5</div>'
    assert radios("<g>", {0: "<a>"}, 0).count("&lt;g&gt;") == 3


# What a browser does not unescape cannot end its own tag.
def test_raw_insides():
    assert (
        json.loads(data({"x": "</script>\u2028"}).partition(">")[2].removesuffix("</script>"))["x"] == "</script>\u2028"
    )
    assert data("</script><!--").count("<") == 2
    for make in (style, script):
        assert make("a > b").startswith("<s")
        for bad in ("</style>", "</script", "<!--"):
            with pytest.raises(ValueError, match="could end its tag"):
                make(bad)


# Data frames with a model's text are left alone as well, and so are those cut out of them.
def test_frames_leave_formulas_alone():
    frame = nasty_trace("$5 and $6").to_dataframe()
    for shown in (frame, frame[["piece", "p"]], frame.head(2), frame.sort_values("p")):
        html = shown._repr_html_()
        assert "mathjax_ignore" in html and "$5 and $6" in html
    assert "<img" not in nasty_trace(NASTY[0]).to_dataframe()._repr_html_()
