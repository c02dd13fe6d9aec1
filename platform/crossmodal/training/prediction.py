"""Predict from one recording with the trained model of an experiment."""

import tempfile
from pathlib import Path

from crossmodal.config import Experiment, UserError
from crossmodal.datasets.folds import make_folds
from crossmodal.storage.atomic import translate_disk_errors
from crossmodal.storage.uri import fetch_folder, is_local
from crossmodal.tasks.choosing import task_of
from crossmodal.tasks.cleaned_input import CleanInput
from crossmodal.tasks.contract import ForwardFiles, Written
from crossmodal.training.runs import finished, model_uri, run_name


def predict_recording(
    experiment: Experiment, path: str, output: Path | None, fold: str | None, clean: CleanInput, forward: ForwardFiles | None = None
) -> Written:
    """Predict with an experiment's trained model and save the result, whole or not at all.

    Parameters
    ----------
    path : str
        The recording of the input modality.
    output : Path or None
        Must not exist; None names it after the recording, in this folder.
    fold : str or None
        Whose model predicts; None takes the first fold.
    clean : callable
        As `CleanInput` says.
    forward : ForwardFiles, optional
        Of the subject, for a task and a model that can use it.

    Raises
    ------
    UserError
        The fold is unknown or untrained, the output exists, or the recording or the forward solution cannot be used.
    """
    task = task_of(experiment)
    if forward:
        task = task.with_forward(forward)
    output = output or task.default_output(path)
    if output.exists():
        raise UserError(f"{output}: exists already; remove it or give --output another name")
    task.check_output(output)
    with tempfile.TemporaryDirectory() as scratch, translate_disk_errors(scratch):
        model = _fetched(experiment, fold, Path(scratch))
        return task.predict(model, experiment, path, output, clean, Path(scratch))


def _fetched(experiment: Experiment, fold: str | None, scratch: Path) -> Path:
    """Folder of a fold's model, fetched to `scratch` when the store is remote."""
    manifest = task_of(experiment).find_dataset(experiment)
    names = [each.name for each in make_folds(experiment.split, manifest)]
    chosen = fold or names[0]
    if chosen not in names:
        raise UserError(f"--fold {chosen}: the experiment has no such fold; it has {', '.join(names)}")
    run = run_name(experiment, manifest)
    if finished(experiment.store, run, chosen) is None:
        raise UserError(f"fold {chosen} is not trained yet; run jobs/train.py with this experiment first")
    uri = model_uri(experiment.store, run, chosen)
    if is_local(uri):
        return Path(uri)
    fetch_folder(uri, scratch / "model")
    return scratch / "model"
