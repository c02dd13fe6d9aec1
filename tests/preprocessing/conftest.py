"""Small recordings that tests write, and the real ones that the environment may name."""

import os
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

MakeRaw = Callable[..., mne.io.RawArray]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real recordings."""
    folder = os.environ.get("CROSSMODAL_TEST_DATA")
    if not folder:
        pytest.skip("CROSSMODAL_TEST_DATA does not name the folder of real recordings")
    return Path(folder)


@pytest.fixture(scope="session")
def make_raw() -> MakeRaw:
    """Make a recording of 8 electrodes, 3 magnetometers, 2 gradiometers and a trigger line; its noise is as the seed says."""
    electrodes = ["Fp1", "Fp2", "C3", "C4", "P7", "P8", "O1", "O2"]
    names = [*electrodes, "MEG0113", "MEG0112", "MEG0121", "MEG0111", "MEG0131", "STI101"]
    types = ["eeg"] * 8 + ["grad", "grad", "mag", "mag", "mag", "stim"]
    scales = {"eeg": 20e-6, "grad": 5e-12, "mag": 2e-13, "stim": 0.0}

    def make(duration_s: float = 10.0, sfreq: float = 200.0, rename: dict[str, str] | None = None, seed: int = 0) -> mne.io.RawArray:
        info = mne.create_info(names, sfreq, types)
        noise = np.random.default_rng(seed).normal(size=(len(names), round(duration_s * sfreq)))
        raw = mne.io.RawArray(noise * np.array([scales[kind] for kind in types])[:, None], info, verbose="error")
        raw.set_montage("colin27_1020", verbose="error")
        raw.info["dev_head_t"] = mne.transforms.Transform("meg", "head")
        raw.rename_channels(rename or {}, verbose="error")
        return raw

    return make


@pytest.fixture
def bids(tmp_path: Path, make_raw: MakeRaw) -> Callable[..., Path]:
    """Write a BIDS dataset of one recording a subject, with channels.tsv and events.tsv."""

    def write(*subjects: str, **options: object) -> Path:
        root = tmp_path / "bids"
        for subject in subjects:
            seed = len(list(root.glob("sub-*")))
            folder = root / f"sub-{subject}" / "ses-meg" / "meg"
            folder.mkdir(parents=True)
            stem = f"sub-{subject}_ses-meg_task-faces_run-01"
            make_raw(**options, seed=seed).save(folder / f"{stem}_meg.fif", verbose="error")
            (folder / f"{stem}_events.tsv").write_text("onset\tduration\tstim_type\n1.001\t0\tFamous\n2.5\t0.1\tScrambled\n")
            (folder.parent / f"sub-{subject}_ses-meg_task-faces_channels.tsv").write_text(
                "name\ttype\tstatus\nFp2\tVEOG\tgood\nC3\tEEG\tgood\n"
            )
        return root

    return write
