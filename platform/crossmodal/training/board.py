"""Progress of a training run: a bar on a terminal, a line an epoch in a log."""

from collections.abc import Iterable
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from crossmodal.training.fold import FoldProgress

# Epochs may take minutes, so that the default of 30 s would see none.
_SPEED_OVER_S = 1800.0


class Board:
    """Shows how far all folds have come.

    Parameters
    ----------
    folds : iterable of str
        In the order they are trained.
    epochs : int
        The most that each takes.
    """

    def __init__(self, console: Console, folds: Iterable[str], epochs: int) -> None:
        self._folds = list(folds)
        self._epochs = epochs
        self._done = dict.fromkeys(self._folds, 0)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, speed_estimate_period=_SPEED_OVER_S, disable=not console.is_terminal)
        self._task = self._progress.add_task("starting workers", total=len(self._folds) * epochs)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def show(self, progress: FoldProgress) -> None:
        """Take in what a fold tells."""
        # Stopping early is arriving, too.
        self._done[progress.fold] = self._epochs if progress.result else len(progress.history)
        text = f"fold {self._folds.index(progress.fold) + 1}/{len(self._folds)} {progress.fold}: {self._news(progress)}"
        self._progress.update(self._task, description=text, completed=sum(self._done.values()))
        if progress.result or not self._progress.console.is_terminal:
            remaining = self._progress.tasks[0].time_remaining
            self._progress.console.print(
                text if remaining is None else f"{text}, {timedelta(seconds=round(remaining))} left", soft_wrap=True
            )

    def _news(self, progress: FoldProgress) -> str:
        if progress.result:
            best, seconds = progress.result.best, sum(metrics.seconds for metrics in progress.history)
            return f"finished in {seconds:.0f} s, kept epoch {best.epoch + 1} with validation loss {best.validation_loss:.4f}"
        if not progress.history:
            return "starts"
        last = progress.history[-1]
        return f"epoch {last.epoch + 1}/{self._epochs}, loss {last.loss:.4f}, validation {last.validation_loss:.4f}"
