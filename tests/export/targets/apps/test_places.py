from pathlib import Path

import pytest

from export.errors import ExportError
from export.formats.abilities import Platform
from export.targets.apps.places import BundlePlace, find_place


def make(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch() if path.name in FILES else path.mkdir()


FILES = ("build.gradle", "build.gradle.kts", "Package.swift")


@pytest.mark.parametrize(
    ("made", "main"),
    [
        ("app/src/main", "app/src/main"),
        ("app/build.gradle", "app/src/main"),
        ("app/build.gradle.kts", "app/src/main"),
        ("src/main", "src/main"),
    ],
)
def test_any_gradle_app_is_known(made: str, main: str, tmp_path: Path) -> None:
    make(tmp_path, made)
    folder = tmp_path / main
    place = BundlePlace(Platform.ANDROID, folder, folder / "assets" / "hierattn")
    assert find_place(tmp_path) == place and place.title == "Android"


@pytest.mark.parametrize(
    ("made", "main", "target"),
    [
        (["Package.swift"], ".", "HierAttn.bundle"),
        (["Some.xcodeproj"], ".", "HierAttn.bundle"),
        (["Some.xcodeproj", "Resources"], ".", "Resources/HierAttn.bundle"),
        (["Demo.swiftpm"], "Demo.swiftpm", "Demo.swiftpm/HierAttn.bundle"),
        (
            ["Demo.swiftpm/Resources", "Core/Package.swift"],
            "Demo.swiftpm",
            "Demo.swiftpm/Resources/HierAttn.bundle",
        ),
    ],
)
def test_any_folder_of_xcode_is_known(
    made: list[str], main: str, target: str, tmp_path: Path
) -> None:
    for name in made:
        make(tmp_path, name)
    assert find_place(tmp_path) == BundlePlace(Platform.IOS, tmp_path / main, tmp_path / target)


def test_no_app(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"not an Android app .* nor an iOS app"):
        find_place(tmp_path)
    with pytest.raises(ExportError, match="no such folder; give the folder of an Android or iOS"):
        find_place(tmp_path / "nowhere")
    make(tmp_path, "One.swiftpm")
    make(tmp_path, "Two.swiftpm")
    with pytest.raises(ExportError, match=r"nor one \*\.swiftpm"):
        find_place(tmp_path)
