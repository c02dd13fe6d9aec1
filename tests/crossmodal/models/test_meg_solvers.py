"""Solvers of MEG, and of EEG and MEG together: types of channels weigh alike, whatever their unit."""

import numpy as np
import pytest
import torch

from crossmodal.config.models import ModelSettings
from crossmodal.models.base import Geometry, Model
from crossmodal.models.classical_parts.cortical_field import cortical_field
from crossmodal.models.classical_parts.window_solver import white_noise
from crossmodal.models.inverse_operator import inverse_kernel
from crossmodal.models.minimum_norm import minimum_norm_projection, referenced_lead_field
from crossmodal.models.registry import baseline_spec
from crossmodal.physics.template import template_forward
from crossmodal.tasks.cortex.metrics import power_correlation
from crossmodal.tasks.cortex.signals import signal_pair
from tests.crossmodal.models.test_classical_solvers import N_DIPOLES, SETTINGS
from tests.crossmodal.tasks.cortex.patches import REGIONS, SIMULATION, feed, head

BOTH = ("eeg", "mag")
EVERY = ("eeg", "mag", "grad")


def geometry_of(sensors) -> Geometry:
    pair = signal_pair(SIMULATION.model_copy(update={"sensors": sensors}), REGIONS)
    return Geometry(head(SIMULATION.matched, "03", sensors).info, pair, feed("validation", sensors=sensors).normaliser, True)


def solver(settings, sensors) -> Model:
    geometry = geometry_of(sensors)
    return baseline_spec(ModelSettings(n_dipoles=N_DIPOLES, **settings)).build(geometry.signals).for_subject(geometry)


def batch(sensors, n_windows=20):
    return next(feed("validation", sensors=sensors).batches(n_windows, np.arange(n_windows)))


@torch.no_grad()
@pytest.mark.parametrize("settings", [{"kind": "minimum_norm", "snr": 5}, {"kind": "inverse_operator", "method": "eLORETA"}])
def test_electrodes_and_magnetometers_together_tell_more_than_either(settings):
    found = {}
    for sensors in (("eeg",), ("mag",), BOTH):
        windows = batch(sensors)
        found[sensors] = np.mean(power_correlation(windows.target_bst.numpy(), solver(settings, sensors)(windows.input_bct).numpy()))
    assert found[BOTH] > max(found["eeg",], found["mag",]) + 0.02
    assert found["mag",] > 0.3


@torch.no_grad()
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.get("dictionary", settings["kind"]))
def test_each_solver_takes_them_together(settings):
    model, windows = solver(settings, BOTH), batch(BOTH, 3)
    said_bst = model(windows.input_bct)
    torch.testing.assert_close(model(2 * windows.input_bct), 2 * said_bst)
    assert said_bst.isfinite().all()
    # Either alone says something else.
    for rows in (slice(32), slice(32, None)):
        deaf_bct = windows.input_bct.clone()
        deaf_bct[:, rows] = 0
        assert not torch.allclose(model(deaf_bct), said_bst, rtol=0.01)


def test_mne_s_minimum_norm_of_all_sensors_is_ours():
    geometry = geometry_of(EVERY)
    field_cd, types = referenced_lead_field(geometry, geometry.signals.input.names, N_DIPOLES)
    kernel_dc = inverse_kernel(geometry.info, template_forward(geometry.info, N_DIPOLES), "MNE", 3.0)
    ours_dc = minimum_norm_projection(field_cd, np.eye(N_DIPOLES), types, 3.0)
    for rows in (slice(32), slice(32, 134), slice(134, None)):
        assert np.corrcoef(kernel_dc[:, rows].ravel(), ours_dc[:, rows].ravel())[0, 1] > 0.99


def test_directions_are_of_one_type_each_and_see_the_cortex_alike():
    field = cortical_field(geometry_of(EVERY), N_DIPOLES)
    n_eeg, n_mag, n_grad = field.sizes
    assert n_eeg == 31
    assert 40 < n_mag < 102
    assert n_mag < n_grad < 204
    assert field.basis_kc.shape == (sum(field.sizes), 32 + 102 + 204)
    assert not field.basis_kc[:n_eeg, 32:].any()
    assert not field.basis_kc[n_eeg + n_mag :, :134].any()
    power = [part.square().sum() / n for part, n in zip(field.field_kd.split(field.sizes), (32, 102, 204), strict=True)]
    torch.testing.assert_close(torch.stack(power) / power[0], torch.ones(3, dtype=torch.float64), rtol=0.01, atol=0)


def test_noise_has_the_same_share_in_each_type():
    covariance_bkk = torch.diag(torch.tensor([1.0, 3.0, 8.0, 8.0, 8.0]))[None]
    noise_kk = white_noise(0.1, covariance_bkk, (2, 3))[0]
    torch.testing.assert_close(noise_kk, torch.diag(torch.tensor([0.2, 0.2, 0.8, 0.8, 0.8])))
