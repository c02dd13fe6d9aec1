"""The sensors of a simulated recording: a VectorView helmet and a 70-electrode cap, named as in OpenNeuro ds000117."""

import mne
import numpy as np
from mne.transforms import Transform, apply_trans
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import farthest_points

# 70 sites of the extended 10-10 system, front to back.
CAP = (
    *("Fp1", "Fpz", "Fp2"),
    *("AF7", "AF3", "AFz", "AF4", "AF8"),
    *("F9", "F7", "F5", "F3", "F1", "Fz", "F2", "F4", "F6", "F8", "F10"),
    *("FT9", "FT7", "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "FT8", "FT10"),
    *("T7", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "T8"),
    *("TP9", "TP7", "CP5", "CP3", "CP1", "CPz", "CP2", "CP4", "CP6", "TP8", "TP10"),
    *("P9", "P7", "P5", "P3", "P1", "Pz", "P2", "P4", "P6", "P8", "P10"),
    *("PO7", "PO3", "POz", "PO4", "PO8"),
    *("O1", "Oz", "O2", "Iz"),
)
# The file types these EEG, as ds000117's files do; only channels.tsv tells what they are.
HEOG, VEOG, ECG, UNUSED = AUXILIARY = ("EEG061", "EEG062", "EEG063", "EEG064")
# Of the device's origin above the ear canals, for a head that touches the helmet's top with room for its hair.
_DEVICE_ORIGIN_M = np.array([0.0, 0.0, 0.05])
_N_HEAD_POINTS = 120
_LOWEST_HEAD_POINT_M = -0.01


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
        info["dev_head_t"] = _head_position(rotation_vector, shift_m)
    info.set_montage(_montage(electrodes, head_scale), on_missing="ignore", verbose=False)
    for name in AUXILIARY:
        info["chs"][info["ch_names"].index(name)]["loc"][:] = 0.0
    return info


def _head_position(rotation_vector: NDArray[np.float64], shift_m: NDArray[np.float64]) -> Transform:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(rotation_vector).as_matrix()
    matrix[:3, 3] = _DEVICE_ORIGIN_M + shift_m
    return Transform("meg", "head", matrix)


def _montage(electrodes: list[str], scale: float) -> mne.channels.DigMontage:
    head = template_head()
    mri_to_head = np.linalg.inv(head.head_to_mri)
    sites = mne.channels.make_standard_montage("fsaverage_1005").get_positions()["ch_pos"]
    positions_m = {name: apply_trans(mri_to_head, sites[site]) * scale for name, site in zip(electrodes, CAP, strict=True)}
    points_m = head.scalp_m[head.scalp_m[:, 2] > _LOWEST_HEAD_POINT_M]
    return mne.channels.make_dig_montage(
        {"EEG000": head.lpa_m * scale, **positions_m},
        nasion=head.nasion_m * scale,
        lpa=head.lpa_m * scale,
        rpa=head.rpa_m * scale,
        hsp=points_m[farthest_points(points_m, _N_HEAD_POINTS)] * scale,
        coord_frame="head",
    )
