"""Contents that the app's code puts into its layouts, for a golden picture.

Follows ``AnswerView``, ``MainActivity``, ``SelfTestWords`` and ``AboutActivity``. Left out are the
sentences that say that the phone decoded the picture, and how long it took.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from android_demo.offline.drawing.layouts import GONE, VISIBLE, Content, Resources, draw_layout
from android_demo.offline.project import APP

Screen = Callable[[Resources, dict[str, Any], Path], str]

_PICTURE = "exact.png"


def draw_main(resources: Resources, result: dict[str, Any], assets: Path) -> str:
    """The main screen.

    Args:
        result: of the self-test, with the logits of the pictures.
        assets: folder with the bundle.
    """
    say = resources.say
    bundle = _bundle(assets)
    point, side = bundle["operating_point"], bundle["image_size"]
    logits = next(i["logits"] for i in result["images"] if i["file"] == _PICTURE)
    shares = _softmax([logit / point["temperature"] for logit in logits])
    ranked = sorted(zip(shares, bundle["classes"], strict=True), reverse=True)[:3]
    targets = point.get("target_classes") or [point["melanoma_class"]]
    is_fitted = not point["fitted_on"].startswith("not fitted")
    melanoma = sum(shares[bundle["classes"].index(name)] for name in targets)
    threshold = point["melanoma_threshold"]
    is_marked = threshold is not None and melanoma >= threshold
    mark = "melanoma_marked" if is_marked else "melanoma_not_marked"
    ink = {"textColor": "@color/alert_text" if is_marked else "@color/text"}
    card = {"background": "@drawable/card_alert" if is_marked else "@drawable/card"}
    if threshold is None:
        why_marked = say("melanoma_unknown")
    else:
        shown = _percent(resources, melanoma), _percent(resources, threshold)
        why_marked = say(f"{mark}_why", *shown)
    if ranked[0][0] >= point["abstain_threshold"]:
        headline = say("looks_most_like", _named(resources, ranked[0][1]))
        why = say("looks_most_like_why")
    else:
        headline = say("not_sure")
        limits = ranked[0][0], point["abstain_threshold"]
        why = say("not_sure_why", *(_percent(resources, share) for share in limits))
    rows = tuple(
        (
            "score",
            {
                "name": Content(_named(resources, label)),
                "percent": Content(_percent(resources, share)),
                "bar": Content(share=share),
            },
        )
        for share, label in ranked
    )
    contents = {
        "melanoma_card": Content(attributes=VISIBLE | card),
        "melanoma": Content(say(mark), ink | (GONE if threshold is None else VISIBLE)),
        "melanoma_why": Content(why_marked, ink),
        "fitted_on": Content(say("fitted_on", point["fitted_on"]), VISIBLE if is_fitted else GONE),
        "state": Content(_passed(resources, result, bundle), {"textColor": "@color/good_text"}),
        "busy": Content(attributes=GONE),
        "answer": Content(attributes=VISIBLE),
        "headline": Content(headline),
        "headline_why": Content(why),
        "scores_title": Content(say("scores" if is_fitted else "scores_not_calibrated")),
        "scores": Content(rows=rows),
        "photo": Content(picture=_picture(assets, side)),
        "photo_note": Content(say("as_seen", side)),
    }
    return draw_layout(resources, "activity_main", contents)


def draw_about(resources: Resources, result: dict[str, Any], assets: Path) -> str:
    """What the network is, what it may be used for, its model card and licences."""
    bundle = _bundle(assets)
    model = bundle["model"]
    summary = resources.say(
        "about_summary",
        *(model, bundle["format"], bundle["precision"], result["runtime"]["name"]),
        *(bundle["artefact"], bundle["sha256"]),
    )
    contents = {
        "summary": Content(summary),
        "intended_use": Content(bundle["intended_use"]),
        "licence": Content(bundle["licence"]),
        "runtime": Content(_runtime_licence()),
        "card": Content((assets / "hierattn/MODEL_CARD.md").read_text(encoding="utf-8")),
    }
    return draw_layout(resources, "activity_about", contents)


SCREENS: dict[str, Screen] = {"main": draw_main, "about": draw_about}


def _bundle(assets: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        (assets / "hierattn/bundle.json").read_text(encoding="utf-8")
    )
    return document


def _passed(resources: Resources, result: dict[str, Any], bundle: dict[str, Any]) -> str:
    selftest = bundle["selftest"]
    runtime = f"{result['runtime']['name']} {result['runtime']['version']}"
    photos = selftest.get("photos")
    told = (
        resources.say("self_test_photos", len(photos["images"]), photos["max_difference"])
        if photos
        else resources.say("self_test_no_photos")
    )
    return f"{resources.say('self_test_passed', runtime, len(selftest['images']))} {told}"


def _named(resources: Resources, label: str) -> str:
    words = resources.words.get(f"class_{label.lower()}")
    return f"{words} ({label})" if words else label


def _percent(resources: Resources, share: float) -> str:
    """As ``Figures.percent`` writes it in the two languages that the app speaks."""
    told = f"{100 * min(share, 0.999 if share < 1 else 1):.1f}"
    return f"{told.replace('.', ',')}\N{NO-BREAK SPACE}%" if resources.language else f"{told}%"


def _runtime_licence() -> str:
    """The text in the source of ``Runtime.LICENCE``, its string literals joined."""
    source = (APP / "app/src/ort/java/org/hierattn/demo/Runtime.java").read_text(encoding="utf-8")
    told = source.partition("LICENCE =")[2].partition(";\n")[0]
    literals = re.findall(r'"((?:[^"\\]|\\.)*)"', told)
    return "".join(literals).replace("\\n", "\n").replace('\\"', '"')


def _softmax(values: list[float]) -> list[float]:
    powers = [math.exp(value - max(values)) for value in values]
    return [power / sum(powers) for power in powers]


def _picture(assets: Path, side: int) -> str:
    tensor = (assets / "hierattn/selftest" / _PICTURE).with_suffix(".rgb").read_bytes()
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), tensor).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
