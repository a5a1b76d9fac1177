"""The second model file of a bundle: for phones that err in the first one's arithmetic.

The app chooses on each phone, by its self-test and then by time.
"""

from __future__ import annotations

from export.checks.golden.conformance import expected_logits
from export.formats.registry import abilities_of
from export.schema.bundle import BundleFallback
from export.schema.manifest import ArtefactRecord, Manifest
from export.schema.parity import ParityRecord
from export.schema.selftest import SelfTest


def choose_fallback(manifest: Manifest, chosen: ArtefactRecord) -> ArtefactRecord | None:
    """The file to bundle beside one that some processors answer wrongly; None where none fits.

    It has the same format, input and output, and passed its gate.
    """
    wanted = _wanted(chosen)
    for record in manifest.artefacts:
        if (record.format, record.precision) != (chosen.format, wanted):
            continue
        same = (record.input, record.output) == (chosen.input, chosen.output)
        if same and record.gate.status == "passed":
            return record
    return None


def fallback_record(
    record: ArtefactRecord, selftest: SelfTest, answers: ParityRecord
) -> BundleFallback:
    """What ``bundle.json`` says of it.

    Raises:
        ManifestError: the export has no expected logits for it.
    """
    expected = expected_logits(record, selftest, answers)
    assert record.bytes is not None and record.sha256 is not None
    return BundleFallback(
        artefact=record.path,
        sha256=record.sha256,
        bytes=record.bytes,
        precision=record.precision,
        max_relative=expected.max_relative,
    )


def missing_fallback(chosen: ArtefactRecord, second: ArtefactRecord | None) -> list[str]:
    """A remark where a file needs a fallback and has none."""
    wanted = _wanted(chosen)
    if wanted is None or second is not None:
        return []
    return [
        f"{chosen.path} has no {wanted} file that passed its gate to fall back on: the app "
        f"answers nobody on a phone that errs in {chosen.precision}"
    ]


def _wanted(chosen: ArtefactRecord) -> str | None:
    return abilities_of(chosen.format).fallbacks.get(chosen.precision)
