"""Search for settings of each variant of a comparison, one variant after another, and print what the best trial of each has."""

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any

from cluster import start_ray_for_trials
from command import checked, run_action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.trial import FrozenTrial

    from crossmodal.tracking.runs import Tracker
    from crossmodal.tuning.plan import SweepPlan


def tune_variants(arguments: argparse.Namespace) -> None:
    """Run a study for each variant, all with the same stop rules; ended ones are kept, and an interrupted one goes on."""
    from crossmodal.config import overridden
    from crossmodal.config.comparison import load_comparison
    from crossmodal.tuning.plan import plan_sweep
    from search_spaces.finding import find_space

    comparison, experiments = load_comparison(arguments.comparison, arguments.overrides, checked)
    plans = {}
    for label, experiment in experiments.items():
        name = f"{comparison.name}-{re.sub('[^A-Za-z0-9]+', '_', label)}"
        own = overridden(experiment, {"tuning.study": name})
        plans[label] = plan_sweep(own, find_space(own))
    first = next(iter(plans.values())).experiment
    # Only now, since they bring Ray and MLflow, which take seconds that a mistake need not wait for.
    from crossmodal.tracking.runs import Tracker

    start_ray_for_trials(first)
    with Tracker(first.tracking) as tracker:
        for label, plan in plans.items():
            best = _searched(label, plan, tracker)
            told = f"score {best.values[0]:.4g}, trial {best.number} of {plan.experiment.tuning.stop.trials}"
            print(f"{label}: {_short(best.user_attrs['overrides'])}  # {told}", flush=True)


def _searched(label: str, plan: "SweepPlan", tracker: "Tracker") -> "FrozenTrial":
    """Run trials of one variant until a stop rule holds, with a line each; the winner is not refitted."""
    from crossmodal.tracking.outage import retry_while_mlflow_away
    from crossmodal.tuning.study import called, how_it_ended
    from crossmodal.tuning.sweep import search
    from crossmodal.tuning.winner import describe_study

    def show(trial: "FrozenTrial") -> None:
        sys.stderr.write(f"{label}, {called(trial)}: {how_it_ended(trial, plan.experiment.tuning.objectives)}\n")

    study, journal, _ = search(plan, tracker, show)
    best, _ = describe_study(plan, study, journal, tracker)
    retry_while_mlflow_away(lambda: tracker.end(journal.run_id, "FINISHED"), plan.experiment.training.outage_s)
    return best


def _short(overrides: "Mapping[str, Any]") -> str:
    """Write settings as one line of YAML, with four digits of each number."""
    import yaml

    rounded = {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in overrides.items()}
    return yaml.safe_dump(rounded, default_flow_style=True, sort_keys=False, width=1000).strip()


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("comparison", metavar="COMPARISON.yaml")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="override a setting of every variant, as tuning.stop.trials=12")


if __name__ == "__main__":
    run_action(__doc__, tune_variants, _options)
