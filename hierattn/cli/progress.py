"""Progress bars with the time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from hierattn.cli.console import number, progress_console
from hierattn.errors import one_line

if TYPE_CHECKING:
    from export.progress import Progress as ExportProgress
    from hierattn.training.run.checkpoint import HistoryRow


class _Description(ProgressColumn):
    """What is done, brackets and all; Rich's own column takes them for markup."""

    def render(self, task: Task) -> Text:
        """The words, in one line."""
        return Text(one_line(task.description))


class _Count(ProgressColumn):
    """Done and all, blank where nothing is counted."""

    def render(self, task: Task) -> Text:
        """ "3/10", or nothing."""
        return Text("" if task.total is None else f"{int(task.completed)}/{int(task.total)}")


def make_progress(console: Console) -> Progress:
    """Bar, count, elapsed time and time left; what is over leaves the screen."""
    return Progress(
        _Description(),
        BarColumn(bar_width=24),
        _Count(),
        TextColumn("elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # a pipe gets the lines alone
    )


def spent(seconds: float) -> str:
    """A time as people say it: "3.2 s", "4 min 5 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


@contextmanager
def counting(description: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a ``(done, all)`` callback that draws a bar on stderr.

    Its last line says how much was done, and how long it took.
    """
    console = progress_console()
    progress = make_progress(console)
    task: TaskID | None = None
    reached, began = (0, 0), time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal task, reached
        if task is None:
            progress.start()
            task = progress.add_task(description)
        reached = (done, total)
        progress.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        # Drawn only once something was counted: an error before that is one line on stderr.
        if task is not None:
            progress.stop()
            told = f"{description}: {reached[0]} of {reached[1]}"
            console.print(f"{told} in {spent(time.monotonic() - began)}", soft_wrap=True)


@contextmanager
def turns_progress() -> Iterator[Callable[[ExportProgress], None]]:
    """Yield a callback that draws a bar when it is called, and at no other time.

    A thread that redraws would disturb what is measured. Of parts that work side by side it shows
    the last that spoke.
    """
    columns = (BarColumn(), _Count(), TimeElapsedColumn(), _Description())
    progress = Progress(*columns, console=progress_console(), auto_refresh=False)
    task: TaskID | None = None

    def show(step: ExportProgress) -> None:
        nonlocal task
        words = f"{step.part}: {step.text}" if step.part else step.text
        if task is None:
            progress.start()
            task = progress.add_task(words)
        progress.update(task, description=words, completed=step.done or 0, total=step.total)
        progress.refresh()

    try:
        yield show
    finally:
        if task is not None:
            progress.stop()


class RichObserver:
    """Draws a training run: a bar over all batches, a line an epoch."""

    def __init__(self) -> None:
        self.console = progress_console()
        self.progress = make_progress(self.console)
        self._decoding: TaskID | None = None
        self._began = time.monotonic()
        self._trained = 0
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
        """Leave the terminal as it was, with a line on what was done."""
        self.progress.stop()
        if self._training is not None:
            took = spent(time.monotonic() - self._began)
            self.status(f"training: {self._trained} of {self._epochs} epochs in {took}")

    def status(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, soft_wrap=True)

    def decoded(self, done: int, total: int) -> None:
        """Move the decoding bar."""
        if self._decoding is None:
            self.progress.start()
            self._decoding = self.progress.add_task("decoding", total=total)
            self._began = time.monotonic()
        self.progress.update(self._decoding, completed=done)
        if done == total:
            self.progress.remove_task(self._decoding)
            self._decoding = None
            self.status(f"decoding: {done} of {total} in {spent(time.monotonic() - self._began)}")

    def started(self, epoch: int, epochs: int, steps: int) -> None:
        """Open the training bar."""
        self._steps, self._epochs, self._trained = steps, epochs, epoch
        self._began = time.monotonic()
        self.progress.start()
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
        self._trained = row.epoch
        self.console.print(
            f"epoch {row.epoch:>3}/{self._epochs}  {row.image_size} px  "
            f"loss {row.train_loss:.3f}  validation loss {number(row.validation_loss)}  "
            f"accuracy {number(row.validation_accuracy)}  "
            f"balanced {number(row.validation_balanced_accuracy)}  "
            f"{row.images_per_second:.0f} images/s"
        )


class PartsProgress:
    """Draws several parts that work side by side: a line each, with a bar while it counts.

    A part that is over leaves a line with how long it took.
    """

    def __init__(self) -> None:
        self.progress = make_progress(progress_console())
        self._tasks: dict[str, TaskID] = {}
        self._texts: dict[str, str] = {}
        self._began: dict[str, float] = {}

    def __enter__(self) -> PartsProgress:
        """Draw from the first thing shown on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was, with a line a part."""
        self.progress.stop()
        for part in self._tasks:
            self._tell(part, "stopped at" if kind is not None else "")

    def follow(self, step: ExportProgress) -> None:
        """Say what a part does; a new text starts its bar anew."""
        if not self._tasks:
            self.progress.start()
        if step.part not in self._tasks:
            # Without a total the bar moves, so that one sees that work goes on.
            self._tasks[step.part] = self.progress.add_task(step.part, total=step.total)
        task = self._tasks[step.part]
        words = f"{step.part}: {step.text}" if step.part else step.text
        if self._texts.get(step.part) != words:
            if not step.part and step.part in self._texts:
                self._tell(step.part)
            self._texts[step.part] = words
            self._began.setdefault(step.part, time.monotonic())
            self.progress.reset(task, description=words, total=step.total)
        self.progress.update(task, completed=step.done or 0, total=step.total)

    def _tell(self, part: str, how: str = "") -> None:
        """A line on what a part did: its name, or what the whole was just doing."""
        took = spent(time.monotonic() - self._began.pop(part, time.monotonic()))
        words = self._texts[part] if how or not part else f"{part}: done"
        self.progress.console.print(f"{how} {words}, {took}".strip(), soft_wrap=True)
