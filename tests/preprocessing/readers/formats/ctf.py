"""Write a CTF recording, byte by byte as its readers take it: header (.res4), samples (.meg4) and coils of the head (.hc)."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_CHANNELS_AT, _SAMPLING_AT, _RUN_DESCRIPTION_AT = 1288, 1296, 1844
_MOST_COILS, _MOST_BALANCED, _LABEL = 8, 50, 31
_SENSOR_TYPES = {"ref_meg": 0, "mag": 5, "eeg": 9, "stim": 11, "clock": 17}
_COIL = [
    ("position_cm", ">f8", 3),
    ("unused_0", ">f8"),
    ("normal", ">f8", 3),
    ("unused_1", ">f8"),
    ("turns", ">i2"),
    ("unused_2", ">i4"),
    ("unused_3", ">i2"),
    ("area_cm2", ">f8"),
]
_CHANNEL = np.dtype(
    [
        ("sensor_type", ">i2"),
        ("first_run", ">i2"),
        ("coil_type", ">i4"),
        ("proper_gain", ">f8"),
        ("q_gain", ">f8"),
        ("io_gain", ">f8"),
        ("io_offset", ">f8"),
        ("n_coils", ">i2"),
        ("gradient_order", ">i2"),
        ("unused", ">i4"),
        ("coils", _COIL, _MOST_COILS),
        ("head_coils", _COIL, _MOST_COILS),
    ]
)
_BALANCING = np.dtype(
    [
        ("sensor", "S32"),
        ("kind", ">i4"),
        ("unused", ">i4"),
        ("n", ">i2"),
        ("references", f"S{_LABEL}", _MOST_BALANCED),
        ("coefficients", ">f8", _MOST_BALANCED),
    ]
)
_THIRD_ORDER = int.from_bytes(b"G3BR", "big")
# In the head's own frame, cm: nasion ahead, ears to the sides.
_COILS_OF_THE_HEAD = {"nasion": (8.5, 0.0, 0.0), "left ear": (0.0, 7.0, 0.0), "right ear": (0.0, -7.0, 0.0)}
# Where that frame is in the dewar's: turned by 45 degrees, 24 cm below.
_TURN = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, np.sqrt(2)]]) / np.sqrt(2)
_BELOW_CM = np.array([0.0, 0.0, -24.0])


def write_ctf(
    folder: Path, names: Sequence[str], types: Sequence[str], positions_m: NDArray[np.float64], x_ct: NDArray[np.float64], sfreq: float
) -> None:
    """Write `folder`, which ends in .ds, with gradiometers balanced to the third order by the reference sensors.

    Parameters
    ----------
    types : sequence of str
        'mag' (an axial gradiometer, which MNE calls so), 'ref_meg', 'eeg', 'stim' or 'clock'.
    positions_m : array, shape (n_channels, 3)
        In the head's own frame; sensors look at its origin.
    x_ct : array, shape (n_channels, n_times)
        T, V, s; kept as 32-bit integers of a fT, a tenth of a nV, a tenth of a ms, or one.
    """
    folder.mkdir(parents=True)
    stem = folder.name.removesuffix(".ds")
    unit = np.array([{"mag": 1e-15, "ref_meg": 1e-15, "eeg": 1e-10, "stim": 1.0, "clock": 1e-4}[kind] for kind in types])
    (folder / f"{stem}.res4").write_bytes(_header(names, types, positions_m, unit, x_ct.shape[1], sfreq))
    (folder / f"{stem}.meg4").write_bytes(b"MEG41CP\0" + np.round(x_ct / unit[:, None]).astype(">i4").tobytes())
    places = [("head", coil, np.array(place)) for coil, place in _COILS_OF_THE_HEAD.items()]
    places += [("dewar", coil, _TURN @ place + _BELOW_CM) for _, coil, place in places]
    lines = [
        f"measured {coil} coil position relative to {frame} (cm):\n\tx = {x:.6f}\n\ty = {y:.6f}\n\tz = {z:.6f}\n"
        for frame, coil, (x, y, z) in places
    ]
    (folder / f"{stem}.hc").write_text("".join(lines))


def _header(
    names: Sequence[str], types: Sequence[str], positions_m: NDArray[np.float64], unit: NDArray[np.float64], n_times: int, sfreq: float
) -> bytes:
    head = bytearray(_RUN_DESCRIPTION_AT)
    struct.pack_into(">8s", head, 0, b"MEG42RS\0")
    struct.pack_into(">255s255s", head, 778, b"12:00", b"01-Mar-2026")
    struct.pack_into(">ih", head, _CHANNELS_AT, n_times, len(names))
    struct.pack_into(">ddh", head, _SAMPLING_AT, sfreq, n_times / sfreq, 1)
    channels = np.zeros(len(names), _CHANNEL)
    channels["sensor_type"] = [_SENSOR_TYPES[kind] for kind in types]
    channels["proper_gain"], channels["q_gain"] = 1.0, 1 / unit
    channels["n_coils"] = 1
    channels["gradient_order"] = [3 if kind == "mag" else 0 for kind in types]
    # Electrodes are kept where they are on the head, sensors where they are in the dewar.
    electrode = np.array(types)[:, None] == "eeg"
    normals = -positions_m / np.linalg.norm(positions_m, axis=1, keepdims=True)
    channels["coils"]["position_cm"][:, 0] = 100 * np.where(electrode, positions_m, positions_m @ _TURN.T + _BELOW_CM / 100)
    channels["coils"]["normal"][:, 0] = normals @ _TURN.T
    references = [name for name, kind in zip(names, types, strict=True) if kind == "ref_meg"]
    sensors = [name for name, kind in zip(names, types, strict=True) if kind == "mag"]
    balancing = np.zeros(len(sensors), _BALANCING)
    balancing["sensor"], balancing["kind"], balancing["n"] = sensors, _THIRD_ORDER, len(references)
    balancing["references"][:, : len(references)] = references
    balancing["coefficients"][:, : len(references)] = 0.1
    labels = b"".join(name.encode().ljust(32, b"\0") for name in names)
    return bytes(head) + struct.pack(">h", 0) + labels + channels.tobytes() + struct.pack(">h", len(sensors)) + balancing.tobytes()
