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
    suffix: str = ".eeg",
) -> None:
    """Write numbers as the Recorder does, microvolts by default; `named` is what the header calls files that may be renamed since."""
    stem = named or path.stem
    described = zip(names, units or ["µV"] * len(names), strict=True)
    channels = "".join(f"Ch{number}={name},,1,{unit}\n" for number, (name, unit) in enumerate(described, start=1))
    path.write_text(
        f"Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\nDataFile={stem}{suffix}\n"
        f"MarkerFile={stem}.vmrk\n"
        f"DataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels={len(names)}\nDataPoints={data_ct.shape[1]}\n"
        f"SamplingInterval={1e6 / sfreq:g}\n\n[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n\n[Channel Infos]\n{channels}",
        encoding="utf-8",
    )
    rows = "".join(f"Mk{number}={kind},{text},{sample + 1},1,0\n" for number, (kind, text, sample) in enumerate(markers, start=2))
    path.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n\n"
        f"[Common Infos]\nCodepage=UTF-8\nDataFile={stem}{suffix}\n\n[Marker Infos]\n"
        f"Mk1=New Segment,,1,1,0,20200101000000000000\n{rows}"
    )
    path.with_suffix(suffix).write_bytes(np.ascontiguousarray(data_ct.T, dtype="<f4").tobytes())


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


def heartbeats(n_times: int, sfreq: float, seed: int = 0) -> np.ndarray:
    """ECG in microvolts: R peaks of 1 mV at 60 to 90 beats a minute, in noise."""
    beat_s = np.cumsum(np.random.default_rng(seed).uniform(0.67, 1.0, int(n_times / sfreq / 0.67)))
    after_s = np.arange(n_times) / sfreq
    after_s -= np.append(-1.0, beat_s)[np.searchsorted(beat_s, after_s)]
    return 1000 * np.exp(-(((after_s - 0.05) / 0.01) ** 2)) + noise(1, n_times, seed)[0]


def noddi(
    root: Path,
    subject: str,
    n_volumes: int = 20,
    first: int = 1234,
    names: Sequence[str] = ("Fp1", "Fp2", "Cz", "O1", "O2", "ECG"),
    seed: int = 0,
) -> None:
    """NODDI: TR 2.16 s at 250 Hz; the export marks slices, volumes and heartbeats."""
    folder = root / "EEG" / subject / "export"
    folder.mkdir(parents=True)
    onsets = [first + 540 * volume for volume in range(n_volumes)]
    slices = [("Scanner", "s ", onset + 18 * number) for onset in onsets for number in range(3)]
    beats = [("Pulse Artifact", "R", beat) for beat in range(215, onsets[-1], 217)]
    others = [("Scanner", "Scanner Start", first), *(("SyncStatus", "Sync On", onset) for onset in onsets)]
    markers = sorted([*slices, *beats, *others, *(("Scanner", "Scan Start", onset) for onset in onsets)], key=lambda marker: marker[2])
    data_ct = noise(len(names), first + 540 * n_volumes + 100, seed)
    data_ct[names.index("ECG")] = heartbeats(data_ct.shape[1], 250.0, seed)
    write_brainvision(folder / f"{subject}.vhdr", data_ct, list(names), 250.0, markers, suffix=".dat")
    write_image(root / "fMRI" / subject / f"{subject}_rest_cross.nii.gz", n_volumes, 2.16, seed=seed)


def oddball(root: Path, subject: str, run: str = "task001_run001", n_volumes: int = 20, seed: int = 0) -> None:
    """ds000116: TR 2 s at 1 kHz, 49 rows of which the last two are codes."""
    folder = root / subject / "EEG" / run
    folder.mkdir(parents=True)
    n_times = 2000 * n_volumes + 700
    rows = noise(49, n_times, seed)
    rows[45:47] = heartbeats(n_times, 1000.0, seed)
    rows[47:] = 0
    rows[47, 5000:5200], rows[47, 8000:8200], rows[48, 8400:8500] = 125, 150, 100
    scipy.io.savemat(folder / "EEG_noGA.mat", {"data_noGA": rows})
    electrodes = np.vstack([rows[:34], rows[45:46], rows[47:]])
    scipy.io.savemat(folder / "EEG_rereferenced.mat", {"data_reref": electrodes})
    write_image(root / subject / "BOLD" / run / "bold.nii.gz", n_volumes, 2.0, seed=seed)


def cn_epfl(
    root: Path,
    subject: str,
    run: str = "001",
    n_volumes: int = 40,
    gradient_uv: float = 3000.0,
    names: Sequence[str] = ("Fp1", "Cz", "O1", "O2"),
    sfreq: float = 1000.0,
    seed: int = 0,
) -> None:
    """ds002158: TR 1.28 s, gradients left in, headers that name the amplifier's files; at 1 kHz instead of 5 unless asked for."""
    stem = f"sub-{subject}_ses-001_task-main_run-{run}"
    session = root / f"sub-{subject}" / "ses-001"
    (session / "eeg").mkdir(parents=True, exist_ok=True)
    first, length = round(4.321 * sfreq), round(1.28 * sfreq)
    data = noise(len(names), first + length * n_volumes + round(sfreq / 2), seed)
    if "ECG" in names:
        data[names.index("ECG")] = heartbeats(data.shape[1], sfreq, seed)
    shape = np.sin(2 * np.pi * 16 * np.arange(length) / length)  # 12.5 Hz, which a low-pass would keep
    for volume in range(n_volumes):
        data[:, first + volume * length : first + (volume + 1) * length] += gradient_uv * shape
    markers = [("Response", "R128", first + length * volume) for volume in range(n_volumes)]
    write_brainvision(session / "eeg" / f"{stem}_eeg.vhdr", data, list(names), sfreq, markers, named="s2_run1_08062017")
    write_image(session / "func" / f"{stem}_bold.nii.gz", n_volumes, 1.0, seed=seed)
    (session / "func" / f"{stem}_bold.json").write_text(json.dumps({"RepetitionTime": 1.28}))


def motion(n_volumes: int, seed: int = 0) -> np.ndarray:
    """Translations, mm, and rotations, rad, of a head that hardly moves, shape (n_volumes, 6)."""
    return np.random.default_rng(seed).standard_normal((n_volumes, 6)) * np.array([0.02] * 3 + [3e-4] * 3)
