"""Paths of the app's files, and the version numbers that both builds share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from android_demo.offline.errors import BuildError

PACKAGE = "org.hierattn.demo"
APP = Path(__file__).resolve().parents[1]
OFFLINE = APP / "offline"
ABIS = ("arm64-v8a", "armeabi-v7a", "x86", "x86_64")


@dataclass(frozen=True)
class Versions:
    """From ``gradle.properties``.

    Args:
        name: shown to people.
        code: rises with every release.
        min_sdk: oldest Android, as its API level.
        target_sdk: the Android whose rules the app follows.
    """

    name: str
    code: int
    min_sdk: int
    target_sdk: int


def read_versions(app: Path = APP) -> Versions:
    """Read ``gradle.properties``.

    Raises:
        BuildError: missing, or without one of the figures.
    """
    file = app / "gradle.properties"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BuildError(f"{file}: {error.strerror}") from error
    given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    try:
        return Versions(
            name=given["hierattn.versionName"],
            code=int(given["hierattn.versionCode"]),
            min_sdk=int(given["hierattn.minSdk"]),
            target_sdk=int(given["hierattn.targetSdk"]),
        )
    except (KeyError, ValueError) as error:
        raise BuildError(f"{file}: hierattn.{error} is missing or no number") from error


def java_sources(flavour: str, app: Path = APP) -> list[Path]:
    """The Java files of the core, the app and one flavour.

    Raises:
        BuildError: one of the three has none.
    """
    folders = (
        app / "core/src/main/java",
        app / "app/src/main/java",
        app / "app/src" / flavour / "java",
    )
    files = {folder: sorted(folder.rglob("*.java")) for folder in folders}
    for folder in folders:
        if not files[folder]:
            raise BuildError(f"{folder}: no Java files; the checkout is not whole")
    return [file for folder in folders for file in files[folder]]


def assets_folder(app: Path = APP) -> Path:
    """What goes into the APK's ``assets/``."""
    return app / "app/src/main/assets"
