"""Abilities of a file format, as data: what the commands need to know without its packages."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Platform(enum.StrEnum):
    """Where a runtime runs a file."""

    HOST = "host"
    MACOS = "macos"
    ANDROID = "android"
    IOS = "ios"
    ARM64 = "arm64"
    """The emulated phone processor of ``python -m export.targets.arm64``."""


APP_PLATFORMS = {Platform.ANDROID: "Android", Platform.IOS: "iOS"}
"""Platforms for which ``hierattn bundle`` makes a bundle, with their names in sentences."""


@dataclass(frozen=True)
class Runtime:
    """A runtime that reads files of a format.

    Attributes:
        name: as in ``hierattn benchmark --runtimes``.
        package: import name.
        distribution: name under which pip knows it.
        platforms: where it runs; on the host, :attr:`Platform.HOST` for any system, or macOS alone.
        minimum: oldest version that reads the files, as tried; for Core ML, of the systems.
        engine: path of the script that runs a file in it, see :mod:`export.runtime.engine`.
        requirements: what pip installs into an environment of its own, the runtime's own pinned
            version first; empty where it lives beside the others.
    """

    name: str
    package: str
    distribution: str
    platforms: frozenset[Platform]
    engine: str
    minimum: str = ""
    requirements: tuple[str, ...] = ()

    @property
    def pinned(self) -> str:
        """The version in its own environment; empty where it has none."""
        return self.requirements[0].partition("==")[2] if self.requirements else ""


@dataclass(frozen=True)
class Abilities:
    """What one format can do. Light: neither torch nor the format's packages are imported.

    Attributes:
        name: as in ``hierattn export --format``.
        title: for sentences, such as ``Core ML``.
        suffix: ending of its files.
        extra: the extra of this distribution that installs what the format needs.
        implementation: ``module:class`` of its :class:`export.formats.interface.Format`.
        packages: imports that must succeed to convert.
        packages_to_run: imports that must succeed to read and run a file.
        runtimes: the first is the one its files are checked with.
        precisions: those it can be written in.
        rewrites: names of the optional rewrites of :mod:`export.passes` that make it faster.
        not_in_int8: those of them that make its int8 files slower.
        tools: distributions whose versions the manifest records.
        fallbacks: precision that an app falls back on, by the one in which some processors err.
        any_batch: one file takes batches of any size.
        long_jobs: its files take longest to make and to check.
        by_default: ``hierattn export`` without ``--format`` makes it.
        not_in_apps: why the app of a platform cannot take its files, as the end of a sentence that
            begins with the file; a platform that is not there has an app that can.
        evaluators: what answers for its files when they are checked, as manifests name it, without
            the version; empty where the first runtime does, by its distribution's name.
    """

    name: str
    title: str
    suffix: str
    extra: str
    implementation: str
    packages: tuple[str, ...]
    packages_to_run: tuple[str, ...]
    runtimes: tuple[Runtime, ...]
    precisions: tuple[str, ...] = ("fp32", "fp16", "int8")
    rewrites: frozenset[str] = field(default_factory=frozenset)
    not_in_int8: frozenset[str] = field(default_factory=frozenset)
    tools: tuple[str, ...] = ()
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    any_batch: bool = False
    long_jobs: bool = False
    by_default: bool = True
    not_in_apps: Mapping[Platform, str] = field(default_factory=dict)
    evaluators: tuple[str, ...] = ()

    def runs_on(self, platform: Platform) -> bool:
        """Whether one of its runtimes runs there."""
        return any(platform in runtime.platforms for runtime in self.runtimes)

    @property
    def evaluator_names(self) -> tuple[str, ...]:
        """The beginnings of what manifests may name as a file's evaluator."""
        return self.evaluators or tuple(one.distribution for one in self.runtimes[:1])

    @property
    def is_bundled(self) -> bool:
        """Whether the app of any platform takes its files."""
        return not set(APP_PLATFORMS) <= set(self.not_in_apps)

    @property
    def minimum_runtimes(self) -> dict[str, str]:
        """Oldest versions that read its files, by the names under which pip knows the runtimes."""
        return {one.distribution: one.minimum for one in self.runtimes if one.minimum}
