"""Write a simulated cohort as a BIDS dataset laid out like OpenNeuro ds000117."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import mne
import numpy as np

from crossmodal.config.simulation import Simulation
from crossmodal.physics.truth import SubjectTruth, truth_path
from preprocessing.simulated.evoked import CLASSES
from preprocessing.simulated.recording import Run
from preprocessing.simulated.sensors import ECG, HEOG, UNUSED, VEOG
from preprocessing.simulated.subject import Subject

TASK = "facerecognition"
_BIDS_VERSION = "1.8.0"
_PICTURE_S = 0.9
_TRIGGERS = {"Famous": 5, "Unfamiliar": 13, "Scrambled": 17}
_TYPES = {"mag": ("MEGMAG", "T"), "grad": ("MEGGRAD", "T/m"), "eeg": ("EEG", "V")}
_AUXILIARY_TYPES = {HEOG: ("HEOG", "V"), VEOG: ("VEOG", "V"), ECG: ("ECG", "V"), UNUSED: ("MISC", "n/a")}


def write_dataset(root: Path, simulation: Simulation, labels: Sequence[str]) -> None:
    """Write what describes the whole dataset."""
    description = {"Name": f"Simulated EEG and MEG ({simulation.cohort})", "BIDSVersion": _BIDS_VERSION, "License": "CC0"}
    generator = {"GeneratedBy": [{"Name": "crossmodal"}]}
    _write_json(root / "dataset_description.json", description | {"DatasetType": "raw"})
    _write_json(root / "derivatives" / "truth" / "dataset_description.json", description | {"DatasetType": "derivative"} | generator)
    (root / "README").write_text(
        "Simulated simultaneous EEG and MEG: no person was recorded. The sources, head models and noise behind every recording\n"
        "are in derivatives/truth, with the settings they were drawn with. As in OpenNeuro ds000117 the files type EEG061-EEG064\n"
        "as EEG, and channels.tsv says what they are: horizontal and vertical EOG, ECG, and an unused input. Onsets in events.tsv\n"
        "are those of the pictures: no stimulus delay is to be added.\n"
    )
    _write_table(root / "participants.tsv", ("participant_id",), ([f"sub-{label}"] for label in labels))


def write_run(root: Path, subject: Subject, run_number: int, run: Run) -> None:
    """Write one recording with its sidecars."""
    session = root / f"sub-{subject.label}" / "ses-meg"
    folder = session / "meg"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"sub-{subject.label}_ses-meg_task-{TASK}_run-{run_number:02d}"
    raw = mne.io.RawArray(run.data, subject.info.copy(), verbose=False)
    raw.save(folder / f"{stem}_meg.fif", fmt="single", split_naming="bids", verbose=False)
    _write_json(folder / f"{stem}_meg.json", _sidecar(subject, len(raw.times)))
    _write_channels(folder / f"{stem}_channels.tsv", subject)
    _write_events(folder / f"{stem}_events.tsv", subject, run)


def write_subject(root: Path, subject: Subject, truth: SubjectTruth, n_runs: int) -> None:
    """Write what holds for all runs of a subject: coordinates, the list of runs, and the truth."""
    session = root / f"sub-{subject.label}" / "ses-meg"
    stem = f"sub-{subject.label}_ses-meg"
    _write_json(session / "meg" / f"{stem}_coordsystem.json", _coordinates(subject))
    runs = ([f"meg/{stem}_task-{TASK}_run-{number:02d}_meg.fif"] for number in range(1, n_runs + 1))
    _write_table(session / f"{stem}_scans.tsv", ("filename",), runs)
    path = truth_path(root, subject.label)
    path.parent.mkdir(parents=True, exist_ok=True)
    truth.save(path)
    np.savez(
        path.with_name(f"sub-{subject.label}_sources.npz"),
        names=np.array(subject.names),
        lead_field=subject.lead_field,
        positions_m=subject.cortex.positions_m,
        orientations=subject.cortex.orientations,
        head_scale=subject.head_scale,
        dev_head_t=subject.info["dev_head_t"]["trans"],
    )


def _write_channels(path: Path, subject: Subject) -> None:
    rows = []
    for name, channel_type in zip(subject.info["ch_names"], subject.info.get_channel_types(), strict=True):
        bids_type, unit = _AUXILIARY_TYPES.get(name) or _TYPES[channel_type]
        rows.append([name, bids_type, unit, subject.info["sfreq"], "good"])
    _write_table(path, ("name", "type", "units", "sampling_frequency", "status"), rows)


def _write_events(path: Path, subject: Subject, run: Run) -> None:
    rows = []
    for sample, index in zip(run.stimuli.onset_sample, run.stimuli.class_index, strict=True):
        condition = CLASSES[index]
        rows.append([sample / subject.info["sfreq"], _PICTURE_S, sample, condition, condition, _TRIGGERS[condition]])
    _write_table(path, ("onset", "duration", "onset_sample", "trial_type", "stim_type", "trigger"), rows)


def _sidecar(subject: Subject, n_times: int) -> dict[str, Any]:
    return {
        "TaskName": TASK,
        "Manufacturer": "Elekta/Neuromag",
        "SamplingFrequency": subject.info["sfreq"],
        "PowerLineFrequency": subject.info["line_freq"],
        "RecordingDuration": n_times / subject.info["sfreq"],
        "RecordingType": "continuous",
        "DewarPosition": "upright",
        "SoftwareFilters": "n/a",
        "DigitizedLandmarks": True,
        "DigitizedHeadPoints": True,
        "MEGChannelCount": sum(channel_type != "eeg" for channel_type in subject.types),
        "EEGChannelCount": subject.types.count("eeg"),
        "EOGChannelCount": 2,
        "ECGChannelCount": 1,
        "EEGReference": "left ear",
    }


def _coordinates(subject: Subject) -> dict[str, Any]:
    names = {1: "LPA", 2: "Nasion", 3: "RPA"}
    landmarks = {names[point["ident"]]: [float(value) for value in point["r"]] for point in subject.info["dig"][:3]}
    return {
        "MEGCoordinateSystem": "ElektaNeuromag",
        "MEGCoordinateUnits": "m",
        "EEGCoordinateSystem": "ElektaNeuromag",
        "EEGCoordinateUnits": "m",
        "AnatomicalLandmarkCoordinates": landmarks,
        "AnatomicalLandmarkCoordinateSystem": "ElektaNeuromag",
        "AnatomicalLandmarkCoordinateUnits": "m",
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    path.write_text("".join("\t".join(str(value) for value in row) + "\n" for row in (header, *rows)))
