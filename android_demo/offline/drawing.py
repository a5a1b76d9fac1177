"""``python -m android_demo.offline.drawing OUT``: drawings of the main screen, as web pages.

Drawings, not screenshots: no Android runs here. Words and colours are read from the app's resource
files, the picture and its logits from the self-test that the app's classes ran on a desktop's Java
(:mod:`android_demo.offline.desktop`); the arrangement is redrawn by hand. Two sentences below the
picture are left out: that the phone decoded it (``decoder_note``), and how long it took
(``answer_time``). A browser makes the PNG:
``chromium --headless --screenshot=OUT.png --window-size=392,1560 OUT.html``.
"""

from __future__ import annotations

import base64
import io
import json
import math
import sys
import xml.etree.ElementTree as ET
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from android_demo.offline import desktop
from android_demo.offline.packages import fetch
from android_demo.offline.project import APP, assets_folder

_PICTURE = "exact.png"
_PAGE = """<!doctype html><meta charset="utf-8"><title>Drawing of the app</title><style>
body {{ margin: 0; width: 392px; background: {ground}; color: {text};
  font: 16px/1.35 Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif }}
.drawing {{ font-size: 12px; text-align: center; padding: 3px; background: #777; color: #fff }}
.banner {{ background: {notice_ground}; color: {notice_text}; padding: 10px 16px; font-size: 14px;
  font-weight: 500 }}
.column {{ padding: 16px }}
.card {{ background: {card}; border: 1px solid {outline}; border-radius: 12px; padding: 16px;
  margin: 0 0 12px }}
.alert {{ background: {alert_ground}; color: {alert_text}; border-color: {alert_ground} }}
h1 {{ font-size: 22px; font-weight: 500; margin: 0 }}
h2 {{ font-size: 18px; font-weight: 500; margin: 0 }}
p {{ margin: 4px 0 0 }} .soft {{ color: {text_soft}; font-size: 14px }}
.alert .soft {{ color: {text_soft} }} .good {{ color: {good_text} }}
.main, .side {{ border-radius: 12px; padding: 15px; text-align: center; margin-bottom: 8px }}
.main {{ background: {accent}; color: {on_accent} }}
.side {{ background: {card}; color: {accent}; border: 1px solid {outline} }}
.row {{ display: flex; justify-content: space-between; margin-top: 10px }}
.bar {{ height: 8px; border-radius: 4px; background: {bar_rest}; margin-top: 4px }}
.bar div {{ height: 8px; border-radius: 4px; background: {accent} }}
img {{ display: block; margin: auto; height: 256px }}
</style><div class="drawing">drawing, not a screenshot</div>"""


def draw(result: dict[str, Any], assets: Path, night: bool) -> str:
    """The main screen after one of the golden pictures, as an HTML page.

    Args:
        result: of the self-test, with the logits of the pictures.
        assets: folder with the bundle.
        night: the dark palette.
    """
    words = _values("values/strings.xml")
    colours = _values("values/colors.xml") | (_values("values-night/colors.xml") if night else {})
    bundle = json.loads((assets / "hierattn/bundle.json").read_text(encoding="utf-8"))
    point, side = bundle["operating_point"], bundle["image_size"]
    logits = next(i["logits"] for i in result["images"] if i["file"] == _PICTURE)
    shares = _softmax([logit / point["temperature"] for logit in logits])
    ranked = sorted(zip(shares, bundle["classes"], strict=True), reverse=True)[:3]
    runtime = f"{result['runtime']['name']} {result['runtime']['version']}"
    targets = point.get("target_classes") or [point["melanoma_class"]]
    melanoma = sum(shares[bundle["classes"].index(name)] for name in targets)
    is_sure = ranked[0][0] >= point["abstain_threshold"]
    is_marked = melanoma >= point["melanoma_threshold"]

    def say(name: str, *given: object) -> str:
        text = words[name].replace("%%", "%").replace("\\n", "\n").replace("\\'", "'")
        for place, value in enumerate(given, 1):
            for kind in "sd":
                text = text.replace(f"%{place}${kind}", str(value))
        return escape(text)

    def named(label: str) -> str:
        return f"{words.get(f'class_{label.lower()}', label)} ({label})"

    rows = "".join(
        f'<div class="row"><span>{escape(named(label))}</span><span>{share:.1%}</span></div>'
        f'<div class="bar"><div style="width:{share:.1%}"></div></div>'
        for share, label in ranked
    )
    headline, why = (
        (say("looks_most_like", named(ranked[0][1])), say("looks_most_like_why"))
        if is_sure
        else (
            say("not_sure"),
            say("not_sure_why", f"{ranked[0][0]:.1%}", f"{point['abstain_threshold']:.1%}"),
        )
    )
    selftest = bundle["selftest"]
    photos = selftest.get("photos")
    passed = say("self_test_passed", runtime, len(selftest["images"])) + " "
    passed += (
        say("self_test_photos", len(photos["images"]), photos["max_difference"])
        if photos
        else say("self_test_no_photos")
    )
    marked = "melanoma_marked" if is_marked else "melanoma_not_marked"
    figures = f"{melanoma:.1%}", f"{point['melanoma_threshold']:.1%}"
    return (
        _PAGE.format(**colours)
        + f'<div class="banner">{say("disclaimer")}</div><div class="column">'
        f'<h1>{say("app_name")}</h1><p class="soft">{say("subtitle")}</p><p></p>'
        f'<div class="card {"alert" if is_marked else ""}"><h2>{say(marked)}</h2>'
        f"<p>{say(f'{marked}_why', *figures)}</p>"
        f'<p class="soft">{say("fitted_on", point["fitted_on"])}</p></div>'
        f'<div class="card good">{passed}</div>'
        f'<div class="main">{say("choose_photo")}</div><div class="main">{say("take_photo")}</div>'
        f'<div class="card"><h2>{headline}</h2><p class="soft">{why}</p>'
        f'<p style="margin-top:12px;font-weight:500">{say("scores")}</p>{rows}</div>'
        f'<div class="card"><img src="{_picture(assets, side)}" alt="">'
        f'<p class="soft">{say("as_seen", side)}</p></div>'
        f'<div class="side">{say("self_test_details")}</div>'
        f'<div class="side">{say("benchmark")}</div><div class="side">{say("about")}</div></div>'
    )


def _values(name: str) -> dict[str, str]:
    root = ET.parse(APP / "app/src/main/res" / name).getroot()
    return {str(item.get("name")): item.text or "" for item in root}


def _softmax(values: list[float]) -> list[float]:
    powers = [math.exp(value - max(values)) for value in values]
    return [power / sum(powers) for power in powers]


def _picture(assets: Path, side: int) -> str:
    tensor = (assets / "hierattn/selftest" / _PICTURE).with_suffix(".rgb").read_bytes()
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), tensor).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def main() -> None:
    """Write ``OUT-light.html`` and ``OUT-dark.html``."""
    out, assets = sys.argv[1], assets_folder()
    result = json.loads(desktop.self_test(assets, fetch.cache_folder(), print))
    for name, night in (("light", False), ("dark", True)):
        Path(f"{out}-{name}.html").write_text(draw(result, assets, night), encoding="utf-8")


if __name__ == "__main__":
    main()
