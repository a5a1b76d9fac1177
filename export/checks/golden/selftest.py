"""The ``selftest/`` folder: golden images, their preprocessed tensors, and the expected logits.

An app, in whatever language, checks itself in two steps: its preprocessing must turn ``NAME.png``
into exactly the bytes of ``NAME.rgb`` (uint8 [S, S, 3], rows from the top, red first; each byte
over 255 is the float32 input), and its model must return the stated logits for that input, each
within the tolerance of the file's precision times the image's ``scale``. An int8 file has no such
tolerance (its predictions are evaluated on photos): an app compares it with its own logits at
export, ``artefacts`` in ``parity.json``, within :data:`export.checks.gates.OTHER_RUNTIMES`.
"""

from __future__ import annotations

import hashlib
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from export.checks.golden.images import golden_images
from export.checks.parity import logit_scales
from export.errors import ExportError, ManifestError
from export.schema.metadata import Description, Precision
from export.schema.selftest import SELFTEST, LogitTolerance, SelfTest, SelfTestImage
from export.schema.validation import parse_record
from hierattn.common.files import write_bytes, write_text
from hierattn.common.staging import staged_folder
from hierattn.errors import UnreadableImageError
from hierattn.model_metadata import ModelInterface

if TYPE_CHECKING:
    # Reading and checking a self-test needs no torch.
    from hierattn.inference import Predictor

_LARGEST_JSON = 4 * 2**20
_LARGEST_PNG = 16 * 2**20


def write_selftest(
    folder: Path, description: Description, predict: Predictor, tolerances: Mapping[str, float]
) -> SelfTest:
    """Write the folder, whole or not at all.

    Args:
        folder: must not exist, or be empty.
        description: of the model: its name, weights, classes and preprocessing.
        predict: the network in float32 torch.
        tolerances: largest relative error of a logit, by precision.

    Raises:
        ExportError: the network returns another shape, NaN, or zeros alone.
        DataError: ``folder`` is not empty or cannot be written.
    """
    spec, classes = description.preprocessing, description.classes
    drawn = golden_images(spec.image_size)
    with staged_folder(folder) as staging:
        for image in drawn:
            write_bytes(staging / f"{image.name}.png", image.png)
        pixels = [spec.load(staging / f"{image.name}.png") for image in drawn]
        logits = _predict_logits(predict, spec.to_input(np.stack(pixels)), len(classes))
        listed = []
        scales = logit_scales(logits)[:, 0].tolist()
        for image, tensor, row, scale in zip(drawn, pixels, logits, scales, strict=True):
            write_bytes(staging / f"{image.name}.rgb", tensor.tobytes())
            listed.append(
                SelfTestImage(
                    file=f"{image.name}.png",
                    sha256=hashlib.sha256(image.png).hexdigest(),
                    width=image.width,
                    height=image.height,
                    what=image.what,
                    tensor=f"{image.name}.rgb",
                    tensor_sha256=hashlib.sha256(tensor.tobytes()).hexdigest(),
                    logits=row.tolist(),
                    scale=scale,
                )
            )
        selftest = SelfTest(
            **ModelInterface.fields_of(description),
            weights_sha256=description.weights_sha256,
            tolerances={
                Precision(name): LogitTolerance(max_relative=bound)
                for name, bound in tolerances.items()
            },
            images=listed,
        )
        # JSON in Python writes the shortest digits that read back as the same float64.
        write_text(staging / SELFTEST, selftest.to_json())
    return selftest


def _predict_logits(predict: Predictor, images: np.ndarray, classes: int) -> np.ndarray:
    logits = np.asarray(predict(images), dtype=np.float64)
    wanted = (len(images), classes)
    if logits.shape != wanted:
        raise ExportError(
            f"the model answers with shape {list(logits.shape)}, {list(wanted)} is needed"
        )
    if not np.isfinite(logits).all() or not logits.any():
        raise ExportError(
            "the model answers the golden images with NaN, infinity or zeros alone; train it again"
        )
    return logits


def read_selftest(folder: Path) -> SelfTest:
    """Read ``selftest.json`` and check the size and sha256 of every file that it lists.

    Raises:
        ManifestError: names the file or field that is not as it was written.
    """
    path = folder / SELFTEST
    selftest = parse_record(SelfTest, path, _read(path, _LARGEST_JSON))
    for image in selftest.images:
        png = _checked(folder / image.file, image.sha256, _LARGEST_PNG)
        # A PNG's header follows its signature: length, "IHDR", width and height.
        if png[12:24] != struct.pack(">4sII", b"IHDR", image.width, image.height):
            raise ManifestError(
                f"{folder / image.file}: not a PNG of {image.width} x {image.height} pixels"
            )
        _checked(folder / image.tensor, image.tensor_sha256, _tensor_bytes(selftest))
    return selftest


def check_preprocessing(folder: Path, selftest: SelfTest) -> None:
    """Check that every picture becomes its tensor, byte for byte.

    Raises:
        ManifestError: names the picture that does not.
    """
    for image in selftest.images:
        path = folder / image.file
        try:
            found = selftest.preprocessing.load(path)
        except UnreadableImageError as error:
            raise ManifestError(str(error)) from error
        wanted = _pixels(folder, selftest, image)
        wrong = int((found != wanted).any(axis=2).sum())
        if wrong:
            raise ManifestError(
                f"{path}: becomes another tensor than {image.tensor} in {wrong} of "
                f"{selftest.image_size**2} pixels ({image.what})"
            )


def golden_pixels(folder: Path, selftest: SelfTest) -> np.ndarray:
    """The stored tensors, uint8 [N, S, S, 3].

    Raises:
        ManifestError: a tensor is not the one that was written.
    """
    return np.stack([_pixels(folder, selftest, image) for image in selftest.images])


def golden_inputs(folder: Path, selftest: SelfTest) -> np.ndarray:
    """The stored tensors as the network's input, float32 [N, 3, S, S] in [0, 1].

    Raises:
        ManifestError: as for :func:`golden_pixels`.
    """
    return selftest.preprocessing.to_input(golden_pixels(folder, selftest))


def _pixels(folder: Path, selftest: SelfTest, image: SelfTestImage) -> np.ndarray:
    side = selftest.image_size
    content = _checked(folder / image.tensor, image.tensor_sha256, _tensor_bytes(selftest))
    if len(content) != _tensor_bytes(selftest):
        raise ManifestError(f"{folder / image.tensor}: not of {side} x {side} x 3 bytes")
    return np.frombuffer(content, dtype=np.uint8).reshape(side, side, 3)


def _tensor_bytes(selftest: SelfTest) -> int:
    return selftest.image_size**2 * 3


def _checked(path: Path, sha256: str, limit: int) -> bytes:
    content = _read(path, limit)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ManifestError(
            f"{path}: its sha256 is not the one in {SELFTEST}; the file was changed, export again"
        )
    return content


def _read(path: Path, limit: int) -> bytes:
    """Bytes of a regular file. Links are refused, so that nothing outside the folder is read."""
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode):
            raise ManifestError(f"{path}: not a plain file; export again")
        if facts.st_size > limit:
            raise ManifestError(f"{path}: {facts.st_size} bytes, at most {limit} are expected")
        return path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror or error}; export again") from error
