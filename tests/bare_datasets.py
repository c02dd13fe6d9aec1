"""Datasets of which there is only the manifest, for what never opens a shard."""

from collections.abc import Iterable

from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.manifest import Manifest


def bare_manifest(subjects: Iterable[str], runs: tuple[str, ...] = ("01",), n_samples: int = 1000, preprocessing: str = "test") -> Manifest:
    """Recordings of one EEG channel; those of equal subject, run and preprocessing are the same."""
    entries = [
        ShardEntry(
            uri="x", subject=subject, run=run, fingerprint=f"{subject} {run} {preprocessing}", n_samples=n_samples, sfreq=100.0,
            size_bytes=1, sha256="", samples={"eeg": f"{subject} {run}"}, channels={"eeg": ("a",)}, types={"eeg": ("eeg",)},
        )
        for subject in subjects
        for run in runs
    ]  # fmt: skip
    return Manifest.of(entries, preprocessing)
