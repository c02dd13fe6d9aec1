"""Recordings as the public datasets lay them out, small."""

import json
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import scipy.io


def write_brainvision(
    path: Path,
    data_ct: np.ndarray,
    names: list[str],
    sfreq: float,
    markers: list[tuple[str, str, int]],
    named: str | None = None,
    units: Sequence[str] | None = None,
) -> None:
    """Write numbers as the Recorder does, microvolts by default; `named` is what the header calls files that may be renamed since."""
    stem = named or path.stem
    described = zip(names, units or ["µV"] * len(names), strict=True)
    channels = "".join(f"Ch{number}={name},,1,{unit}\n" for number, (name, unit) in enumerate(described, start=1))
    path.write_text(
        f"Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\nDataFile={stem}.eeg\n"
        f"MarkerFile={stem}.vmrk\n"
        f"DataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels={len(names)}\nDataPoints={data_ct.shape[1]}\n"
        f"SamplingInterval={1e6 / sfreq:g}\n\n[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n\n[Channel Infos]\n{channels}",
        encoding="utf-8",
    )
    rows = "".join(f"Mk{number}={kind},{text},{sample + 1},1,0\n" for number, (kind, text, sample) in enumerate(markers, start=2))
    path.with_suffix(".vmrk").write_text(
        f"Brain Vision Data Exchange Marker File, Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\nDataFile={stem}.eeg\n\n[Marker Infos]\n"
        f"Mk1=New Segment,,1,1,0,20200101000000000000\n{rows}"
    )
    path.with_suffix(".eeg").write_bytes(np.ascontiguousarray(data_ct.T, dtype="<f4").tobytes())


def write_image(path: Path, n_volumes: int, tr_s: float, shape: tuple[int, int, int] = (8, 8, 6), seed: int = 0) -> None:
    """Write a bright box in noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = 20 * np.random.default_rng(seed).random((*shape, n_volumes))
    data[2:-2, 2:-2, 1:-1] += 1000
    image = nibabel.Nifti1Image(data.astype(np.int16), np.diag([3.0, 3.0, 4.0, 1.0]))
    image.header.set_zooms((3.0, 3.0, 4.0, tr_s))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)


def noise(n_channels: int, n_times: int, seed: int = 0) -> np.ndarray:
    """EEG-sized noise, microvolts."""
    return 20 * np.random.default_rng(seed).standard_normal((n_channels, n_times))


def noddi(root: Path, subject: str, n_volumes: int = 20, first: int = 1234) -> None:
    """NODDI: TR 2.16 s at 250 Hz; the export marks slices and volumes."""
    folder = root / "EEG" / subject / "export"
    folder.mkdir(parents=True)
    onsets = [first + 540 * volume for volume in range(n_volumes)]
    slices = [("Scanner", "s ", onset + 18 * number) for onset in onsets for number in range(3)]
    markers = sorted([*slices, *(("Scanner", "Scan Start", onset) for onset in onsets)], key=lambda marker: marker[2])
    names = ["Fp1", "Fp2", "Cz", "O1", "O2", "ECG"]
    write_brainvision(folder / f"{subject}.vhdr", noise(6, first + 540 * n_volumes + 100), names, 250.0, markers)
    write_image(root / "fMRI" / subject / f"{subject}_rest_cross.nii.gz", n_volumes, 2.16)


def oddball(root: Path, subject: str, run: str = "task001_run001", n_volumes: int = 20) -> None:
    """ds000116: TR 2 s at 1 kHz, 49 rows of which the last two are codes."""
    folder = root / subject / "EEG" / run
    folder.mkdir(parents=True)
    n_times = 2000 * n_volumes + 700
    rows = noise(49, n_times)
    rows[47:] = 0
    rows[47, 5000:5200], rows[47, 8000:8200], rows[48, 8400:8500] = 125, 150, 100
    scipy.io.savemat(folder / "EEG_noGA.mat", {"data_noGA": rows}, do_compression=True)
    electrodes = np.vstack([rows[:34], rows[45:46], rows[47:]])
    scipy.io.savemat(folder / "EEG_rereferenced.mat", {"data_reref": electrodes}, do_compression=True)
    write_image(root / subject / "BOLD" / run / "bold.nii.gz", n_volumes, 2.0)


def cn_epfl(root: Path, subject: str, run: str = "001", n_volumes: int = 40, gradient_uv: float = 3000.0) -> None:
    """ds002158: TR 1.28 s, gradients left in, headers that name the amplifier's files; here at 1 kHz instead of 5."""
    stem = f"sub-{subject}_ses-001_task-main_run-{run}"
    session = root / f"sub-{subject}" / "ses-001"
    (session / "eeg").mkdir(parents=True, exist_ok=True)
    first, length = 4321, 1280
    data = noise(4, first + length * n_volumes + 500)
    shape = np.sin(2 * np.pi * 16 * np.arange(length) / length)  # 12.5 Hz, which a low-pass would keep
    for volume in range(n_volumes):
        data[:, first + volume * length : first + (volume + 1) * length] += gradient_uv * shape
    markers = [("Response", "R128", first + length * volume) for volume in range(n_volumes)]
    write_brainvision(session / "eeg" / f"{stem}_eeg.vhdr", data, ["Fp1", "Cz", "O1", "O2"], 1000.0, markers, named="s2_run1_08062017")
    write_image(session / "func" / f"{stem}_bold.nii.gz", n_volumes, 1.0)
    (session / "func" / f"{stem}_bold.json").write_text(json.dumps({"RepetitionTime": 1.28}))
