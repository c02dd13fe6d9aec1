"""Variants of an experiment that are trained and scored one after another."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossmodal.config import Experiment, UserError, fingerprint
from crossmodal.config.comparison import Comparison
from crossmodal.evaluation.names import TRAINING_MEAN
from crossmodal.models.registry import baseline_spec
from crossmodal.tasks.choosing import task_of
from crossmodal.training.plan import Plan, plan_training


@dataclass(frozen=True)
class ComparisonPlan:
    """What a comparison would train.

    Attributes
    ----------
    plans : mapping of str to Plan
        By the label of the variant.
    """

    comparison: Comparison
    plans: Mapping[str, Plan]

    @property
    def first(self) -> Plan:
        """The plan of the first variant, whose store and tracking the comparison has."""
        return next(iter(self.plans.values()))

    @property
    def run(self) -> str:
        """Name of the comparison in the store and in MLflow, by its runs."""
        return f"{self.comparison.name}-{fingerprint([plan.run for plan in self.plans.values()])}"


def plan_comparison(comparison: Comparison, experiments: Mapping[str, Experiment]) -> ComparisonPlan:
    """Plan the training of all variants, so that a mistake in the last one is told before the first one trains.

    Raises
    ------
    UserError
        As `plan_training` does, or variants cannot stand in one table; the sentence names the variant.
    """
    plans = {}
    for label, experiment in experiments.items():
        try:
            plans[label] = plan_training(experiment)
        except UserError as error:
            raise UserError(f"variant '{label}': {error}") from None
    _check_one_table(plans)
    if comparison.primary is not None:
        _check_rival(comparison.primary, plans[comparison.primary].experiment)
    return ComparisonPlan(comparison, plans)


def _check_one_table(plans: Mapping[str, Plan]) -> None:
    (first, of_first), *others = plans.items()
    runs = {of_first.run: first}
    for label, plan in others:
        if plan.run in runs:
            raise UserError(f"variants '{runs[plan.run]}' and '{label}' are the same training; change a setting of one or leave it out")
        runs[plan.run] = label
        if task_of(plan.experiment).name != task_of(of_first.experiment).name:
            raise UserError(f"variants '{first}' and '{label}' have different tasks, whose scores cannot stand in one table")
        if task_of(plan.experiment).scored_in(plan.experiment) != task_of(of_first.experiment).scored_in(of_first.experiment):
            raise UserError(
                f"variants '{first}' and '{label}' have different targets, whose scores cannot stand in one table; of volumes, set"
                " evaluation.regions to an atlas in whose regions all are scored"
            )
        if {fold.label for fold in plan.folds} != {fold.label for fold in of_first.folds}:
            raise UserError(f"variants '{first}' and '{label}' divide recordings in different ways; jobs/compare_splits.py compares these")


def _check_rival(label: str, experiment: Experiment) -> None:
    card = task_of(experiment).scorecard(experiment)
    titles = [baseline_spec(baseline).config.title for baseline in experiment.evaluation.baselines]
    if not any(map(card.is_rival, titles)):
        told = ", ".join(titles) or TRAINING_MEAN
        raise UserError(f"primary: variant '{label}' is compared with {card.rival}, which is not in its evaluation.baselines ({told})")
