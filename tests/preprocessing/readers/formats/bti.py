"""Write a 4D/BTi recording, byte by byte as its readers take it: samples with their header, configuration, and points of the head."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mne.transforms import rotation, translation
from numpy.typing import NDArray

_CODES = {"mag": 1, "eeg": 2, "ref_meg": 3, "misc": 4, "stim": 5}
# What one bit is: T, V.
UNITS = {"mag": 1e-15, "ref_meg": 1e-14, "eeg": 1e-8, "misc": 1e-6, "stim": 1.0}
_FORMATS = {"i2": 1, "f4": 3}
DEWAR_TO_HEAD = translation(0.01, 0.02, -0.05) @ rotation(0.1, 0.2, 0.0)
# In head coordinates, x to the right and y ahead, m: left and right ear, nasion, then coils.
LANDMARKS_M = np.array([[-0.07, 0.0, 0.0], [0.07, 0.0, 0.0], [0.0, 0.1, 0.0], [-0.06, 0.05, 0.06], [0.06, 0.05, 0.06]])


def write_bti(
    folder: Path,
    names: Sequence[str],
    types: Sequence[str],
    positions_m: NDArray[np.float64],
    x_ct: NDArray[np.float64],
    sfreq: float,
    head: NDArray[np.float64] | None = DEWAR_TO_HEAD,
    shape_m: NDArray[np.float64] | None = None,
    stored_as: str = "i2",
    numbers: Sequence[int] | None = None,
) -> None:
    """Write c,rfDC, config and hs_file.

    Parameters
    ----------
    types : sequence of str
        'mag', 'ref_meg', 'eeg', 'misc' or 'stim'.
    positions_m : array, shape (n_channels, 3)
        Of the sensors, in head coordinates; they look away from its origin.
    x_ct : array, shape (n_channels, n_times)
        T, V, or codes.
    head : array, shape (4, 4), optional
        Where it was in the dewar; None was not measured.
    shape_m : array, shape (n, 3), optional
        Of the head, in its coordinates; None leaves hs_file out.
    stored_as : str
        'i2' or 'f4'.
    numbers : sequence of int, optional
        Of the channels; 1, 2, ... unless given.
    """
    folder.mkdir(parents=True)
    numbers = numbers or range(1, len(names) + 1)
    unit = np.array([UNITS[kind] for kind in types])
    samples_tc = np.round(x_ct / unit[:, None]).T if stored_as == "i2" else x_ct.T
    (folder / "config").write_bytes(
        _configuration(names, types, numbers, positions_m, unit if stored_as == "i2" else np.ones(len(unit)), head)
    )
    samples = samples_tc.astype(f">{stored_as}").tobytes()
    padded = samples + bytes(-len(samples) % 8)
    header = _header(names, numbers, x_ct.shape[1], sfreq, _FORMATS[stored_as])
    (folder / "c,rfDC").write_bytes(padded + header + struct.pack(">Q", len(padded)))
    if shape_m is not None:
        points = _as_stored(np.vstack([LANDMARKS_M, shape_m])).astype(">f8").tobytes()
        (folder / "hs_file").write_bytes(struct.pack(">iiii", 1, 0, 0, len(shape_m)) + points)


def _header(names: Sequence[str], numbers: Sequence[int], n_times: int, sfreq: float, format_code: int) -> bytes:
    first = struct.pack(">h5sxhhiiiif16sih2xiihhi20x", 1, b"PDF", format_code, 0, 1, 1, 0, 0, 1 / sfreq, b"s", 1, len(names), 0, 0, 0, 0, 0)
    epoch = struct.pack(">ifffiii28x", n_times, n_times / sfreq, 0, 0, 0, 0, 0)
    channels = [
        struct.pack(">16shhf16sh6xddii4sf24x", name.encode(), number, 0, 1.0, b"", 0, 0, 0, index, 0, b"", 0)
        for index, (name, number) in enumerate(zip(names, numbers, strict=True))
    ]
    process = struct.pack(">i20si32si256si32x", 0, b"BTi_none", 0, b"", 1_200_000_000, b"", 0)
    return b"".join(_aligned(part) for part in (first, epoch, *channels, process))


def _configuration(
    names: Sequence[str],
    types: Sequence[str],
    numbers: Sequence[int],
    positions_m: NDArray[np.float64],
    unit: NDArray[np.float64],
    head: NDArray[np.float64] | None,
) -> bytes:
    system = struct.pack(">h32s16shihhffhhh2xI32s", 1, b"Site", b"host", 1, 0, 50, len(names), 1, 1, 1, 2, 0, 0, b"")
    table = struct.pack(">iii16si28s", 2, 0, 1, b"", 1, b"") + b"A1".ljust(16, b"\0") + b"MxA".ljust(16, b"\0") + struct.pack(">f", 0)
    weights = struct.pack(">iII32s80sII72s", 2, 0, 1, b"", b"", 1, 1, b"") + b"A1".ljust(16, b"\0") + 2 * b"MxA".ljust(16, b"\0")
    weights += struct.pack(">fh", 0, 0)
    blocks = [_block(b"B_E_table_used", table), _block(b"B_weights_used", weights)]
    measured = np.full((4, 4), np.nan) if head is None else head
    channels = [_channel(*each) for each in zip(names, types, numbers, positions_m, unit, strict=True)]
    return b"".join([system, _transform(measured), *blocks, *channels])


def _block(kind: bytes, content: bytes) -> bytes:
    return _aligned(struct.pack(">I20si32sII32s", 0, kind, 0, b"", 0, len(content), b"")) + _aligned(content)


def _channel(name: str, kind: str, number: int, place_m: NDArray[np.float64], unit: float) -> bytes:
    record = _aligned(struct.pack(">16shHh2xff16sdi32s", name.encode(), number, _CODES[kind], 0, 1.0, unit, b"", 0, 0, b""))
    device = struct.pack(">ii32s", 0, 0, b"")
    if kind in ("mag", "ref_meg"):
        device += struct.pack(">f4s", 0, b"") + _transform(_coil(_as_stored(place_m[None])[0])) + struct.pack(">hh4x32s", 0, 0, b"")
    elif kind == "eeg":
        device += struct.pack(">f4s", 0, b"") + _transform(np.eye(4)) + bytes(32)
    else:
        device += struct.pack(">i2x32s" if kind == "stim" else ">i32s", 0, b"")
    return record + _aligned(device)


def _coil(place_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """A coil that looks along its distance from the origin."""
    ahead = place_m / np.linalg.norm(place_m)
    beside = np.cross(ahead, [1.0, 0.0, 0.0])
    beside /= np.linalg.norm(beside)
    coil = np.eye(4)
    coil[:3] = np.column_stack([beside, np.cross(ahead, beside), ahead, place_m])
    return coil


def _transform(matrix: NDArray[np.float64]) -> bytes:
    """Scales, one along each axis, take the place of three zeros."""
    scaled = matrix.copy()
    scaled[3] = 1.0
    return scaled.astype(">f8").tobytes()


def _as_stored(places_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """From head coordinates to 4D's, whose x is ahead and y to the left."""
    right, ahead, up = places_m.T
    return np.array([ahead, -right, up]).T


def _aligned(content: bytes) -> bytes:
    return content + bytes(-len(content) % 8)
