"""A stationary Gaussian cohort with its truth, small enough to be evaluated in a second."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np

from crossmodal.config import Experiment
from crossmodal.config.simulation import SourceSpectrum
from crossmodal.datasets.manifest import Manifest, publish, shard_uri
from crossmodal.datasets.recording import PHYSIOLOGY, Events, Recording, Signal
from crossmodal.datasets.shard import write_shard
from crossmodal.physics.cohort_settings import write_settings
from crossmodal.physics.gaussian import sample_signal
from crossmodal.physics.spectra import alpha_density, aperiodic_density
from crossmodal.physics.truth import SubjectTruth, truth_path

SFREQ = 50.0
N_EEG, N_MAG, N_GRAD = 6, 5, 4
NAMES = tuple(f"{kind}{index}" for kind, count in (("EEG", N_EEG), ("MAG", N_MAG), ("GRAD", N_GRAD)) for index in range(count))
TYPES = ("eeg",) * N_EEG + ("mag",) * N_MAG + ("grad",) * N_GRAD
UNITS = np.array([1e-5] * N_EEG + [1e-13] * N_MAG + [2e-12] * N_GRAD)


def gaussian_experiment(root: Path, **changes: object) -> Experiment:
    """Each subject left out once; nothing is preprocessed, so the truth is that of the shards."""
    settings = {
        "name": "gaussian",
        "store": str(root / "store"),
        "simulation": {"root": str(root / "cohort"), "evoked": False, "artifacts": False},
        "recordings": {"kind": "bids", "root": str(root / "cohort")},
        "preprocessing": {"highpass_hz": None, "lowpass_hz": None, "sfreq": None, "average_reference": False},
        "data": {"target": {"modality": "meg"}, "windows": {"kind": "sliding", "length_s": 2.0, "hop_s": 1.0}},
        "model": {"kind": "synaptech_net", "widths": [4], "bridge_layers": 0},
        "training": {"epochs": 1, "batch_size": 8, "workers": 1},
        "evaluation": {
            "baselines": [{"kind": "training_mean"}, {"kind": "ridge"}, {"kind": "ridge", "lag_s": 0.1}],
            "bands_hz": {"alpha": [8, 13]},
        },
        "tracking": {"uri": f"sqlite:///{root}/mlflow.db", "experiment": "tests"},
        "node_cache": {"root": str(root / "cache")},
    }
    return Experiment.model_validate(settings | changes)


def publish_cohort(
    experiment: Experiment,
    n_subjects: int = 4,
    duration_s: float = 60.0,
    coupled: bool = True,
    blinks: float = 0.0,
    leaking: Collection[str] = (),
) -> Manifest:
    """Draw recordings, and keep them as shards and their truth where a simulated cohort does.

    Blinks reach EEG and MEG alike, `blinks` times as strong as these, and are recorded by an EOG channel beside an ECG that all ignore.
    In subjects who leak, electrodes record what magnetometers do.
    """
    root = Path(experiment.recordings.root)
    entries = []
    for number in range(1, n_subjects + 1):
        subject = f"{number:02d}"
        truth = _truth(number, coupled)
        path = truth_path(root, subject)
        path.parent.mkdir(parents=True)
        truth.save(path)
        data_tc = sample_signal(truth, round(duration_s * SFREQ), np.random.default_rng(number)).T
        if subject in leaking:
            data_tc[:, :N_MAG] = data_tc[:, N_EEG : N_EEG + N_MAG] * (UNITS[0] / UNITS[N_EEG])
        recording = _recording(subject, data_tc)
        if blinks:
            recording = _with_blinks(recording, blinks, number)
        entries.append(write_shard(recording, Path(shard_uri(experiment.store, f"shard-{subject}"))))
    write_settings(root, experiment.simulation)
    manifest = Manifest.of(entries, "test")
    publish(manifest, experiment.store, experiment.dataset_recipe)
    return manifest


def _truth(number: int, coupled: bool) -> SubjectTruth:
    """What subjects share, and a third of that of their own; uncoupled, EEG and MEG see different sources."""
    shared, own = np.random.default_rng(0), np.random.default_rng(number)
    factors = tuple(
        UNITS[:, None] * (shared.standard_normal((len(TYPES), 4)) + 0.3 * own.standard_normal((len(TYPES), 4))) / 2 for _ in range(2)
    )
    if not coupled:
        factors = tuple(np.hstack([np.where(eeg, factor, 0.0), np.where(eeg, 0.0, factor)]) for factor in factors for eeg in [_is_eeg()])
    densities = (aperiodic_density(SourceSpectrum(), SFREQ / 2), alpha_density(SourceSpectrum(), SFREQ / 2))
    return SubjectTruth(NAMES, TYPES, factors, densities, (0.5 * UNITS) ** 2 / (SFREQ / 2), SFREQ)


def _with_blinks(recording: Recording, strength: float, number: int) -> Recording:
    """Add pulses of a fifth of a second, every three seconds or so, to all sensors, by a topography of each subject's own."""
    rng = np.random.default_rng(100 + number)
    n_samples = len(recording.good)
    blink_t = np.convolve(rng.random(n_samples) < 1 / (3 * SFREQ), np.hanning(10), mode="same")
    for signal in recording.signals.values():
        scale_c = UNITS[[NAMES.index(name) for name in signal.names]] * strength * (3 + rng.standard_normal(len(signal.names)))
        signal.data_tc[:] += np.outer(blink_t, scale_c).astype(np.float32)
    body_tc = np.stack([1e-4 * (blink_t + 0.01 * rng.standard_normal(n_samples)), 1e-3 * rng.standard_normal(n_samples)], axis=1)
    nowhere = np.full((2, 3), np.nan)
    physiology = Signal(PHYSIOLOGY, body_tc.astype(np.float32), ("VEOG", "ECG"), ("eog", "ecg"), ("V", "V"), nowhere)
    info = mne.create_info([*NAMES, "VEOG", "ECG"], SFREQ, [*TYPES, "eog", "ecg"])
    return replace(recording, signals={**recording.signals, PHYSIOLOGY: physiology}, info=info)


def _is_eeg() -> np.ndarray:
    return (np.array(TYPES) == "eeg")[:, None]


def _recording(subject: str, data_tc: np.ndarray) -> Recording:
    signals = {}
    for modality, columns in (("eeg", slice(0, N_EEG)), ("meg", slice(N_EEG, None))):
        units = tuple({"eeg": "V", "mag": "T", "grad": "T/m"}[kind] for kind in TYPES[columns])
        positions_m = np.full((len(units), 3), np.nan)
        signals[modality] = Signal(modality, data_tc[:, columns].astype(np.float32), NAMES[columns], TYPES[columns], units, positions_m)
    return Recording(
        subject=subject,
        run="01",
        sfreq=SFREQ,
        signals=signals,
        events=Events(np.array([], dtype=np.int64), np.array([]), ()),
        good=np.ones(len(data_tc), dtype=bool),
        info=mne.create_info(list(NAMES), SFREQ, list(TYPES)),
        provenance={},
    )
