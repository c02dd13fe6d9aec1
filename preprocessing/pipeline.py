"""All recordings of an experiment become a dataset: one Ray task a recording, and only for those whose shard is not there yet."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import ray
from ray.data import DataContext
from ray.util.annotations import RayDeprecationWarning
from threadpoolctl import threadpool_limits

from crossmodal.config import UnavailableError, UserError, fingerprint, told
from crossmodal.config.preprocessing import Preprocessing, Recordings
from crossmodal.datasets.manifest import Manifest, publish, remember_last, shard_uri
from crossmodal.datasets.shard import LAST_FILE, read_entry, write_shard
from crossmodal.storage.scratch import scratch_folder
from crossmodal.storage.uri import check_reachable, publish_folder
from preprocessing.misfits import without_misfits
from preprocessing.needs import Needs
from preprocessing.plan import Plan
from preprocessing.readers.entry import Entry
from preprocessing.readers.stores import asked_at_once
from preprocessing.recording import preprocess_recording
from preprocessing.report import Outcome, Report

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
    UnavailableError
        A recording could not be fetched, or its shard not be kept, for no fault of its own. What was made is kept; no dataset is published,
        since it would lack recordings that the same job makes the next time.
    """
    outcomes: dict[str, Outcome] = {}
    for name, outcome in _all_outcomes(plan):
        outcomes[name] = outcome
        on_outcome(outcome)
        if outcome.status == "interrupted":
            # Work for a store that is gone would be lost.
            check_reachable(plan.store)
    interrupted = [outcome for outcome in outcomes.values() if outcome.status == "interrupted"]
    if interrupted:
        kept = f"{len(outcomes) - len(interrupted)} of {len(outcomes)} recordings are done; run again for the others"
        raise UnavailableError(f"{interrupted[0].cause} ({kept})")
    ordered = without_misfits([outcomes[name] for name in plan.entries], plan.experiment.recorded.allow_copies)
    shards = [outcome.shard for outcome in ordered if outcome.shard]
    if not shards:
        others = f" (and {len(ordered) - 1} others failed)" if len(ordered) > 1 else ""
        raise UserError(f"no recording could be preprocessed: {ordered[0].cause}{others}")
    manifest = Manifest.of(shards, preprocessing=fingerprint(plan.experiment.preprocessing))
    name = publish(manifest, plan.store, plan.experiment.dataset_recipe)
    remember_last(plan.store, plan.experiment.name, name)
    return Report(ordered, manifest, name)


def _all_outcomes(plan: Plan) -> Iterator[tuple[str, Outcome]]:
    for name, shard in plan.present.items():
        yield name, Outcome(plan.entries[name], shard=shard, cached=True)
    if plan.missing:
        yield from _make_shards(plan)


def _make_shards(plan: Plan) -> Iterator[tuple[str, Outcome]]:
    """Run one task a recording; a recording whose worker died is a failure, too, not silently absent."""
    context = DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.execution_no_progress_timeout_s = -1  # One long recording is no progress, and no fault.
    context.max_errored_blocks = -1
    # What is handed on is a row a recording. Ray itself keeps tasks waiting at the nodes, and begins one when another ends; Ray Data, asked
    # to share out resources, would begin with one task for a second and hand out each next one 0.1 to 0.2 s late.
    context.op_resource_reservation_enabled = False
    make = partial(_make_shard, recordings=plan.experiment.recorded, preprocessing=plan.experiment.preprocessing, store=plan.store)
    lost = dict(plan.missing)
    with DataContext.current(context):
        needs = Needs.of(plan.experiment.recorded, plan.experiment.preprocessing)
        memory = dict(zip(lost, asked_at_once(needs.memory_bytes, lost.values()), strict=True))
        first, *others = (_mapped({name: lost[name] for name in alike}, make, max(alike.values())) for alike in alike_in_need(memory))
        made = first.union(*others) if others else first
        for row in made.iter_rows():
            yield row["name"], _outcome(lost.pop(row["name"]), row, plan.store)
    for name, entry in lost.items():
        yield name, Outcome(entry, cause=f"{entry.uri}: the worker died, perhaps for lack of memory; use a larger node or leave it out")


def _mapped(entries: Mapping[str, Entry], make: Callable[[dict[str, Any]], dict[str, Any]], needed: float) -> ray.data.Dataset:
    rows = [{"name": name, "entry": entry.model_dump_json()} for name, entry in entries.items()]
    memory = task_memory(needed, _node_memory())
    with warnings.catch_warnings():
        # Ray 2.60 has no other way to count attempts, and whoever runs a job cannot mend that.
        warnings.simplefilter("ignore", RayDeprecationWarning)
        return ray.data.from_items(rows, override_num_blocks=len(rows)).map(make, num_cpus=1, memory=memory, ray_remote_args_fn=_retried)


def alike_in_need(memory: Mapping[str, float]) -> list[dict[str, float]]:
    """Group recordings that need at most twice each other's memory, most first: Ray Data declares it for all tasks of a step at once."""
    groups: dict[int, dict[str, float]] = {}
    for name, needed in sorted(memory.items(), key=lambda item: -item[1]):
        groups.setdefault(int(needed).bit_length(), {})[name] = needed
    return list(groups.values())


def _retried() -> dict[str, int]:
    return {"max_retries": _ATTEMPTS_AGAIN}


def _make_shard(row: dict[str, Any], recordings: Recordings, preprocessing: Preprocessing, store: str) -> dict[str, Any]:
    """Make one shard in a worker; whatever goes wrong is returned as its cause, so that it stops no other recording."""
    entry = Entry.model_validate_json(row["entry"])
    cause, again, notes = "", False, []
    try:
        # One core was asked for, whatever OMP_NUM_THREADS says.
        with threadpool_limits(1), scratch_folder("crossmodal-preprocess") as folder:
            recording = preprocess_recording(entry, recordings, preprocessing, folder)
            shard = folder / row["name"]
            write_shard(recording, shard, preprocessing.stored_as)
            publish_folder(shard, shard_uri(store, row["name"]), last=LAST_FILE)
            notes = recording.provenance["notes"]
    except UnavailableError as error:
        cause, again = str(error), True
    except UserError as error:
        cause = str(error)
    except Exception as error:
        cause = f"{entry.uri}: {told(error)}"
    return {"name": row["name"], "cause": cause, "again": again, "notes": json.dumps(notes)}


def _outcome(entry: Entry, row: Mapping[str, Any], store: str) -> Outcome:
    if row["cause"]:
        return Outcome(entry, cause=row["cause"], again=row["again"])
    return Outcome(entry, shard=read_entry(shard_uri(store, row["name"])), notes=tuple(json.loads(row["notes"])))


def task_memory(needed: float, node_memory: float) -> float:
    """Memory (bytes) to declare: what the neediest recording takes, but no more than some node has, or its task would wait for ever."""
    return min(max(needed, _LEAST_MEMORY), _GREATEST_SHARE_OF_NODE * node_memory)


def _node_memory() -> float:
    """Memory (bytes) of the largest node."""
    return max((node["Resources"].get("memory", 0) for node in ray.nodes() if node["Alive"]), default=0)
