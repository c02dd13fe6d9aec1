"""Why a recording is to be preprocessed again: what changed since the shard that the last dataset holds."""

from collections.abc import Iterator
from typing import Any

from crossmodal.config import UserError
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.shard import read_key
from preprocessing.plan import Plan
from preprocessing.readers.entry import Entry
from preprocessing.recording import shard_key

_ABSENT = "absent"


def explain(plan: Plan, wanted: str, last: Manifest | None) -> list[str]:
    """Compare recordings with their shards in the last dataset.

    Parameters
    ----------
    plan : Plan
        Of the experiment, just made.
    wanted : str
        A subject ('sub-01'), a recording as tables call it ('sub-01 run 02'), or its file.
    last : Manifest, optional
        What the experiment published last.

    Returns
    -------
    list of str
        Lines that say it for each recording.

    Raises
    ------
    UserError
        There is no such recording.
    """
    chosen = {name: entry for name, entry in plan.entries.items() if _is_called(entry, wanted)}
    if not chosen:
        labels = ", ".join(entry.label for entry in list(plan.entries.values())[:3])
        raise UserError(f"no recording is called '{wanted}'; name a subject ('sub-01'), a recording or its file, there are {labels}, ...")
    return [line for name, entry in chosen.items() for line in _explain_one(plan, name, entry, last)]


def differences(old: Any, new: Any) -> list[str]:
    """Say which values differ between two keys of shards."""
    before, after = dict(_flat(old)), dict(_flat(new))
    paths = [*after, *(path for path in before if path not in after)]
    return [f"{path}: {before.get(path, _ABSENT)} -> {after.get(path, _ABSENT)}" for path in paths if before.get(path) != after.get(path)]


def _is_called(entry: Entry, wanted: str) -> bool:
    return wanted in (f"sub-{entry.subject}", entry.label, *(name for file in entry.files for name in (file.uri, file.name)))


def _explain_one(plan: Plan, name: str, entry: Entry, last: Manifest | None) -> Iterator[str]:
    shard = _last_shard(entry, last)
    there = "its shard is there" if name in plan.present else "is to be made"
    if last is None or shard is None:
        lacking = "this experiment has published no dataset yet" if last is None else f"the last dataset, {last.fingerprint}, lacks it"
        yield f"{entry.label}: {there}; {lacking}"
    elif shard.fingerprint == name:
        gone = "" if name in plan.present else ", but its shard is gone from the store"
        yield f"{entry.label}: {there}; nothing changed since the last dataset{gone}"
    else:
        yield f"{entry.label}: {there}; since the last dataset, {last.fingerprint}:"
        try:
            key = read_key(shard.uri)
        except FileNotFoundError:
            yield "  something changed, but the shard that tells what is gone from the store"
            return
        now = shard_key(entry, plan.experiment.recorded, plan.experiment.preprocessing, plan.find_file)
        for change in differences(key, now):
            yield f"  {change}"


def _last_shard(entry: Entry, last: Manifest | None) -> ShardEntry | None:
    entries = last.entries if last else ()
    return next((shard for shard in entries if (shard.subject, shard.run) == (entry.subject, entry.run)), None)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Name every value by its path, files by their names instead of their places in a list."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "uri" in item for item in value):
        value = {item["uri"].rpartition("/")[2]: item for item in value}
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else key)
    else:
        yield path, value
