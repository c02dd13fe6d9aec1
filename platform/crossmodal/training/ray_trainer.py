"""Folds trained by groups of Ray Train workers.

A group takes 15-30 s to start on two cores (processes, imports, rendezvous), longer than a small fold takes to train: so
a group trains several folds, one after another, and on a cluster `training.parallel_folds` groups work side by side.
What is done lies in the store, fold by fold, and not in the Ray run: it does not matter which group takes a fold up.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import ray
from ray.train import get_context
from ray.train.torch import TorchTrainer, get_device
from ray.train.v2.api.config import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
from ray.util.queue import Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from crossmodal.config import Experiment, UserError, fingerprint
from crossmodal.config.training import Training
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.storage.uri import arrow_filesystem, join
from crossmodal.training.fold import FoldProgress, train_fold
from crossmodal.training.loop import ReclaimedError
from crossmodal.training.notice import Notice
from crossmodal.training.world import World, make_reproducible


@dataclass(frozen=True)
class Ended:
    """How a group of workers ended: done, with what the user should mend, or because a node of theirs is about to be reclaimed."""

    refusal: UserError | None = None
    reclaimed: bool = False


@dataclass(frozen=True)
class Group:
    """What a group of workers is given."""

    experiment: Experiment
    manifest: Manifest
    run: str
    folds: tuple[Fold, ...]
    reports: Queue


def train_folds(experiment: Experiment, manifest: Manifest, run: str, folds: Sequence[Fold]) -> Iterator[FoldProgress]:
    """Start to train folds on Ray, which must be initialised, each from its last whole epoch if it was interrupted.

    Parameters
    ----------
    experiment, manifest : Experiment, Manifest
        With absolute places: workers do not start in the folder that the job did.

    Returns
    -------
    iterator of FoldProgress
        Waits for news: a fold starts or goes on, an epoch ended, a fold is finished. Raises UserError where something the
        user can mend stopped a group, and ray.train.TrainingFailedError where workers failed or were lost more often
        than `training.max_failures`; in both cases when the other groups have ended.
    """
    # Beside the job, so that no reclaimed node takes the news with it.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    reports = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
    n_groups = min(experiment.training.parallel_folds, len(folds))
    groups = [Group(experiment, manifest, run, tuple(folds[first::n_groups]), reports) for first in range(n_groups)]
    return _news([_in_thread(partial(_fit, group)) for group in groups], reports)


def _news(groups: Sequence[Future[UserError | None]], reports: Queue) -> Iterator[FoldProgress]:
    while not (all(group.done() for group in groups) and reports.empty()):
        with contextlib.suppress(queue.Empty):
            yield reports.get(timeout=1)
    for group in groups:
        if refusal := group.result():
            raise refusal


def _fit(group: Group) -> UserError | None:
    training = group.experiment.training
    # Ray retries for ever by default, and reads this from the environment alone.
    os.environ["RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"] = str(training.start_timeout_s)
    filesystem, path = arrow_filesystem(join(group.experiment.store, "runs", group.run))
    trainer = TorchTrainer(
        _train_group,  # type: ignore[arg-type]
        train_loop_config={"group": group},
        scaling_config=_scaling(training),
        run_config=RunConfig(  # type: ignore[arg-type]
            name=f"group-{fingerprint([fold.name for fold in group.folds])}",
            storage_path=path,
            storage_filesystem=filesystem,
            failure_config=FailureConfig(max_failures=training.max_failures, controller_failure_limit=training.max_failures),
            logging_config=LoggingConfig(log_level="ERROR"),
        ),
    )
    ended: Ended | None = None
    while ended is None or ended.reclaimed:
        ended = cast(Ended, trainer.fit().return_value)  # type: ignore[attr-defined]
    return ended.refusal


def _scaling(training: Training) -> ScalingConfig:
    resources = {"CPU": training.threads_per_worker, **({"GPU": 1} if uses_gpu(training) else {})}
    return ScalingConfig(num_workers=training.workers, use_gpu=uses_gpu(training), resources_per_worker=resources)


def uses_gpu(training: Training) -> bool:
    """Tell whether workers get a GPU each on this cluster."""
    gpus = ray.cluster_resources().get("GPU", 0)
    return training.gpu == "always" or (training.gpu == "auto" and gpus >= training.workers)


def _train_group(config: dict[str, Any]) -> Ended:
    """Train the folds of a group that are not finished, in a worker.

    A UserError is returned and not raised, since Ray would try again; so is a notice that a node goes, since Ray would count an
    error as one of `training.max_failures`. Workers that do not heed the notice in time are lost with their node, which Ray does not count.
    """
    group: Group = config["group"]
    world = World(get_context().get_world_rank(), get_context().get_world_size(), get_device())
    world = replace(world, reclaimed=Notice(world))
    make_reproducible(group.experiment.training.threads_per_worker)
    tell: Callable[[FoldProgress], None] = group.reports.put if world.rank == 0 else lambda progress: None
    try:
        for fold in group.folds:
            train_fold(group.experiment, group.manifest, group.run, fold, world, tell)
    except UserError as error:
        return Ended(refusal=error)
    except ReclaimedError:
        return Ended(reclaimed=True)
    return Ended()


def _in_thread(function: Callable[[], UserError | None]) -> Future[UserError | None]:
    """Run in a daemon thread, which, other than an executor's, does not keep an interrupted job from ending."""
    future: Future[UserError | None] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
