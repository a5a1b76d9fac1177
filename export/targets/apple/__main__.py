"""``python -m export.targets.apple EXPORT --out FILE``: ask Apple's runtime, on a Mac alone.

``ios_demo/verify_on_mac.sh`` calls it. Never run by the project's authors, who had no Mac.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from export.checks.golden.selftest import golden_inputs, read_selftest
from export.checks.integrity import hash_problems
from export.errors import ExportError, ManifestError
from export.schema.apple_record import AppleRecord
from export.schema.manifest import SELFTEST, read_manifest
from export.targets.apple.record import FORMAT, row_of
from hierattn.common.files import write_text
from hierattn.errors import HierAttnError

_UNITS = ("CPU_ONLY", "CPU_AND_GPU", "CPU_AND_NE", "ALL")


def ask(folder: Path, swift_tests: int | None, simulator_build: str) -> AppleRecord:
    """Ask every Core ML package the golden images, on every kind of compute units.

    Raises:
        HierAttnError: no Mac, no package, or a package that is not the manifest's.
    """
    if sys.platform != "darwin":
        raise ExportError("Apple's runtime runs on macOS alone; copy the export to a Mac")
    import coremltools

    manifest = read_manifest(folder)
    selftest = read_selftest(folder / SELFTEST)
    images = golden_inputs(folder / SELFTEST, selftest)
    names = [image.file for image in selftest.images]
    rows = []
    for record in manifest.artefacts:
        if record.format != FORMAT or record.sha256 is None:
            continue
        problems = hash_problems(folder / record.path, record)
        if problems:
            raise ManifestError(problems[0])
        for units in _UNITS:
            model = coremltools.models.MLModel(
                str(folder / record.path), compute_units=coremltools.ComputeUnit[units]
            )
            facts = model.get_spec().description
            input_name, output_name = facts.input[0].name, facts.output[0].name
            answers = [
                model.predict({input_name: image[np.newaxis]})[output_name] for image in images
            ]
            logits = [np.asarray(answer, np.float64).ravel().tolist() for answer in answers]
            rows.append(row_of(record, units, dict(zip(names, logits, strict=True))))
    if not rows:
        raise ExportError(f"{folder}: no Core ML package; export with --format coreml")
    return AppleRecord.model_validate(
        {
            "schema": 1,
            "system": f"macOS {platform.mac_ver()[0]}",
            "machine": platform.machine(),
            "coremltools": importlib.metadata.version("coremltools"),
            "swift_tests": swift_tests,
            "simulator_build": simulator_build,
            "rows": [row.model_dump() for row in rows],
        }
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a record for 'hierattn verify --apple-record'."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="folder of 'hierattn export'")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--swift-tests", type=int, help="how many passed")
    parser.add_argument(
        "--simulator-build", choices=("passed", "not run"), default="not run", help="of the app"
    )
    asked = parser.parse_args(arguments)
    try:
        record = ask(asked.folder, asked.swift_tests, asked.simulator_build)
    except HierAttnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_text(asked.out, record.model_dump_json(by_alias=True, indent=2) + "\n")
    print(f"Written: {asked.out}; take it in: hierattn verify EXPORT --apple-record {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
