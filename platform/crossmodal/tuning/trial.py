"""One trial, in a worker of Ray Tune: its folds trained by the loop that all training uses, then scored."""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import torch
from ray import tune

from crossmodal.config import Experiment, UnavailableError, UserError
from crossmodal.config.data import CrossValidation
from crossmodal.datasets.folds import Fold, make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.evaluation.scores import FoldScores, model_scores, over_types
from crossmodal.models.store import load_model
from crossmodal.physics.places import unknown_places
from crossmodal.storage.outage import retry_while_away
from crossmodal.storage.uri import fetch_folder
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.training.fold import FoldProgress, train_fold
from crossmodal.training.loop import ReclaimedError
from crossmodal.training.notice import NodeNotice
from crossmodal.training.ray_trainer import train_folds
from crossmodal.training.runs import finished, model_uri, run_name
from crossmodal.training.world import World, make_reproducible
from crossmodal.tuning.space import trial_experiment

_FORWARD_PASSES = 20


@dataclass(frozen=True)
class TrialContext:
    """What all trials of a study share.

    Attributes
    ----------
    experiment : Experiment
        With absolute places: workers do not start in the folder that the job did.
    split : CrossValidation
        Of the development subjects.
    gpu : bool
        Whether each worker has one.
    """

    experiment: Experiment
    manifest: Manifest
    study: str
    split: CrossValidation
    gpu: bool

    @property
    def folds(self) -> tuple[Fold, ...]:
        """Of every trial; test subjects are in none."""
        return make_folds(self.split, self.manifest)

    def experiment_of(self, number: int, overrides: Mapping[str, Any]) -> Experiment:
        """The experiment that a trial is."""
        return trial_experiment(self.experiment, overrides, self.study, number, self.split)


def run_trial(config: dict[str, Any], context: TrialContext) -> None:
    """Train and score what Tune suggests, telling it of each epoch; a mistake the user can mend ends the trial with its sentence."""
    # Tune lends this process to the next trial if a pruned one leaves it within 2 s, which it may not on a busy machine.
    os.environ.setdefault("TUNE_FUNCTION_THREAD_TIMEOUT_S", "30")
    try:
        experiment = context.experiment_of(config["number"], config["overrides"])
    except UserError as error:
        return tune.report({"cause": str(error)})
    try:
        train_trial(experiment, context, tune.report, NodeNotice())
    except ReclaimedError:
        # When the node is gone Ray begins the trial again elsewhere; whatever ended it before would count as a failure.
        threading.Event().wait()


def train_trial(
    experiment: Experiment, context: TrialContext, send: Callable[[dict[str, Any]], None], reclaimed: Callable[[], bool] = lambda: False
) -> None:
    """Train all folds of a trial and score them, sending a report each epoch and one at the end, of what the user can mend, too.

    Parameters
    ----------
    reclaimed : callable
        Tells a trial of one worker whether its node is about to be taken away.

    Raises
    ------
    ReclaimedError
        It is; a checkpoint was kept.
    """
    mne.set_log_level("ERROR")
    run, folds = run_name(experiment, context.manifest), context.folds
    report = TrialReport([fold.name for fold in folds], experiment, run, context.gpu, send)
    try:
        _train(experiment, context, run, folds, report.tell, reclaimed)
        outage_s = experiment.training.outage_s
        scores = retry_while_away(lambda: [fold.scores for fold in evaluate_folds(experiment, context.manifest, run, folds)], outage_s)
        report.finish(scores, retry_while_away(lambda: _measured(experiment, run, folds[0], context.gpu), outage_s))
    except UserError as error:
        report.fail(error)


def _train(
    experiment: Experiment,
    context: TrialContext,
    run: str,
    folds: Sequence[Fold],
    tell: Callable[[FoldProgress], None],
    reclaimed: Callable[[], bool],
) -> None:
    """Train fold after fold: here if a trial is one worker, which spares 10 to 20 s of a trainer's start, else by a trainer of its own."""
    training = experiment.training
    if training.workers > 1:
        for progress in train_folds(experiment, context.manifest, run, folds):
            tell(progress)
        return
    make_reproducible(training.threads_per_worker)
    world = World(device=torch.device("cuda" if context.gpu else "cpu"), reclaimed=reclaimed)
    for fold in folds:
        train_fold(experiment, context.manifest, run, fold, world, tell)


class TrialReport:
    """Turns what folds tell into what Tune, its scheduler and Optuna read.

    Time is epochs over all folds, one fold after another; the loss at a time is the mean over folds so far, each finished one
    with that of its best epoch. Trials of one study train the same folds for the same number of epochs, so at equal times they
    have seen the same subjects.

    Parameters
    ----------
    folds : sequence of str
        In the order they are trained.
    send : callable
        `ray.tune.report`.
    """

    def __init__(self, folds: Sequence[str], experiment: Experiment, run: str, gpu: bool, send: Callable[[dict[str, Any]], None]) -> None:
        self._folds = list(folds)
        self._experiment = experiment
        self._run = run
        self._gpu = gpu
        self._send = send
        self._told: dict[str, int] = {}
        self._best: dict[str, float] = {}
        self._news: dict[str, FoldProgress] = {}
        self._started = time.perf_counter()
        self._seconds_before = 0.0
        self._seconds = 0.0

    def tell(self, progress: FoldProgress) -> None:
        """Report the epochs of a fold that were not reported yet; those of an earlier life of this trial are all reported again."""
        self._news[progress.fold] = progress
        if progress.fold not in self._told:
            # A fold tells first of what it goes on from.
            self._seconds_before += sum(metrics.seconds for metrics in progress.history)
        known = self._told.get(progress.fold, 0)
        for metrics in progress.history[known:]:
            self._seconds += metrics.seconds
            losses = [*self._best.values(), metrics.validation_loss]
            epoch = self._folds.index(progress.fold) * self._experiment.training.epochs + metrics.epoch + 1
            self._report({"epoch": epoch, "validation_loss": statistics.fmean(losses)})
        self._told[progress.fold] = len(progress.history)
        if progress.result:
            self._best[progress.fold] = progress.result.best.validation_loss

    def finish(self, scores: Sequence[FoldScores], measured: Mapping[str, float]) -> None:
        """Report the score: the primary metric of each development subject where it was left out, averaged over subjects."""
        by_subject = over_types(model_scores(scores))
        result = {
            "epoch": len(self._folds) * self._experiment.training.epochs + 1,
            "score": statistics.fmean(by_subject.values()),
            "scores": [[subject, score] for subject, score in by_subject.items()],
            **measured,
        }
        self._report(result)

    def fail(self, error: UserError) -> None:
        """Report why the trial cannot be finished, or not now, and what it cost until then."""
        self._report({"unavailable" if isinstance(error, UnavailableError) else "cause": str(error)})

    def _report(self, result: dict[str, Any]) -> None:
        news, self._news = list(self._news.values()), {}
        cores = self._workers * self._experiment.training.threads_per_worker
        cost = {"core_hours": self._hours() * cores, "gpu_hours": self._hours() * self._workers * self._gpu}
        self._send({"run": self._run, "training_seconds": self._seconds, "news": news, **cost, **result})

    @property
    def _workers(self) -> int:
        return self._experiment.training.workers

    def _hours(self) -> float:
        """What the trial took, epochs of an earlier life included."""
        return (time.perf_counter() - self._started + self._seconds_before) / 3600


def _measured(experiment: Experiment, run: str, fold: Fold, gpu: bool) -> dict[str, float]:
    """Size of the network and the time it takes for one window, s."""
    result = finished(experiment.store, run, fold.name)
    assert result, "the fold was trained just now"
    measured: dict[str, float] = {"parameters": result.n_parameters}
    if "latency" in experiment.tuning.objectives:
        measured["latency"] = _latency_s(model_uri(experiment.store, run, fold.name), torch.device("cuda" if gpu else "cpu"))
    return measured


@torch.inference_mode()
def _latency_s(uri: str, device: torch.device) -> float:
    """Median time of a forward pass over one window."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        fetch_folder(uri, folder)
        network, card = load_model(folder)
    network = network.to(device).eval()
    places = unknown_places(card.signals).to(device)
    x_bct = torch.zeros(1, card.signals.input.n_channels, card.signals.input.n_times, device=device)
    times = []
    for _ in range(_FORWARD_PASSES):
        started = time.perf_counter()
        network.run(x_bct, places).cpu()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
