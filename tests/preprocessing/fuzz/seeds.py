"""Small recordings of every format, written here or real, whose files are then edited."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np

from crossmodal.config.eeg_fmri import NoddiRecordings
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Recordings
from tests.preprocessing.readers.formats.bti import write_bti
from tests.preprocessing.readers.formats.ctf import write_ctf
from tests.preprocessing.readers.formats.edf import write_edf
from tests.preprocessing.readers.formats.kit import write_kit
from tests.preprocessing.readers.layouts import noddi, noise, write_brainvision

_SFREQ = 200
_ELECTRODES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")
_STEM = "bids/sub-1/eeg/sub-1_task-x"


@dataclass(frozen=True)
class Seed:
    """A whole recording.

    Attributes
    ----------
    recordings : Recordings
        Lists it.
    opened : Path
        What MNE opens.
    edited : tuple of Path
        Its files that are edited, one at a time.
    """

    recordings: Recordings
    opened: Path
    edited: tuple[Path, ...]


def _file(path: Path, *parts: Path) -> Seed:
    return Seed(FileRecordings(files=(FileEntry(path=str(path), subject="1"),)), path, parts or (path,))


def _eeg(n_seconds: int = 4) -> mne.io.RawArray:
    raw = mne.io.RawArray(1e-6 * noise(6, n_seconds * _SFREQ), mne.create_info(list(_ELECTRODES), _SFREQ, "eeg"), verbose="error")
    raw.set_montage("colin27_1020", verbose="error")
    return raw.set_annotations(mne.Annotations([0.5, 1.5], [0.0, 0.2], ["face", "BAD_x"]))


def _fif(folder: Path) -> Seed:
    path = folder / "seed_raw.fif"
    _eeg().save(path, verbose="error")
    return _file(path)


def _edf(folder: Path) -> Seed:
    path = folder / "seed.edf"
    mne.export.export_raw(path, _eeg(), verbose="error")
    return _file(path)


def _bdf(folder: Path) -> Seed:
    path = folder / "seed.bdf"
    write_edf(path, noise(6, 4 * _SFREQ), _ELECTRODES, ["uV"] * 6, _SFREQ)
    return _file(path)


def _brainvision(folder: Path) -> Seed:
    path = folder / "seed.vhdr"
    write_brainvision(path, noise(6, 4 * _SFREQ), list(_ELECTRODES), _SFREQ, [("Stimulus", "S  1", 100), ("Comment", "BAD_x", 300)])
    return _file(path, path, path.with_suffix(".vmrk"), path.with_suffix(".eeg"))


def _eeglab(folder: Path) -> Seed:
    path = folder / "seed.set"
    mne.export.export_raw(path, _eeg(), verbose="error")
    return _file(path)


def _sensors(types: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    amplitude = np.array([{"mag": 1e-12, "ref_meg": 1e-11, "eeg": 1e-5}.get(kind, 0.0) for kind in types])
    above = rng.standard_normal((len(types), 3)) * [1, 1, 0.3] + [0, 0, 1]
    distance_m = np.array([0.13 if kind in ("mag", "ref_meg") else 0.09 for kind in types])[:, None]
    places_m = [0, 0, 0.04] + distance_m * above / np.linalg.norm(above, axis=1, keepdims=True)
    return amplitude[:, None] * rng.standard_normal((len(types), 2 * _SFREQ)), places_m


def _ctf(folder: Path) -> Seed:
    types = ("mag",) * 6 + ("ref_meg",) * 2 + ("eeg",) * 2 + ("stim", "clock")
    x_ct, places_m = _sensors(types)
    x_ct[-1] = (1 + np.arange(2 * _SFREQ)) / _SFREQ
    names = [*(f"{kind[0].upper()}{index:02d}-1706" for index, kind in enumerate(types[:-1])), "SCLK01-1706"]
    path = folder / "seed.ds"
    write_ctf(path, names, types, places_m, x_ct, _SFREQ)
    return _file(path, *sorted(path.iterdir()))


def _kit(folder: Path) -> Seed:
    types = ("mag",) * 6 + ("ref_meg",) * 2 + ("eeg",) * 2 + ("trigger",)
    x_ct, places_m = _sensors(types)
    path = folder / "seed.con"
    write_kit(path, [f"{kind[0].upper()}{index:02d}" for index, kind in enumerate(types)], types, places_m, x_ct, _SFREQ)
    return _file(path)


def _bti(folder: Path) -> Seed:
    types = ("mag",) * 6 + ("ref_meg",) * 2 + ("eeg",) * 2 + ("stim",)
    x_ct, places_m = _sensors(types)
    path = folder / "seed"
    names = [*(f"A{index}" for index in range(1, 7)), "MxA", "MyA", "E1", "E2", "TRIGGER"]
    write_bti(path, names, types, places_m, x_ct, _SFREQ, shape_m=0.09 * places_m / np.linalg.norm(places_m, axis=1, keepdims=True))
    return _file(path, *sorted(path.iterdir()))


def _nifti(folder: Path) -> Seed:
    noddi(folder, "32", n_volumes=10)
    (image,) = folder.rglob("*.nii.gz")
    (header,) = folder.rglob("*.vhdr")
    return Seed(NoddiRecordings(root=str(folder)), header, (image,))


def _sidecar(ending: str) -> Callable[[Path], Seed]:
    def write(folder: Path) -> Seed:
        stem = folder / _STEM
        stem.parent.mkdir(parents=True)
        header = stem.parent / f"{stem.name}_eeg.edf"
        raw = _eeg()
        mne.export.export_raw(header, raw, verbose="error")
        places = {each["ch_name"]: each["loc"][:3] for each in raw.info["chs"]}
        landmarks = {name: point["r"].tolist() for name, point in zip(("LPA", "NAS", "RPA"), raw.info["dig"], strict=False)}
        rows = "".join(f"{name}\tEEG\tuV\tgood\n" for name in _ELECTRODES[:5])
        tables = {
            "events.tsv": "onset\tduration\ttrial_type\tvalue\n0.5\t0.0\tface\t1\n1.5\tn/a\tBAD_x\t2\n2.25\t0.5\thouse\t3\n",
            "channels.tsv": f"name\ttype\tunits\tstatus\n{rows}O2\tVEOG\tuV\tbad\n",
            "electrodes.tsv": "name\tx\ty\tz\n" + "".join(f"{name}\t{x:.4f}\t{y:.4f}\t{z:.4f}\n" for name, (x, y, z) in places.items()),
            "coordsystem.json": json.dumps(
                {
                    "EEGCoordinateSystem": "CapTrak",
                    "EEGCoordinateUnits": "m",
                    "AnatomicalLandmarkCoordinates": landmarks,
                    "AnatomicalLandmarkCoordinateUnits": "m",
                }
            ),
        }
        for name, content in tables.items():
            (stem.parent / f"{stem.name}_{name}").write_text(content)
        return Seed(BidsRecordings(root=str(folder / "bids"), datatype="eeg"), header, (stem.parent / f"{stem.name}_{ending}",))

    return write


FORMATS: dict[str, Callable[[Path], Seed]] = {
    "fif": _fif,
    "edf": _edf,
    "bdf": _bdf,
    "brainvision": _brainvision,
    "eeglab": _eeglab,
    "ctf": _ctf,
    "kit": _kit,
    "bti": _bti,
    "nifti": _nifti,
    **{name: _sidecar(name) for name in ("events.tsv", "channels.tsv", "electrodes.tsv", "coordsystem.json")},
}


def real_seed(name: str, data: Path, folder: Path) -> Seed | None:
    """Copy a small real recording of a format, where there is one."""
    eeg = data / "eeg"
    if name == "fif":
        path = folder / "seed_raw.fif"
        raw = mne.io.read_raw_fif(data / "paired_eeg_meg" / "sample_audvis_trunc_raw_sss.fif", verbose="error")
        raw.pick("eeg").crop(tmax=0.5).save(path, verbose="error")
        return _file(path)
    if name in ("brainvision", "eeglab"):
        stem, header = ("bv_dig_test", ".vhdr") if name == "brainvision" else ("test_raw", ".set")
        parts = [Path(shutil.copyfile(path, folder / path.name)) for path in sorted(eeg.glob(f"{stem}.*"))]
        return _file(folder / f"{stem}{header}", *parts)
    return None
