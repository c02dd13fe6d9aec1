"""Where an electrode cap and digitised points lie on the template head."""

import mne
import numpy as np
from mne.transforms import apply_trans
from numpy.typing import NDArray

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
_N_HEAD_POINTS = 120
_LOWEST_HEAD_POINT_M = -0.01


def cap_positions_m() -> NDArray[np.float64]:
    """Positions of the sites of CAP on the template head, shape (70, 3), head coordinates."""
    site_m = site_positions_m()
    return np.array([site_m[site] for site in CAP])


def evenly_spread(n_electrodes: int) -> NDArray[np.intp]:
    """Choose sites of CAP spread evenly over the head, in the order of CAP."""
    return np.sort(farthest_points(cap_positions_m(), n_electrodes))


def cap_info(chosen: NDArray[np.intp], sfreq: float, cap_m: NDArray[np.float64], axes_3: float | NDArray[np.float64]) -> mne.Info:
    """Describe electrodes at chosen sites of the whole cap (70, 3); a head has a size relative to the template, or one along each axis."""
    template, names = template_head(), [CAP[index] for index in chosen]
    info = mne.create_info(names, sfreq, "eeg")
    montage = mne.channels.make_dig_montage(
        dict(zip(names, cap_m[chosen], strict=True)),
        nasion=template.nasion_m * axes_3,
        lpa=template.lpa_m * axes_3,
        rpa=template.rpa_m * axes_3,
        hsp=head_points_m() * axes_3,
        coord_frame="head",
    )
    return info.set_montage(montage, verbose=False)


def site_positions_m() -> dict[str, NDArray[np.float64]]:
    """Where the sites of the extended 10-05 system lie on the template head, head coordinates."""
    mri_to_head = np.linalg.inv(template_head().head_to_mri)
    sites = mne.channels.make_standard_montage("fsaverage_1005").get_positions()["ch_pos"]
    return {site: apply_trans(mri_to_head, place) for site, place in sites.items()}


def head_points_m() -> NDArray[np.float64]:
    """Points spread over the template's scalp as a person digitises them, shape (120, 3), head coordinates."""
    scalp_m = template_head().scalp_m
    points_m = scalp_m[scalp_m[:, 2] > _LOWEST_HEAD_POINT_M]
    return points_m[farthest_points(points_m, _N_HEAD_POINTS)]
