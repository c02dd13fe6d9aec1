"""A3: what a trial of one worker takes beside its training, once the first has started a process for all.

Trials of one worker train in the Tune trial itself and share its process. What is left is all else that a trial does: Optuna and MLflow,
opening three folds, checkpoints after each epoch, publishing three models and scoring them on three subjects.
"""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
from optuna.trial import FrozenTrial
from rich.console import Console

from benchmarks.batches import write_dataset
from crossmodal.config import Experiment
from crossmodal.datasets.manifest import publish
from crossmodal.tracking.runs import Tracker
from crossmodal.tuning.plan import plan_sweep
from crossmodal.tuning.space import Space
from crossmodal.tuning.sweep import search

TARGET_S, TRIALS = 1.5, 8


def main() -> None:
    """Search on the batches' benchmark's recordings, and say what a trial takes beside its training."""
    console = Console()
    with tempfile.TemporaryDirectory() as scratch:
        experiment = _experiment(Path(scratch))
        publish(write_dataset(Path(experiment.store)), experiment.store, experiment.dataset_recipe)
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        with Tracker(experiment.tracking) as tracker:
            study, _, _ = search(plan_sweep(experiment, Space("benchmark", _suggest, ({"learning_rate": 1e-3},))), tracker, _tell(console))
        beside_s = seconds_beside_training(study.trials)
        ray.shutdown()
    first, later = beside_s[0], statistics.median(beside_s[1:])
    console.print(f"beside its training the first trial took {first:.1f} s, later ones {later:.2f} s (at most {max(beside_s[1:]):.2f} s)")
    console.print(f"A3: {later:.2f} s, wanted at most {TARGET_S:g}: {'reached' if later <= TARGET_S else 'missed'}")


def seconds_beside_training(trials: Sequence[FrozenTrial]) -> list[float]:
    """Time from one trial's end to the next one's, less what the epochs took, s; the first counts from its own start."""
    ends = [trial.datetime_complete for trial in trials]
    starts = [trials[0].datetime_start, *ends[:-1]]
    return [
        (end - start).total_seconds() - trial.user_attrs["training_seconds"]
        for trial, start, end in zip(trials, starts, ends, strict=True)
        if start and end
    ]


def _experiment(folder: Path) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "benchmark",
            "store": str(folder / "store"),
            "node_cache": {"root": str(folder / "cache")},
            "recordings": {"kind": "files", "files": [{"path": "absent.fif", "subject": "0"}]},
            "data": {"windows": {"kind": "sliding", "length_s": 5, "hop_s": 5}},
            "model": {"kind": "synaptech_net", "widths": [8, 16], "bridge_hidden": 16, "bridge_layers": 1},
            "training": {"epochs": 2, "batch_size": 16, "workers": 1},
            "tuning": {"folds": 3, "halving": None, "sampler": "random", "stop": {"trials": TRIALS}},
            "tracking": {"uri": f"sqlite:///{folder}/mlflow.db", "experiment": "benchmark"},
        }
    )


def _suggest(trial: Any, experiment: Experiment) -> dict[str, Any]:
    return {"training.learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)}


def _tell(console: Console) -> Callable[[FrozenTrial], None]:
    return lambda trial: console.print(f"trial {trial.number}: {trial.state.name.lower()}")


if __name__ == "__main__":
    main()
