"""Observers of a training run: called as it goes; the command line draws bars from them."""

from __future__ import annotations

from typing import Protocol

from hierattn.data.readers.listing import summarise
from hierattn.data.records import DataFolder
from hierattn.training.run.checkpoint import HistoryRow


class TrainingObserver(Protocol):
    """Receives the course of a run; every call is cheap and from the main process only."""

    def status(self, text: str) -> None:
        """A line about what begins now."""

    def decoded(self, done: int, total: int) -> None:
        """Photos decoded so far."""

    def started(self, epoch: int, epochs: int, steps: int) -> None:
        """Training begins after ``epoch`` finished epochs, ``steps`` batches each."""

    def stepped(self) -> None:
        """One batch is done."""

    def finished_epoch(self, row: HistoryRow) -> None:
        """One epoch is done and its checkpoint written."""


class SilentObserver:
    """Draws nothing."""

    def status(self, text: str) -> None:
        """Ignore."""

    def decoded(self, done: int, total: int) -> None:
        """Ignore."""

    def started(self, epoch: int, epochs: int, steps: int) -> None:
        """Ignore."""

    def stepped(self) -> None:
        """Ignore."""

    def finished_epoch(self, row: HistoryRow) -> None:
        """Ignore."""


def report_folder(folder: DataFolder, observer: TrainingObserver) -> None:
    """Say what was done to the photos and classes of a data folder, and what was passed over."""
    for line in folder.remarks:
        observer.status(line)
    for line in summarise(folder.passed_over):
        observer.status(f"passed over: {line}")
