"""Sources that electrodes mix are found, and power acts through a haemodynamic response."""

import numpy as np
import pytest
import torch

from crossmodal.models.lagged_band_power_ridge import LaggedBandPowerRidge, LaggedBandPowerRidgeConfig
from crossmodal.models.source_power import SourcePower, SourcePowerConfig
from crossmodal.physics.haemodynamics import canonical_response
from crossmodal.transforms.band_power import LogBandPower
from tests.crossmodal.models.pairs import volume_pair

N_SOURCES, SFREQ, WINDOW_S, BIN_S = 4, 32.0, 8.0, 2.0
BANDS_HZ = {"alpha": (8.0, 13.0)}
PAIR = volume_pair(N_SOURCES, N_SOURCES, round(SFREQ * WINDOW_S), SFREQ)


@pytest.fixture(scope="module")
def mixed():
    """Windows of electrodes that mix sources, and volumes that follow each source's log power through the canonical response."""
    rng = np.random.default_rng(0)
    n_windows, n_bins = 400, round(WINDOW_S / BIN_S)
    log_power_bsm = rng.standard_normal((n_windows, N_SOURCES, n_bins))
    carriers_bst = rng.standard_normal((n_windows, N_SOURCES, PAIR.input.n_times))
    sources_bst = carriers_bst * np.exp(log_power_bsm / 2).repeat(round(SFREQ * BIN_S), axis=2)
    mixing_cs = np.eye(N_SOURCES) + 1.0
    response_m = canonical_response((np.arange(n_bins - 1, -1, -1) + 0.5) * BIN_S)
    y_bs = log_power_bsm @ (response_m / np.linalg.norm(response_m))
    return torch.from_numpy(mixing_cs @ sources_bst).float(), torch.from_numpy(y_bs[..., None]).float()


def test_before_training_its_sources_are_the_electrodes(mixed):
    x_bct = mixed[0][:3]
    network = SourcePower(SourcePowerConfig(bands_hz={"theta": (4.0, 8.0), **BANDS_HZ}), PAIR)
    expected_bckm = LogBandPower({"theta": (4.0, 8.0), **BANDS_HZ}, BIN_S, SFREQ, PAIR.input.n_times)(x_bct)
    spectra = network.power.spectra(x_bct)
    for band, (first, last) in enumerate(network.bands):
        found_bcm = network._log_power(spectra, network.filter_ksc[band], (first, last))
        torch.testing.assert_close(found_bcm, expected_bckm[:, :, band])


def test_its_response_starts_as_the_canonical_one():
    network = SourcePower(SourcePowerConfig(bands_hz=BANDS_HZ, bin_s=0.5), PAIR)
    lag_s = 0.25 + 0.5 * np.arange(network.power.n_bins)[::-1]
    expected = canonical_response(lag_s)
    np.testing.assert_allclose(network.response_start_m, expected / np.linalg.norm(expected), atol=1e-6)


def test_it_unmixes_what_a_linear_model_of_electrode_power_cannot(mixed):
    (x_bct, test_bct), (y_bst, truth_bst) = ((whole[:300], whole[300:]) for whole in mixed)
    ridge = LaggedBandPowerRidge(LaggedBandPowerRidgeConfig(bands_hz=BANDS_HZ, bin_s=BIN_S), PAIR)
    statistics = ridge.new_statistics()
    statistics.accumulate(x_bct, y_bst)
    ridge.solve(statistics, statistics)
    torch.manual_seed(0)
    network = SourcePower(SourcePowerConfig(bands_hz=BANDS_HZ, components=N_SOURCES, dropout=0.0), PAIR)
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(100):
        optimiser.zero_grad()
        network.loss(x_bct, y_bst).backward()
        optimiser.step()
    network.eval()
    with torch.no_grad():
        of_network, of_ridge = (_r(model(test_bct), truth_bst) for model in (network, ridge))
    assert of_ridge < 0.85
    assert of_network > of_ridge + 0.03


def _r(predicted_bst, truth_bst):
    pairs = zip(predicted_bst[..., 0].T, truth_bst[..., 0].T, strict=True)
    return float(np.mean([np.corrcoef(one, other)[0, 1] for one, other in pairs]))
