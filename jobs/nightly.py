"""A night: preprocess what is new, search within a budget, promote what is better than the champion beyond chance, and write a digest."""

import argparse
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from cluster import start_ray
from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment


def _options(parser: argparse.ArgumentParser) -> None:
    today = datetime.now(UTC).date()
    parser.add_argument("--date", type=date.fromisoformat, default=today, help="which night; one that is done is not done again")


def nightly(experiment: "Experiment", arguments: argparse.Namespace) -> int:
    """Run one night unless it is done, and say where its digest lies; 1 when recordings failed or the night did."""
    from crossmodal.nightly.record import nights_uri, read_record
    from crossmodal.storage.lease import Lease
    from crossmodal.storage.uri import check_reachable, is_local, join, open_fs

    store = open_fs(experiment.store)[1] if is_local(experiment.store) else experiment.store
    experiment, night = experiment.model_copy(update={"store": store}), arguments.date.isoformat()
    check_reachable(store)
    nights = nights_uri(store, experiment.name)
    with Lease(join(nights, "running.json"), f"a night of {experiment.name}"):
        known = read_record(nights, night)
        if known and known.done:
            print(f"night of {night} is done: {known.verdict}\ndigest: {join(nights, night, 'digest.html')}")
            return known.code
        from night import Night

        start_ray(dashboard=experiment.training.workers > 1, num_cpus=_cores(experiment))
        return Night(experiment, nights, night, known).run()


def _cores(experiment: "Experiment") -> int:
    nested = experiment.training.workers > 1
    return experiment.tuning.parallel_trials * (experiment.training.workers * experiment.training.threads_per_worker + nested)


if __name__ == "__main__":
    run_job(__doc__, nightly, _options)
