"""Small shards with known content."""

from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

from crossmodal.config.data import Data, LeaveOneSubjectOut, SlidingWindows, Split
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import FoldData, open_fold
from crossmodal.datasets.recording import Events, Recording, Signal
from crossmodal.datasets.shard import Shard, write_shard
from crossmodal.storage.node_cache import NodeCache

SFREQ = 100.0
N_EEG, N_MAG, N_GRAD = 4, 3, 6


def make_recording(subject: str, run: str = "01", n_samples: int = 1000, seed: int | None = None, scale: float = 1.0) -> Recording:
    """Random EEG in microvolts and MEG in femtotesla, correlated within EEG; the average of EEG is zero."""
    rng = np.random.default_rng(int(subject) * 100 + int(run) if seed is None else seed)
    eeg = rng.standard_normal((n_samples, N_EEG)) @ rng.standard_normal((N_EEG, N_EEG)) + rng.standard_normal(N_EEG)
    eeg = scale * 1e-6 * (eeg - eeg.mean(axis=1, keepdims=True))
    meg = scale * 1e-13 * rng.standard_normal((n_samples, N_MAG + N_GRAD))
    eeg_names, meg_names = [f"EEG{i}" for i in range(N_EEG)], [f"MEG{i}" for i in range(N_MAG + N_GRAD)]
    eeg_types, meg_types = ["eeg"] * N_EEG, ["mag"] * N_MAG + ["grad"] * N_GRAD

    def signal(modality, data, names, types):
        units = tuple({"eeg": "V", "mag": "T", "grad": "T/m"}[kind] for kind in types)
        return Signal(modality, data.astype(np.float32), tuple(names), tuple(types), units, np.full((len(names), 3), np.nan))

    onsets = np.arange(100, n_samples - 100, 150)
    return Recording(
        subject=subject,
        run=run,
        sfreq=SFREQ,
        signals={"eeg": signal("eeg", eeg, eeg_names, eeg_types), "meg": signal("meg", meg, meg_names, meg_types)},
        events=Events(onsets, np.zeros(len(onsets)), tuple(("Famous", "Scrambled")[i % 2] for i in range(len(onsets)))),
        good=np.ones(n_samples, dtype=bool),
        info=mne.create_info(eeg_names + meg_names, SFREQ, eeg_types + meg_types),
        provenance={},
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Callable[..., tuple[Manifest, list[Shard]]]:
    """Write recordings as shards and give their manifest."""

    def write(*recordings: Recording) -> tuple[Manifest, list[Shard]]:
        entries = [write_shard(recording, tmp_path / f"{recording.subject}-{recording.run}") for recording in recordings]
        return Manifest.of(entries, "test"), [Shard.open(tmp_path / f"{entry.subject}-{entry.run}") for entry in entries]

    return write


@pytest.fixture(name="make_recording")
def _make_recording():
    return make_recording


@pytest.fixture
def open_data(dataset, tmp_path: Path) -> Callable[..., FoldData]:
    """Open the first fold of three recordings, which tests on 01, validates on 02 and trains on 03 unless told otherwise."""

    def open_first(data: Data | None = None, split: Split | None = None, recordings: list[Recording] | None = None) -> FoldData:
        manifest, _ = dataset(*(recordings or [make_recording(subject) for subject in ("01", "02", "03")]))
        fold = make_folds(split or LeaveOneSubjectOut(), manifest)[0]
        cache = NodeCache(tmp_path / "cache", 1 << 30)
        return open_fold(manifest, fold, data or Data(windows=SlidingWindows(length_s=1, hop_s=0.5)), 0, cache)

    return open_first
