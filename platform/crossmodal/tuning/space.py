"""A search space, and the experiments it makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.trial import BaseTrial, FixedTrial

from crossmodal.config import Experiment, UserError, overridden
from crossmodal.config.data import CrossValidation
from crossmodal.models.checking import checked

# For each first trial; enough to walk every branch of a small space.
_REHEARSALS = 30


@dataclass(frozen=True)
class Space:
    """What trials vary.

    Attributes
    ----------
    name : str
        Its module, by which the study knows it.
    suggest : callable
        From an Optuna trial and the experiment to settings by dotted name.
    first : tuple of mapping of str to value
        Optuna parameters of the first trials; a space that does not ask for one of them leaves it out.
    """

    name: str
    suggest: Callable[[Any, Experiment], dict[str, Any]]
    first: tuple[Mapping[str, Any], ...]

    def rehearse(self, experiment: Experiment) -> dict[str, str]:
        """Make the first trials and some random ones, without running them.

        Returns
        -------
        dict of str to str
            The distribution of each Optuna parameter that was met, as JSON.

        Raises
        ------
        UserError
            The space names a setting that the experiment or its model has not, or a value it refuses.
        """
        for parameters in self.first:
            self._settings(FixedTrial(dict(parameters)), experiment)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        met: dict[str, BaseDistribution] = {}
        for _ in range(_REHEARSALS * len(self.first)):
            trial = study.ask()
            self._settings(trial, experiment)
            met |= trial.distributions
        optuna.logging.set_verbosity(verbosity)
        return {name: distribution_to_json(met[name]) for name in sorted(met)}

    def _settings(self, trial: BaseTrial, experiment: Experiment) -> None:
        try:
            checked(overridden(experiment, self.suggest(trial, experiment)))
        except UserError as error:
            raise UserError(f"search space {self.name}: {error}") from None
        except ValueError as error:
            raise UserError(f"search space {self.name}: FIRST lacks a parameter or has one outside its range ({error})") from None


def trial_experiment(experiment: Experiment, overrides: Mapping[str, Any], study: str, number: int, split: CrossValidation) -> Experiment:
    """The experiment that a trial is; its name, and with it that of all it leaves in the store, is the trial's own."""
    kind = chosen_model(overrides).rpartition(".")[2]
    return settings_alone(experiment, overrides, f"{study}-{number:04d}" + f"-{kind}" * bool(kind), split)


def chosen_model(overrides: Mapping[str, Any]) -> str:
    """The kind of model that a trial chose; empty where its space leaves that to the experiment."""
    return str(overrides.get("model", {}).get("kind", ""))


def trial_name(number: int, overrides: Mapping[str, Any]) -> str:
    """What tables and sentences call a trial: by its number, and by its model where it chose one."""
    kind = chosen_model(overrides)
    return f"trial {number}" + f", {kind}" * bool(kind)


def settings_alone(experiment: Experiment, overrides: Mapping[str, Any], name: str, split: CrossValidation) -> Experiment:
    """The study's experiment with other settings, on development subjects alone; ceilings and baselines are the study's affair."""
    changed = checked(overridden(experiment, overrides))
    evaluation = changed.evaluation.model_copy(update={"baselines": (), "ceilings": False})
    return changed.model_copy(update={"name": name, "split": split, "evaluation": evaluation})
