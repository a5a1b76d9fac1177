"""What the jobs of an export report, file by file."""

from pathlib import Path

from export.checks.file_results import FileResults
from export.jobs.messages import Failed, Job, Step
from export.progress import Progress
from export.schema.metadata import Precision


def test_a_format_is_over_when_the_last_of_its_files_is() -> None:
    jobs = [
        Job.model_construct(
            format=name,
            files={
                precision: Path(f"x-{precision.value}.{name}")
                for precision in (Precision.FP32, Precision.FP16)
            },
        )
        for name in ("onnx", "tflite")
    ]
    told: list[Progress] = []
    report = FileResults(jobs).follow(told.append)
    report(jobs[0], Step(text="converting"))
    report(jobs[1], Failed(precision=None, reason="no memory"))
    report(jobs[0], Failed(precision=Precision.FP32, reason="no operator"))
    report(jobs[0], Failed(precision=Precision.FP16, reason="no operator"))
    assert [(step.part, step.text, step.over) for step in told] == [
        ("onnx", "converting", False),
        ("tflite", "broken off", True),
        ("onnx", "done", True),
    ]
