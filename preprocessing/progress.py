"""How far preprocessing has come, how fast, and when it will be done."""

from collections.abc import Callable, Mapping

from preprocessing.readers.entry import Entry
from preprocessing.report import Outcome


class Progress:
    """Counts outcomes as they come.

    Parameters
    ----------
    n_recordings : int
        Of the dataset, those included that are there already.
    missing : mapping of str to Entry
        Those to be made.
    clock : callable
        Tells the time, s.
    """

    def __init__(self, n_recordings: int, missing: Mapping[str, Entry], clock: Callable[[], float]) -> None:
        self.n_recordings = n_recordings
        self.bytes_total = sum(entry.size_bytes for entry in missing.values())
        self.bytes_done = 0
        self.done = 0
        self.failed = 0
        self._clock = clock
        self._started_s = clock()

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self.done += 1
        self.failed += outcome.shard is None
        if outcome.status != "cached":
            self.bytes_done += outcome.entry.size_bytes

    @property
    def rate(self) -> float:
        """Bytes of recordings a second, since the start."""
        elapsed_s = self._clock() - self._started_s
        return self.bytes_done / elapsed_s if elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Time until the end at this rate, s; None while nothing tells."""
        if self.bytes_done >= self.bytes_total:
            return 0.0
        return (self.bytes_total - self.bytes_done) / self.rate if self.rate else None

    def describe(self) -> str:
        """Say all of it on one line."""
        left = "" if self.left_s is None else f", {_duration(self.left_s)} left"
        return f"{self.done}/{self.n_recordings} recordings, {self.failed} failed, {self.rate / 1e9:.3f} GB/s{left}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
