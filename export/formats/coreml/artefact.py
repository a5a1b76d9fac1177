"""Loaded Core ML packages: run by Apple's runtime on macOS, by the evaluator elsewhere."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from export.errors import ArtefactError
from export.formats.coreml.evaluator import (
    Arithmetic,
    Package,
    Program,
    compile_program,
    read_package,
)
from export.formats.coreml.evaluator.program import round_to_half
from export.formats.coreml.evaluator.values import owned
from export.formats.interface import Artefact, FileFacts, TracedTensor, check_images
from export.schema.file_facts import InputFacts, OutputFacts
from export.schema.metadata import METADATA_KEY, Description, parse_description
from hierattn.errors import first_line

INPUT, LOGITS = "input", "logits"
TOGETHER = 16
"""Photos that are evaluated at once: half the time of one by one; more no longer fit the caches."""


def read_package_metadata(package: Package) -> Description:
    """This project's metadata in a package.

    Raises:
        ArtefactError: there is none, or it is damaged.
    """
    fields = package.model.description.metadata.userDefined
    return parse_description(fields.get(METADATA_KEY), package.path)


def read_facts(package: Package, program: Program, description: Description) -> FileFacts:
    """Check input and output of a program against its metadata, and return its facts.

    Raises:
        ArtefactError: another input or output, other labels, another size.
    """
    size, classes = description.image_size, description.classes
    shapes = {name: list(type_.shape) for name, type_ in program.inputs.items()}
    if shapes != {INPUT: [1, 3, size, size]}:
        raise ArtefactError(f"{package.path}: its inputs {shapes} do not fit its description")
    logits = program.outputs.get(LOGITS)
    if logits is None or list(logits.shape) != [1, len(classes)]:
        raise ArtefactError(f"{package.path}: no output '{LOGITS}' with {len(classes)} numbers")
    if program.labels not in (None, classes):
        raise ArtefactError(f"{package.path}: its class labels are not those of its description")
    features = package.model.description.input
    if [feature.name for feature in features] != [INPUT]:
        raise ArtefactError(f"{package.path}: declares other inputs than its program has")
    image = features[0].type.WhichOneof("Type") == "imageType"
    entry = InputFacts(
        name=INPUT,
        layout="image" if image else "NCHW",
        dtype="uint8" if image else program.inputs[INPUT].kind.dtype.name,
        shape=shapes[INPUT],
        range=(0.0, 255.0) if image else (0.0, 1.0),
    )
    return FileFacts(entry, OutputFacts(name=LOGITS), dict(sorted(program.operations.items())))


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Values in [0, 1] as whole numbers from 0 to 255, as an image input takes them."""
    return np.rint(images * np.float32(255)).clip(0, 255).astype(np.float32)


class EvaluatedArtefact(Artefact):
    """A package evaluated with torch.

    Args:
        arithmetic: of half precision; the stricter ``compute`` by default.

    Raises:
        ArtefactError: damaged, or not written by this project.
        UnsupportedOperationError: the evaluator does not know all of its program.
    """

    def __init__(
        self,
        path: Path,
        threads: int | None = None,
        arithmetic: Arithmetic = Arithmetic.COMPUTE,
    ) -> None:
        package = read_package(path)
        self.path = path
        self.description = read_package_metadata(package)
        self.program = compile_program(package)
        self.facts = read_facts(package, self.program, self.description)
        self.threads = threads
        self.arithmetic = arithmetic
        mode = f", fp16 {arithmetic}" if self.program.half else ""
        self.evaluator = (
            "graph and weights verified; not Apple's runtime "
            f"(coremltools {metadata.version('coremltools')}, torch {torch.__version__}{mode})"
        )

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits float32 [N, K] of float32 [N, 3, S, S] in [0, 1]."""
        check_images(images, self.description.image_size, self.path, any_range=self.any_range)
        logits = np.empty((len(images), len(self.description.classes)), np.float32)
        with _threads(self.threads):
            for start in range(0, len(images), TOGETHER):
                part = slice(start, start + TOGETHER)
                photos = {
                    name: values[:, None] for name, values in self._inputs(images[part]).items()
                }
                outputs = self.program.run_many(photos, self.arithmetic)
                logits[part] = outputs[LOGITS].numpy()[:, 0]
        return logits

    @torch.inference_mode()
    def trace(self, image: np.ndarray) -> Iterator[TracedTensor]:
        """Every intermediate tensor of one photo; the logits last."""
        check_images(image, self.description.image_size, self.path)
        last = None
        for step, results in self.program.execute(self._inputs(image[:1]), self.arithmetic):
            for name, value in zip(step.names, results, strict=True):
                traced = TracedTensor(name, step.operation, value.numpy())
                if name == LOGITS:
                    last = traced
                else:
                    yield traced
        if last is not None:
            yield last

    def _inputs(self, image: np.ndarray) -> dict[str, torch.Tensor]:
        values = to_pixels(image) if self.facts.input.layout == "image" else image
        tensor = owned(torch.from_numpy(np.ascontiguousarray(values)))
        if self.program.inputs[INPUT].kind.label == "fp16":
            tensor = round_to_half(tensor)
        return {INPUT: tensor}


class AppleArtefact(Artefact):
    """A package run by Core ML itself, on the CPU. macOS only.

    Args:
        path: the package.
        model: a loaded model with ``predict``; coremltools' ``MLModel`` of the package if None.

    Raises:
        ArtefactError: damaged, not written by this project, or refused by Core ML.
    """

    def __init__(self, path: Path, model: Any = None) -> None:
        package = read_package(path)
        self.path = path
        self.description = read_package_metadata(package)
        features = package.model.description.input
        self.takes_image = bool(features) and features[0].type.WhichOneof("Type") == "imageType"
        self.model = _apple_model(path) if model is None else model
        self.evaluator = (
            f"Core ML on the CPU (macOS {platform.mac_ver()[0] or 'unknown'}, "
            f"coremltools {metadata.version('coremltools')})"
        )

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits float32 [N, K] of float32 [N, 3, S, S] in [0, 1]."""
        check_images(images, self.description.image_size, self.path, any_range=self.any_range)
        classes = len(self.description.classes)
        logits = np.empty((len(images), classes), np.float32)
        for index, image in enumerate(images):
            answer = self._predict(image)
            found = np.asarray(answer.get(LOGITS, ()), dtype=np.float32)
            if found.shape != (1, classes):
                raise ArtefactError(f"{self.path}: Core ML gave no '{LOGITS}' of {classes} numbers")
            logits[index] = found[0]
        return logits

    def _predict(self, image: np.ndarray) -> Any:
        try:
            return self.model.predict({INPUT: self._feature(image)})
        except (RuntimeError, ValueError, TypeError, OSError) as error:
            raise ArtefactError(
                f"{self.path}: Core ML did not answer: {first_line(error)}"
            ) from error

    def _feature(self, image: np.ndarray) -> Any:
        if not self.takes_image:
            return image[np.newaxis]
        from PIL import Image

        return Image.fromarray(to_pixels(image).astype(np.uint8).transpose(1, 2, 0))


def _apple_model(path: Path) -> Any:
    import coremltools as ct

    try:
        return ct.models.MLModel(str(path), compute_units=ct.ComputeUnit.CPU_ONLY)
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        raise ArtefactError(f"{path}: Core ML refused it: {first_line(error)}") from error


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
