"""EDF and BDF, byte by byte: what writers of these formats would not write."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_LAYOUT = {".edf": (b"0", 2), ".bdf": (b"\xffBIOSEMI", 3)}


def write_edf(path: Path, data_ct: np.ndarray, names: Sequence[str], units: Sequence[str | bytes], sfreq: int) -> None:
    """Write numbers as they are, in records of 1 s; `units` are the physical dimensions, as text in Latin-1 or as bytes."""
    version, n_bytes = _LAYOUT[path.suffix]
    limit = 2 ** (8 * n_bytes - 1) - 1
    # Headers have room for eight letters.
    highest_c = [float(f"{value:.1e}") for value in 1.1 * np.abs(data_ct).max(axis=1) + 1e-3]
    digits_ct = np.round(data_ct / np.array(highest_c)[:, None] * limit).astype("<i4")
    n = len(names)
    columns = [
        (16, names),
        (80, [""] * n),
        (8, units),
        (8, [f"-{value:.1e}" for value in highest_c]),
        (8, [f"{value:.1e}" for value in highest_c]),
        (8, [str(-limit)] * n),
        (8, [str(limit)] * n),
        (80, [""] * n),
        (8, [str(sfreq)] * n),
        (32, [""] * n),
    ]
    fixed = [(8, version), (80, "X"), (80, "X"), (8, "01.01.20"), (8, "10.00.00"), (8, str(256 * (n + 1))), (44, "")]
    fixed += [(8, str(data_ct.shape[1] // sfreq)), (8, "1"), (4, str(n))]
    header = b"".join(_padded(value, size) for size, value in fixed)
    header += b"".join(_padded(value, size) for size, values in columns for value in values)
    records = digits_ct.reshape(n, -1, sfreq).swapaxes(0, 1)
    path.write_bytes(header + np.ascontiguousarray(records).view(np.uint8).reshape(-1, 4)[:, :n_bytes].tobytes())


def _padded(value: str | bytes, size: int) -> bytes:
    encoded = value if isinstance(value, bytes) else value.encode("latin-1")
    assert len(encoded) <= size
    return encoded.ljust(size)
