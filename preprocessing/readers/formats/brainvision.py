"""BrainVision recordings, complete or refused: MNE reads what is there of a truncated one and says nothing."""

import re
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import mne
from mne.io import BaseRaw

from crossmodal.config import UserError
from preprocessing.readers.formats.brainvision_header import header_units, mended_header
from preprocessing.readers.text import lines_of, read_text
from preprocessing.signals.channel_names import some_of
from preprocessing.signals.units import volts_of

_BYTES = {"INT_16": 2, "UINT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4, "IEEE_FLOAT_64": 8}
_DATA = (".eeg", ".dat")
_MARKERS_HEADER = "Brain Vision Data Exchange Marker File, Version 1.0"
_SEGMENT = "New Segment"
_SECTION = re.compile(r"\s*\[Marker Infos\]\s*", re.IGNORECASE)
# Mk<number>=<type>,<text>,<position from 1>,<length>,<channel>,<date>; BrainVision Core Data Format 1.0.
_MARKER = re.compile(r"\s*Mk(\d+)\s*=(.*)", re.IGNORECASE)
_CELLS = re.compile(r"([^,]*),([^,]*),\s*(\d+)\s*,([^,]*)(,.*)?")


def read_brainvision(path: Path, called: str) -> BaseRaw:
    """Open a recording by its header.

    Where the recorder paused, a new segment begins, and with it a boundary of acquisition. A header that still names the files as the
    amplifier did, which datasets renamed later on have, is read with the files beside it that bear its own name.

    Parameters
    ----------
    path : Path
        Its header.
    called : str
        What sentences call the header; they call what lies beside it alike.

    Raises
    ------
    UserError
        The data or the markers are missing, or the data shorter than the header says, than whole samples, or than the markers reach.
    """
    text = read_text(path, called)
    header = dict(re.findall(r"^(\w+)=(.*?)\s*$", "\n".join(lines_of(text)), flags=re.MULTILINE))
    data = _data_file(path, header.get("DataFile", ""), called)
    data_called = called.removesuffix(path.name) + data.name
    _check_complete(data, header, data_called)
    markers = _markers_file(path, header["MarkerFile"], called) if header.get("MarkerFile") else None
    with TemporaryDirectory() as folder:
        mended = Path(folder) / path.name
        mended.write_text(mended_header(text), encoding="utf-8")
        files: dict[str, str | bool] = {"data_fname": str(data.resolve()), "marker_fname": False}
        last = 0
        if markers:
            markers_called = called.removesuffix(path.name) + markers.name
            known, last = _mended_markers(read_text(markers, markers_called), markers_called)
            files["marker_fname"] = f"{path.stem}.vmrk"
            mended.with_suffix(".vmrk").write_text(known, encoding="utf-8")
        raw = mne.io.read_raw_brainvision(mended, overrides=files, verbose="error")
    _check_last_marker(last, len(raw.times), data_called)
    _tell_unplaced(raw, header_units(text))
    return raw


def _data_file(path: Path, named: str, called: str) -> Path:
    candidates = [path.with_name(named.replace("$b", path.stem))] if named else []
    candidates += [path.with_suffix(suffix) for suffix in _DATA]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        raise UserError(f"{called}: its data file is missing; fetch {candidates[0].name} or leave the recording out")
    return found


def _check_complete(data: Path, header: dict[str, str], called: str) -> None:
    if header.get("DataFormat", "BINARY").upper() != "BINARY" or header.get("BinaryFormat") not in _BYTES:
        return
    sample_bytes = int(header["NumberOfChannels"]) * _BYTES[header["BinaryFormat"]]
    size_bytes = data.stat().st_size
    samples = int(header.get("DataPoints", 0))
    if size_bytes < samples * sample_bytes:
        there = size_bytes // sample_bytes
        raise UserError(f"{called}: is truncated, it holds {there} of {samples} samples; fetch it again or leave the recording out")
    if size_bytes % sample_bytes:
        raise UserError(f"{called}: is truncated, it ends within a sample; fetch it again or leave the recording out")


def _markers_file(path: Path, named: str, called: str) -> Path:
    """Find the file of events and boundaries, which MNE does without."""
    candidates = (path.with_name(named.replace("$b", path.stem)), path.with_suffix(".vmrk"))
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        raise UserError(f"{called}: its marker file (.vmrk) is missing; fetch it or leave the recording out")
    return found


def _mended_markers(text: str, called: str) -> tuple[str, int]:
    """Return the same markers as MNE reads them, in UTF-8, and the last one's position from 1, or 0 where there is none.

    Parameters
    ----------
    text : str
        Of the marker file.
    called : str
        What sentences call it.

    Raises
    ------
    UserError
        It has no section of markers, or one has no position; the sentence names the line.
    """
    lines = lines_of(text)
    begin = next((number for number, line in enumerate(lines) if _SECTION.fullmatch(line)), None)
    if begin is None:
        raise UserError(f"{called}: has no section [Marker Infos]; fetch the file again or leave the recording out")
    mended, last = [_MARKERS_HEADER, "[Common Infos]", "Codepage=UTF-8", "[Marker Infos]"], 0
    for number, line in enumerate(lines[begin + 1 :], start=begin + 2):
        if not (marker := _MARKER.fullmatch(line)):
            continue
        if not (cells := _CELLS.fullmatch(marker[2].strip())):
            raise UserError(f"{called}: line {number} is no marker ('{line.strip()}'); correct or remove it")
        kind, name, position, length, rest = cells.groups(default="")
        if not last and kind.strip() == _SEGMENT and int(position) > 1:
            # MNE leaves the first one out, wherever it is.
            mended.append(f"Mk0={_SEGMENT},,1,1,0")
        last = max(last, int(position))
        mended.append(f"Mk{marker[1]}={kind.strip()},{name.strip()},{position},{length.strip()}{rest.rstrip()}")
    return "\n".join(mended) + "\n", last


def _tell_unplaced(raw: BaseRaw, units: list[str]) -> None:
    """Warn of voltages that MNE takes as misc because the header places them at 0, 0, 0."""
    unplaced = [
        name for name, kind, unit in zip(raw.ch_names, raw.get_channel_types(), units, strict=True) if kind == "misc" and volts_of(unit)
    ]
    if unplaced:
        told = f"takes {some_of(unplaced)} as misc, for the header places them nowhere (0,0,0); if they are EEG, say so in channels.tsv or"
        warnings.warn(f"{told} recordings.channel_types", RuntimeWarning, stacklevel=2)


def _check_last_marker(last: int, n_samples: int, called: str) -> None:
    """Refuse data that end before the last marker: recorders' headers do not say how many samples there are, and MNE drops such markers."""
    if last > n_samples + 1:
        raise UserError(
            f"{called}: is truncated, it holds {n_samples} samples and a marker is at {last}; fetch it again or leave the recording out"
        )
