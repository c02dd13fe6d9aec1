"""All recordings of an experiment become a dataset: one Ray task a recording, and only for those whose shard is not there yet."""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray.data import DataContext

from crossmodal.config import UserError, fingerprint
from crossmodal.config.preprocessing import Preprocessing, Recordings
from crossmodal.datasets.manifest import Manifest, publish, shard_uri
from crossmodal.datasets.shard import LAST_FILE, read_entry, write_shard
from crossmodal.storage.uri import publish_folder
from preprocessing.misfits import without_misfits
from preprocessing.plan import Plan
from preprocessing.recording import preprocess_recording
from preprocessing.report import Outcome, Report
from preprocessing.sources.base import Entry

# Samples are stored as float32 or int16 and filtered as float64, with one copy when resampled.
_MEMORY_PER_BYTE = 6
_LEAST_MEMORY = 500 * 2**20
_GREATEST_SHARE_OF_NODE = 0.8
# Ray Data would start a task anew for ever whose recording kills its worker; a lost spot node deserves a few attempts.
_ATTEMPTS_AGAIN = 3


def preprocess_dataset(plan: Plan, on_outcome: Callable[[Outcome], None]) -> Report:
    """Make the shards that are missing, and publish the dataset.

    Parameters
    ----------
    plan : Plan
        Of the experiment, just made.
    on_outcome : callable
        Told what became of each recording as it comes.

    Returns
    -------
    Report
        With failures beside what was made: a broken recording does not stop the others.

    Raises
    ------
    UserError
        All recordings failed, or those made do not belong together.
    """
    outcomes: dict[str, Outcome] = {}
    for name, outcome in _all_outcomes(plan):
        outcomes[name] = outcome
        on_outcome(outcome)
    ordered = without_misfits([outcomes[name] for name in plan.entries])
    shards = [outcome.shard for outcome in ordered if outcome.shard]
    if not shards:
        others = f" (and {len(ordered) - 1} others failed)" if len(ordered) > 1 else ""
        raise UserError(f"no recording could be preprocessed: {ordered[0].cause}{others}")
    manifest = Manifest.of(shards, preprocessing=fingerprint(plan.experiment.preprocessing))
    return Report(ordered, manifest, publish(manifest, plan.store, plan.experiment.dataset_recipe))


def _all_outcomes(plan: Plan) -> Iterator[tuple[str, Outcome]]:
    for name, shard in plan.present.items():
        yield name, Outcome(plan.entries[name], shard=shard, cached=True)
    if plan.missing:
        yield from _make_shards(plan)


def _make_shards(plan: Plan) -> Iterator[tuple[str, Outcome]]:
    """Run one task a recording; a recording whose worker died is a failure, too, not silently absent."""
    rows = [{"name": name, "entry": entry.model_dump_json()} for name, entry in plan.missing.items()]
    context = DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.execution_no_progress_timeout_s = -1  # One long recording is no progress, and no fault.
    context.max_errored_blocks = -1
    make = partial(_make_shard, recordings=plan.experiment.recordings, preprocessing=plan.experiment.preprocessing, store=plan.store)
    lost = dict(plan.missing)
    with DataContext.current(context):
        blocks = ray.data.from_items(rows, override_num_blocks=len(rows))
        made = blocks.map(make, num_cpus=1, memory=_task_memory(lost.values()), ray_remote_args_fn=_retried)
        for row in made.iter_rows():
            yield row["name"], _outcome(lost.pop(row["name"]), row, plan.store)
    for name, entry in lost.items():
        yield name, Outcome(entry, cause=f"{entry.uri}: the worker died, perhaps for lack of memory; use a larger node or leave it out")


def _retried() -> dict[str, int]:
    return {"max_retries": _ATTEMPTS_AGAIN}


def _make_shard(row: dict[str, Any], recordings: Recordings, preprocessing: Preprocessing, store: str) -> dict[str, Any]:
    """Make one shard in a worker; whatever goes wrong is returned as its cause, so that it stops no other recording."""
    entry = Entry.model_validate_json(row["entry"])
    cause, notes = "", []
    try:
        with tempfile.TemporaryDirectory(prefix="crossmodal-") as folder:
            recording = preprocess_recording(entry, recordings, preprocessing, Path(folder))
            shard = Path(folder) / row["name"]
            write_shard(recording, shard)
            publish_folder(shard, shard_uri(store, row["name"]), last=LAST_FILE)
            notes = recording.provenance["notes"]
    except UserError as error:
        cause = str(error)
    except Exception as error:
        cause = f"{entry.uri}: {type(error).__name__}: {' '.join(str(error).split())}"
    return {"name": row["name"], "cause": cause, "notes": json.dumps(notes)}


def _outcome(entry: Entry, row: Mapping[str, str], store: str) -> Outcome:
    if row["cause"]:
        return Outcome(entry, cause=row["cause"])
    return Outcome(entry, shard=read_entry(shard_uri(store, row["name"])), notes=tuple(json.loads(row["notes"])))


def _task_memory(entries: Iterable[Entry]) -> float:
    """Memory (bytes) that the largest recording needs, but no more than some node has, or its task would wait for ever."""
    largest = max((node["Resources"].get("memory", 0) for node in ray.nodes() if node["Alive"]), default=0)
    needed = max(max(entry.size_bytes for entry in entries) * _MEMORY_PER_BYTE, _LEAST_MEMORY)
    return min(needed, _GREATEST_SHARE_OF_NODE * largest)
