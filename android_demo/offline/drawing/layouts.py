"""Draws a layout of the app as a web page, from its resource files: layouts, styles, shapes, words.

Only what the app's layouts use is known: a tag, style or drawable of another kind is refused, so
that no drawing leaves something out unsaid.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path

from android_demo.offline.errors import BuildError
from android_demo.offline.project import APP

_ANDROID = "{http://schemas.android.com/apk/res/android}"
_RESOURCES = APP / "app/src/main/res"
WIDTH = 392
"""Of the drawn phone, dp; a web page's pixel stands for one dp and one sp."""

_PAGE = """<!doctype html><html lang="{language}"><meta charset="utf-8">
<title>Drawing of the app</title><style>
body {{ margin: 0; width: {width}px; background: {ground}; color: {text};
  font: 16px/1.2 Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif }}
div, img {{ box-sizing: border-box }}
.drawing {{ font-size: 12px; text-align: center; padding: 3px; background: #777; color: #fff }}
</style><div class="drawing">drawing, not a screenshot</div>{body}</html>"""
_FONTS = {
    "sans-serif-medium": "font-weight:500",
    "monospace": "font-family:'DejaVu Sans Mono',monospace;overflow-wrap:anywhere",
}
_EDGES = {"": "", "Top": "-top", "Bottom": "-bottom", "Left": "-left", "Right": "-right"}


@dataclass(frozen=True)
class Content:
    """What the app's code puts into one view.

    Attributes:
        text: shown by it; None leaves the layout's own.
        attributes: Android's attributes that the code sets, such as "background".
        picture: data URI, for an image.
        share: how full a bar is, 0 to 1.
        rows: views put into it: a layout's name, and contents by id.
    """

    text: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    picture: str | None = None
    share: float | None = None
    rows: tuple[tuple[str, Mapping[str, Content]], ...] = ()


VISIBLE = {"visibility": "visible"}
GONE = {"visibility": "gone"}


class Resources:
    """The app's words, colours and styles in one language and one palette."""

    def __init__(self, *, language: str = "", night: bool = False) -> None:
        self.language, self._night = language, night

    @cached_property
    def words(self) -> dict[str, str]:
        """Strings by name; those not translated are English."""
        return self._values("strings.xml", self.language)

    @cached_property
    def colours(self) -> dict[str, str]:
        """Hexadecimal colours by name."""
        return self._values("colors.xml", "night" if self._night else "")

    @cached_property
    def _styles(self) -> dict[str, dict[str, str]]:
        root = ET.parse(_RESOURCES / "values/styles.xml").getroot()
        return {
            str(style.get("name")): {
                str(item.get("name")).removeprefix("android:"): item.text or "" for item in style
            }
            for style in root
        }

    @staticmethod
    def _values(name: str, variant: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for folder in ("values", *([f"values-{variant}"] if variant else [])):
            root = ET.parse(_RESOURCES / folder / name).getroot()
            found |= {str(item.get("name")): item.text or "" for item in root}
        return found

    def say(self, name: str, *given: object) -> str:
        """A string with its gaps filled."""
        text = self.words[name].replace("\\n", "\n").replace("\\'", "'")
        for place, value in enumerate(given, 1):
            for kind in "sd":
                text = text.replace(f"%{place}${kind}", str(value))
        return text.replace("%%", "%")

    def colour(self, value: str) -> str:
        """Of "@color/text", or of a selector of the same kind: its last entry."""
        name = value.removeprefix("@color/")
        if name in self.colours:
            return self.colours[name]
        return self.colour(str(_read(f"color/{name}")[-1].get(f"{_ANDROID}color")))

    def attributes(self, element: ET.Element) -> dict[str, str]:
        """Of a view: its style's, with the styles that it inherits from by name, then its own."""
        style = element.get("style", "").removeprefix("@style/")
        merged: dict[str, str] = {}
        if style and not style.startswith("@android:"):
            parts = style.split(".")
            for length in range(1, len(parts) + 1):
                merged |= self._styles[".".join(parts[:length])]
        own = {k.removeprefix(_ANDROID): v for k, v in element.attrib.items() if k != "style"}
        return merged | own

    def shape(self, value: str) -> str:
        """CSS of "@color/..." or "@drawable/...": ground, stroke and corners."""
        if value.startswith("@color/"):
            return f"background:{self.colour(value)}"
        shape = list(_read(value.removeprefix("@")).iter("shape"))[-1]
        told = []
        for part in shape:
            attributes = {k.removeprefix(_ANDROID): v for k, v in part.attrib.items()}
            if part.tag == "solid":
                told.append(f"background:{self.colour(attributes['color'])}")
            elif part.tag == "stroke":
                width, colour = _pixels(attributes["width"]), self.colour(attributes["color"])
                told.append(f"border:{width} solid {colour}")
            else:
                told.append(f"border-radius:{_pixels(attributes['radius'])}")
        return ";".join(told)


def draw_layout(resources: Resources, layout: str, contents: Mapping[str, Content]) -> str:
    """A whole page.

    Args:
        layout: name of a file in ``res/layout``, without its ending.
        contents: of views by id, as the app's code sets them.

    Raises:
        BuildError: an id that the layout does not have, or a tag that cannot be drawn.
    """
    body = _draw_file(resources, layout, contents)
    return _PAGE.format(
        **resources.colours, language=resources.language or "en", width=WIDTH, body=body
    )


def _draw_file(resources: Resources, layout: str, contents: Mapping[str, Content]) -> str:
    root = _read(f"layout/{layout}")
    ids = {str(e.get(f"{_ANDROID}id")).removeprefix("@+id/") for e in root.iter()}
    if unknown := sorted(set(contents) - ids):
        raise BuildError(f"layout {layout} has no {', '.join(unknown)}; it has {sorted(ids)}")
    return _draw(resources, root, contents)


def _draw(resources: Resources, element: ET.Element, contents: Mapping[str, Content]) -> str:
    if element.tag == "include":
        return _draw_file(resources, str(element.get("layout")).removeprefix("@layout/"), {})
    attributes = resources.attributes(element)
    content = contents.get(attributes.get("id", "").removeprefix("@+id/"), Content())
    attributes |= content.attributes
    if attributes.get("visibility") == "gone":
        return ""
    css = _css(resources, attributes)
    if element.tag == "ImageView":
        return f'<img style="object-fit:contain;{css}" src="{content.picture}" alt="">'
    if element.tag == "ProgressBar":
        share = 0.3 if content.share is None else content.share
        part = f"{resources.shape('@color/accent')};width:{share:.1%};height:100%"
        ground = f"{resources.shape('@color/bar_rest')};border-radius:4px;overflow:hidden"
        return f'<div style="min-height:8px;{ground};{css}"><div style="{part}"></div></div>'
    if element.tag in ("TextView", "Button"):
        text = content.text
        if text is None:
            named = attributes.get("text", "").removeprefix("@string/")
            text = resources.say(named) if named else ""
        centred = "display:flex;align-items:center;justify-content:center;" * (
            element.tag == "Button"
        )
        return f'<div style="white-space:pre-line;{centred}{css}">{escape(text)}</div>'
    if element.tag not in ("LinearLayout", "ScrollView"):
        raise BuildError(f"<{element.tag}>: not known to the drawing")
    inside = "".join(_draw(resources, child, contents) for child in element)
    inside += "".join(_draw_file(resources, name, given) for name, given in content.rows)
    across = "display:flex;" * (attributes.get("orientation") == "horizontal")
    return f'<div style="{across}{css}">{inside}</div>'


def _css(resources: Resources, attributes: Mapping[str, str]) -> str:
    told = []
    for kind in ("padding", "margin"):
        android = "layout_margin" if kind == "margin" else kind
        for edge, css in _EDGES.items():
            if f"{android}{edge}" in attributes:
                told.append(f"{kind}{css}:{_pixels(attributes[f'{android}{edge}'])}")
    if "background" in attributes:
        told.append(resources.shape(attributes["background"]))
    if "textColor" in attributes:
        told.append(f"color:{resources.colour(attributes['textColor'])}")
    if "textSize" in attributes:
        told.append(f"font-size:{_pixels(attributes['textSize'])}")
    if "lineSpacingExtra" in attributes:
        told.append(f"line-height:calc(1.17em + {_pixels(attributes['lineSpacingExtra'])})")
    if "minHeight" in attributes:
        told.append(f"min-height:{_pixels(attributes['minHeight'])}")
    if attributes.get("layout_height", "")[:1].isdigit() and "layout_weight" not in attributes:
        told.append(f"height:{_pixels(attributes['layout_height'])};width:100%")
    if attributes.get("orientation") != "vertical" and "layout_weight" in attributes:
        told.append("flex:1")
    told.append(_FONTS.get(attributes.get("fontFamily", ""), ""))
    return ";".join(filter(None, told))


def _read(name: str) -> ET.Element:
    file = Path(_RESOURCES / f"{name}.xml")
    try:
        return ET.parse(file).getroot()
    except OSError as error:
        raise BuildError(f"{file}: {error.strerror}") from error


def _pixels(size: str) -> str:
    """Of "16dp" or "14sp"."""
    return f"{size[:-2]}px"
