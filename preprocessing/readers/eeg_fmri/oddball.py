"""Auditory and visual oddball (Walz et al. 2013; ds000116 as OpenfMRI released it): MATLAB files beside NIfTI, a folder a run.

The .mat files hold no volume markers. Its README says that the scanner's start triggered the EEG's and drove its clock, so volume k begins
k repetition times after the first sample; a run says that this was taken on trust.
"""

from pathlib import Path, PurePosixPath

import numpy as np
from fsspec import AbstractFileSystem
from mne.io import BaseRaw

from crossmodal.config import UserError
from crossmodal.config.eeg_fmri import OddballRecordings
from preprocessing.readers.eeg_fmri.image import Markers
from preprocessing.readers.eeg_fmri.shared import wanted_subjects, with_files_elsewhere
from preprocessing.readers.entry import BoldFiles, Entry, SourceFile
from preprocessing.readers.formats.opening import read_raw_file
from preprocessing.readers.stores import asked_at_once, files, folders, open_root


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
    """Open a recording as `read_oddball` does.

    Raises
    ------
    UserError
        The file is missing, is no MATLAB file, or holds another matrix.
    """
    if not path.exists():
        raise UserError(f"{uri}: no such recording; the EEG is in release 1 of ds000116 on OpenfMRI, not on OpenNeuro")
    return read_raw_file(path, uri)


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
