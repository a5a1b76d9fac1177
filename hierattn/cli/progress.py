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
    TimeElapsedColumn,
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


class _Time(ProgressColumn):
    """Time spent and, once it can be told, left: ``0:00:23, 0:01:08 left``."""

    max_refresh = 0.5  # seconds; a figure that jumps at every step cannot be read

    def render(self, task: Task) -> Text:
        """Both, or the first alone."""
        spent_s, left_s = task.finished_time if task.finished else task.elapsed, task.time_remaining
        told = _clock(spent_s or 0)
        if left_s is not None and not task.finished:
            told += f", {_clock(left_s)} left"
        return Text(told)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def make_progress(console: Console) -> Progress:
    """Bar, count, time spent and time left; what is over leaves the screen.

    Narrow enough for the longest words, "coreml: asking other runtimes, fp32", at 80 columns.
    """
    return Progress(
        _Description(),
        BarColumn(bar_width=12),
        _Count(),
        _Time(),
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
    reached, began = (0, 0), time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal reached
        reached = (done, total)
        progress.update(task, completed=done, total=total)

    # Without a total the bar moves: what comes before the first count takes time, too.
    task = progress.add_task(description, total=None)
    progress.start()
    try:
        yield show
    finally:
        progress.stop()
        if reached[1]:
            told = f"{description}: {reached[0]} of {reached[1]}"
            console.print(f"{told} in {spent(time.monotonic() - began)}", soft_wrap=True)


def _told(step: ExportProgress, seconds: float, *, stopped: bool = False) -> str:
    """The line that a step leaves: "asking torch: 343 of 343 in 4.1 s"."""
    words = f"{step.part}: {step.text}" if step.part else step.text
    if step.total and (stopped or step.done == step.total):
        words += f": {step.done} of {step.total}"
    return f"{'stopped at ' if stopped else ''}{words} in {spent(seconds)}"


@contextmanager
def turns_progress() -> Iterator[Callable[[ExportProgress], None]]:
    """Yield a callback that draws a bar when it is called, and at no other time.

    A thread that redraws would disturb what is measured. Of parts that work side by side it shows
    the last that spoke. A step that is over leaves a line.
    """
    # A narrow bar, so that the words stand in one line at 80 columns.
    columns = (BarColumn(bar_width=12), _Count(), TimeElapsedColumn(), _Description())
    console = progress_console()
    shown = console.is_terminal
    progress = Progress(
        *columns, console=console, auto_refresh=False, transient=True, disable=not shown
    )
    task: TaskID | None = None
    began = time.monotonic()

    def show(step: ExportProgress) -> None:
        nonlocal task, began
        words = f"{step.part}: {step.text}" if step.part else step.text
        if task is None:
            progress.start()
            task = progress.add_task(words)
        progress.update(task, description=words, completed=step.done or 0, total=step.total)
        progress.refresh()
        if step.over:
            console.print(_told(step, time.monotonic() - began), soft_wrap=True)
            began = time.monotonic()

    try:
        yield show
    finally:
        if task is not None:
            progress.stop()


_EPOCH_HEADINGS = "epoch         px   loss  validation: loss  accuracy  balanced  images/s"


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
        """Print a line, which a terminal breaks between words."""
        self.console.print(text)

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
        self.console.print(_EPOCH_HEADINGS)
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
        losses = f"{row.train_loss:>7.3f}{number(row.validation_loss):>18}"
        shares = f"{number(row.validation_accuracy):>10}"
        shares += f"{number(row.validation_balanced_accuracy):>10}"
        self.console.print(
            f"{row.epoch:>5}/{self._epochs:<5}{row.image_size:>5}{losses}{shares}"
            f"{row.images_per_second:>10.0f}"
        )


class PartsProgress:
    """Draws several parts that work side by side: a line each, with a bar while it counts.

    A part that is over leaves a line with how long it took.
    """

    def __init__(self) -> None:
        self.progress = make_progress(progress_console())
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, ExportProgress] = {}
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
        for part in list(self._tasks):
            self._tell(part, stopped=kind is not None)

    def follow(self, step: ExportProgress) -> None:
        """Say what a part does; a new text starts its bar anew; over, it has none."""
        if step.over:
            if step.part in self._tasks:
                self._tell(step.part, step.text)
            return
        if not self._last:
            self.progress.start()
        words = f"{step.part}: {step.text}" if step.part else step.text
        whole = self._last.get("")
        if whole is not None and (step.part, step.text) != ("", whole.text):
            self._tell("")  # the next step of the whole, or its parts, end it
        if step.part not in self._tasks:
            # Without a total the bar moves, so that one sees that work goes on.
            self._tasks[step.part] = self.progress.add_task(words, total=step.total)
            self._began[step.part] = time.monotonic()
        elif self._last[step.part].text != step.text:
            self.progress.reset(self._tasks[step.part], description=words, total=step.total)
        self._last[step.part] = step
        task = self._tasks[step.part]
        self.progress.update(task, completed=step.done or 0, total=step.total)

    def _tell(self, part: str, end: str = "done", *, stopped: bool = False) -> None:
        """A line on a part: its name and how it ended, or what the whole was just doing."""
        step, seconds = self._last.pop(part), time.monotonic() - self._began.pop(part)
        self.progress.remove_task(self._tasks.pop(part))
        told = _told(step, seconds, stopped=stopped)
        if part and not stopped:
            told = f"{part}: {end} {'in' if end == 'done' else 'after'} {spent(seconds)}"
        self.progress.console.print(told, soft_wrap=True)
