"""Where an app of each platform keeps its bundle, found by what lies in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from export.errors import ExportError
from export.formats.abilities import APP_PLATFORMS, Platform

_BUILD_FILES = ("build.gradle", "build.gradle.kts")
_MODULE, _ASSETS, _FOLDER = "app", "assets", "hierattn"
_RESOURCES, _BUNDLE = "Resources", "HierAttn.bundle"


@dataclass(frozen=True)
class BundlePlace:
    """The place in one app.

    Attributes:
        platform: of the app.
        main: folder of the app, in which the new bundle is filled.
        target: the bundle, within it.
    """

    platform: Platform
    main: Path
    target: Path

    @property
    def title(self) -> str:
        """The platform's name in a sentence."""
        return APP_PLATFORMS[self.platform]


def find_place(app: Path) -> BundlePlace:
    """The place in an app, which may not exist yet.

    Args:
        app: an Android project, whose module is ``app``, or the module itself; or the folder of an
            Xcode project, a Swift package, or an app package (``NAME.swiftpm``), or the folder
            that holds one such package.

    Raises:
        ExportError: ``app`` is neither.
    """
    if not app.is_dir():
        what = "a file, not a folder" if app.exists() else "no such folder"
        raise ExportError(f"{app}: {what}; give the folder of an Android or iOS app")
    place = _in_android(app) or _in_ios(app)
    if place is None:
        raise ExportError(
            f"{app}: not an Android app (neither app/src/main nor app/build.gradle nor src/main in "
            "it), nor an iOS app (neither *.xcodeproj nor Package.swift nor one *.swiftpm in it)"
        )
    return place


def _in_android(app: Path) -> BundlePlace | None:
    module = app / _MODULE
    main = module / "src" / "main"
    if not main.is_dir() and not any((module / name).is_file() for name in _BUILD_FILES):
        main = app / "src" / "main"
        if not main.is_dir():
            return None
    return BundlePlace(Platform.ANDROID, main, main / _ASSETS / _FOLDER)


def _in_ios(app: Path) -> BundlePlace | None:
    if not (app / "Package.swift").is_file() and not list(app.glob("*.xcodeproj")):
        packages = sorted(app.glob("*.swiftpm"))
        if len(packages) != 1:
            return None
        (app,) = packages
    within = app / _RESOURCES if (app / _RESOURCES).is_dir() else app
    return BundlePlace(Platform.IOS, app, within / _BUNDLE)
