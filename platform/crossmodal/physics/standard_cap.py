"""Electrodes that are known by their names alone: where they stand on the template head."""

from collections.abc import Sequence

import mne

from crossmodal.config import UserError
from crossmodal.physics.cap import site_positions_m


def standard_cap(names: Sequence[str], sfreq: float) -> mne.Info:
    """Describe electrodes of the extended 10-20 system on the template head, in head coordinates.

    Parameters
    ----------
    names : sequence of str
        In any case.
    sfreq : float
        Hz.

    Raises
    ------
    UserError
        A name is no site of the system.
    """
    site_m = {site.casefold(): place_m for site, place_m in site_positions_m().items()}
    unknown = [name for name in names if name.casefold() not in site_m]
    if unknown:
        raise UserError(
            f"{', '.join(unknown[:5])}: no electrode of the extended 10-20 system has this name, so nobody knows where it stands"
        )
    info = mne.create_info(list(names), sfreq, "eeg")
    info.set_montage(mne.channels.make_dig_montage({name: site_m[name.casefold()] for name in names}, coord_frame="head"))
    return info
