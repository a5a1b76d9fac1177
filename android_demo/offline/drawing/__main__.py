"""Writes ``OUT-SCREEN-LANGUAGE-light.html`` and ``-dark.html`` of each screen.

A browser makes the PNG:
``chromium --headless --screenshot=OUT.png --window-size=392,1560 OUT.html``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from android_demo.offline import desktop
from android_demo.offline.drawing.layouts import Resources
from android_demo.offline.drawing.screens import SCREENS
from android_demo.offline.packages import fetch
from android_demo.offline.project import assets_folder


def main() -> None:
    """Draw every screen in both languages and both palettes."""
    out, assets = sys.argv[1], assets_folder()
    result = json.loads(desktop.self_test(assets, fetch.cache_folder(), print))
    for screen, draw in SCREENS.items():
        for language in ("", "de"):
            for night in (False, True):
                page = draw(Resources(language=language, night=night), result, assets)
                name = f"{out}-{screen}-{language or 'en'}-{'dark' if night else 'light'}.html"
                Path(name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
