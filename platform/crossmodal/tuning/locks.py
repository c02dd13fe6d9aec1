"""Test subjects of searches, written down in the store for whoever scores them beside a search."""

from crossmodal.config import Config
from crossmodal.datasets.manifest import Manifest, shares_recordings
from crossmodal.storage.uri import join, list_names, read_json, write_json

_FILE = "test-subjects.json"


class Lock(Config):
    """What a study keeps for its winner: subjects of a dataset, which is named by its fingerprint."""

    study: str
    dataset: str
    subjects: tuple[str, ...]


def sweep_uri(store: str, study: str) -> str:
    """Where a store keeps what belongs to a study."""
    return join(_sweeps(store), study)


def write_lock(store: str, lock: Lock) -> None:
    """Write down what a study keeps."""
    write_json(join(sweep_uri(store, lock.study), _FILE), lock.model_dump(mode="json"))


def locks(store: str, manifest: Manifest) -> tuple[Lock, ...]:
    """What all studies of a dataset keep, and of those that it has grown from or shares recordings with; of deleted ones, too."""
    known = [_read(store, study) for study in list_names(_sweeps(store))]
    return tuple(lock for lock in known if lock and shares_recordings(store, lock.dataset, manifest) is not False)


def _read(store: str, study: str) -> Lock | None:
    try:
        return Lock.model_validate(read_json(join(sweep_uri(store, study), _FILE)))
    except FileNotFoundError:
        return None


def _sweeps(store: str) -> str:
    return join(store, "sweeps")
