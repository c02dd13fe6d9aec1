"""Lead fields against MNE and against physics that needs no program."""

import mne
import numpy as np
import pytest
from mne.transforms import Transform

from crossmodal.config import UserError
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import lead_field, located_channels, meg_positions_m, relative_radius, sphere_head, upper_scalp


@pytest.fixture(scope="module")
def head():
    return sphere_head(upper_scalp(template_head().scalp_m))


@pytest.fixture(scope="module")
def info():
    eeg = mne.create_info(["Fp1", "Cz", "O1", "T8"], 100.0, "eeg").set_montage("fsaverage_1005")
    meg = mne.channels.read_meg_canonical_info("neuromag")
    picked = mne.pick_info(meg, np.arange(0, 306, 17))
    merged = mne.create_info([*eeg["ch_names"], *picked["ch_names"]], 100.0, [*eeg.get_channel_types(), *picked.get_channel_types()])
    with merged._unlock():
        for channel, original in zip(merged["chs"], [*eeg["chs"], *picked["chs"]], strict=True):
            channel.update(loc=original["loc"], coil_type=original["coil_type"], coord_frame=original["coord_frame"], unit=original["unit"])
        merged["dev_head_t"] = Transform("meg", "head", np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.05], [0, 0, 0, 1]]))
    return merged


def test_lead_field_is_that_of_mne_in_the_order_of_the_recording(info, head):
    dipoles = head.confine(template_cortex(40))
    ours = lead_field(info, dipoles, head)
    source_space = mne.setup_volume_source_space(pos={"rr": dipoles.positions_m, "nn": dipoles.orientations}, verbose=False)
    forward = mne.make_forward_solution(info, Transform("head", "mri"), source_space, head.eeg, mindist=0.0, verbose="ERROR")
    fixed = mne.convert_forward_solution(forward, force_fixed=True, verbose=False)
    rows = dict(zip(fixed["sol"]["row_names"], fixed["sol"]["data"], strict=True))
    expected = np.array([rows[name] for name in located_channels(info)])
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max(axis=1, keepdims=True).min())


def test_radial_dipoles_in_a_sphere_are_silent_in_meg_only(info, head):
    directions = np.array([[1.0, 0, 0], [0, 0.6, 0.8], [0, 0, 1]])
    radial = lead_field(info, Dipoles(head.centre_m + 0.06 * directions, directions), head)
    tangential = lead_field(info, Dipoles(head.centre_m + 0.06 * directions, np.roll(directions, 1, axis=1)), head)
    assert np.abs(radial[4:]).max() < 1e-6 * np.abs(tangential[4:]).max()
    assert np.abs(radial[:4]).max() > 0.1 * np.abs(tangential[:4]).max()


def test_potential_falls_with_the_square_of_head_size(info, head):
    """A dipole's potential in a conductor of another size, everything scaled, goes as size^-2."""
    eeg = mne.pick_info(info, range(4))
    dipoles = head.confine(template_cortex(20))
    larger = eeg.copy()
    for channel in larger["chs"]:
        channel["loc"][:3] *= 1.1
    large_head = sphere_head(upper_scalp(template_head().scalp_m) * 1.1)
    larger_dipoles = Dipoles(dipoles.positions_m * 1.1, dipoles.orientations)
    for model in (large_head, head.scaled(1.1)):
        np.testing.assert_allclose(lead_field(larger, larger_dipoles, model), lead_field(eeg, dipoles, head) / 1.21, rtol=1e-3)


def test_confining_moves_only_dipoles_outside_the_brain(head):
    inside, outside = head.centre_m + np.array([0.03, 0, 0]), head.centre_m + np.array([0, 0.2, 0])
    confined = head.confine(Dipoles(np.array([inside, outside]), np.eye(3)[:2]))
    np.testing.assert_allclose(confined.positions_m[0], inside)
    radius = np.linalg.norm(confined.positions_m[1] - head.centre_m)
    assert 0.9 < radius / head.eeg["layers"][0]["rad"] < 1


def test_channels_without_a_position_are_named(info):
    lost = info.copy()
    lost["chs"][1]["loc"][:] = np.nan
    with pytest.raises(UserError, match="no sensor position for Cz"):
        located_channels(lost)
    with lost._unlock():
        lost["chs"][1]["loc"] = info["chs"][1]["loc"]
        lost["dev_head_t"] = None
    with pytest.raises(UserError, match="dev_head_t"):
        located_channels(lost)


def test_a_sphere_that_reaches_a_sensor_changes_nothing_of_its_field(info, head):
    """Outside the currents, the magnetic field of a sphere depends on its centre alone (Sarvas 1987)."""
    meg = mne.pick_info(info, range(4, len(info["chs"])))
    dipoles = Dipoles(head.centre_m + np.array([[0.06, 0, 0], [0, 0.05, 0.02]]), np.array([[0, 1.0, 0], [1.0, 0, 0]]))
    wide = sphere_head(head.centre_m + 1.2 * (upper_scalp(template_head().scalp_m) - head.centre_m))
    distances_m = np.linalg.norm(meg_positions_m(meg) - wide.centre_m, axis=1)
    assert (distances_m < wide.meg.radius).any()
    np.testing.assert_allclose(lead_field(meg, dipoles, wide), lead_field(meg, dipoles, head), rtol=1e-3)


def test_sensors_within_the_brain_are_refused(info, head):
    sunk = info.copy()
    with sunk._unlock():
        sunk["dev_head_t"] = Transform("meg", "head", np.eye(4) + np.outer([0, 0, 1, 0], [0, 0, 0, -0.05]))
    with pytest.raises(UserError, match="MEG sensors lie inside the head; its position"):
        lead_field(sunk, Dipoles(head.centre_m[None] + 0.01, np.eye(3)[:1]), head)


def test_radius_is_relative_to_the_surface_in_the_same_direction():
    surface_m = np.array([[2.0, 0, 0], [0, 4.0, 0], [0, 0, 1.0]]) + 1
    points_m = np.array([[1.0, 0.1, 0], [0, 8.0, 0]]) + 1
    np.testing.assert_allclose(relative_radius(points_m, surface_m, np.ones(3)), [np.hypot(1, 0.1) / 2, 2])
