"""Every reader of recordings by the name that `recordings.kind` gives it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne.io import BaseRaw

from preprocessing.readers.bids.dataset import list_bids
from preprocessing.readers.eeg_fmri.bids import list_bids_fmri
from preprocessing.readers.eeg_fmri.cn_epfl import GRADIENTS_LEFT, list_cn_epfl
from preprocessing.readers.eeg_fmri.image import Markers, annotated_markers
from preprocessing.readers.eeg_fmri.noddi import list_noddi
from preprocessing.readers.eeg_fmri.oddball import list_oddball, open_oddball, scanner_clock
from preprocessing.readers.entry import Entry
from preprocessing.readers.files import list_files
from preprocessing.readers.formats.opening import read_raw_file


def _by_annotation(raw: BaseRaw, recordings: Any, tr_s: float, called: str) -> Markers:
    return annotated_markers(raw, recordings.volume_marker, called)


@dataclass(frozen=True)
class Reader:
    """How recordings of one kind are found and opened.

    Attributes
    ----------
    summary : str
        One line that says what it reads.
    list : callable
        From the kind's settings to entries; opens no recording.
    open_raw : callable
        From a local path, the URI that sentences call it, and its parts' local paths by theirs, to a recording that need not be loaded.
    volume_markers : callable
        From a recording, the settings, the repetition time and the URI to what times its volumes, where it has any.
    gradients_left : str
        What to say of EEG whose gradients nobody took off; empty where there are none.
    """

    summary: str
    list: Callable[[Any], list[Entry]]
    open_raw: Callable[[Path, str, Mapping[str, Path]], BaseRaw] = read_raw_file
    volume_markers: Callable[[BaseRaw, Any, float, str], Markers] = _by_annotation
    gradients_left: str = ""


READERS = {
    "bids": Reader(
        "EEG, MEG or both: BIDS, raw or derivative; MEG in FIF (ds000117), CTF, KIT or BTi, EEG in FIF, EDF, BDF, BrainVision or EEGLAB;"
        " others have to be converted",
        list_bids,
    ),
    "files": Reader("EEG, MEG or both: plain files in FIF, CTF, KIT, BTi, EDF, BDF, BrainVision or EEGLAB, named one by one", list_files),
    "bids_fmri": Reader("EEG and BOLD: BIDS whose EEG (FIF, EDF, BDF, BrainVision or EEGLAB) marks the volumes", list_bids_fmri),
    "noddi": Reader("EEG and BOLD: NODDI at rest (OSF 94c5t), EEG/*/export and fMRI/*", list_noddi),
    "oddball": Reader(
        "EEG and BOLD: auditory and visual oddball (ds000116), MATLAB files and NIfTI",
        list_oddball,
        lambda path, uri, parts: open_oddball(path, uri),
        lambda raw, recordings, tr_s, called: scanner_clock(raw, tr_s),
    ),
    "cn_epfl": Reader("EEG and BOLD: CN-EPFL (ds002158), raw BrainVision with gradients", list_cn_epfl, gradients_left=GRADIENTS_LEFT),
}
