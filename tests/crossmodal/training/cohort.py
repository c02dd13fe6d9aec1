"""A cohort small enough to train on in a second, and a network small enough for it."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import mne
import numpy as np
import torch
from torch import nn

from crossmodal.config import Experiment
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest, publish, shard_uri
from crossmodal.datasets.opening import FoldData, open_fold
from crossmodal.datasets.recording import Events, Recording, Signal
from crossmodal.datasets.shard import LAST_FILE, read_entry, write_shard
from crossmodal.models.base import Model
from crossmodal.storage.node_cache import NodeCache
from crossmodal.storage.uri import join, list_names, publish_folder
from crossmodal.training.checkpoint import latest_checkpoint
from crossmodal.training.runs import checkpoints_uri

SFREQ = 50.0
N_EEG, N_MAG = 6, 5


class SmallNet(Model):
    """Draws random numbers at every step, as networks with dropout do."""

    def __init__(self, data: FoldData, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(data.signals.input.n_channels, 16, 3, padding=1),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv1d(16, data.signals.target.n_channels, 3, padding=1),
        )

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        return self.layers(x_bct)


def small_experiment(root: Path, store: str | None = None, **training: object) -> Experiment:
    """Five subjects, each left out once, and the narrowest Synaptech-Net; all but the store lies below `root`."""
    return Experiment.model_validate(
        {
            "name": "small",
            "store": store or str(root / "store"),
            "node_cache": {"root": str(root / "cache")},
            "recordings": {"kind": "files", "files": [{"path": "absent.fif", "subject": "1"}]},
            "data": {"windows": {"kind": "sliding", "length_s": 1.28, "hop_s": 0.64}},
            "model": {"kind": "synaptech_net", "widths": [4, 8], "bridge_hidden": 4, "bridge_layers": 1},
            "training": {"epochs": 4, "batch_size": 8, "learning_rate": 0.01, "workers": 1, **training},
            "tracking": {"uri": f"sqlite:///{root}/mlflow.db", "experiment": "tests", "spool": str(root / "spool")},
        }
    )


def publish_cohort(experiment: Experiment, n_subjects: int = 5, duration_s: float = 20.0) -> Manifest:
    """Write shards in which MEG follows from EEG but for noise, of one mixing for all subjects, and publish them."""
    mixing = np.random.default_rng(0).standard_normal((N_EEG, N_MAG))
    subjects = range(n_subjects)
    return publish_recordings(
        experiment, [_recording(str(subject + 1), duration_s + 20.32 * (subject % 2), mixing) for subject in subjects]
    )


def publish_recordings(experiment: Experiment, recordings: Iterable[Recording]) -> Manifest:
    """Write a shard a recording and publish them as the experiment's dataset."""
    entries = []
    for number, recording in enumerate(recordings):
        uri = shard_uri(experiment.store, f"shard-{number}")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / f"shard-{number}"
            write_shard(recording, folder)
            publish_folder(folder, uri, last=LAST_FILE)
        entries.append(read_entry(uri))
    manifest = Manifest.of(entries, "test")
    publish(manifest, experiment.store, experiment.dataset_recipe)
    return manifest


def has_checkpoint(store: str, prefix: str) -> bool:
    """Tell whether a training run whose name starts so has just ended an epoch of a fold that is not finished."""
    runs = [run for run in list_names(join(store, "runs")) if run.startswith(prefix)]
    return any(latest_checkpoint(checkpoints_uri(store, run, fold)) for run in runs for fold in list_names(checkpoints_uri(store, run)))


def open_first_fold(experiment: Experiment, manifest: Manifest, root: Path) -> FoldData:
    """The fold that leaves the first subject out."""
    fold = make_folds(experiment.split, manifest)[0]
    return open_fold(manifest, fold, experiment.data, experiment.seed, NodeCache(root / "cache", 1 << 30))


def _recording(subject: str, duration_s: float, mixing: np.ndarray) -> Recording:
    rng = np.random.default_rng(int(subject))
    n_samples = round(duration_s * SFREQ)
    eeg = rng.standard_normal((n_samples, N_EEG))
    meg = eeg @ mixing + rng.standard_normal((n_samples, N_MAG))
    eeg_names, meg_names = tuple(f"EEG{i}" for i in range(N_EEG)), tuple(f"MEG{i}" for i in range(N_MAG))
    types = ("eeg",) * N_EEG + ("mag",) * N_MAG
    return Recording(
        subject=subject,
        run="01",
        sfreq=SFREQ,
        signals={
            "eeg": Signal("eeg", np.float32(1e-6 * eeg), eeg_names, types[:N_EEG], ("V",) * N_EEG, np.full((N_EEG, 3), np.nan)),
            "meg": Signal("meg", np.float32(1e-13 * meg), meg_names, types[N_EEG:], ("T",) * N_MAG, np.full((N_MAG, 3), np.nan)),
        },
        events=Events(np.array([], dtype=np.int64), np.array([]), ()),
        good=np.ones(n_samples, dtype=bool),
        info=_info(eeg_names, meg_names, types, rng),
        provenance={},
    )


def _info(eeg_names: tuple[str, ...], meg_names: tuple[str, ...], types: tuple[str, ...], rng: np.random.Generator) -> mne.Info:
    """Sensors on a head of the subject's own size."""
    info = mne.create_info(list(eeg_names + meg_names), SFREQ, list(types))
    directions = np.random.default_rng(0).standard_normal((len(types), 3))
    places_m = rng.uniform(0.08, 0.1) * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    for channel, place_m in zip(info["chs"], places_m, strict=True):
        channel["loc"][:3], channel["loc"][9:12] = place_m, place_m / np.linalg.norm(place_m)
    with info._unlock():
        info["dev_head_t"] = mne.Transform("meg", "head", np.eye(4))
    return info
