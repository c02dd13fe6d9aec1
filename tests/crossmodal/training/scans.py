"""A cohort of scans small enough to train on in a second, and the network of Calhas and Henriques made small enough for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from crossmodal.config import Experiment, overridden
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.recording import Recording
from tests.crossmodal.datasets.conftest import SFREQ, make_recording
from tests.crossmodal.datasets.test_volumes import make_volumes
from tests.crossmodal.training.cohort import publish_cohort, publish_recordings, small_experiment

N_VOLUMES = 60


def driven_recording(subject: str, targets: str) -> Recording:
    """Targets follow how much stronger two electrodes were than the others while the last volume was taken."""
    volumes = make_volumes(N_VOLUMES, names=("a", "b", "c") if targets == "regions" else None, seed=int(subject))
    strength_v = np.random.default_rng(int(subject)).standard_normal(N_VOLUMES)
    recording = make_recording(subject, n_samples=round((volumes.onset_s[-1] + volumes.tr_s) * SFREQ))
    following = np.searchsorted(np.round(volumes.onset_s * SFREQ), np.arange(len(recording.good)), side="right").clip(max=N_VOLUMES - 1)
    recording.signals["eeg"].data_tc[:, :2] *= np.exp(strength_v[following, None])
    data_vs = (10 * strength_v[:, None] + volumes.data_vs).astype(np.float32)
    return replace(recording, volumes=replace(volumes, data_vs=data_vs))


def scans_experiment(root: Path, store: str | None = None, **training: object) -> Experiment:
    """All parts of the network: attention, random features, a target encoder that training alone needs and that draws dropout."""
    settings = {
        "preprocessing.modalities": ["eeg", "bold"],
        "data": {"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": 6}, "input_scaling": "zscore"},
        "model": {"kind": "calhas", "latent": 27},
        "evaluation.baselines": [{"kind": "training_mean"}],
    }
    return overridden(small_experiment(root, store, **training), settings)


def publish_scans(experiment: Experiment) -> Manifest:
    """Publish scans of five subjects whose voxels follow their EEG."""
    return publish_recordings(experiment, (driven_recording(str(subject + 1), "voxels") for subject in range(5)))


# A small experiment of each task on recordings, and what publishes its dataset.
COHORTS = {"sensors": (small_experiment, publish_cohort), "volumes": (scans_experiment, publish_scans)}
