"""Auditory and visual oddball (Walz et al. 2013; ds000116 as OpenfMRI released it): MATLAB files beside NIfTI, a folder a run.

The .mat files hold no volume markers. Its README says that the scanner's start triggered the EEG's and drove its clock, so volume k begins
k repetition times after the first sample; a run says that this was taken on trust.
"""

from pathlib import Path, PurePosixPath

import mne
import numpy as np
import scipy.io
from fsspec import AbstractFileSystem
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.eeg_fmri import OddballRecordings
from preprocessing.readers.eeg_fmri.image import Markers
from preprocessing.readers.eeg_fmri.shared import wanted_subjects, with_files_elsewhere
from preprocessing.readers.entry import BoldFiles, Entry, SourceFile
from preprocessing.readers.stores import asked_at_once, files, folders, open_root
from preprocessing.signals.broken import translate_reading_errors

_SFREQ = 1000.0
_MICROVOLT = 1e-6
# Rows of the matrices in their order, as the README's key has them: the last two are stimuli and responses.
_ROWS = {
    "EEG_noGA": ("data_noGA", [("pair", "eeg", 43), ("EOG", "eog", 2), ("ECG", "ecg", 2)]),
    "EEG_rereferenced": ("data_reref", [("E", "eeg", 34), ("ECG", "ecg", 1)]),
}
_STIMULI = {125: "auditory standard", 150: "auditory target", 225: "visual standard", 250: "visual target"}
_RESPONSES = {100: "response"}


def list_oddball(recordings: OddballRecordings) -> list[Entry]:
    """List the runs of each subject, those with an image or an EEG.

    Raises
    ------
    UserError
        There is no such folder, subject or run.
    """
    filesystem, root = open_root(recordings.root, recordings.anonymous, recordings.endpoint_url)
    present = {PurePosixPath(folder).name for folder in folders(filesystem, root) if PurePosixPath(folder).name.startswith("sub")}
    subjects = wanted_subjects(recordings, present, "sub001/EEG/task001_run001/*.mat with sub001/BOLD/task001_run001/bold.nii.gz")
    of_subjects = asked_at_once(lambda subject: _entries(filesystem, root, subject, recordings), subjects)
    entries = [entry for of_subject in of_subjects for entry in of_subject]
    if not entries:
        raise UserError(f"{recordings.root}: holds none of the runs {', '.join(recordings.runs or ())}; check recordings.runs")
    return with_files_elsewhere(entries, recordings)


def open_oddball(path: Path, uri: str) -> BaseRaw:
    """Read a recording with its stimuli and responses as annotations; its electrodes have no positions.

    Raises
    ------
    UserError
        The file is missing, is no MATLAB file, or holds another matrix.
    """
    if not path.exists():
        raise UserError(f"{uri}: no such recording; the EEG is in release 1 of ds000116 on OpenfMRI, not on OpenNeuro")
    key, rows = _ROWS[path.stem]
    names = [f"{prefix}{number:02d}" for prefix, _, count in rows for number in range(1, count + 1)]
    types = [kind for _, kind, count in rows for _ in range(count)]
    with translate_reading_errors(uri):
        data_ct = np.asarray(scipy.io.loadmat(path, variable_names=[key])[key], dtype=np.float64)
    if data_ct.ndim != 2 or len(data_ct) != len(names) + 2:
        raise UserError(f"{uri}: {key} has shape {data_ct.shape}, not {len(names) + 2} rows; replace the file or leave it out")
    info = mne.create_info(names, _SFREQ, types)
    raw = mne.io.RawArray(data_ct[: len(names)] * _MICROVOLT, info, verbose="error")
    found = [*_steps(data_ct[-2], _STIMULI), *_steps(data_ct[-1], _RESPONSES)]
    raw.set_annotations(mne.Annotations([onset for onset, _ in found], 0.0, [text for _, text in found]))
    return raw


def scanner_clock(raw: BaseRaw, tr_s: float) -> Markers:
    """Time volumes by the trigger that started the EEG with the scanner."""
    # An EEG cut at the scan's end may lack its last sample, and still spans the last volume.
    n_volumes = int((len(raw.times) + 1) / raw.info["sfreq"] / tr_s + 1e-6)
    note = "has no volume markers: its volumes are timed from the trigger that started the EEG with the scanner, as the dataset documents"
    return Markers(tr_s * np.arange(n_volumes, dtype=np.float64), (note,))


def _entries(filesystem: AbstractFileSystem, root: str, subject: str, recordings: OddballRecordings) -> list[Entry]:
    runs = {PurePosixPath(folder).name for part in ("EEG", "BOLD") for folder in folders(filesystem, f"{root}/{subject}/{part}")}
    entries = []
    for run in sorted(runs & set(recordings.runs) if recordings.runs else runs):
        eeg, bold = f"{root}/{subject}/EEG/{run}", f"{root}/{subject}/BOLD/{run}"
        name = f"{recordings.eeg}.mat"
        signals = next((file for file in files(filesystem, eeg) if file.name == name), SourceFile.missing(f"{eeg}/{name}"))
        image = next((file for file in files(filesystem, bold) if file.name == "bold.nii.gz"), SourceFile.missing(f"{bold}/bold.nii.gz"))
        entries.append(Entry(subject=subject, run=run, files=(signals,), bold=BoldFiles(image=image)))
    return entries


def _steps(codes_t: NDArray[np.float64], named: dict[int, str]) -> list[tuple[float, str]]:
    """Onsets, s, and names of the codes that a line rises to."""
    rounded = np.rint(codes_t).astype(np.int64)
    starts = np.flatnonzero(np.diff(rounded, prepend=rounded[:1])) if len(rounded) else np.empty(0, dtype=np.int64)
    return [(start / _SFREQ, named[int(rounded[start])]) for start in starts if int(rounded[start]) in named]
