"""Write a KIT recording, byte by byte as its readers take it, and the markers and digitised points that lie beside one."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mne.transforms import apply_trans, rotation, translation
from numpy.typing import NDArray

_N_SECTIONS, _ENTRY_BYTES = 30, 16
_SYSTEM, _CHANNELS, _CALIBRATION, _AMPLIFIER, _ACQUISITION, _SAMPLES, _COREGISTRATION, _DIGITISED = 1, 4, 5, 7, 8, 9, 12, 26
_CHANNEL_BYTES = 128
_CODES = {"mag": 2, "ref_meg": 0x101, "eeg": -2, "trigger": -1, "ecg": -3}
_NAME_BYTES = {"mag": 6, "eeg": 8, "trigger": 32, "ecg": 32}
_RANGE_V, _BITS, _AMPLIFIER_TYPE = 10.0, 16, 100
_VOLT_PER_BIT = _RANGE_V / 2**_BITS
# What one bit is: T, V.
UNITS = {"mag": 1e-15, "ref_meg": 1e-14, "eeg": 1e-8, "ecg": 1e-8, "trigger": _VOLT_PER_BIT}
# From the dewar to the head, both with x to the right and y ahead.
DEWAR_TO_HEAD = translation(0.005, -0.01, 0.03) @ rotation(0.2, 0.0, 0.1)
_HEAD_TO_DIGITISER = translation(0.3, 0.1, -0.2) @ rotation(0.0, 0.3, 1.0)
# In head coordinates, m: nasion, left and right ear, then five coils.
LANDMARKS_M = np.array([[0.0, 0.1, 0.0], [-0.07, 0.0, 0.0], [0.07, 0.0, 0.0]])
COILS_M = np.array([[0.0, 0.09, 0.05], [-0.06, 0.05, 0.06], [0.06, 0.05, 0.06], [-0.07, 0.01, 0.03], [0.07, 0.01, 0.03]])


def write_kit(
    path: Path,
    names: Sequence[str],
    types: Sequence[str],
    positions_m: NDArray[np.float64],
    x_ct: NDArray[np.float64],
    sfreq: float,
    digitised_m: Mapping[str, NDArray[np.float64]] | None = None,
    amplifier: int = _AMPLIFIER_TYPE,
) -> None:
    """Write samples as 16-bit integers.

    Parameters
    ----------
    types : sequence of str
        'mag' (an axial gradiometer, which MNE calls so), 'ref_meg', 'eeg', 'ecg' or 'trigger'.
    positions_m : array, shape (n_channels, 3)
        Of the sensors, in head coordinates; they look away from its origin.
    x_ct : array, shape (n_channels, n_times)
        T or V.
    digitised_m : mapping of name to array, shape (3,), optional
        Electrodes in head coordinates, which are then in the file, as are landmarks and coils.
    amplifier : int
        Its type.
    """
    n_channels, n_times = x_ct.shape
    unit = np.array([UNITS[kind] for kind in types])
    gain = [UNITS[kind] / _VOLT_PER_BIT if kind in ("mag", "ref_meg") else 1.0 for kind in types]
    sections = _acquired(n_channels, sfreq, n_times, amplifier) | {
        _CHANNELS: b"".join(_channel(*each) for each in zip(names, types, _in_dewar(positions_m), strict=True)),
        _CALIBRATION: np.array([(0.0, each) for each in gain], "<f8").tobytes(),
        _SAMPLES: np.round(x_ct / unit[:, None]).astype("<i2").T.tobytes(),
    }
    if digitised_m is not None:
        sections[_COREGISTRATION] = _coregistration(COILS_M)
        known = dict(zip(("FIDNZ", "FIDT9", "FIDT10"), LANDMARKS_M, strict=True)) | {
            f"HPI_{i}": each for i, each in enumerate(COILS_M, start=1)
        }
        sections[_DIGITISED] = b"".join(
            _name(name, 8) + _digitised(place).astype("<f8").tobytes() for name, place in (known | digitised_m).items()
        )
    path.write_bytes(_file(sections))


def write_markers(path: Path, coils_m: NDArray[np.float64] = COILS_M) -> None:
    """Write where the coils (in head coordinates, shape (5, 3)) were in the dewar."""
    path.write_bytes(_file(_acquired(0, 1000.0, 0, _AMPLIFIER_TYPE) | {_COREGISTRATION: _coregistration(coils_m)}))


def write_points(path: Path, points_m: NDArray[np.float64], form: str = "FastSCAN", unit_m: float = 1e-3) -> None:
    """Write points of the head (in its coordinates, m) as a digitiser saw them.

    Parameters
    ----------
    form : str
        'FastSCAN', or Isotrak's 'elp' (coils) or 'hsp' (the head's shape), whose first three points are nasion and ears.
    unit_m : float
        Of FastSCAN's.
    """
    seen_m = _digitised(points_m)
    if form == "FastSCAN":
        rows = [" ".join(f"{value / unit_m:.6f}" for value in row) for row in seen_m]
        path.write_text("\n".join(["% Ascii stylus data file created by FastSCAN V4", "% x y z", *rows, ""]))
        return
    landmarks = [f"%F\t{x:.8f}\t{y:.8f}\t{z:.8f}" for x, y, z in seen_m[:3]]
    head = [
        "3\t2",
        "//Probe file" if form == "elp" else "//Shape file",
        "//Minor revision number",
        "1",
        "//Name",
        "%N\tName",
        "//Code",
        "0\t1",
    ]
    head += ["//position of fiducials X+, Y+, Y- on the subject", *landmarks]
    if form == "elp":
        rows = [line for x, y, z in seen_m[3:] for line in ("//Sensor", "%N\tcoil", f"{x:.8f}\t{y:.8f}\t{z:.8f}")]
    else:
        rows = ["//No of rows, no of columns", f"{len(seen_m) - 3}\t3", *(f"{x:.8f}\t{y:.8f}\t{z:.8f}" for x, y, z in seen_m[3:])]
    path.write_text("\n".join([*head, *rows, ""]))


def _file(sections: Mapping[int, bytes]) -> bytes:
    """All sections, after a table of where they are."""
    counts = {_COREGISTRATION: 1, _DIGITISED: len(sections.get(_DIGITISED, b"")) // 32}
    sizes = {_CHANNELS: _CHANNEL_BYTES}
    at, entries = _N_SECTIONS * _ENTRY_BYTES, []
    for index in range(_N_SECTIONS):
        content = sections.get(index, b"")
        count = _N_SECTIONS if index == 0 else counts.get(index, 1) if content else 0
        entries.append(struct.pack("<Iiii", at, sizes.get(index, len(content)), count, count))
        at += len(content)
    return b"".join([*entries, *(sections[index] for index in sorted(sections))])


def _acquired(n_channels: int, sfreq: float, n_times: int, amplifier: int) -> dict[int, bytes]:
    acquisition = struct.pack("<idii", 1, sfreq, 0, n_times)
    return {_SYSTEM: _system(n_channels, amplifier), _AMPLIFIER: struct.pack("<i", 0), _ACQUISITION: acquisition}


def _system(n_channels: int, amplifier: int) -> bytes:
    about = struct.pack("<iii128s128si256sii", 2, 4, 345, b"System", b"Model", n_channels, b"", 1_500_000_000, 1_500_000_000)
    # Dewar, flux-locked loop, trigger and board, each after three spare numbers; then spare ones.
    types = struct.pack("<3ii3ii3ii3ii29i", *(0,) * 4, *(0,) * 3, amplifier, *(0,) * 8, *(0,) * 29)
    return about + types + struct.pack("<diii", _RANGE_V, 0, _BITS, _BITS)


def _channel(name: str, kind: str, place_m: NDArray[np.float64]) -> bytes:
    if kind in ("mag", "ref_meg"):
        x, y, z = place_m / np.linalg.norm(place_m)
        record = struct.pack("<i5d16x", _CODES[kind], *place_m, np.degrees(np.arccos(z)), np.degrees(np.arctan2(y, x)))
        record += _name(name, _NAME_BYTES[kind]) if kind in _NAME_BYTES else b""
    else:
        record = struct.pack("<iii", _CODES[kind], 1, 0) + _name(name, _NAME_BYTES[kind])
        # Stated for samples of 14 bits.
        gain = UNITS[kind] * 2 ** (_BITS - 14)
        record += struct.pack("<6xd" if kind == "eeg" else "<8xd", gain) if kind in ("eeg", "ecg") else b""
    return record.ljust(_CHANNEL_BYTES, b"\0")


def _coregistration(coils_m: NDArray[np.float64]) -> bytes:
    coils = b"".join(struct.pack("<4i3d3d", 1, 1, 0, 1, 0, 0, 0, *place) for place in _in_dewar(coils_m))
    return struct.pack("<i32di", 1, *(0.0,) * 32, len(coils_m)) + coils + bytes(256)


def _in_dewar(places_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """From head coordinates to the dewar's, whose x is ahead and y to the left."""
    right, ahead, up = apply_trans(np.linalg.inv(DEWAR_TO_HEAD), places_m).T
    return np.array([ahead, -right, up]).T


def _digitised(places_m: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(apply_trans(_HEAD_TO_DIGITISER, places_m))


def _name(name: str, n_bytes: int) -> bytes:
    return name.encode().ljust(n_bytes, b"\0")
