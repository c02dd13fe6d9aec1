"""Bring channels to volts, and refuse what no electrode records: a unit may be known and wrong."""

from collections.abc import Mapping

import mne
import numpy as np
import scipy.signal
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.signals.channel_names import some_of
from preprocessing.signals.units import ChannelUnits

VERSION = 1

_HIGHPASS_HZ = 1.0
# Scalp EEG has some microvolts to some hundreds, an amplifier's own noise about one; limits are far beyond both.
_PLAUSIBLE_V = (1e-9, 1e-2)
# Where channels.tsv names another unit than the file, only what is common settles it.
_COMMON_V = (2e-7, 1e-3)
# What the factor that would fit leads nearest to.
_TYPICAL_V = 2e-5
_BLOCK_S, _MOST_BLOCKS = 5.0, 12


def to_volts(raw: BaseRaw, volts: Mapping[str, float]) -> None:
    """Multiply the channels in place whose unit channels.tsv alone tells, by what the number 1 stands for, V."""
    for name in raw.ch_names:
        if name in volts:
            raw[name] = volts[name] * raw[name][0]


def check_plausible(raw: BaseRaw, units: ChannelUnits, called: str) -> list[str]:
    """Refuse EEG that is far from any that electrodes record.

    Its size is the root mean square above 1 Hz, where offsets and drifts do not count. For each channel it is the median over blocks of
    5 s, so that a knock does not count; for the recording it is the median over channels that are not constant, so that a loose electrode
    does not.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, in volts.
    units : ChannelUnits
        Says where file and channels.tsv differ.
    called : str
        What sentences call the recording.

    Returns
    -------
    list of str
        What the run should say of single channels that are beyond the same limits.

    Raises
    ------
    UserError
        Its size is beyond 10 mV or below 1 nV; where channels.tsv names another unit than the file, beyond 1 mV or below 0.2 uV. The
        sentence tells the factor that would fit.
    """
    names = [raw.ch_names[index] for index in mne.pick_types(raw.info, eeg=True, exclude=())]
    measured_v = {name: _size_v(raw.get_data(picks=[name])[0], raw.info["sfreq"]) for name in names}
    # Constant channels are bad, and found as such.
    sizes_v = {name: size_v for name, size_v in measured_v.items() if size_v}
    if not sizes_v:
        return []
    size_v = float(np.median(list(sizes_v.values())))
    disputed = next((name for name in names if name in units.disputed), None)
    least_v, most_v = _COMMON_V if disputed else _PLAUSIBLE_V
    if least_v <= size_v <= most_v:
        odd = [f"{name} ({each_v:.2g} V)" for name, each_v in sizes_v.items() if not _PLAUSIBLE_V[0] <= each_v <= _PLAUSIBLE_V[1]]
        told = (
            f"no electrode records what these channels have above 1 Hz (rms): {some_of(odd)}; their unit may be wrong, or the input unused"
        )
        return [told] if odd else []
    factor = 1000.0 ** round(np.log(_TYPICAL_V / size_v) / np.log(1000))
    other = f", in which channels.tsv has '{units.disputed[disputed]}' and the file another unit" if disputed else ""
    raise UserError(
        f"{called}: its EEG has {size_v:.2g} V rms above {_HIGHPASS_HZ:g} Hz (median of {len(sizes_v)} channels{other}), which no electrode"
        f" records; a factor of {factor:g} would fit: correct the unit in the file, or retype inputs that are no EEG"
        " (recordings.channel_types)"
    )


def _size_v(x_t: NDArray[np.float64], sfreq: float) -> float:
    """Median root mean square above 1 Hz of blocks that are not constant, V; 0 where there is none. x_t: shape (n_samples,)."""
    n_block = round(min(_BLOCK_S * sfreq, len(x_t)))
    starts = np.unique(np.linspace(0, len(x_t) - n_block, _MOST_BLOCKS).astype(int))
    blocks = np.stack([x_t[start : start + n_block] for start in starts])
    blocks = blocks[np.isfinite(blocks).all(axis=1) & (np.ptp(blocks, axis=1) > 0)]
    if not len(blocks):
        return 0.0
    frequencies_hz, density = scipy.signal.periodogram(blocks, sfreq, window="hann", detrend="constant")
    above = frequencies_hz >= _HIGHPASS_HZ
    return float(np.sqrt(np.median(density[:, above].sum(axis=1) * sfreq / n_block)))
