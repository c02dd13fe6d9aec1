"""What belongs to a KIT recording: the names of its markers and digitised points, told apart from those of others."""

import re
from collections.abc import Sequence

from preprocessing.readers.bids.tree import BidsFile
from preprocessing.readers.entry import SourceFile

KIT_PARTS = _OF_MARKERS, _OF_POINTS = "markers", "headshape"
_MARKERS, _POINTS = (".mrk", ".sqd", ".con", ".txt"), (".pos", ".elp", ".hsp", ".txt")
# How MNE-BIDS says in acq- to which run markers belong.
_OF_RUN = re.compile(r"run(\d+)(?:pre|post)?")


def kit_parts(recording: BidsFile, files: Sequence[BidsFile]) -> list[SourceFile]:
    """Find the markers and digitised points that belong to a recording by their names.

    Source: BIDS's appendix on MEG file formats; MNE-BIDS calls points acq-ELP and acq-HSP, and tells the run of markers in acq-, too.
    """
    markers = [file for file in files if file.suffix == _OF_MARKERS and file.source.name.lower().endswith(_MARKERS)]
    points = [file for file in files if file.suffix == _OF_POINTS and file.source.name.lower().endswith(_POINTS)]
    return [file.source for file in (*_closest(recording, markers), *_closest(recording, points))]


def _closest(recording: BidsFile, files: Sequence[BidsFile]) -> list[BidsFile]:
    """Keep those of the recording's own run or acquisition where there are any, else those of more recordings."""
    ranked = [(_rank(file, recording), file) for file in files]
    closest = max((rank for rank, _ in ranked), default=0)
    return sorted((file for rank, file in ranked if closest and rank == closest), key=lambda file: file.source.name)


def _rank(file: BidsFile, recording: BidsFile) -> int:
    """How much a part has in common with a recording, 0 if it is another's; acq- may say anything, as that it was measured before."""
    acquisition = file.entities.get("acq", "")
    stated = {key: value for key, value in file.entities.items() if key != "acq"}
    if of_run := _OF_RUN.fullmatch(acquisition):
        stated["run"] = of_run[1]
    if not file.lies_above(recording) or any(recording.entities.get(key) != value for key, value in stated.items()):
        return 0
    return 2 * len(stated) + (acquisition != "" and acquisition == recording.entities.get("acq"))
