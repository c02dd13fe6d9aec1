"""Hold the settings of models and baselines in an experiment to what their modules know."""

from crossmodal.config import Experiment, UserError
from crossmodal.config.data import Windows
from crossmodal.models.base import Baseline, Predicts, TeacherForced
from crossmodal.models.registry import ModelSpec, baseline_spec, config_class, network_spec, registered
from crossmodal.models.ridge import RidgeConfig


def checked(experiment: Experiment) -> Experiment:
    """Fill in what the settings of models and baselines leave out.

    Raises
    ------
    UserError
        A model or baseline is unknown, refuses a setting or predicts something else than the windows hold, or two of them would be one row
        of a table.
    """
    evaluation = experiment.evaluation
    model = network_spec(experiment.model)
    baselines = [baseline_spec(settings, f"evaluation.baselines.{index}") for index, settings in enumerate(evaluation.baselines)]
    physiology = baseline_spec(evaluation.physiology, "evaluation.physiology")
    if not isinstance(physiology.config, RidgeConfig):
        raise UserError(f"evaluation.physiology.kind: '{physiology.kind}' does not map EOG and ECG; ridge does")
    _check_target(model, "model", experiment.data.windows)
    for index, baseline in enumerate(baselines):
        _check_target(baseline, f"evaluation.baselines.{index}", experiment.data.windows)
    if evaluation.teacher_forcing == "void" and not issubclass(model.model, TeacherForced):
        raise UserError(f"evaluation.teacher_forcing: '{model.kind}' is told nothing of its target in training either; leave it at none")
    _check_titles([model, *baselines])
    update = {"baselines": tuple(baseline.settings for baseline in baselines), "physiology": physiology.settings}
    return experiment.model_copy(update={"model": model.settings, "evaluation": evaluation.model_copy(update=update)})


def _check_target(spec: ModelSpec, section: str, windows: Windows) -> None:
    wanted: Predicts = "volumes" if windows.kind == "volumes" else "signals"
    if wanted in spec.config.predicts:
        return
    is_baseline = issubclass(spec.model, Baseline)
    known = [kind for kind, model in registered(is_baseline=is_baseline).items() if wanted in config_class(model, kind, section).predicts]
    raise UserError(
        f"{section}.kind: '{spec.kind}' predicts {' or '.join(spec.config.predicts)}, and windows of kind {windows.kind} have {wanted} to"
        f" predict; choose {', '.join(sorted(known))}"
    )


def _check_titles(specs: list[ModelSpec]) -> None:
    titles = [spec.config.title for spec in specs]
    for title in titles:
        if titles.count(title) > 1:
            raise UserError(
                f"evaluation.baselines: two rows would be called '{title}'; leave one out, or, of a ridge, give one several penalties"
            )
