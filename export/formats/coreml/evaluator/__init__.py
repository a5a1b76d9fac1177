"""Evaluator of saved Core ML packages, op by op with torch; not Apple's runtime.

It checks the graph and the weights that a ``.mlpackage`` holds on machines without Core ML.
It is strict: what it does not know it refuses, and it never guesses.
"""

from export.formats.coreml.evaluator.compile import compile_program
from export.formats.coreml.evaluator.package import Package, read_package
from export.formats.coreml.evaluator.program import Arithmetic, Program, Step

__all__ = ["Arithmetic", "Package", "Program", "Step", "compile_program", "read_package"]
