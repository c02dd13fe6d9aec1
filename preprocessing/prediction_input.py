"""A recording to predict from, cleaned as the training data of a model were."""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import mne
from mne.io import BaseRaw

from crossmodal.config import UserError
from crossmodal.config.cleaning import Artifacts
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing, Recordings
from crossmodal.config.signal_spec import Cortex
from crossmodal.models.registry import network_spec
from crossmodal.models.store import ModelCard
from crossmodal.tasks.cleaned_input import CleanedInput, Clock
from preprocessing.averages import is_average, read_average
from preprocessing.cleaning import clean
from preprocessing.readers.calibration import stage_calibration
from preprocessing.readers.files import list_files
from preprocessing.readers.reading import OpenedRecording, open_recording
from preprocessing.readers.registry import READERS
from preprocessing.readers.stores import file_finder, stage
from preprocessing.signals.units import ChannelUnits
from preprocessing.steps import voltages
from preprocessing.steps.bad_channels import interpolate_channels
from preprocessing.steps.channel_types import known_types
from preprocessing.steps.referencing import reference_recording
from preprocessing.steps.resampling import resample_recording


def clean_input(path: str, card: ModelCard, recorded: Recordings | None, scratch: Path, condition: str | None = None) -> CleanedInput:
    """Read a recording and clean it as a model's training data were, as far as it was recorded; of averages, one that is cleaned already.

    Parameters
    ----------
    path : str
        A recording of the input modality (FIF, CTF, KIT, BTi, EDF, BDF, BrainVision, EEGLAB or ds000116's MATLAB files) that has the
        model's channels, and where preprocessing takes channels together all that the training data have; others are left out. A model of
        any montage reads all its electrodes, and of MEG what it was trained with. For a model of the cortex it may be a FIF of averages
        (-ave.fif).
    card : ModelCard
        Of the model.
    recorded : Recordings, optional
        Of the experiment: which inputs are EOG and ECG, and what marks the volumes of a scanner. None where samples were made.
    scratch : Path
        A folder for a staged copy of a remote recording.
    condition : str, optional
        Which of the averages of a file; not needed where there is one.

    Raises
    ------
    UserError
        The recording cannot be read, or lacks channels that the model's input is made of; the sentence names them.
    """
    if is_average(path):
        return _clean_average(path, card, scratch, condition)
    if condition is not None:
        raise UserError(f"{path}: --condition chooses among the averages of a file -ave.fif, and this is a recording; leave it out")
    recordings = FileRecordings(files=(FileEntry(path=path, subject="virtual"),))
    (entry,) = list_files(recordings)
    opened = open_recording(entry, recordings, scratch)
    _call_as_known(opened.raw, card)
    clock = Clock.of(opened.raw)
    channel_types = recorded.channel_types if recorded else {}
    opened = _with_scanner(opened, card, recorded, path)
    kinds = {**known_types(opened.raw, opened.channels.types), **channel_types}
    card = _of_any_montage(card, [name for name in opened.raw.ch_names if kinds[name] == "eeg"], path)
    _keep_input(opened.raw, card, {name for name in opened.raw.ch_names if kinds[name] in card.preprocessing.references}, path)
    configured = {name: kind for name, kind in channel_types.items() if name in opened.raw.ch_names}
    settings, missed = _as_far_as_recorded(card.preprocessing, {kinds[name] for name in opened.raw.ch_names})
    settings = settings.model_copy(update={"modalities": _modalities(card), "bad_channels": "interpolate"})
    calibration = stage_calibration(entry, recordings, settings, scratch, file_finder(recordings))
    cleaned = clean(opened, recordings.model_copy(update={"channel_types": configured}), settings, calibration, path, keep_harmless=True)
    return CleanedInput(
        names=card.signals.input.names,
        x_ct=cleaned.raw.get_data(picks=list(card.signals.input.names)),
        clock=clock,
        info=cleaned.raw.info,
        bad_s=[(span.start_s, span.stop_s) for span in cleaned.marked],
        notes=(*missed, *cleaned.notes),
    )


def _clean_average(path: str, card: ModelCard, scratch: Path, condition: str | None) -> CleanedInput:
    """Bring an average to the model's band, rate and reference: artifacts and drifts were dealt with when it was made."""
    if not isinstance(card.signals.target.space, Cortex):
        raise UserError(f"{path}: holds averages, which are read where the cortex is predicted; give a recording")
    recordings, settings = FileRecordings(files=(FileEntry(path=path, subject="virtual"),)), card.preprocessing
    (entry,) = list_files(recordings)
    raw, first_sample = read_average(stage(entry.files[0], recordings, scratch), path, condition)
    _call_as_known(raw, card)
    clock = Clock(raw.info["sfreq"], len(raw.times), first_sample, mne.Annotations([], [], []))
    card = _of_any_montage(card, [raw.ch_names[pick] for pick in mne.pick_types(raw.info, eeg=True, exclude=())], path)
    _keep_input(raw, card, (), path)
    notes = voltages.check_plausible(raw, ChannelUnits(), path)
    interpolate_channels(raw, dict.fromkeys(raw.info["bads"], "marked bad"), path)
    if settings.lowpass_hz and raw.info["lowpass"] > settings.lowpass_hz:
        raw.filter(None, settings.lowpass_hz, verbose="error")
    raw = resample_recording(raw, settings)
    reference_recording(raw, settings)
    names = card.signals.input.names
    return CleanedInput(names=names, x_ct=raw.get_data(picks=list(names)), clock=clock, info=raw.info, bad_s=(), notes=tuple(notes))


def _of_any_montage(card: ModelCard, electrodes: Sequence[str], path: str) -> ModelCard:
    """Let a model that serves any montage read all electrodes there are, in an order that does not depend on the recording's, and MEG."""
    if not network_spec(card.network).model.any_montage or "eeg" not in card.signals.input.types:
        return card
    if not electrodes:
        raise UserError(f"{path}: has no EEG, which the model reads; give a recording with channels of that type")
    known = [name for name in card.signals.input.names if name in electrodes]
    read = dict.fromkeys((*known, *sorted(set(electrodes).difference(known))), "eeg") | _meg_sensors(card)
    input = card.signals.input.model_copy(update={"names": tuple(read), "types": tuple(read.values())})
    signals = card.signals.model_copy(update={"input": input})
    return card.model_copy(update={"signals": signals, "recorded_names": tuple(read)})


def _meg_sensors(card: ModelCard) -> dict[str, str]:
    """Types of the MEG sensors that a model of the cortex reads, by name."""
    input, of_cortex = card.signals.input, isinstance(card.signals.target.space, Cortex)
    return {name: kind for name, kind in zip(input.names, input.types, strict=True) if of_cortex and kind != "eeg"}


def _modalities(card: ModelCard) -> tuple[str, ...]:
    """What a model reads; one of the cortex may read EEG and MEG at once."""
    if not _meg_sensors(card):
        return (card.data.input.modality,)
    return ("eeg", "meg") if "eeg" in card.signals.input.types else ("meg",)


def _call_as_known(raw: BaseRaw, card: ModelCard) -> None:
    """Rename MEG sensors that an older file calls otherwise, as MEG 0111 in place of MEG0111."""
    known = {name.replace(" ", ""): name for name in _meg_sensors(card)}
    asked = {name: known.get(name.replace(" ", ""), name) for name in raw.ch_names}
    raw.rename_channels({name: called for name, called in asked.items() if called != name and called not in raw.ch_names}, verbose="error")


def _with_scanner(opened: OpenedRecording, card: ModelCard, recorded: Recordings | None, path: str) -> OpenedRecording:
    """Find the scanner's volumes by which gradients were taken off the training data; EEG from outside a scanner has none."""
    if not card.preprocessing.gradients or recorded is None:
        return opened
    try:
        markers = READERS[recorded.kind].volume_markers(opened.raw, recorded, 1 / card.signals.target.sfreq, path)
    except UserError:
        told = "has no markers of volumes: if it was recorded in a scanner, the gradients stay, though the training data's were taken off"
        return replace(opened, notes=(*opened.notes, told))
    return replace(opened, marker_s=markers.onset_s)


def _keep_input(raw: BaseRaw, card: ModelCard, references: Collection[str], path: str) -> None:
    """Drop channels that the training data have not, so that a reference is the mean of the same electrodes; keep EOG and ECG."""
    input = card.signals.input
    lacks_eeg = any(kind == "eeg" and name not in raw.ch_names for name, kind in zip(input.names, input.types, strict=True))
    rename = "rename them" + ", or add the one that was the reference (mne.add_reference_channels)" * lacks_eeg
    _check_there(raw, input.names, f"the model's {input.n_channels} channels", rename, path)
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
    mixed = settings.average_reference if card.data.input.modality == "eeg" else settings.maxwell
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
