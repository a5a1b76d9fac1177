"""Rich progress with the time left, for training and for anything that counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from hierattn.cli.console import number, progress_console

if TYPE_CHECKING:
    from export.progress import Progress as ExportProgress
    from hierattn.training.checkpoint import HistoryRow


def make_progress(console: Console) -> Progress:
    """Bar, count, elapsed time and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        console=console,
    )


@contextmanager
def counting(description: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a ``(done, all)`` callback that draws a bar on stderr."""
    progress = make_progress(progress_console())
    task: TaskID | None = None

    def show(done: int, total: int) -> None:
        nonlocal task
        if task is None:
            progress.start()
            task = progress.add_task(description)
        progress.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        # Drawn only once something was counted: an error before that is one line on stderr.
        if task is not None:
            progress.stop()


class RichObserver:
    """Draws a training run: a bar over all batches, a line an epoch."""

    def __init__(self) -> None:
        self.console = progress_console()
        self.progress = make_progress(self.console)
        self._decoding: TaskID | None = None
        self._training: TaskID | None = None
        self._steps = 1
        self._epochs = 1

    def __enter__(self) -> RichObserver:
        """Draw from the first thing counted on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        self.progress.stop()

    def status(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, soft_wrap=True)

    def decoded(self, done: int, total: int) -> None:
        """Move the decoding bar."""
        if self._decoding is None:
            self.progress.start()
            self._decoding = self.progress.add_task("decoding", total=total)
        self.progress.update(self._decoding, completed=done)

    def started(self, epoch: int, epochs: int, steps: int) -> None:
        """Open the training bar."""
        self._steps, self._epochs = steps, epochs
        if epoch:
            self.status(f"going on after epoch {epoch}")
        self._training = self.progress.add_task(
            "training", total=epochs * steps, completed=epoch * steps
        )

    def stepped(self) -> None:
        """Advance by one batch."""
        if self._training is not None:
            self.progress.advance(self._training)

    def finished_epoch(self, row: HistoryRow) -> None:
        """Print the epoch's figures."""
        self.console.print(
            f"epoch {row.epoch:>3}/{self._epochs}  {row.image_size} px  "
            f"loss {row.train_loss:.3f}  validation loss {number(row.validation_loss)}  "
            f"accuracy {number(row.validation_accuracy)}  "
            f"balanced {number(row.validation_balanced_accuracy)}  "
            f"{row.images_per_second:.0f} images/s"
        )


class PartsProgress:
    """Draws several parts that work side by side: a line each, with a bar while it counts."""

    def __init__(self) -> None:
        self.progress = make_progress(progress_console())
        self._tasks: dict[str, TaskID] = {}
        self._texts: dict[str, str] = {}

    def __enter__(self) -> PartsProgress:
        """Draw from the first thing shown on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        self.progress.stop()

    def follow(self, step: ExportProgress) -> None:
        """Say what a part does; a new text starts its bar anew."""
        if not self._tasks:
            self.progress.start()
        if step.part not in self._tasks:
            self._tasks[step.part] = self.progress.add_task(step.part)
        task = self._tasks[step.part]
        words = f"{step.part}: {step.text}" if step.part else step.text
        if self._texts.get(step.part) != words:
            self._texts[step.part] = words
            self.progress.reset(task, description=words, total=step.total)
        self.progress.update(task, completed=step.done or 0, total=step.total)
