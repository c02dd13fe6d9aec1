"""Predict from one recording with the trained model of an experiment."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossmodal.config import Experiment, UserError
from crossmodal.config.recordings import ChannelType
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import load_latest
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.storage.atomic import told_clearly
from crossmodal.storage.uri import fetch_folder, is_local
from crossmodal.tasks.sensors.export import CleanedInput, mark_virtual, save_whole, told_place, virtual_recording
from crossmodal.training.runs import finished, model_uri, run_name

CleanInput = Callable[[str, ModelCard, Mapping[str, ChannelType], Path], CleanedInput]


@dataclass(frozen=True)
class Written:
    """A virtual recording on disk."""

    path: Path
    fold: str
    n_channels: int
    duration_s: float
    notes: tuple[str, ...]


def predict_recording(experiment: Experiment, path: str, output: Path | None, fold: str | None, clean: CleanInput) -> Written:
    """Predict with an experiment's trained model and save the result as FIF, whole or not at all.

    Parameters
    ----------
    path : str
        The recording of the input modality.
    output : Path or None
        Must not exist; None names it after the recording, in this folder.
    fold : str or None
        Whose model predicts; None takes the first fold.
    clean : callable
        Reads the recording and cleans it as the model's training data were: from path, model card, types of channels that the experiment
        names, and a folder for staged copies.

    Raises
    ------
    UserError
        The fold is unknown or untrained, the output exists, or the recording cannot be used.
    """
    output = output or Path(f"{PurePosixPath(path).name.partition('.')[0]}_virtual_raw.fif")
    if output.exists():
        raise UserError(f"{output}: exists already; remove it or give --output another name")
    if not output.name.endswith((".fif", ".fif.gz")):
        raise UserError(f"{output}: a virtual recording is written as FIF; end --output with _raw.fif")
    with tempfile.TemporaryDirectory() as scratch, told_clearly(scratch):
        trained = TrainedModel.load(_fetched(experiment, fold, Path(scratch)))
        cleaned = clean(path, trained.card, experiment.recordings.channel_types, Path(scratch))
        raw = virtual_recording(trained, cleaned)
        mark_virtual(raw, trained.card)
        save_whole(raw, output)
    notes = (told_place(trained.card), *cleaned.notes)
    return Written(output, trained.card.fold, len(raw.ch_names), raw.times[-1] + 1 / raw.info["sfreq"], notes)


def _fetched(experiment: Experiment, fold: str | None, scratch: Path) -> Path:
    """Folder of a fold's model, fetched to `scratch` when the store is remote."""
    manifest = load_latest(experiment.store, experiment.dataset_recipe)
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
