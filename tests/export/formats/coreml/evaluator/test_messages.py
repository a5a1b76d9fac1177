"""A package is read without coremltools' converters, in a process of its own."""

import subprocess
import sys
from pathlib import Path

from export.schema.manifest import Gate
from tests.conftest import REPOSITORY
from tests.export.bundle_helpers import COREML, write_whole_export

READ = """
import sys
from pathlib import Path
from export.formats.coreml.evaluator import compile_program, read_package
from export.formats.registry import find_format
package = Path(sys.argv[1])
print(find_format("coreml").read_description(package).model)
print(dict(compile_program(read_package(package)).operations))
loaded = [name for name in sys.modules if name.split(".")[0] == "coremltools"]
"""
LATER = """
import coremltools
assert isinstance(read_package(package).model, coremltools.proto.Model_pb2.Model)
assert coremltools.utils.load_spec(str(package)) == read_package(package).model
"""


def run(script: str, package: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", script, package],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )


def test_reading_loads_no_converter_and_says_nothing(tmp_path: Path) -> None:
    """They take seconds to load, and warn of every package whose version they do not know."""
    export = write_whole_export(tmp_path / "export", gates={COREML: Gate(status="passed")})
    done = run(READ + "assert not loaded, loaded", export / COREML)
    assert (done.stdout, done.stderr) == ("hierattn_xs\n{'reduce_mean': 1}\n", "")
    run(READ + LATER, export / COREML)
