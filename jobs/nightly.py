"""A night: preprocess what is new, search within a budget, promote what is better than the champion beyond chance, and write a digest."""

import argparse
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from cluster import start_ray_for_trials
from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment
    from crossmodal.nightly.morning import Dataset


def _options(parser: argparse.ArgumentParser) -> None:
    today = datetime.now(UTC).date()
    parser.add_argument("--date", type=date.fromisoformat, default=today, help="which night; one that is done is not done again")


def nightly(experiment: "Experiment", arguments: argparse.Namespace) -> int:
    """Run one night unless it is done, and say where its digest lies; 1 when recordings failed, 70 when the night failed unforeseen."""
    import mne

    from crossmodal.nightly.whole_night import Steps, run_whole_night
    from search_spaces.finding import find_space

    mne.set_log_level("ERROR")
    return run_whole_night(experiment, arguments.date.isoformat(), Steps(start_ray_for_trials, _preprocess, find_space, print))


def _preprocess(experiment: "Experiment") -> "Dataset":
    from crossmodal.nightly.morning import Dataset
    from crossmodal.reporting.digest import Failure

    if experiment.recordings is None:
        return Dataset(made=0, cached=0, failures=())
    from preprocessing.pipeline import preprocess_dataset
    from preprocessing.plan import plan_dataset

    report = preprocess_dataset(plan_dataset(experiment), lambda outcome: None)
    failures = tuple(Failure(what=outcome.entry.label, cause=outcome.cause) for outcome in report.failures)
    return Dataset(report.count("made"), report.count("cached"), failures)


if __name__ == "__main__":
    run_job(__doc__, nightly, _options)
