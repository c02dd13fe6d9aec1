"""Refer EEG to the mean of its electrodes, the reference every recording can share."""

from mne.io import BaseRaw

from crossmodal.config.preprocessing import Preprocessing

VERSION = 1


def reference_recording(raw: BaseRaw, settings: Preprocessing) -> None:
    """Subtract the mean over EEG channels in place, once bad ones are mended; MEG has no reference."""
    if settings.average_reference and "eeg" in raw:
        raw.set_eeg_reference("average", projection=False, verbose="error")
