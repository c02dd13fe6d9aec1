"""Train an MLflow run again, with its commit, data, fold and seed, and say whether its metrics come out the same.

0 if so, 1 if not, or if nobody can tell that the code is the same.
"""

import argparse
import os
import tempfile

from cluster import start_ray
from command import run_action


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN_ID", help="of a fold, or of an experiment with all its folds")
    parser.add_argument("--tracking", metavar="URI", default=os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///runs/mlflow.db"))


def reproduce_run(arguments: argparse.Namespace) -> int:
    """Check code and data, train in a temporary store, and print what differs."""
    from crossmodal.config.experiment import Tracking
    from crossmodal.training.reproduction import read_recorded, reproduce

    recorded = read_recorded(Tracking(uri=arguments.tracking), arguments.run_id)
    training = recorded.experiment.training
    start_ray(num_cpus=training.workers * training.threads_per_worker * training.parallel_folds)
    with tempfile.TemporaryDirectory() as store:
        differences = reproduce(recorded, store)
    if differences:
        print(f"{len(differences)} figures of {recorded.name} differ:", *differences, sep="\n")
    else:
        print(f"{recorded.name}: all metrics of {len(recorded.folds)} folds came out the same")
    for unchecked in recorded.unchecked:
        print(unchecked)
    return 1 if differences or recorded.unchecked else 0


if __name__ == "__main__":
    run_action(__doc__, reproduce_run, _options)
