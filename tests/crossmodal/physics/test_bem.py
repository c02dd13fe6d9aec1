"""Boundary elements of the template agree with the sphere where a sphere is right."""

import mne
import numpy as np
import pytest

from crossmodal.physics.bem import template_boundary_elements
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import lead_field, sphere_head, upper_scalp
from preprocessing.simulated.sensors import sensor_info


@pytest.mark.slow
def test_boundary_elements_are_near_the_sphere_and_scale():
    head = template_boundary_elements()
    info = sensor_info(100.0, 1.0, np.zeros(3), np.zeros(3))
    located = [index for index, channel in enumerate(info["chs"]) if channel["loc"].any() and channel["ch_name"][-1] != "3"]
    info = mne.pick_info(info, located[::3])
    types = np.array(info.get_channel_types())
    dipoles = head.confine(template_cortex(100))
    boundary = lead_field(info, dipoles, head)
    sphere = sphere_head(upper_scalp(template_head().scalp_m))
    spherical = lead_field(info, sphere.confine(dipoles), sphere)
    for rows in (types == "eeg", types != "eeg"):
        pairs = zip(boundary[rows].T, spherical[rows].T, strict=True)
        assert np.median([np.corrcoef(one, other)[0, 1] for one, other in pairs]) > 0.9

    eeg = mne.pick_info(info, np.flatnonzero(types == "eeg"))
    for channel in eeg["chs"]:
        channel["loc"][:6] *= 1.1
    larger = lead_field(eeg, Dipoles(1.1 * dipoles.positions_m, dipoles.orientations), head.scaled(1.1))
    np.testing.assert_allclose(larger, boundary[types == "eeg"] / 1.21, rtol=1e-6, atol=1e-9 * np.abs(larger).max())
