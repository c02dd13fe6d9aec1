"""What `predict` writes of a recording: a virtual recording of the target sensors, on the clock of the real one."""

from pathlib import Path

import mne
import numpy as np
from mne.io import BaseRaw

from crossmodal.datasets.virtual_data import VIRTUAL, leave_gaps
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.storage.atomic import new_files
from crossmodal.tasks.cleaned_input import CleanedInput
from crossmodal.transforms.resampling import Resampler


def virtual_recording(trained: TrainedModel, target_info: mne.Info, cleaned: CleanedInput) -> mne.io.RawArray:
    """Predict what the target sensors would have recorded.

    Parameters
    ----------
    target_info : mne.Info
        Describes the target sensors, as the training data had them.

    Returns
    -------
    mne.io.RawArray
        Target sensors in SI units, with the training data's sensor positions and the recording's own sampling rate, length,
        start and annotations, and more of these (BAD_input) where cleaning marked the input bad.
    """
    card, clock = trained.card, cleaned.clock
    predictor = trained.predictor.for_subject(cleaned.info, card.signals, card.preprocessing.average_reference, target_info)
    y_st = predictor.predict_recording(cleaned.x_ct, card.signals)
    if clock.sfreq != card.signals.target.sfreq:
        to_clock = Resampler(card.signals.target.sfreq, clock.sfreq, y_st.shape[1], clock.n_samples)
        y_st = np.stack([to_clock(y_t) for y_t in y_st])
    info = mne.pick_info(target_info, [target_info["ch_names"].index(name) for name in card.signals.target.names])
    with info._unlock():
        info["sfreq"] = clock.sfreq
        info["dig"] = cleaned.info["dig"] or info["dig"]
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
