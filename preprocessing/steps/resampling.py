"""Resample a recording; events are kept in seconds until the end, so that they move with it."""

from mne.io import BaseRaw

from crossmodal.config.preprocessing import Preprocessing

VERSION = 1


def resample_recording(raw: BaseRaw, settings: Preprocessing) -> None:
    """Resample in place in the frequency domain, after the low-pass, which the settings hold below the new Nyquist frequency."""
    if settings.sfreq and settings.sfreq != raw.info["sfreq"]:
        raw.resample(settings.sfreq, n_jobs=1, verbose="error")
