"""A recording of the cheap scanner becomes a virtual recording of the expensive one."""

import difflib
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import mne
import numpy as np
import torch
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import Experiment, UserError
from crossmodal.config.cleaning import Artifacts
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from crossmodal.config.sources import ChannelType
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import load_latest
from crossmodal.datasets.normaliser import Normaliser
from crossmodal.datasets.virtual_data import VIRTUAL, leave_gaps
from crossmodal.models.base import Model
from crossmodal.models.continuous import predict_continuous
from crossmodal.models.store import TARGET_INFO, ModelCard, load_model
from crossmodal.storage.atomic import new_files, told_clearly
from crossmodal.storage.uri import fetch_folder, is_local
from crossmodal.training.runs import finished, model_uri, run_name
from preprocessing.cleaning import clean
from preprocessing.readers.calibration import stage_calibration
from preprocessing.readers.files import list_files
from preprocessing.readers.reading import open_recording
from preprocessing.readers.stores import file_finder
from preprocessing.signals.spans import Span
from preprocessing.steps.channel_types import known_types
from preprocessing.steps.resampling import Resampler


@dataclass(frozen=True)
class Translator:
    """A trained network with all it takes to go from SI units to SI units."""

    network: Model
    normaliser: Normaliser
    card: ModelCard
    target_info: mne.Info

    @classmethod
    def load(cls, folder: Path) -> "Translator":
        """Read what training published."""
        network, card = load_model(folder)
        return cls(network, Normaliser.from_plain(card.normaliser), card, mne.io.read_info(folder / TARGET_INFO, verbose="error"))

    def __call__(self, x_ct: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict in SI units from a preprocessed source in SI units: shapes (n_source, n_samples) and (n_target, n_samples)."""
        source_ct = self.normaliser.source(torch.as_tensor(x_ct, dtype=torch.float32)[None])[0]
        predicted_st = predict_continuous(self.network, source_ct, self.card.shapes.n_times, self.card.shapes.n_target)
        return self.normaliser.target.inverse(predicted_st[None].double())[0].numpy()


@dataclass(frozen=True)
class Clock:
    """When a recording was made: its sampling, start and annotations."""

    sfreq: float
    n_samples: int
    first_sample: int
    annotations: mne.Annotations

    @classmethod
    def of(cls, raw: BaseRaw) -> "Clock":
        """Read a recording's clock before any step changes it."""
        annotations = raw.annotations.copy()
        if annotations.orig_time is None:
            # Without a measurement date, MNE takes onsets from the first sample when they are set, and gives them from sample 0.
            annotations.onset -= raw.first_time
        return cls(raw.info["sfreq"], len(raw.times), raw.first_samp, annotations)

    def bad(self, spans: Sequence[Span]) -> mne.Annotations:
        """Annotations of what the model's input is of no use in, beside those of the recording."""
        origin, begin_s = self.annotations.orig_time, self.first_sample / self.sfreq
        onset_s = [span.start_s + (begin_s if origin else 0.0) for span in spans]
        return mne.Annotations(onset_s, [span.duration_s for span in spans], "BAD_source", orig_time=origin)


@dataclass(frozen=True)
class Written:
    """A virtual recording on disk."""

    path: Path
    fold: str
    n_channels: int
    duration_s: float
    notes: tuple[str, ...]


def write_virtual_recording(experiment: Experiment, path: str, output: Path | None, fold: str | None) -> Written:
    """Predict with an experiment's trained model and save the result as FIF, whole or not at all.

    Parameters
    ----------
    path : str
        The recording of the source modality.
    output : Path or None
        Must not exist; None names it after the recording, in this folder.
    fold : str or None
        Whose model predicts; None takes the first fold.

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
        translator = Translator.load(_trained(experiment, fold, Path(scratch)))
        raw, notes = virtual_recording(path, translator, experiment.recordings.channel_types, Path(scratch))
        raw.apply_function(leave_gaps, channel_wise=False, sfreq=raw.info["sfreq"], lowpass_hz=translator.card.preprocessing.lowpass_hz)
        save_whole(raw, output)
    return Written(output, translator.card.fold, len(raw.ch_names), raw.times[-1] + 1 / raw.info["sfreq"], notes)


def save_whole(raw: BaseRaw, output: Path, split_size: str = "2GB") -> None:
    """Save a recording as FIF, all of its parts or nothing.

    Parameters
    ----------
    output : Path
        Ends with .fif or .fif.gz; further parts are called after it.
    split_size : str
        What a part holds at most; a FIF file can hold no more than 2 GB.

    Raises
    ------
    UserError
        A part exists already, or there is no room.
    """
    # Each part holds the name of the next one, so that none can be renamed.
    with new_files(output) as aside:
        raw.save(aside / output.name, split_size=split_size, verbose="error")


def _trained(experiment: Experiment, fold: str | None, scratch: Path) -> Path:
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


def virtual_recording(
    path: str, translator: Translator, channel_types: Mapping[str, ChannelType], scratch: Path
) -> tuple[mne.io.RawArray, tuple[str, ...]]:
    """Predict what the target sensors would have recorded.

    Parameters
    ----------
    path : str
        A recording of the source modality (FIF, CTF, KIT, BTi, EDF, BDF, BrainVision or EEGLAB) that has the model's channels, and where
        preprocessing takes channels together all that the training data have; others are left out.
    translator : Translator
        The recording is preprocessed as the network's training data were.
    channel_types : mapping of channel name to type
        Of the experiment: which inputs are EOG and ECG.
    scratch : Path
        A folder for a staged copy of a remote recording.

    Returns
    -------
    raw : mne.io.RawArray
        Target sensors in SI units, with the training data's sensor positions and the recording's own sampling rate, length,
        start and annotations, and more of these (BAD_source) where preprocessing marked the source bad.
    notes : tuple of str
        Sentences that the run should say.

    Raises
    ------
    UserError
        The recording cannot be read, or lacks channels that the model's input is made of; the sentence names them.
    """
    recordings = FileRecordings(files=(FileEntry(path=path, subject="virtual"),))
    (entry,) = list_files(recordings)
    opened = open_recording(entry, recordings, scratch)
    clock, digitised = Clock.of(opened.raw), opened.raw.info["dig"]
    trained = translator.card.preprocessing
    kinds = {**known_types(opened.raw, opened.channels.types), **channel_types}
    _keep_source(opened.raw, translator.card, {name for name in opened.raw.ch_names if kinds[name] in trained.references}, path)
    configured = {name: kind for name, kind in channel_types.items() if name in opened.raw.ch_names}
    settings, missed = _as_far_as_recorded(trained, {kinds[name] for name in opened.raw.ch_names})
    settings = settings.model_copy(update={"modalities": (translator.card.data.source.modality,), "bad_channels": "interpolate"})
    calibration = stage_calibration(entry, recordings, settings, scratch, file_finder(recordings))
    cleaned = clean(opened, recordings.model_copy(update={"channel_types": configured}), settings, calibration, path, spare_usual=True)
    y_st = translator(cleaned.raw.get_data(picks=list(translator.card.source_names)))
    raw = _on_clock(y_st, clock, translator, digitised, cleaned.marked)
    return raw, (_told_place(translator), *missed, *cleaned.notes)


def _told_place(translator: Translator) -> str:
    """Say whose head the virtual sensors stand around: it decides where sources land."""
    subject = translator.card.trained_on[0]
    if translator.card.data.target.modality == "eeg":
        return f"virtual electrodes stand where those of training subject {subject} stood"
    return (
        f"virtual sensors stand around the head as they did around training subject {subject}'s (dev_head_t), not as in this recording:"
        " sources are localised for that head position"
    )


def _keep_source(raw: BaseRaw, card: ModelCard, references: Collection[str], path: str) -> None:
    """Drop channels that the training data have not, so that a reference is the mean of the same electrodes; keep EOG and ECG."""
    _check_there(raw, card.source_names, f"the model's {len(card.source_names)} channels", "rename them", path)
    if _taken_together(card):
        together = f"the {len(card.recorded_names)} channels that its training data were referenced or cleaned by"
        advice = "rename them, or train without them (recordings.channel_types, misc)"
        _check_there(raw, card.recorded_names, together, advice, path)
    kept = {*card.recorded_names, *references}
    raw.pick([name for name in raw.ch_names if name in kept])


def _check_there(raw: BaseRaw, names: Sequence[str], called: str, advice: str, path: str) -> None:
    missing = [name for name in names if name not in raw.ch_names]
    if missing:
        nearest = difflib.get_close_matches(missing[0], raw.ch_names, n=1, cutoff=0.0)
        hint = f" (nearest to {missing[0]}: '{nearest[0]}')" if nearest else ""
        raise UserError(f"{path}: lacks {len(missing)} of {called}: {', '.join(missing)}{hint}; {advice}")


def _taken_together(card: ModelCard) -> bool:
    """Whether what a channel becomes depends on which others there are."""
    settings = card.preprocessing
    mixed = settings.average_reference if card.data.source.modality == "eeg" else settings.maxwell
    return bool(mixed or settings.ica or settings.ssp)


def _as_far_as_recorded(settings: Preprocessing, kinds: Collection[str]) -> tuple[Preprocessing, list[str]]:
    """Leave out what a recording lacks EOG or ECG for: unlike training data, it is still worth a prediction."""
    missed = [
        f"has no {kind.upper()}: its artifacts stay, though the training data's were taken off"
        for kind in settings.references
        if kind not in kinds
    ]

    def left(step: Artifacts | None) -> Artifacts | None:
        there = tuple(kind for kind in step.references if kind in kinds) if step else ()
        return step.model_copy(update={"references": there}) if step and there else None

    return settings.model_copy(update={"ica": left(settings.ica), "ssp": left(settings.ssp)}), missed


def _on_clock(
    y_st: NDArray[np.float64], clock: Clock, translator: Translator, digitised: list[dict[str, Any]] | None, marked: Sequence[Span]
) -> mne.io.RawArray:
    sfreq = translator.card.shapes.sfreq
    at_rate_st = y_st
    if clock.sfreq != sfreq:
        to_clock = Resampler(sfreq, clock.sfreq, y_st.shape[1], clock.n_samples)
        at_rate_st = np.stack([to_clock(y_t) for y_t in y_st])
    info = mne.pick_info(translator.target_info, [translator.target_info["ch_names"].index(name) for name in translator.card.target_names])
    with info._unlock():
        info["sfreq"] = clock.sfreq
        info["dig"] = digitised or info["dig"]
    info["description"] = f"{VIRTUAL} run {translator.card.run}, fold {translator.card.fold}"
    raw = mne.io.RawArray(at_rate_st, info, first_samp=clock.first_sample, verbose="error")
    raw.set_meas_date(clock.annotations.orig_time)
    return raw.set_annotations(clock.annotations + clock.bad(marked), verbose="error")
