"""The sensors of a simulated recording: a VectorView helmet and a 70-electrode cap, named as in OpenNeuro ds000117."""

import mne
import numpy as np
from numpy.typing import NDArray

from crossmodal.physics.cap import CAP, cap_positions_m, head_points_m
from crossmodal.physics.cortex import template_head
from crossmodal.physics.helmet import head_position

# The file types these EEG, as ds000117's files do; only channels.tsv tells what they are.
HEOG, VEOG, ECG, UNUSED = AUXILIARY = ("EEG061", "EEG062", "EEG063", "EEG064")


def sensor_info(sfreq: float, head_scale: float, rotation_vector: NDArray[np.float64], shift_m: NDArray[np.float64]) -> mne.Info:
    """Describe the sensors around one head.

    Parameters
    ----------
    sfreq : float
        Sampling rate, Hz.
    head_scale : float
        Size relative to the template head; cap and head points grow with it.
    rotation_vector, shift_m : ndarray, shape (3,)
        How the head lies in the helmet, relative to an upright and centred one; rad and m.

    Returns
    -------
    mne.Info
        306 MEG channels, then EEG001 to EEG074 (the AUXILIARY ones without position), digitised landmarks, reference
        (at the left ear) and head points.
    """
    helmet = mne.channels.read_meg_canonical_info("neuromag")
    meg_names = [name.replace(" ", "") for name in helmet["ch_names"]]
    eeg_names = [f"EEG{number:03d}" for number in range(1, len(CAP) + len(AUXILIARY) + 1)]
    info = mne.create_info([*meg_names, *eeg_names], sfreq, [*helmet.get_channel_types(), *["eeg"] * len(eeg_names)])
    for channel, real in zip(info["chs"], helmet["chs"], strict=False):
        channel.update(loc=real["loc"], coil_type=real["coil_type"], coord_frame=real["coord_frame"])
    electrodes = [name for name in eeg_names if name not in AUXILIARY]
    with info._unlock():
        info["line_freq"] = 50.0
        info["dev_head_t"] = head_position(rotation_vector, shift_m)
    info.set_montage(_montage(electrodes, head_scale), on_missing="ignore", verbose=False)
    for name in AUXILIARY:
        info["chs"][info["ch_names"].index(name)]["loc"][:] = 0.0
    return info


def _montage(electrodes: list[str], scale: float) -> mne.channels.DigMontage:
    head = template_head()
    positions_m = {name: position_m * scale for name, position_m in zip(electrodes, cap_positions_m(), strict=True)}
    return mne.channels.make_dig_montage(
        {"EEG000": head.lpa_m * scale, **positions_m},
        nasion=head.nasion_m * scale,
        lpa=head.lpa_m * scale,
        rpa=head.rpa_m * scale,
        hsp=head_points_m() * scale,
        coord_frame="head",
    )
