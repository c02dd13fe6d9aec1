"""Simulated heads."""

import numpy as np
import pytest

from crossmodal.physics.cap import CAP
from crossmodal.tasks.cortex.heads import draw_head, electrode_names
from tests.crossmodal.tasks.cortex import patches
from tests.crossmodal.tasks.cortex.heads import SIMULATION, head


def positions_m(info) -> np.ndarray:
    return np.array([channel["loc"][:3] for channel in info["chs"]])


def test_a_head_is_the_same_every_time_and_another_for_each_subject():
    again, other = draw_head.__wrapped__(SIMULATION, "01"), head("02")
    assert np.array_equal(again.lead_field_cd, head("01").lead_field_cd)
    assert np.array_equal(positions_m(again.info), positions_m(head("01").info))
    moved_m = np.linalg.norm(positions_m(other.info) - positions_m(again.info), axis=1)
    assert 0.001 < moved_m.mean() < 0.03
    fields = again.region_field_cr, other.region_field_cr
    alike = np.array([np.corrcoef(one, two)[0, 1] for one, two in zip(*(field_cr.T for field_cr in fields), strict=True)])
    assert 0.8 < np.median(alike) < 0.999


def test_electrodes_are_of_the_cap_and_spread_over_the_head():
    names = electrode_names(32)
    assert len(names) == len(set(names)) == 32
    assert set(names) <= set(CAP)
    assert list(names) == head("01").info["ch_names"]
    assert electrode_names(70) == CAP
    x_m = positions_m(head("01").info)[:, 0]
    assert abs((x_m > 0.02).sum() - (x_m < -0.02).sum()) <= 2


def test_fields_are_those_of_evenly_spread_moments_at_the_average_reference():
    one = head("01")
    dipoles = np.flatnonzero(one.membership_rd[7])
    np.testing.assert_allclose(one.region_field_cr[:, 7], one.lead_field_cd[:, dipoles].mean(axis=1))
    np.testing.assert_allclose(one.region_field_cr.mean(axis=0), 0, atol=1e-12 * np.abs(one.region_field_cr).max())


def test_background_covaries_as_independent_dipoles_do():
    one = head("01")
    covariance_cc = one.backgrounds_cl["eeg"] @ one.backgrounds_cl["eeg"].T
    np.testing.assert_allclose(np.trace(covariance_cc), 32)
    expected_cc = one.lead_field_cd @ one.lead_field_cd.T
    np.testing.assert_allclose(covariance_cc, expected_cc * 32 / np.trace(expected_cc), atol=1e-12)


def test_electrodes_and_magnetometers_see_the_same_background():
    """Together they covary as the lead field says, but for the unit of each type."""
    both = patches.head(patches.SIMULATION.matched, "03", ("eeg", "mag"))
    alone = patches.head(patches.SIMULATION.matched, "03")
    factors_cl = both.backgrounds_cl
    np.testing.assert_array_equal(factors_cl["eeg"], alone.backgrounds_cl["eeg"])
    n_eeg, n_latent = factors_cl["eeg"].shape[1], factors_cl["mag"].shape[1]
    factor_cl = np.vstack([np.pad(factors_cl["eeg"], ((0, 0), (0, n_latent - n_eeg))), factors_cl["mag"]])
    for rows in factors_cl.values():
        assert (rows**2).sum() == pytest.approx(len(rows))
    expected_cc = both.lead_field_cd @ both.lead_field_cd.T
    size_c = np.repeat([np.sqrt(np.diag(expected_cc)[rows].mean()) for rows in (slice(32), slice(32, None))], (32, 102))
    np.testing.assert_allclose(factor_cl @ factor_cl.T, expected_cc / np.outer(size_c, size_c), atol=1e-9)
    assert np.abs((factor_cl @ factor_cl.T)[:32, 32:]).max() > 0.3
