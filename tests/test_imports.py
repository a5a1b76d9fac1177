"""Which package may import which, as data; read from the source, so that lazy imports count too."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from export.formats.registry import FORMATS
from tests.conftest import REPOSITORY

LAYERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "hierattn": (
        ("hierattn.errors",),
        ("hierattn.common", "hierattn.run_files"),
        ("hierattn.preprocessing", "hierattn.shipped", "hierattn.run_list"),
        ("hierattn.data",),
        ("hierattn.outputs", "hierattn.metrics", "hierattn.models"),
        ("hierattn.data.synth", "hierattn.data.tools"),
        (
            "hierattn.model_metadata",
            "hierattn.training.recipe.config",
            "hierattn.training.distributed",
        ),
        ("hierattn.runs",),
        ("hierattn.inference", "hierattn.lineage"),
        ("hierattn.evaluation",),
        ("hierattn.training",),
        ("hierattn.cli",),
    ),
    "export": (
        ("export.errors", "export.progress"),
        # Names and lookups alone; a format's own module is imported when it is asked for.
        ("export.formats.abilities", "export.formats.registry"),
        ("export.schema",),
        ("export.passes",),
        ("export.runtime",),
        ("export.formats",),
        ("export.jobs",),
        ("export.checks",),
        ("export.model_card",),
        ("export.run_record",),
        ("export.debug",),
        ("export.targets",),
        (
            *("export.untrained", "export.request", "export.pipeline"),
            *("export.evaluate_artefact", "export.judged_photos"),
            *("export.verification", "export.verify"),
        ),
    ),
    "benchmarks": (
        ("benchmarks.results",),
        ("benchmarks.environment", "benchmarks.plan", "benchmarks.stats"),
        ("benchmarks.runtimes",),
        ("benchmarks.exports", "benchmarks.matrix_product", "benchmarks.runner"),
        ("benchmarks.cases",),
        ("benchmarks.accuracy", "benchmarks.devices", "benchmarks.profiling", "benchmarks.report"),
        ("benchmarks.compare", "benchmarks.session_results"),
        ("benchmarks.run",),
        ("benchmarks.dev", "benchmarks.other_runtimes", "benchmarks.paper"),
    ),
}
"""Of each top-level package, its modules and subpackages from the lowest to the highest.

A module may import its own layer and lower ones. Of several prefixes that fit, the longest counts.
"""

NOT_FOR_HELP = (
    *("export", "benchmarks"),
    *("torch", "onnx", "onnxruntime", "numpy", "scipy", "sklearn", "matplotlib", "PIL"),
)
"""What ``hierattn --help`` must not load: it would no longer answer at once."""

HEAVY = frozenset({"torch", "scipy", "sklearn", "matplotlib", "onnx", "onnxruntime", "timm"})
"""What no reader of records may load: each takes from a quarter of a second to many."""

SCHEMA = sorted((REPOSITORY / "export" / "schema").glob("[a-z]*.py"))

LIGHT = (
    *(
        f"export.schema.{path.stem}"
        for path in sorted((REPOSITORY / "export/schema").glob("[!_]*.py"))
    ),
    *("export.targets.apps.bundle", "export.targets.verify"),
)


@dataclass(frozen=True)
class Import:
    """One import statement, by the module it stands in and the one it names."""

    source: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}, imports {self.target}"


def modules(package: str) -> dict[str, Path]:
    found = {}
    for path in sorted((REPOSITORY / package).rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements below a node; those for type checkers alone are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not is_type_checking(child):
            yield from statements(child)


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[Import]:
    for statement in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            targets = [alias.name for alias in statement.names]
        else:
            assert statement.module is not None and statement.level == 0, f"{name}: relative import"
            whole = [f"{statement.module}.{alias.name}" for alias in statement.names]
            targets = [target if target in known else statement.module for target in whole]
        for target in dict.fromkeys(targets):
            yield Import(name, target, statement.lineno)


def imports_of(package: str) -> list[Import]:
    known = {
        name: path
        for top in ("hierattn", "export", "benchmarks")
        for name, path in modules(top).items()
    }
    return [
        found for name, path in modules(package).items() for found in imports(name, path, known)
    ]


def is_in(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(f"{prefix}.")


def layer_of(package: str, module: str) -> int | None:
    fitting = [
        (len(prefix), number)
        for number, prefixes in enumerate(LAYERS[package])
        for prefix in prefixes
        if is_in(module, prefix)
    ]
    return max(fitting)[1] if fitting else None


@pytest.mark.parametrize("package", LAYERS)
def test_every_module_has_a_layer(package: str) -> None:
    strangers = [
        name for name in modules(package) if name != package and layer_of(package, name) is None
    ]
    assert strangers == []


@pytest.mark.parametrize("package", LAYERS)
def test_no_import_runs_upwards(package: str) -> None:
    upwards = []
    for found in imports_of(package):
        own, other = layer_of(package, found.source), layer_of(package, found.target)
        if own is not None and other is not None and other > own:
            upwards.append(str(found))
    assert upwards == []


def test_no_format_imports_another() -> None:
    formats = tuple(FORMATS.values())
    crossing = [
        str(found)
        for found in imports_of("export")
        for own in formats
        for other in formats
        if own != other and is_in(found.source, own) and is_in(found.target, other)
    ]
    assert crossing == []


def test_hierattn_knows_the_others_in_its_commands_alone() -> None:
    """That commands load them lazily is seen in the test of ``--help``."""
    wrong = [
        str(found)
        for found in imports_of("hierattn")
        if found.target.split(".")[0] in ("export", "benchmarks")
        and not is_in(found.source, "hierattn.cli")
    ]
    assert wrong == []


def test_export_knows_neither_benchmarks_nor_commands() -> None:
    wrong = [
        str(found)
        for found in imports_of("export")
        if found.target.split(".")[0] in ("benchmarks", "android_demo", "tests")
        or (is_in(found.target, "hierattn.cli") and not found.source.endswith(".__main__"))
    ]
    assert wrong == []


def loaded_by(script: str) -> set[str]:
    """Names of the modules that a new Python has loaded once a script is through."""
    script = f"{script}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", LIGHT)
def test_records_are_read_without_torch_and_scipy(module: str) -> None:
    loaded = loaded_by(f"import {module}")
    assert module in loaded
    assert sorted(HEAVY & loaded) == []


@pytest.mark.parametrize("name", ["onnx", "tflite"])
def test_a_file_is_checked_by_a_process_without_torch(name: str) -> None:
    """It takes longer to load than a file takes to be asked."""
    loaded = loaded_by(f"from export.jobs.worker import find_format\nfind_format({name!r})")
    assert f"export.formats.{name}.format" in loaded
    assert sorted(HEAVY & loaded) == []


def test_core_ml_files_are_made_without_what_else_coremltools_could_convert() -> None:
    loaded = loaded_by(
        "from export.formats.coreml.converter import load_coremltools\nload_coremltools().convert"
    )
    assert {"coremltools", "torch"} <= loaded
    assert sorted({"sklearn", "torchao", "transformers"} & loaded) == []


def test_files_are_verified_without_torch() -> None:
    """Its answers are recorded; whoever verifies need not wait for it, nor for figures."""
    loaded = loaded_by("import export.verify")
    assert "export.checks.comparison" in loaded
    assert sorted({"torch", "matplotlib", "timm"} & loaded) == []


@pytest.mark.parametrize("command", ["train", "pretrain", "evaluate", "export", "verify"])
def test_photos_that_are_not_there_are_told_before_anything_heavy_is_loaded(command: str) -> None:
    needed = {"train": [], "pretrain": ["--teacher", "t"]}.get(command, ["something"])
    needed += [] if command in ("evaluate", "verify") else ["--out", "new"]
    words = ["hierattn", command, *needed, "--data", "photos-that-are-not-there"]
    loaded = loaded_by(
        "import sys\n"
        f"sys.argv = {words}\n"
        "from hierattn.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert end.code == 1\n"
    )
    assert "hierattn.data.folder" in loaded
    assert sorted(HEAVY & loaded) == []


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by(
        "import sys\n"
        "sys.argv = ['hierattn', '--help']\n"
        "from hierattn.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code\n"
    )
    assert "typer" in loaded
    assert sorted(set(NOT_FOR_HELP) & set(loaded)) == []


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "made_up.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from export.verify import verify\n"
        "def late():\n    from export.checks import gates\n"
    )
    (found, *_) = [
        one
        for one in imports("export.schema.made_up", path, modules("export"))
        if one.target.startswith("export")
    ]
    assert found == Import("export.schema.made_up", "export.checks.gates", 5)
    own, other = layer_of("export", found.source), layer_of("export", found.target)
    assert own is not None and other is not None and other > own
