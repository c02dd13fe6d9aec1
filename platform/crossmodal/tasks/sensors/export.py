"""What `predict` writes of a recording: a virtual recording of the target sensors, on the clock of the real one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.datasets.virtual_data import VIRTUAL, leave_gaps
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.storage.atomic import new_files
from crossmodal.transforms.resampling import Resampler


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
    x_ct : float64 array, shape (n_input, n_samples)
        The model's channels in its order and at its rate, SI units.
    clock : Clock
        Of the recording as it was made.
    digitised : list of dict or None
        MNE's points of its head.
    bad_s : sequence of tuple of float
        Start and stop of what cleaning marked bad, s from the first sample.
    notes : tuple of str
        Sentences that the run should say.
    """

    x_ct: NDArray[np.float64]
    clock: Clock
    digitised: list[dict[str, Any]] | None
    bad_s: Sequence[tuple[float, float]]
    notes: tuple[str, ...]


def virtual_recording(trained: TrainedModel, cleaned: CleanedInput) -> mne.io.RawArray:
    """Predict what the target sensors would have recorded.

    Returns
    -------
    mne.io.RawArray
        Target sensors in SI units, with the training data's sensor positions and the recording's own sampling rate, length,
        start and annotations, and more of these (BAD_input) where cleaning marked the input bad.
    """
    card, clock = trained.card, cleaned.clock
    y_st = trained.predictor.predict_recording(cleaned.x_ct, card.signals)
    if clock.sfreq != card.signals.target.sfreq:
        to_clock = Resampler(card.signals.target.sfreq, clock.sfreq, y_st.shape[1], clock.n_samples)
        y_st = np.stack([to_clock(y_t) for y_t in y_st])
    info = mne.pick_info(trained.target_info, [trained.target_info["ch_names"].index(name) for name in card.signals.target.names])
    with info._unlock():
        info["sfreq"] = clock.sfreq
        info["dig"] = cleaned.digitised or info["dig"]
    info["description"] = f"{VIRTUAL} run {card.run}, fold {card.fold}"
    raw = mne.io.RawArray(y_st, info, first_samp=clock.first_sample, verbose="error")
    raw.set_meas_date(clock.annotations.orig_time)
    return raw.set_annotations(clock.annotations + clock.bad(cleaned.bad_s), verbose="error")


def mark_virtual(raw: BaseRaw, card: ModelCard) -> None:
    """Leave gaps in the spectrum, in place, by which a virtual recording is known in any format."""
    raw.apply_function(leave_gaps, channel_wise=False, sfreq=raw.info["sfreq"], lowpass_hz=card.preprocessing.lowpass_hz)


def told_place(card: ModelCard) -> str:
    """Say whose head the virtual sensors stand around: it decides where sources land."""
    subject = card.trained_on[0]
    if card.data.target.modality == "eeg":
        return f"virtual electrodes stand where those of training subject {subject} stood"
    return (
        f"virtual sensors stand around the head as they did around training subject {subject}'s (dev_head_t), not as in this recording:"
        " sources are localised for that head position"
    )


def save_whole(raw: BaseRaw, output: Path, split_size: str = "2GB") -> None:
    """Save a recording as FIF, all of its parts or nothing.

    Parameters
    ----------
    output : Path
        Ends with .fif or .fif.gz; further parts are called after it.
    split_size : str
        What a part holds at most; a FIF file can hold no more than 2 GB.

    Raises
    ------
    UserError
        A part exists already, or there is no room.
    """
    # Each part holds the name of the next one, so that none can be renamed.
    with new_files(output) as aside:
        raw.save(aside / output.name, split_size=split_size, verbose="error")
