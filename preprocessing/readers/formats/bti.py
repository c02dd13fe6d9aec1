"""4D/BTi recordings: folders of a data file, the system's configuration, and digitised points of the head."""

import re
from pathlib import Path

import mne
import numpy as np
from mne.io import BaseRaw

from crossmodal.config import UserError

# What systems call data files; those of the coils on the head (COH), measured before and after, are no recordings.
_DATA_FILE = re.compile(r"(0|c,rf.*|hc,rf.*|e,rf.*)(?<!\.COH)(?<!\.COH\d)")
_CONFIGURATION, _POINTS = "config", "hs_file"
_TRAILER_BYTES = 8
_31_BITS = 2**31 - 1
# Within the header: bytes of a number of samples, how many epochs there are, the type of samples, and how many channels.
_EPOCHS_AT, _TYPE_AT, _CHANNELS_AT, _FIRST_EPOCH_AT, _EPOCH_BYTES = 12, 8, 52, 96, 56
_SAMPLE_BYTES = {1: 2, 2: 4, 3: 4, 4: 8}
# Within the configuration: how many transforms follow its head, and how many blocks follow them; within a block: its kind and size.
_TRANSFORMS_AT, _BLOCKS_AT, _HEAD_BYTES, _TRANSFORM_BYTES = 68, 70, 112, 128
_KIND_AT, _KIND_BYTES, _SIZE_AT, _BLOCK_HEAD_BYTES, _ALIGNED_BYTES = 4, 20, 64, 100, 8
# Where blocks of a kind say how many entries they hold; of weights, all but the first in their second version alone.
_SECOND_VERSION = 2
_COUNTS_AT = {
    b"B_ch_labels": (4,),
    b"B_trig_mask": (4,),
    b"B_E_table_used": (8, 28),
    b"B_E_TABLE": (8, 28),
    b"B_weights_used": (8, 124, 128),
    b"BWT_": (8, 124, 128),
}


def is_bti_data(name: str) -> bool:
    """Tell whether a file is called as the samples of a recording are."""
    return _DATA_FILE.fullmatch(name) is not None


def read_bti(path: Path, called: str) -> BaseRaw:
    """Open a recording by its data file; its channels are called as the system called them (A1), not by their place among others.

    Parameters
    ----------
    path : Path
        In its folder.
    called : str
        What sentences call it.

    Raises
    ------
    UserError
        A part of it is missing or damaged, or it stores channels in an order that MNE takes for another.
    """
    if not path.with_name(_CONFIGURATION).is_file():
        raise UserError(f"{called}: its {_CONFIGURATION} is missing beside it; fetch it or leave the recording out")
    _check_complete(path, called)
    _check_counts(path.with_name(_CONFIGURATION), called)
    raw = _read(path, rename_channels=False)
    stored = raw._raw_extras[0]
    if [channel["index"] for channel in stored["chs"]] != list(stored["order"]):
        raise UserError(f"{called}: stores its channels in another order than it numbers them, which MNE would mix up; convert it to FIF")
    # Without a measurement of the coils on the head, the system writes NaN, or that sensors are where they are.
    if raw.info["dig"] is None or np.array_equal(raw.info["dev_ctf_t"]["trans"], np.eye(4)):
        raw.info["dev_head_t"] = None
    return raw


def system_names(raw: BaseRaw) -> dict[str, str]:
    """What `read_bti` calls each channel, by the name that MNE gives it ('MEG 001'): tables are written with either."""
    theirs = _read(Path(raw.filenames[0]), rename_channels=True).ch_names
    return dict(zip(theirs, raw.ch_names, strict=True))


def _read(path: Path, rename_channels: bool) -> BaseRaw:
    points = path.with_name(_POINTS)
    return mne.io.read_raw_bti(
        path,
        config_fname=path.with_name(_CONFIGURATION),
        head_shape_fname=points if points.is_file() else None,
        rename_channels=rename_channels,
        verbose="error",
    )


def _check_complete(path: Path, called: str) -> None:
    """Refuse a data file that lacks its end, where its header is: MNE would take samples for one, and might read on for ever."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - _TRAILER_BYTES, 0))
        position = int.from_bytes(file.read(), "big")
        # Some systems leave something above 31 bits, which larger files need.
        if size - (position & _31_BITS) <= _31_BITS:
            position &= _31_BITS
        position += -position % 8
        file.seek(min(position, size))
        header = file.read()

    def number(at: int, n_bytes: int) -> int:
        return int.from_bytes(header[at : at + n_bytes], "big")

    n_epochs, sample_bytes = number(_EPOCHS_AT, 4), _SAMPLE_BYTES.get(number(_TYPE_AT, 2), 0)
    whole = 0 < position < size and sample_bytes and _FIRST_EPOCH_AT + n_epochs * _EPOCH_BYTES <= len(header)
    n_samples = sum(number(_FIRST_EPOCH_AT + epoch * _EPOCH_BYTES, 4) for epoch in range(n_epochs)) if whole else 0
    if not 0 < n_samples * number(_CHANNELS_AT, 2) * sample_bytes <= position:
        raise UserError(f"{called}: is truncated, its header or samples are not all there; fetch it again or leave the recording out")


def _check_counts(path: Path, called: str) -> None:
    """Refuse a configuration whose blocks hold more than fits into them: MNE would read on until memory is gone."""
    content = path.read_bytes()

    def number(at: int, n_bytes: int) -> int:
        return int.from_bytes(content[at : at + n_bytes], "big")

    at = _HEAD_BYTES + number(_TRANSFORMS_AT, 2) * _TRANSFORM_BYTES
    for _ in range(number(_BLOCKS_AT, 2)):
        kind, size = content[at + _KIND_AT : at + _KIND_AT + _KIND_BYTES], number(at + _SIZE_AT, 4)
        start = at + _BLOCK_HEAD_BYTES
        start += -start % _ALIGNED_BYTES
        places = next((places for beginning, places in _COUNTS_AT.items() if kind.startswith(beginning)), ())
        if number(start, 4) != _SECOND_VERSION and len(places) == 3:
            places = places[:1]
        if start + size > len(content) or any(number(start + place, 4) > size for place in places):
            raise UserError(
                f"{called}: its {path.name} is damaged, a block of it says that it holds more than it has room for; fetch it again"
            )
        at = start + size
        at += -at % _ALIGNED_BYTES
