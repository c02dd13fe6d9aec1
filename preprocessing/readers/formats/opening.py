"""Open a recording of any format that is read."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from mne.io import BaseRaw
from mne.io.constants import FIFF

from crossmodal.config import UserError
from preprocessing.readers.events.annotations import settle_marks
from preprocessing.readers.formats.brainvision import read_brainvision
from preprocessing.readers.formats.brainvision_header import header_units
from preprocessing.readers.formats.bti import is_bti_data, read_bti
from preprocessing.readers.formats.ctf import read_ctf
from preprocessing.readers.formats.edf import edf_units, read_edf
from preprocessing.readers.formats.eeglab import read_eeglab
from preprocessing.readers.formats.fif import read_fif
from preprocessing.readers.formats.fif_parts import fif_parts
from preprocessing.readers.formats.kit import KIT_SUFFIXES, read_kit
from preprocessing.readers.formats.oddball import ODDBALL_FILES, read_oddball
from preprocessing.readers.text import read_text
from preprocessing.signals.broken import translate_reading_errors

_FILE_READERS: dict[str, Callable[[Path], BaseRaw]] = {
    ".edf": read_edf,
    ".bdf": read_edf,
    ".set": read_eeglab,
}
FIF_SUFFIXES, _BRAINVISION = (".fif", ".fif.gz"), ".vhdr"
SUFFIXES = (*FIF_SUFFIXES, *_FILE_READERS, _BRAINVISION)
# A CTF recording is a folder, which may also be named by the header in it.
_READERS = _FILE_READERS | {".ds": read_ctf, ".res4": lambda path: read_ctf(path.parent)}


def read_raw_file(path: Path, uri: str | None = None, parts: Mapping[str, Path] | None = None) -> BaseRaw:
    """Open a recording without loading it: FIF (split or not), CTF, KIT, BTi, EDF, BDF, BrainVision, EEGLAB or ds000116's MATLAB files.

    Parameters
    ----------
    path : Path
        Its header, where a format has one; of BTi its data file.
    uri : str, optional
        What sentences call it when `path` is a staged copy.
    parts : mapping of str to Path, optional
        Copies of what belongs to it, by what sentences call them: later parts of a FIF, KIT's markers and digitised points; other formats
        find what lies beside. By default, of a FIF those that lie beside it, too.

    Raises
    ------
    UserError
        The file is missing, empty, of another format, or broken; the sentence names it and the cause.
    """
    called = uri or str(path)
    reader = _reader(path, called, parts)
    if reader is None:
        named = ", ".join((*FIF_SUFFIXES, *_READERS, _BRAINVISION, *KIT_SUFFIXES))
        raise UserError(
            f"{called}: recordings are read from {named}, folders of 4D/BTi or {' and '.join(ODDBALL_FILES)}; convert it to one of them"
        )
    if not path.exists():
        raise UserError(f"{called}: no such recording; check the path")
    if path.stat().st_size == 0:
        raise UserError(f"{called}: the recording is an empty file; fetch its content (datalad get, aws s3 cp) or leave it out")
    with translate_reading_errors(called):
        raw = reader(path)
        settle_marks(raw)
    return raw


def written_units(path: Path, raw: BaseRaw) -> dict[str, str]:
    """What a recording says of the unit of each channel, in its own words; numbers are volts where that is a voltage, else as stored.

    Parameters
    ----------
    path : Path
        Where the recording was opened.
    raw : BaseRaw
        As `read_raw_file` gives it.
    """
    suffix = suffix_of(path.name)
    if suffix in (".edf", ".bdf"):
        units = edf_units(path)
    elif suffix == _BRAINVISION:
        units = header_units(read_text(path, path.name))[: len(raw.ch_names)]
    elif suffix == ".set":
        # A convention: the format has no place for units.
        units = ["µV"] * len(raw.ch_names)
    else:
        units = [_unit_of(channel) for channel in raw.info["chs"]]
    return dict(zip(raw.ch_names, units, strict=True))


def is_known(name: str) -> bool:
    """Tell whether a file is called as what opens a recording of a format that is read."""
    return is_bti_data(name) or name in ODDBALL_FILES or suffix_of(name) in (*FIF_SUFFIXES, *_READERS, _BRAINVISION, *KIT_SUFFIXES)


def suffix_of(name: str) -> str:
    """A name's suffix in small letters; the whole of .fif.gz."""
    return ".fif.gz" if name.endswith(".fif.gz") else PurePosixPath(name).suffix.lower()


def _unit_of(channel: Mapping[str, Any]) -> str:
    """The unit that MNE knows of a channel, whose multiplier it does not apply."""
    if channel["unit"] != FIFF.FIFF_UNIT_V:
        return "" if channel["unit"] == FIFF.FIFF_UNIT_NONE else str(channel["unit"])
    return f"V x 10^{int(channel['unit_mul'])}" if channel["unit_mul"] else "V"


def _reader(path: Path, called: str, parts: Mapping[str, Path] | None) -> Callable[[Path], BaseRaw] | None:
    suffix = suffix_of(path.name)
    if suffix in FIF_SUFFIXES:
        return partial(read_fif, called=called, parts=_parts_beside(path) if parts is None else parts)
    if suffix in KIT_SUFFIXES:
        return partial(read_kit, called=called, parts=parts or {})
    if suffix == _BRAINVISION:
        return partial(read_brainvision, called=called)
    if path.name in ODDBALL_FILES:
        return partial(read_oddball, called=called)
    return partial(read_bti, called=called) if is_bti_data(path.name) else _READERS.get(suffix)


def _parts_beside(path: Path) -> dict[str, Path]:
    beside = fif_parts(file.name for file in path.parent.glob("*.fif*")).get(path.name, ())
    return {str(path.with_name(name)): path.with_name(name) for name in beside}
