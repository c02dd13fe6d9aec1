"""What preprocessing an experiment would do: which shards are there, and which are to be made."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossmodal.config import Experiment
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.manifest import shard_uri
from crossmodal.datasets.shard import read_entry
from crossmodal.storage.uri import absolute, check_reachable
from preprocessing.readers.entry import Entry
from preprocessing.readers.reading import list_recordings
from preprocessing.readers.stores import FindFile, asked_at_once, file_finder
from preprocessing.recording import shard_fingerprint


@dataclass(frozen=True)
class Plan:
    """Recordings of an experiment and the shards they have already.

    Attributes
    ----------
    store : str
        URI; a local one is absolute, since tasks run elsewhere.
    entries : mapping of str to Entry
        By the fingerprint of their shard, in the order of the source.
    present : mapping of str to ShardEntry
        Shards already published.
    find_file : callable
        Describes files that settings name as they were when the plan was made.
    """

    experiment: Experiment
    store: str
    entries: Mapping[str, Entry]
    present: Mapping[str, ShardEntry]
    find_file: FindFile

    @property
    def missing(self) -> dict[str, Entry]:
        """Recordings whose shard is to be made."""
        return {name: entry for name, entry in self.entries.items() if name not in self.present}


def plan_dataset(experiment: Experiment) -> Plan:
    """List recordings and look for their shards; nothing is written.

    Raises
    ------
    UserError
        Source or store cannot be used.
    """
    store = absolute(experiment.store)
    check_reachable(store)
    recordings = list_recordings(experiment.recorded)
    find_file = file_finder(experiment.recorded)
    entries = {shard_fingerprint(entry, experiment.recorded, experiment.preprocessing, find_file): entry for entry in recordings}
    found = asked_at_once(lambda name: _published(store, name), entries)
    return Plan(experiment, store, entries, {name: shard for name, shard in zip(entries, found, strict=True) if shard}, find_file)


def _published(store: str, name: str) -> ShardEntry | None:
    try:
        return read_entry(shard_uri(store, name))
    except FileNotFoundError:
        return None
