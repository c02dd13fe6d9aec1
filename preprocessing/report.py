"""What became of each recording."""

from dataclasses import dataclass
from typing import Literal

from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.manifest import Manifest
from preprocessing.readers.entry import Entry

Status = Literal["made", "cached", "failed", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """What became of one recording.

    Attributes
    ----------
    entry : Entry
    shard : ShardEntry, optional
        None when the recording failed.
    cached : bool
        The shard was there already.
    cause : str
        Why it failed, in one sentence.
    again : bool
        The cause lies outside the recording, and the same again may succeed.
    notes : tuple of str
        What a user should know of a recording made now: channels interpolated, pieces masked.
    """

    entry: Entry
    shard: ShardEntry | None = None
    cached: bool = False
    cause: str = ""
    again: bool = False
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """One word for a table."""
        if self.shard is None:
            return "interrupted" if self.again else "failed"
        return "cached" if self.cached else "made"

    @property
    def loss(self) -> str:
        """How much of the recording is masked and by what, in one sentence; empty where nothing is."""
        causes = {cause: share for cause, share in self.shard.lost.items() if share} if self.shard else {}
        listing = ", ".join(f"{cause} {share:.1%}" for cause, share in causes.items())
        return f"{sum(causes.values()):.1%} of its samples are masked ({listing})" if causes else ""


@dataclass(frozen=True)
class Report:
    """What became of all recordings, and the dataset that the whole ones make.

    Attributes
    ----------
    outcomes : tuple of Outcome
        In the order of the source.
    manifest : Manifest
    name : str
        Under which the manifest is published.
    """

    outcomes: tuple[Outcome, ...]
    manifest: Manifest
    name: str

    def count(self, status: Status) -> int:
        """Count recordings by what became of them."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Recordings that did not become shards."""
        return tuple(outcome for outcome in self.outcomes if outcome.shard is None)
