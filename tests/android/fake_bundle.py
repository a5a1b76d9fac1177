"""A bundle of a model that does not exist, for the tests of the self-test on phones.

The golden images are the project's own; the "model" is a sum over pixels that the classes
``FakeClassifier`` in Java and Swift repeat exactly. It says nothing about skin.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from export.checks.golden.images import golden_images
from export.checks.integrity import path_sha256
from export.formats.registry import abilities_of
from export.schema.bundle import (
    BUNDLE,
    LABELS,
    BundleImage,
    BundleInput,
    BundleOutput,
    BundleRecord,
    BundleSelfTest,
)
from export.schema.manifest import Gate
from export.schema.metadata import Precision
from export.targets.apps.golden_photos import write_golden_photos
from hierattn.common.files import write_bytes, write_text
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec

CLASSES = ["ACK", "MEL", "Nävus"]
SIDE = 64
MODEL = b"no model: the fake classifier of the tests stands for it"
PACKAGE = {"/Manifest.json": b"{}    ", "/Data/com.apple.CoreML/weights/weight.bin": MODEL}


def fake_logits(pixels: np.ndarray) -> list[float]:
    """Class k's logit is a weighted mean of the bytes of a tensor [S, S, 3]; exact in float32."""
    flat = pixels.ravel().astype(np.int64)
    places = np.arange(flat.size)
    sums = [int((flat * ((places * (k + 3)) % 7 - 3)).sum()) for k in range(len(CLASSES))]
    return [float(np.float32(total) / np.float32(1024)) for total in sums]


def write_fake_bundle(folder: Path, format_name: str = "onnx") -> BundleRecord:
    """Write the folder as ``hierattn bundle`` lays it out; ``coreml`` makes the model a folder."""
    spec = PreprocessSpec(image_size=SIDE)
    artefact = f"fake{abilities_of(format_name).suffix}"
    parts = PACKAGE if format_name == "coreml" else {"": MODEL}
    contents = {f"{artefact}{name}": content for name, content in parts.items()}
    contents["MODEL_CARD.md"] = b"# Not a model\n"
    contents[LABELS] = "".join(f"{name}\n" for name in CLASSES).encode()
    images = []
    (folder / "selftest").mkdir(parents=True, exist_ok=True)
    for golden in golden_images(SIDE):
        path = folder / "selftest" / f"{golden.name}.png"
        write_bytes(path, golden.png)
        tensor = spec.load(path)
        contents[f"selftest/{golden.name}.png"] = golden.png
        contents[f"selftest/{golden.name}.rgb"] = tensor.tobytes()
        logits = fake_logits(tensor)
        images.append(
            BundleImage(
                file=f"{golden.name}.png",
                sha256=_sha256(golden.png),
                tensor=f"{golden.name}.rgb",
                tensor_sha256=_sha256(tensor.tobytes()),
                what=golden.what,
                logits=logits,
                scale=max(map(abs, logits)),
            )
        )
    photos = write_golden_photos(folder / "selftest", spec)
    for photo in photos.images:
        for name in (photo.file, photo.tensor):
            contents[f"selftest/{name}"] = (folder / "selftest" / name).read_bytes()
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / name, content)
    record = BundleRecord(
        model="fake",
        format=format_name,
        precision=Precision.FP32,
        artefact=artefact,
        sha256=path_sha256(folder / artefact),
        bytes=sum(map(len, parts.values())),
        weights_sha256=_sha256(b"none"),
        classes=CLASSES,
        image_size=SIDE,
        input=BundleInput(name="input", layout="NCHW"),
        output=BundleOutput(name="logits"),
        preprocessing=spec,
        operating_point=OperatingPoint(
            temperature=1.5, melanoma_class="MEL", melanoma_threshold=0.25, abstain_threshold=0.4
        ),
        verified=True,
        gate=Gate(status="passed"),
        licence="none",
        intended_use="Tests alone.",
        selftest=BundleSelfTest(reference="torch", max_relative=1e-5, images=images, photos=photos),
        files={name: _sha256(content) for name, content in sorted(contents.items())},
    )
    write_text(folder / BUNDLE, record.to_json())
    return record


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
