import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export.checks.integrity import path_bytes, path_sha256
from export.errors import ManifestError
from export.schema.manifest import MANIFEST, Manifest, read_manifest
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec


def document() -> Manifest:
    return Manifest.model_validate(
        {
            "schema": 1,
            "model": "hierattn_xs",
            "classes": ["a", "b"],
            "image_size": 64,
            "preprocessing": PreprocessSpec(image_size=64),
            "operating_point": OperatingPoint(),
            "intended_use": "tests",
            "source": {
                "run": "run",
                "graph": "deploy",
                "rewrites": [],
                "weights_sha256": "0",
                "tools": {},
                "licence": "none",
            },
            "data": None,
            "torch_quality": None,
            "files": {},
            "artefacts": [
                {
                    "path": "a.onnx",
                    "format": "onnx",
                    "precision": "fp32",
                    "bytes": None,
                    "sha256": None,
                    "input": None,
                    "output": None,
                    "operators": {},
                    "delegated": None,
                    "quantisation": None,
                    "parity": None,
                    "quality": None,
                    "other_runtimes": [],
                    "gate": {"status": "failed", "reasons": ["no converter"]},
                }
            ],
        }
    )


def test_it_reads_back_what_it_wrote(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(document().to_json())
    assert read_manifest(tmp_path) == document()
    assert json.loads(document().to_json())["schema"] == 1
    assert not document().passed


@pytest.mark.parametrize("name", ["", ".", "..", "../x.onnx", "/x.onnx", "a/b.onnx", "a\\b.onnx"])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    fields = json.loads(document().to_json())
    fields["artefacts"][0]["path"] = name
    (tmp_path / MANIFEST).write_text(json.dumps(fields))
    with pytest.raises(ManifestError, match=r"artefacts\.0\.path"):
        read_manifest(tmp_path)


def test_what_is_no_export_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such folder"):
        read_manifest(tmp_path / "nowhere")
    with pytest.raises(ManifestError, match=r"it has no manifest\.json"):
        read_manifest(tmp_path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_one_line_never_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    whole = document().to_json().encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = (
        whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + data.draw(st.integers(0, 9)) :]
    )
    (tmp_path / MANIFEST).write_bytes(damaged)
    try:
        read_manifest(tmp_path)
    except ManifestError as error:
        assert "\n" not in str(error)
        assert str(tmp_path) in str(error)


def test_a_folders_hash_follows_the_contract(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x").write_bytes(b"1")
    (tmp_path / "a").write_bytes(b"22")
    hashes = {"a": hashlib.sha256(b"22").hexdigest(), "b/x": hashlib.sha256(b"1").hexdigest()}
    listed = "".join(f"{name}\0{hashes[name]}\n" for name in ("a", "b/x"))
    assert path_sha256(tmp_path) == hashlib.sha256(listed.encode()).hexdigest()
    assert path_bytes(tmp_path) == 3
    before = path_sha256(tmp_path)
    (tmp_path / "b" / "x").rename(tmp_path / "b" / "y")
    assert path_sha256(tmp_path) != before
