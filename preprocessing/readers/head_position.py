"""Say of MEG whose head was nobody knows where that its sensors have no place around it."""

from mne.io import BaseRaw

from preprocessing.readers.bids.tree import EMPTY_ROOM
from preprocessing.readers.entry import Entry
from preprocessing.readers.formats.bti import is_bti_data
from preprocessing.readers.formats.kit import KIT_SUFFIXES, holds_markers


def tell_lost_head(entry: Entry, raw: BaseRaw) -> list[str]:
    """Say what a recording of MEG lacks to know where the head was; nothing where that is known, or nobody was there."""
    if "meg" not in raw or raw.info["dev_head_t"] is not None or entry.subject == EMPTY_ROOM:
        return []
    return [f"has no head position{_for_lack_of(entry)}: sensors have no place around the head, and minimum norm cannot be computed"]


def _for_lack_of(entry: Entry) -> str:
    name = entry.files[0].name
    if name.lower().endswith(KIT_SUFFIXES):
        markers = any(holds_markers(file.name) for file in entry.files[1:])
        return " for lack of " + ("digitised coils (*_headshape.*)" if markers else "markers (*_markers.*)")
    if is_bti_data(name):
        return " in its config and hs_file"
    return ""
