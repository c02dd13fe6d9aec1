"""Find and fetch the files that Maxwell filtering needs of the MEG system that made a recording."""

from pathlib import Path

from crossmodal.config import UserError
from crossmodal.config.cleaning import Maxwell
from crossmodal.config.preprocessing import Preprocessing, Recordings
from preprocessing.readers.entry import Entry, SourceFile
from preprocessing.readers.stores import FindFile, stage
from preprocessing.steps.maxwell import Calibration


def calibration_files(entry: Entry, settings: Maxwell, find_file: FindFile) -> dict[str, SourceFile | None]:
    """Choose the files of a recording's MEG system: those that settings name, else those beside it."""

    def chosen(named: str | None, beside: SourceFile | None) -> SourceFile | None:
        return find_file(named) if named else beside

    return {"calibration": chosen(settings.calibration, entry.calibration), "crosstalk": chosen(settings.crosstalk, entry.crosstalk)}


def stage_calibration(entry: Entry, recordings: Recordings, settings: Preprocessing, scratch: Path, find_file: FindFile) -> Calibration:
    """Bring them to this machine.

    Raises
    ------
    UserError
        One that is named is not there.
    """
    if settings.maxwell is None:
        return Calibration()
    staged: dict[str, Path | None] = {}
    for key, file in calibration_files(entry, settings.maxwell, find_file).items():
        if file and not file.version:
            raise UserError(f"{file.uri}: no such file; correct preprocessing.maxwell.{key}")
        staged[key] = stage(file, recordings, scratch) if file else None
    return Calibration(staged["calibration"], staged["crosstalk"])
