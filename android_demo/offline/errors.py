"""Errors of the offline build; each is one line that names the mend."""

from __future__ import annotations

from hierattn.errors import HierAttnError

# Exit codes of ``make apk``: 0 built and checked, 1 failed, 2 wrong usage, 3 nothing to build with.
UNAVAILABLE_EXIT = 3
ELSEWHERE = "else build with Gradle, see android_demo/README.md"


class BuildError(HierAttnError):
    """A step of the build failed, or the app that came out breaks one of its promises."""


class PackageUnavailableError(BuildError):
    """A package or program that the build needs cannot be had on this machine."""
