"""Heads drawn at random: the same again, alike where nothing differs, and seen through thicker or less conducting skulls."""

import mne
import numpy as np
import pytest
from mne.transforms import Transform

from crossmodal.config.heads import Heads
from crossmodal.config.simulation import Anatomy
from crossmodal.physics.cap import evenly_spread
from crossmodal.physics.cortex import template_head
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import Skull, lead_field, sphere_head, upper_scalp
from crossmodal.physics.random_heads import draw_head

ALIKE = Anatomy(rotation_deg=0, translation_m=0, head_size=0, normal_deg=0)
COARSE = Heads(grade=3)


def positions_m(info) -> np.ndarray:
    return np.array([channel["loc"][:3] for channel in info["chs"]])


def exactly(**settings) -> Heads:
    """A head of which nothing is drawn."""
    return Heads(grade=3, axes=0, electrode_error_m=0, anatomy=ALIKE, **settings)


def test_a_head_is_the_same_again_and_another_for_another_seed():
    one, again, other = (draw_head(COARSE, 32, 250.0, [1, number]) for number in (2, 2, 3))
    assert np.array_equal(one.lead_field(), again.lead_field())
    assert np.array_equal(positions_m(one.info), positions_m(again.info))
    assert one.skull != other.skull
    assert not np.allclose(one.axes_3, other.axes_3)
    assert one.info["ch_names"] == other.info["ch_names"]


def test_fields_are_of_the_true_electrodes_and_solvers_are_told_the_measured_ones():
    head = draw_head(Heads(grade=3, electrode_error_m=0.004), 64, 250.0, [0])
    error_m = positions_m(head.info) - positions_m(head.true_info)
    assert error_m.std() == pytest.approx(0.004, rel=0.2)
    model = sphere_head(upper_scalp(template_head().scalp_m) * head.axes_3, head.skull)
    field_cv = lead_field(head.true_info, model.confine(head.cortex), model)
    np.testing.assert_array_equal(head.lead_field(), field_cv - field_cv.mean(axis=0))
    np.testing.assert_allclose(head.lead_field().mean(axis=0), 0, atol=1e-9 * np.abs(field_cv).max())
    assert field_cv.shape == (64, len(cortex_mesh(3)))


def test_a_helmet_changes_nothing_of_the_head_in_it():
    alone, beside = draw_head(COARSE, 32, 250.0, [0]), draw_head(COARSE, 32, 250.0, [0], ("eeg", "mag"))
    assert np.array_equal(positions_m(alone.info), positions_m(beside.info)[:32])
    assert (beside.info["ch_names"][31:33], len(beside.info["ch_names"])) == ([alone.info["ch_names"][31], "MEG0111"], 134)
    assert np.array_equal(alone.lead_field(), beside.lead_field()[:32])
    apart_m = np.linalg.norm((beside.info["dev_head_t"]["trans"] - beside.true_info["dev_head_t"]["trans"])[:3, 3])
    assert 0.0002 < apart_m < 0.01
    assert draw_head(COARSE, 32, 250.0, [0], ("mag",)).true_info["dev_head_t"] == beside.true_info["dev_head_t"]


@pytest.mark.parametrize("kind", ["mag", "grad"])
def test_the_field_of_a_helmet_is_mne_s(kind):
    head = draw_head(COARSE, 32, 250.0, [0], (kind,))
    model = sphere_head(upper_scalp(template_head().scalp_m) * head.axes_3, head.skull)
    cortex = model.confine(head.cortex)
    some = {"rr": cortex.positions_m[::50], "nn": cortex.orientations[::50]}
    space = mne.setup_volume_source_space(pos=some, verbose=False)
    forward = mne.make_forward_solution(head.true_info, Transform("head", "mri"), space, model.meg, mindist=0.0, verbose="ERROR")
    expected_cv = mne.convert_forward_solution(forward, force_fixed=True, verbose=False)["sol"]["data"]
    np.testing.assert_allclose(head.lead_field()[:, ::50], expected_cv, rtol=1e-5, atol=1e-6 * np.abs(expected_cv).max())


def test_the_usual_skull_is_mne_s_and_a_worse_conductor_or_a_thicker_skull_shows_less():
    usual = draw_head(exactly(skull_ratio=(0.33 / 0.004,) * 2, skull_thickness=(1, 1)), 32, 250.0, [0])
    mesh, model = cortex_mesh(3), sphere_head(upper_scalp(template_head().scalp_m))
    expected_cv = lead_field(usual.info, model.confine(mesh.dipoles), model)
    np.testing.assert_allclose(usual.lead_field(), expected_cv - expected_cv.mean(axis=0), rtol=1e-4, atol=1e-4 * np.abs(expected_cv).max())
    size = {}
    for name, ratio, thickness in (("conducting", 25, 1), ("resisting", 80, 1), ("thick", 80, 1.4)):
        head = draw_head(exactly(skull_ratio=(ratio, ratio), skull_thickness=(thickness, thickness)), 32, 250.0, [0])
        size[name] = np.sqrt(np.mean(head.lead_field() ** 2))
    assert size["conducting"] > 1.2 * size["resisting"]
    assert size["resisting"] > 1.02 * size["thick"]


@pytest.mark.parametrize("number", [2, 4, 7])
def test_shells_for_which_mne_s_search_fails_are_as_those_of_nearly_the_same_skull(number):
    """Of skulls that differ by a hundredth, fields differ little; where the search fails they are NaN or have another form."""
    scalp_m = upper_scalp(template_head().scalp_m)
    info, skull = draw_head(exactly(), 32, 250.0, [0]).info, draw_head(COARSE, 32, 250.0, [0, number]).skull
    dipoles = Dipoles(cortex_mesh(3).positions_m[:50], cortex_mesh(3).normals[:50])
    fields_cv = []
    for nearly in (1.0, 1.01):
        model = sphere_head(scalp_m, Skull(nearly * skull.conductivity_ratio, skull.thickness))
        fields_cv.append(lead_field(info, model.confine(dipoles), model))
    assert np.linalg.norm(fields_cv[1] - fields_cv[0]) < 0.03 * np.linalg.norm(fields_cv[0])


def test_a_skull_grows_inwards():
    radii = Skull(50, 1.5).shells["relative_radii"]
    np.testing.assert_allclose(radii, (0.875, 0.895, 0.97, 1.0))
    np.testing.assert_allclose(Skull(50, 1.0).shells["relative_radii"], (0.90, 0.92, 0.97, 1.0))


@pytest.mark.slow
def test_boundary_elements_see_nearly_what_the_sphere_sees():
    chosen = {"skull_ratio": (50, 50), "skull_thickness": (1, 1)}
    sphere_cv, elements_cv = (draw_head(exactly(model=model, **chosen), 32, 250.0, [0]).lead_field() for model in ("sphere", "bem"))
    pairs = zip(sphere_cv.T, elements_cv.T, strict=True)
    alike = np.median([np.corrcoef(one, other)[0, 1] for one, other in pairs])
    assert 0.9 < alike < 0.999
    assert len(evenly_spread(32)) == len(sphere_cv)
