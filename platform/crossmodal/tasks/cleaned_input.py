"""A recording to predict from, cleaned, and the clock that it was made by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config.preprocessing import Recordings
from crossmodal.models.store import ModelCard


@dataclass(frozen=True)
class Clock:
    """When a recording was made: its sampling, start and annotations."""

    sfreq: float
    n_samples: int
    first_sample: int
    annotations: mne.Annotations

    @classmethod
    def of(cls, raw: BaseRaw) -> "Clock":
        """Read a recording's clock before any step changes it."""
        annotations = raw.annotations.copy()
        if annotations.orig_time is None:
            # Without a measurement date, MNE takes onsets from the first sample when they are set, and gives them from sample 0.
            annotations.onset -= raw.first_time
        return cls(raw.info["sfreq"], len(raw.times), raw.first_samp, annotations)

    def bad(self, spans_s: Sequence[tuple[float, float]]) -> mne.Annotations:
        """Annotations of what the model's input is of no use in, from start to stop, beside those of the recording."""
        origin, begin_s = self.annotations.orig_time, self.first_sample / self.sfreq
        onset_s = [start_s + (begin_s if origin else 0.0) for start_s, _ in spans_s]
        return mne.Annotations(onset_s, [stop_s - start_s for start_s, stop_s in spans_s], "BAD_input", orig_time=origin)


@dataclass(frozen=True)
class CleanedInput:
    """A recording of the input modality, cleaned as the training data of a model were.

    Attributes
    ----------
    names : tuple of str
        The channels that the model reads, in the order of `x_ct`: its own, or of a model of any montage all electrodes there are.
    x_ct : float64 array, shape (n_input, n_samples)
        Those channels at the model's rate, SI units.
    clock : Clock
        Of the recording as it was made.
    info : mne.Info
        Describes its sensors and head.
    bad_s : sequence of tuple of float
        Start and stop of what cleaning marked bad, s from the first sample.
    notes : tuple of str
        Sentences that the run should say.
    """

    names: tuple[str, ...]
    x_ct: NDArray[np.float64]
    clock: Clock
    info: mne.Info
    bad_s: Sequence[tuple[float, float]]
    notes: tuple[str, ...]


# Reads a recording and cleans it as a model's training data were: from path, model card, what the experiment says of its recordings where
# it has some, and a folder for staged copies.
CleanInput = Callable[[str, ModelCard, Recordings | None, Path], CleanedInput]
