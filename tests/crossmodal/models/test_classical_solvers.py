"""Classical solvers against their defining properties, against MNE, and as validation heads tune them."""

import itertools
from dataclasses import replace
from functools import cache

import mne
import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.models.base import Geometry, Tuned
from crossmodal.models.champagne import ChampagneConfig, _Champagne
from crossmodal.models.classical_parts.atoms import atoms_of
from crossmodal.models.classical_parts.cortical_field import cortical_field
from crossmodal.models.classical_parts.evidence import evidence, first_variance
from crossmodal.models.classical_parts.packed import unpacked
from crossmodal.models.classical_parts.patch_dictionary import disc_dictionary, patch_dictionary
from crossmodal.models.classical_parts.window_solver import white_noise
from crossmodal.models.inverse_operator import inverse_kernel
from crossmodal.models.lcmv import _Beamformer
from crossmodal.models.minimum_norm import minimum_norm_projection, referenced_lead_field
from crossmodal.models.mixed_norm import MixedNormConfig, _MixedNorm
from crossmodal.models.rap_music import _RapMusic
from crossmodal.models.registry import baseline_spec
from crossmodal.physics.cortex import template_cortex
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.template import template_forward
from crossmodal.tasks.cortex.metrics import explained_variance, power_correlation
from crossmodal.tasks.cortex.signals import signal_pair
from crossmodal.tasks.cortex.tuning import tune
from tests.crossmodal.models.pairs import sensor_pair
from tests.crossmodal.tasks.cortex.heads import SIMULATION, feed, head

N_DIPOLES = 500
SETTINGS = (
    {"kind": "inverse_operator", "snrs": (0.01, 5.0)},
    {"kind": "lcmv", "noises": (1e-3, 1.0)},
    {"kind": "champagne", "noises": (0.1, 0.9), "iterations": 10},
    {"kind": "champagne", "noises": (0.1, 0.9), "iterations": 10, "dictionary": "patches", "centres": 60, "other_heads": 2},
    {"kind": "rap_music", "dipoles": (1, 12)},
    {"kind": "mixed_norm", "penalties": (0.1, 0.9), "iterations": 20},
)


@pytest.fixture(scope="module")
def geometry():
    return Geometry(head("03").info, signal_pair(SIMULATION), feed("validation").normaliser, average_reference=True)


@pytest.fixture(scope="module")
def forward(geometry):
    return template_forward(geometry.info, N_DIPOLES)


@pytest.fixture(scope="module")
def field(geometry):
    return cortical_field(geometry, N_DIPOLES)


@pytest.fixture(scope="module")
def atoms(geometry, field):
    """The regions as a dictionary, with so many other heads."""
    return cache(lambda n_heads: atoms_of(field, geometry.info, field.mean_rd, n_heads))


def windows(n_windows=3):
    """EEG in V, shape (n_windows, 32, 50)."""
    of = feed("validation")
    batch = next(of.batches(n_windows, np.arange(n_windows)))
    return of.normaliser.input.inverse(batch.input_bct.double())


def test_mne_s_minimum_norm_is_ours(geometry, forward):
    """But for the signal-to-noise ratio, which one counts over electrodes and the other over directions."""
    field_cd, types = referenced_lead_field(geometry, geometry.signals.input.names, N_DIPOLES)
    kernel_dc = inverse_kernel(geometry.info, forward, "MNE", 3.0)
    ours_dc = minimum_norm_projection(field_cd, np.eye(N_DIPOLES), types, 3.0)
    assert np.corrcoef(kernel_dc.ravel(), ours_dc.ravel())[0, 1] > 0.999
    np.testing.assert_allclose(np.linalg.norm(kernel_dc), np.linalg.norm(ours_dc), rtol=0.02)


def test_dspm_lets_white_noise_through_alike_everywhere(geometry, forward):
    noise_d = np.linalg.norm(inverse_kernel(geometry.info, forward, "dSPM", 3.0), axis=1)
    np.testing.assert_allclose(noise_d, noise_d.mean(), rtol=1e-4)


@pytest.mark.parametrize("method", ["sLORETA", "eLORETA"])
def test_each_dipole_alone_is_found_where_it_is(method, geometry, forward):
    field_cd, _ = referenced_lead_field(geometry, geometry.signals.input.names, N_DIPOLES)
    found_d = np.abs(inverse_kernel(geometry.info, forward, method, 3.0) @ field_cd).argmax(axis=0)
    assert (found_d == np.arange(N_DIPOLES)).mean() > 0.99


@torch.no_grad()
def test_the_beamformer_is_mne_s(geometry, forward, field):
    """Of a window alone, up to the unit of noise."""
    x_ct = windows()[1].numpy()
    noise = 0.05
    y_rt = _Beamformer(field, noise, geometry.normaliser)(geometry.normaliser.input(torch.from_numpy(x_ct)[None]))[0].numpy()
    evoked = mne.EvokedArray(x_ct, geometry.info, verbose="error").set_eeg_reference(projection=True, verbose="error")
    covariance = mne.Covariance(x_ct @ x_ct.T / x_ct.shape[1], evoked.ch_names, [], [], x_ct.shape[1])
    white = mne.make_ad_hoc_cov(evoked.info, verbose="error")
    # It takes the mean variance over electrodes, which are one more than directions.
    options = {"reg": noise * 32 / 31, "noise_cov": white, "weight_norm": "unit-noise-gain", "verbose": "error"}
    filters = mne.beamformer.make_lcmv(evoked.info, forward, covariance, **options)
    expected_rt = field.mean_rd.numpy() @ mne.beamformer.apply_lcmv(evoked, filters, verbose="error").data
    np.testing.assert_allclose(y_rt / np.linalg.norm(y_rt), expected_rt / np.linalg.norm(expected_rt), atol=1e-4)


@torch.no_grad()
def test_rap_music_finds_the_dipoles_that_mne_finds(geometry, forward, field):
    x_ct = windows()[1]
    x_kt = field.basis_kc @ x_ct
    (found_n,) = _RapMusic(field, 3, geometry.normaliser).found((x_kt @ x_kt.T)[None])
    evoked = mne.EvokedArray(x_ct.numpy(), geometry.info, verbose="error").set_eeg_reference(projection=True, verbose="error")
    white = mne.make_ad_hoc_cov(evoked.info, verbose="error")
    dipoles = mne.beamformer.rap_music(evoked, forward, white, n_dipoles=3, verbose="error")
    np.testing.assert_allclose(forward["source_rr"][found_n], [dipole.pos[0] for dipole in dipoles], atol=1e-6)


@torch.no_grad()
def test_the_mixed_norm_estimate_leaves_no_dipole_more_than_the_penalty(geometry, field):
    """That is when its cost is least: of the dipoles that are active, what is left is the penalty, and of others it is less."""
    x_kt, field_kd = (field.basis_kc @ windows()[1]).numpy(), field.field_kd.numpy()
    dipole_by_dipole = replace(field, membership_rd=torch.eye(N_DIPOLES, dtype=torch.float64))
    model = _MixedNorm(dipole_by_dipole, 0.2, MixedNormConfig(depth=0.0, iterations=500), geometry.normaliser)
    course_dt = model.region_map(torch.from_numpy(x_kt @ x_kt.T / x_kt.shape[1])[None])[0].numpy() @ x_kt
    penalty = 0.2 * np.linalg.norm(field_kd.T @ x_kt, axis=1).max()
    left_d, size_d = np.linalg.norm(field_kd.T @ (x_kt - field_kd @ course_dt), axis=1), np.linalg.norm(course_dt, axis=1)
    active_d = size_d > 0.01 * size_d.max()
    assert 3 < active_d.sum() < 31
    np.testing.assert_allclose(left_d[active_d], penalty, rtol=0.02)
    assert left_d.max() < 1.02 * penalty


def test_the_basis_has_one_direction_less_than_electrodes(field):
    assert field.basis_kc.shape == (31, 32)
    torch.testing.assert_close(field.basis_kc @ field.basis_kc.T, torch.eye(31, dtype=torch.float64))
    torch.testing.assert_close(field.basis_kc.sum(1), torch.zeros(31, dtype=torch.float64), atol=1e-6, rtol=0)


@torch.no_grad()
def test_champagne_finds_few_regions_and_how_strong_they_are(geometry, field, atoms):
    rng = torch.Generator().manual_seed(0)
    y_rt = torch.zeros(60, 50, dtype=torch.float64)
    y_rt[[5, 40]] = 1e-7 * torch.randn(2, 50, generator=rng, dtype=torch.float64)
    clean_kt = field.region_field_kr @ y_rt
    noisy_kt = clean_kt + 0.1 * clean_kt.square().mean().sqrt() * torch.randn(clean_kt.shape, generator=rng, dtype=torch.float64)
    x_bct = geometry.normaliser.input((field.basis_kc.T @ noisy_kt)[None])
    solver = _Champagne(atoms(0), 0.01, ChampagneConfig(iterations=100), geometry.normaliser)
    found_brt = geometry.normaliser.target.inverse(solver(x_bct).double())
    assert explained_variance(y_rt[None].numpy(), found_brt.numpy()) > 0.95
    assert power_correlation(y_rt[None].numpy(), found_brt.numpy()) > 0.99


@torch.no_grad()
@pytest.mark.parametrize("n_heads", [0, 3])
def test_each_iteration_of_champagne_makes_the_data_more_likely(n_heads, field, atoms):
    x_kt = field.basis_kc @ windows()[0]
    covariance_bkk = (x_kt @ x_kt.T / x_kt.shape[1])[None]
    noise_bkk, products_ap = white_noise(0.1, covariance_bkk, field.sizes), atoms(n_heads).products_ap
    variance_ba, badness = first_variance(covariance_bkk, products_ap), []
    for _ in range(20):
        found = evidence(variance_ba, products_ap, noise_bkk, covariance_bkk)
        badness.append(float((covariance_bkk @ found.inverse_bkk)[0].trace() - torch.linalg.slogdet(found.inverse_bkk).logabsdet))
        variance_ba = variance_ba * (found.power_ba / found.sensitivity_ba).sqrt()
    assert all(later < earlier for earlier, later in itertools.pairwise(badness))


def test_fields_spread_by_as_much_as_heads_differ(geometry, field, atoms):
    """The second moment of an atom's field is its square, and the spread over heads in two directions besides."""
    certain_akk, uncertain_akk = (unpacked(atoms(n_heads).products_ap) for n_heads in (0, 3))
    torch.testing.assert_close(certain_akk[7], torch.outer(field.region_field_kr[:, 7], field.region_field_kr[:, 7]))
    spread_akk = uncertain_akk - certain_akk
    values_ak = torch.linalg.eigvalsh(spread_akk)
    assert (values_ak[:, -2:] > 0).all()
    torch.testing.assert_close(values_ak[:, :-2], torch.zeros_like(values_ak[:, :-2]), atol=1e-9 * float(values_ak.max()), rtol=0)
    share_a = values_ak.sum(1) / certain_akk.diagonal(dim1=1, dim2=2).sum(1)
    assert 0.02 < share_a.median() < 0.5


def test_discs_cover_the_cortex_and_are_no_larger_than_the_simulator_s():
    dictionary = disc_dictionary(N_DIPOLES, 60)
    away_ad = torch.cdist(dictionary.centres_a3, torch.from_numpy(template_cortex(N_DIPOLES).positions_m))
    torch.testing.assert_close(dictionary.weights_ad.sum(1), torch.ones(60, dtype=torch.float64))
    # Two layers of at most 16 mm, and half the spacing of dipoles.
    assert not dictionary.weights_ad[away_ad > 0.032 + 0.015].any()
    assert 4 < (dictionary.weights_ad > 0).sum(1).double().mean() < 20


def test_patches_cover_the_cortex_and_end(field):
    dictionary = patch_dictionary(N_DIPOLES, 80, (0.008, 0.016))
    weights_ad, positions_m = dictionary.weights_ad, torch.from_numpy(template_cortex(N_DIPOLES).positions_m)
    assert weights_ad.shape == (160, N_DIPOLES)
    torch.testing.assert_close(weights_ad.sum(1), torch.ones(160, dtype=torch.float64))
    away_ad = torch.cdist(dictionary.centres_a3, positions_m)
    # The way along the cortex is no shorter than the straight one, on the template as it is in another size.
    assert not weights_ad[:80][away_ad[:80] > 0.017].any()
    assert not weights_ad[80:][away_ad[80:] > 0.033].any()
    assert (weights_ad.sum(0) > 0)[field.membership_rd.sum(0) > 0].double().mean() > 0.8
    in_wall = cKDTree(cortex_mesh(5).positions_m).query(positions_m)[0] > 1e-6
    assert 10 < in_wall.sum() < 60
    assert not weights_ad[:, in_wall].any()


@torch.no_grad()
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.get("dictionary", settings["kind"]))
def test_validation_heads_choose_a_setting_and_an_amplitude(settings, geometry):
    baseline = baseline_spec(ModelSettings(n_dipoles=N_DIPOLES, **settings)).build(geometry.signals)
    assert isinstance(baseline, Tuned)
    of = feed("validation")
    tune(baseline, of, {"03": head("03")}, geometry.signals, geometry.normaliser)
    batch = next(of.batches(200, np.arange(200)))
    truth = batch.target_bst.numpy()
    scores = {
        setting: power_correlation(truth, model(batch.input_bct).numpy()).mean()
        for setting, model in baseline.for_each_setting(geometry).items()
    }
    assert scores[baseline.chosen] == max(scores.values()) > min(scores.values())
    predicted = baseline.for_subject(geometry)(batch.input_bct).numpy()
    explained = explained_variance(truth, predicted)
    assert explained > 0
    assert explained > max(explained_variance(truth, factor * predicted) for factor in (0.9, 1.1))


@torch.no_grad()
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.get("dictionary", settings["kind"]))
def test_twice_the_eeg_is_twice_the_activity_and_silence_is_silence(settings, geometry):
    model = baseline_spec(ModelSettings(n_dipoles=N_DIPOLES, **settings)).build(geometry.signals).for_subject(geometry)
    x_bct = geometry.normaliser.input(windows().float())
    torch.testing.assert_close(model(2 * x_bct), 2 * model(x_bct))
    assert not model(torch.zeros_like(x_bct)).any()


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.get("dictionary", settings["kind"]))
def test_other_targets_than_the_cortex_are_refused(settings, geometry):
    pair = sensor_pair(32, 3, 50, 50.0)
    baseline = baseline_spec(ModelSettings(**settings)).build(pair)
    with pytest.raises(UserError, match="estimates cortical regions and nothing else"):
        baseline.for_subject(Geometry(geometry.info, pair, geometry.normaliser, average_reference=True))
