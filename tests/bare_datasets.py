"""Datasets of which there is only the manifest, for what never opens a shard."""

from collections.abc import Iterable

from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.manifest import Manifest


def bare_manifest(
    subjects: Iterable[str],
    runs: tuple[str, ...] = ("01",),
    n_samples: int = 1000,
    preprocessing: str = "test",
    sessions: tuple[str, ...] = ("",),
) -> Manifest:
    """Recordings of one EEG channel; those of equal subject, run and preprocessing are the same."""
    entries = [bare_entry(subject, session, run, n_samples, preprocessing) for subject in subjects for session in sessions for run in runs]
    return Manifest.of(entries, preprocessing)


def bare_entry(subject: str, session: str = "", run: str = "01", n_samples: int = 1000, preprocessing: str = "test") -> ShardEntry:
    """One recording; its run is called as readers call it."""
    run = f"ses-{session}_{run}" if session else run
    return ShardEntry(
        uri="x", subject=subject, run=run, session=session, fingerprint=f"{subject} {run} {preprocessing}", n_samples=n_samples,
        sfreq=100.0, size_bytes=1, sha256="", samples={"eeg": f"{subject} {run}"}, channels={"eeg": ("a",)}, types={"eeg": ("eeg",)},
    )  # fmt: skip
