"""Abilities of a format that no runtime here reads and no app takes."""

from export.formats.abilities import Abilities, Platform

ABILITIES = Abilities(
    name="fake",
    title="Fake",
    suffix=".fake",
    extra="fake",
    implementation="tests.export.formats.fake.format:FakeFormat",
    packages=(),
    packages_to_run=("a_package_nobody_has",),
    runtimes=(),
    precisions=("fp32",),
    tools=("a-tool-nobody-has",),
    by_default=False,
    not_in_apps={
        Platform.ANDROID: "Fake does not run on Android",
        Platform.IOS: "Fake does not run on iOS",
    },
)
