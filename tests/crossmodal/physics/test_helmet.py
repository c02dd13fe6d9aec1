"""A helmet around heads: all of its sensors, outside of heads of any size, and where it is measured to be."""

import numpy as np
import pytest
from mne.transforms import Transform, apply_trans

from crossmodal.config import UserError
from crossmodal.config.simulation import Anatomy
from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import fit_sphere
from crossmodal.physics.head import meg_positions_m, relative_radius, upper_scalp
from crossmodal.physics.helmet import (
    device_places_m,
    draw_position,
    head_position,
    helmet_info,
    measured_position,
    moved_onto,
    named_sensors,
)

UPRIGHT = Anatomy(rotation_deg=0, translation_m=0)


def test_it_has_the_sensors_of_each_type_side_by_side():
    info = helmet_info(("grad", "mag"), 100.0)
    assert info.get_channel_types() == ["mag"] * 102 + ["grad"] * 204
    assert info["ch_names"][:2] == ["MEG0111", "MEG0121"]
    assert helmet_info(("mag",), 100.0)["ch_names"] == info["ch_names"][:102]


def test_sensors_are_found_by_name_in_the_order_asked_for():
    info = named_sensors(["MEG0122", "MEG0111"])
    assert info.get_channel_types() == ["grad", "mag"]
    np.testing.assert_array_equal(device_places_m(info)[1], device_places_m(helmet_info(("mag",), 1.0))[0])
    with pytest.raises(UserError, match="MLC11: no sensor of a VectorView helmet has this name"):
        named_sensors(["MEG0111", "MLC11"])


@pytest.mark.parametrize("size", [0.9, 1.0, 1.15])
def test_heads_of_any_size_are_inside(size):
    position = draw_position(UPRIGHT, size * np.ones(3), np.random.default_rng(0))
    helmet, scalp_m = helmet_info(("mag",), 1.0), size * upper_scalp(template_head().scalp_m)
    with helmet._unlock():
        helmet["dev_head_t"] = position
    assert (relative_radius(meg_positions_m(helmet), scalp_m, fit_sphere(scalp_m)[0]) > 1).all()
    lowered_m = position["trans"][2, 3] - 0.05
    assert lowered_m == 0 if size <= 1 else 0 < lowered_m < 0.03


def test_a_position_is_measured_as_well_as_its_coils():
    true = head_position(np.array([0.05, -0.02, 0.1]), np.array([0.003, 0.001, -0.002]))
    exact, near = (measured_position(true, np.ones(3), error_m, np.random.default_rng(0)) for error_m in (0.0, 0.003))
    np.testing.assert_allclose(exact["trans"], true["trans"], atol=1e-9)
    away_m = np.linalg.norm(
        apply_trans(near, device_places_m(named_sensors(["MEG0111"]))) - apply_trans(true, device_places_m(named_sensors(["MEG0111"])))
    )
    assert 0.0003 < away_m < 0.01


def test_points_are_turned_and_moved_onto_others():
    true = head_position(np.array([0.2, 0.1, -0.3]), np.zeros(3))
    device_m = device_places_m(helmet_info(("mag",), 1.0))
    found = moved_onto(device_m, apply_trans(true, device_m))
    assert (found["from"], found["to"]) == (Transform("meg", "head")["from"], Transform("meg", "head")["to"])
    np.testing.assert_allclose(found["trans"], true["trans"], atol=1e-9)
