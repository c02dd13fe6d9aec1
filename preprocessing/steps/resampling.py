"""Resample a recording on its own clock; events are kept in seconds until the end, so that they move with it.

MNE's `Raw.resample` rounds to whole samples of the new rate where it pads: that moves a recording by up to half a sample, 5 ms at
100 Hz, as its length happens to be, and as much again toward its end. It also takes each file of a split recording by itself.
"""

import numpy as np
from mne.io import BaseRaw, RawArray

from crossmodal.config.preprocessing import Preprocessing
from crossmodal.transforms.resampling import Resampler
from preprocessing.signals.spans import continuous_pieces

VERSION = 3


def resample_recording(raw: BaseRaw, settings: Preprocessing) -> BaseRaw:
    """Return the recording at the rate that settings ask for, each piece between boundaries of acquisition by itself.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, after the low-pass, which settings hold below the new Nyquist frequency. Emptied where another is returned: whoever opened
        it holds it on to the end.
    settings : Preprocessing
        The rate.

    Returns
    -------
    BaseRaw
        Sample k is what was recorded k / rate after the first sample. It is `raw` itself where that has the rate.
    """
    old_hz, new_hz = raw.info["sfreq"], settings.sfreq
    if not new_hz or new_hz == old_hz:
        return raw
    edges = {round(edge_s * old_hz) for piece in continuous_pieces(raw) for edge_s in (piece.start_s, piece.stop_s)}
    bounds = sorted({0, *edges, len(raw.times)})
    info = raw.info.copy()
    with info._unlock():
        info["sfreq"], info["lowpass"] = new_hz, min(info["lowpass"], new_hz / 2)
    n_new = max(round(len(raw.times) * new_hz / old_hz), 1)
    resampler = Resampler(old_hz, new_hz, len(raw.times), n_new, bounds)
    data_ct = np.empty((len(raw.ch_names), n_new))
    for index in range(len(data_ct)):
        data_ct[index] = resampler(raw.get_data(picks=[index])[0])
    raw.crop(tmax=0)
    return RawArray(data_ct, info, verbose="error")
