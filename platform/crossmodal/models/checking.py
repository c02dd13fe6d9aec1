"""Hold the settings of models and baselines in an experiment to what their modules know."""

from crossmodal.config import Experiment, UserError
from crossmodal.models.registry import ModelSpec, baseline_spec, network_spec
from crossmodal.models.ridge import RidgeConfig


def checked(experiment: Experiment) -> Experiment:
    """Fill in what the settings of models and baselines leave out.

    Raises
    ------
    UserError
        A model or baseline is unknown or refuses a setting, or two of them would be one row of a table.
    """
    evaluation = experiment.evaluation
    model = network_spec(experiment.model)
    baselines = [baseline_spec(settings, f"evaluation.baselines.{index}") for index, settings in enumerate(evaluation.baselines)]
    physiology = baseline_spec(evaluation.physiology, "evaluation.physiology")
    if not isinstance(physiology.config, RidgeConfig):
        raise UserError(f"evaluation.physiology.kind: '{physiology.kind}' does not map EOG and ECG; ridge does")
    _check_titles([model, *baselines])
    update = {"baselines": tuple(baseline.settings for baseline in baselines), "physiology": physiology.settings}
    return experiment.model_copy(update={"model": model.settings, "evaluation": evaluation.model_copy(update=update)})


def _check_titles(specs: list[ModelSpec]) -> None:
    titles = [spec.config.title for spec in specs]
    for title in titles:
        if titles.count(title) > 1:
            raise UserError(
                f"evaluation.baselines: two rows would be called '{title}'; leave one out, or, of a ridge, give one several penalties"
            )
