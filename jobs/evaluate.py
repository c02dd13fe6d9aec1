"""Score the trained models of an experiment on their test subjects, beside baselines and ceilings: a table, figures, MLflow."""

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment
    from crossmodal.training.plan import Plan


def _count_look(plan: "Plan") -> str:
    """Write down, before it happens, that test subjects of searches are scored; say so, or nothing where there are none."""
    from crossmodal.evaluation.openings import openings, record_opening
    from crossmodal.tuning.locks import locks

    store, manifest = plan.experiment.store, plan.manifest
    scored = {part.subject for fold in plan.folds for part in fold.parts("test")}
    opened = [lock for lock in locks(store, manifest) if scored & set(lock.subjects)]
    if not opened:
        return ""
    searches = f"the search '{opened[0].study}'" + (f" and {len(opened) - 1} more" if len(opened) > 1 else "")
    subjects = tuple(sorted(scored & {subject for lock in opened for subject in lock.subjects}))
    record_opening(store, manifest.fingerprint, plan.run, f"jobs/evaluate.py, beside {searches}", subjects)
    return (
        f"LOCKED SUBJECTS SHOWN: {', '.join(subjects)}, which {searches} keeps for the test; counted as a look, of "
        f"{len(openings(store, manifest))} so far."
    )


def evaluate(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Evaluate all folds, print the table, and say where everything lies."""
    from crossmodal.config import UserError
    from crossmodal.training.plan import plan_training

    plan = plan_training(experiment)
    if plan.missing:
        names = ", ".join(fold.name for fold in plan.missing)
        raise UserError(f"{names}: not trained with these settings; run python jobs/train.py {arguments.experiment} first")
    # Only now, since it brings MLflow, which takes seconds that a mistake need not wait for.
    import mne
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    from crossmodal.reporting.loss import Losses
    from crossmodal.reporting.report import Publisher, draw_run
    from crossmodal.reporting.table import ScoreTable, to_rich
    from crossmodal.tasks.choosing import task_of
    from crossmodal.tasks.evaluate import evaluate_folds
    from crossmodal.tracking.links import way_to_runs
    from crossmodal.tracking.runs import Tracker

    # Per call, as everywhere else, it would not hold: folds are evaluated in threads, which share MNE's level.
    mne.set_log_level("ERROR")
    losses = {
        name: Losses([epoch.loss for epoch in result.history], [epoch.validation_loss for epoch in result.history])
        for name, result in plan.finished.items()
    }
    task = task_of(experiment)
    scorecard, scores = task.scorecard(experiment), []
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Tracker(experiment.tracking) as tracker, Progress(*columns, console=Console(stderr=True)) as progress:
        publisher = Publisher(plan.experiment.store, plan.run, tracker, scorecard.primary)
        opened = _count_look(plan)
        evaluations = evaluate_folds(plan.experiment, plan.manifest, plan.run, plan.folds)
        for fold in progress.track(evaluations, len(plan.folds), description="evaluating folds"):
            publisher.publish_fold(fold.scores, task.draw_fold(fold, experiment))
            scores.append(fold.scores)
        table = ScoreTable.of(experiment, scores, scorecard)
        table = replace(table, note=" ".join(filter(None, [table.note, opened])))
        publisher.publish_run(table, draw_run(scores, losses, scorecard))
    # A log has no width; columns would be cut at 80.
    Console(width=None if sys.stdout.isatty() else 170).print(to_rich(table))
    print(f"figures: {publisher.figures_uri}\nMLflow: {way_to_runs(experiment.tracking.uri, tracker.experiment_id)}")


if __name__ == "__main__":
    run_job(__doc__, evaluate)
