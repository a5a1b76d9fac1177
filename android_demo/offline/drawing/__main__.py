"""Writes ``OUT-SCREEN-LANGUAGE-light.html`` and ``-dark.html`` of each screen.

The app must hold a bundle, as after ``make apk``. A browser makes the PNG:
``chromium --headless --screenshot=OUT.png --window-size=392,1560 OUT.html``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from android_demo.offline import desktop
from android_demo.offline.drawing.layouts import Resources
from android_demo.offline.drawing.screens import SCREENS
from android_demo.offline.packages import fetch
from android_demo.offline.project import assets_folder
from hierattn.errors import HierAttnError


def main(words: list[str] | None = None) -> int:
    """Draw every screen in both languages and both palettes; 0 done, 1 failed."""
    parser = argparse.ArgumentParser(prog="python -m android_demo.offline.drawing")
    parser.add_argument("out", help="what the files' names begin with")
    out, assets = parser.parse_args(words).out, assets_folder()
    try:
        result = json.loads(desktop.self_test(assets, fetch.cache_folder(), print))
        for screen, draw in SCREENS.items():
            for language in ("", "de"):
                for night in (False, True):
                    page = draw(Resources(language=language, night=night), result, assets)
                    palette = "dark" if night else "light"
                    target = Path(f"{out}-{screen}-{language or 'en'}-{palette}.html")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(page, encoding="utf-8")
    except (HierAttnError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
