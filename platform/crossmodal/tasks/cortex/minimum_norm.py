"""Minimum norm on the head that a sample was simulated with: what the estimate is worth where nothing of the head is unknown."""

import numpy as np

from crossmodal.models.base import Model
from crossmodal.models.minimum_norm import linear_map, minimum_norm_projection
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.transforms.scaling import Normaliser

OWN_HEAD = "own-head minimum norm"


def own_head_minimum_norm(head: SimulatedHead, normaliser: Normaliser, snr: float) -> Model:
    """Estimate the regions of one subject with its own lead field, dipole by dipole, which no recording tells.

    Parameters
    ----------
    snr : float
        Amplitude ratio of cortical signal to noise that is white over electrodes.
    """
    types = np.array(head.info.get_channel_types())
    return linear_map(minimum_norm_projection(head.lead_field_cd, head.membership_rd, types, snr), normaliser)
