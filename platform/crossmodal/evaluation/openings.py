"""How often locked test subjects were looked at: each look spends some of what they are worth."""

from datetime import UTC, datetime

from crossmodal.config import Config
from crossmodal.datasets.manifest import Manifest, shares_recordings
from crossmodal.storage.uri import exists, join, list_names, read_json, write_json

_FOLDER = "test-openings"


class Opening(Config):
    """One look at the test subjects of a dataset."""

    run: str
    why: str
    subjects: tuple[str, ...]
    at: str


def record_opening(store: str, dataset: str, run: str, why: str, subjects: tuple[str, ...]) -> None:
    """Write down, before it happens, that a run is to be scored on test subjects; the same run, tried again or on others, counts once.

    Parameters
    ----------
    dataset : str
        Fingerprint.
    run : str
        Of the model that is scored.
    """
    uri = join(_folder(store, dataset), f"{run}.json")
    known = Opening.model_validate(read_json(uri)).subjects if exists(uri) else ()
    if not set(subjects) <= set(known):
        at = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(uri, Opening(run=run, why=why, subjects=tuple(sorted({*known, *subjects})), at=at).model_dump(mode="json"))


def openings(store: str, manifest: Manifest) -> tuple[Opening, ...]:
    """All looks at the test subjects of a dataset, and of those that it has grown from or shares recordings with, the first one first.

    Of a dataset that was deleted since, nobody can tell whether it shared recordings: a look at subjects of the same names counts.
    """
    found = [opening for name in list_names(join(store, _FOLDER)) for opening in _openings(store, name, manifest)]
    return tuple(sorted(found, key=lambda opening: (opening.at, opening.run)))


def _openings(store: str, dataset: str, manifest: Manifest) -> list[Opening]:
    folder = _folder(store, dataset)
    found = [Opening.model_validate(read_json(join(folder, name))) for name in list_names(folder)]
    shares = shares_recordings(store, dataset, manifest)
    if shares is None:
        return [opening for opening in found if set(opening.subjects) & set(manifest.subjects)]
    return found if shares else []


def _folder(store: str, dataset: str) -> str:
    return join(store, _FOLDER, dataset)
