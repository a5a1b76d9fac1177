"""Turns a matplotlib figure into SVG that can stand inside the page.

The page forbids inline styles, has light and dark colours, and holds many charts. So styles become
attributes, colours of the light theme become the page's variables, and ids get the chart's name in
front. Artists with a tooltip become elements that can be focused.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from benchmarks.report.formatting import plain

INK, QUIET, GRID, CARD = "#1d2328", "#4d565e", "#e2e6e9", "#ffffff"
SERIES = ("#0060a8", "#b84a00", "#00704f", "#8a3d88", "#7a5c00", "#555b61")
"""The light theme's colours; ``report.css`` has a dark one for each."""

_VARIABLES = {
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    GRID: "var(--grid)",
    CARD: "var(--card)",
    **{colour: f"var(--s{number})" for number, colour in enumerate(SERIES)},
}
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 12.0,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}
"""Settings of matplotlib that a chart is drawn with."""

PIXELS_AN_INCH = 72
"""Of matplotlib's SVG; a point of type is a pixel then."""

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "hierattn",
    "path.simplify": False,
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in pixels; to be drawn under :data:`STYLE`."""
    return Figure(figsize=(width / PIXELS_AN_INCH, height / PIXELS_AN_INCH), dpi=PIXELS_AN_INCH)


def drawable(text: str) -> str:
    """Text on one line; characters that the font lacks become boxes."""
    font = get_font(findfont("DejaVu Sans"))
    line = " ".join(plain(text).split())
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in line)


def inline_svg(
    figure: Figure,
    name: str,
    label: str,
    tooltips: Mapping[str, str],
    *,
    kind: str = "",
    focusable: bool = False,
) -> Markup:
    """The figure as an ``<svg>`` element. The same figure gives the same text.

    Args:
        figure: drawn in the colours of this module.
        name: unique on the page; letters, digits and hyphens.
        label: what the chart shows, for those who cannot see it.
        tooltips: by the gid of an artist, lines of text.
        kind: a class of the element besides ``chart``.
        focusable: whether the Tab key steps from tooltip to tooltip.
    """
    buffer = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS):
        FigureCanvasSVG(figure)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing, transparent=True)
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in list(root.iter()):
        for child in [*parent]:
            if child.tag.removeprefix(_SVG) in ("metadata", "style") or "}RDF" in child.tag:
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        _make_attributes(element, name)
        _add_tooltip(element, name, tooltips, focusable)
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    root.set("class", f"chart {kind}".strip())
    root.set("role", "group" if tooltips else "img")
    root.set("aria-label", plain(label))
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _make_attributes(element: ElementTree.Element, name: str) -> None:
    """Styles as attributes, colours as variables, ids that are unique on the page."""
    fields = dict(element.attrib)
    element.attrib.clear()
    for rule in filter(None, (part.strip() for part in fields.pop("style", "").split(";"))):
        key, _, value = rule.partition(":")
        fields[key.strip()] = value.strip()
    for key, value in fields.items():
        if key == "font-family":  # the page has its own
            continue
        if key == "id":
            value = f"{name}-{value}"
        elif key in ("fill", "stroke"):
            value = _VARIABLES.get(value.lower(), value)
        elif key == "font-size":
            value = value.removesuffix("px")
        elif key == f"{_XLINK}href":
            key, value = "href", f"#{name}-{value.removeprefix('#')}"
        value = value.replace("url(#", f"url(#{name}-")
        element.set(key, value)
    if element.tag == "text" and "fill" not in fields:
        element.set("fill", "currentColor")


def _add_tooltip(
    element: ElementTree.Element, name: str, tooltips: Mapping[str, str], focusable: bool
) -> None:
    gid = element.get("id", "").removeprefix(f"{name}-")
    if gid.startswith("label"):
        element.set("class", "label")
    if gid not in tooltips:
        return
    element.set("class", "point")
    if focusable:
        element.set("tabindex", "0")
    element.set("role", "img")
    text = plain(tooltips[gid])
    element.set("aria-label", text.replace("\n", "; "))
    title = ElementTree.Element("title")
    title.text = text
    element.insert(0, title)
