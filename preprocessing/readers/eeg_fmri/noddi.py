"""NODDI at rest (Deligianni et al. 2014; OSF 94c5t) as its archive unpacks: EEG/32/export/*.vhdr and fMRI/32/*_cross.nii.gz.

The exports mark every volume, but not from their first sample: the first one is 129.6 s into sub-35 and 71.4 s into sub-36.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath

from fsspec import AbstractFileSystem

from crossmodal.config.eeg_fmri import NoddiRecordings
from preprocessing.readers.eeg_fmri.shared import wanted_subjects, with_files_elsewhere
from preprocessing.readers.entry import BoldFiles, Entry, SourceFile
from preprocessing.readers.stores import asked_at_once, files, folders, open_root


def list_noddi(recordings: NoddiRecordings) -> list[Entry]:
    """List one recording a subject; one that lacks its EEG or its image is told when it is read.

    Raises
    ------
    UserError
        There is no such folder or subject.
    """
    filesystem, root = open_root(recordings.root, recordings.anonymous, recordings.endpoint_url)
    present = {PurePosixPath(folder).name for part in ("EEG", "fMRI") for folder in folders(filesystem, f"{root}/{part}")}
    subjects = wanted_subjects(recordings, present, "EEG/*/export/*.vhdr with fMRI/*/*_cross.nii.gz")
    return with_files_elsewhere(asked_at_once(lambda subject: _entry(filesystem, root, subject), subjects), recordings)


def _entry(filesystem: AbstractFileSystem, root: str, subject: str) -> Entry:
    exported, imaged = files(filesystem, f"{root}/EEG/{subject}/export"), files(filesystem, f"{root}/fMRI/{subject}")
    headers = [file for file in exported if file.name.endswith(".vhdr")]
    images = [file for file in imaged if file.name.endswith("_cross.nii.gz")]
    header = headers[0] if headers else SourceFile.missing(f"{root}/EEG/{subject}/export/*.vhdr")
    parts = tuple(file for file in exported if file.name.endswith((".vmrk", ".dat", ".eeg")))
    image = images[0] if images else SourceFile.missing(f"{root}/fMRI/{subject}/*_cross.nii.gz")
    return Entry(subject=subject, run="01", files=(header, *parts), bold=BoldFiles(image=image), flaw=_several(headers) or _several(images))


def _several(found: Sequence[SourceFile]) -> str:
    """Say that nobody can tell which one belongs to the other."""
    names = ", ".join(file.name for file in found)
    return f"{found[0].uri}: is one of several of this subject ({names}); keep one, or leave the recording out" if len(found) > 1 else ""
