"""Sources that electrodes mix are taken apart, and power acts through a haemodynamic response."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.models.lagged_band_power_ridge import LaggedBandPowerRidge, LaggedBandPowerRidgeConfig
from crossmodal.models.registry import network_spec
from crossmodal.models.source_power import SourcePower, SourcePowerConfig
from crossmodal.models.store import load_weights
from crossmodal.physics.cap import CAP
from crossmodal.physics.cortex import template_cortex
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.physics.haemodynamics import canonical_response
from crossmodal.physics.standard_cap import standard_cap
from crossmodal.physics.template import template_lead_field
from tests.crossmodal.models.pairs import volume_pair

N_SOURCES, SFREQ, WINDOW_S, BIN_S = 4, 32.0, 8.0, 2.0
BANDS_HZ = {"alpha": (8.0, 13.0)}
PAIR = volume_pair(N_SOURCES, N_SOURCES, round(SFREQ * WINDOW_S), SFREQ)


@pytest.fixture(scope="module")
def mixed():
    """Windows of electrodes that mix sources, and volumes that follow each source's power through the canonical response."""
    rng = np.random.default_rng(0)
    n_windows, n_bins = 400, round(WINDOW_S / BIN_S)
    log_power_bsm = rng.standard_normal((n_windows, N_SOURCES, n_bins))
    carriers_bst = rng.standard_normal((n_windows, N_SOURCES, PAIR.input.n_times))
    sources_bst = carriers_bst * np.exp(log_power_bsm / 2).repeat(round(SFREQ * BIN_S), axis=2)
    mixing_cs = np.eye(N_SOURCES) + 1.0
    response_m = canonical_response((np.arange(n_bins - 1, -1, -1) + 0.5) * BIN_S)
    y_bs = np.exp(log_power_bsm) @ (response_m / np.linalg.norm(response_m))
    return torch.from_numpy(mixing_cs @ sources_bst).float(), torch.from_numpy(y_bs[..., None]).float()


def test_its_response_starts_as_the_canonical_one():
    network = SourcePower(SourcePowerConfig(bands_hz=BANDS_HZ, bin_s=0.5), PAIR)
    lag_s = 0.25 + 0.5 * np.arange(network.log_power.n_bins)[::-1]
    expected = canonical_response(lag_s)
    np.testing.assert_allclose(network.response_start_m, expected / np.linalg.norm(expected), atol=1e-6)


def test_it_takes_apart_what_a_linear_model_of_log_power_cannot(mixed):
    (x_bct, test_bct), (y_bst, truth_bst) = ((whole[:300], whole[300:]) for whole in mixed)
    ridge = LaggedBandPowerRidge(LaggedBandPowerRidgeConfig(bands_hz=BANDS_HZ, bin_s=BIN_S), PAIR)
    statistics = ridge.new_statistics()
    statistics.accumulate(x_bct, y_bst)
    ridge.solve(statistics, statistics)
    torch.manual_seed(0)
    network = SourcePower(SourcePowerConfig(bands_hz=BANDS_HZ, exponent=1, components=N_SOURCES, dropout=0.0), PAIR)
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


def test_it_learns_that_what_it_knows_worse_is_large(mixed):
    torch.manual_seed(0)
    network = SourcePower(SourcePowerConfig(bands_hz=BANDS_HZ, dropout=0.0), PAIR).train()
    nn.init.normal_(network.mixing.weight, std=0.5)
    with torch.no_grad():
        predicted_bst = network(mixed[0])
        deviation_bst = (-0.5 + 0.4 * predicted_bst).exp()
        truth_bst = predicted_bst + deviation_bst * torch.randn(predicted_bst.shape, generator=torch.Generator().manual_seed(0))
    deviations = [network.log_deviation_s, network.log_deviation_slope_s]
    optimiser = torch.optim.Adam(deviations, 0.05)
    for _ in range(60):
        optimiser.zero_grad()
        network.loss(mixed[0], truth_bst).backward()
        optimiser.step()
    found_bst = network.run_with_deviation(mixed[0])[1].detach()
    assert (found_bst / deviation_bst).log().square().mean().sqrt() < 0.15


def with_electrodes(names):
    return PAIR.model_copy(update={"input": PAIR.input.model_copy(update={"names": names, "types": ("eeg",) * len(names)})})


def test_regions_are_seen_where_they_are_whatever_the_reference():
    network = SourcePower(SourcePowerConfig(bands_hz=BANDS_HZ, regions=True), with_electrodes(CAP)).eval()
    field_cd = template_lead_field(standard_cap(CAP, SFREQ), 1500)[1]
    field_cd -= field_cd.mean(axis=0)
    regions = cortical_regions()
    of_region = regions.membership(template_cortex(1500).positions_m)
    # What a region shows is estimated nearer to itself than another region is on average.
    seen_qq = np.abs(network.filters_qc.numpy() @ field_cd @ of_region.T)
    apart_qq = np.linalg.norm(regions.centres_m[:, None] - regions.centres_m, axis=2)
    peak_m = apart_qq[seen_qq.argmax(axis=0), np.arange(len(regions.names))]
    assert np.median(peak_m) < 0.02
    x_bct = torch.randn(2, len(CAP), PAIR.input.n_times)
    nn.init.normal_(network.mixing.weight)
    torch.testing.assert_close(network(x_bct + torch.randn(2, 1, PAIR.input.n_times)), network(x_bct), rtol=1e-3, atol=1e-4)


def test_filters_of_regions_are_published_with_the_weights(tmp_path):
    spec, pair = network_spec(ModelSettings(kind="source_power", regions=True)), with_electrodes(CAP)
    network = spec.build(pair)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    assert torch.equal(load_weights(tmp_path / "weights.safetensors", spec, pair).filters_qc, network.filters_qc)


def test_regions_are_refused_where_nobody_knows_the_place_of_an_electrode():
    config = SourcePowerConfig(bands_hz=BANDS_HZ, regions=True)
    with pytest.raises(UserError, match=r"^model\.regions: A1-A2: no electrode .*; model\.regions=false reads electrodes as they are$"):
        SourcePower(config, with_electrodes(("Cz", "A1-A2")))
    meg = PAIR.model_copy(update={"input": PAIR.input.model_copy(update={"types": ("mag",) * N_SOURCES})})
    with pytest.raises(UserError, match=r"^model\.regions: geometry is known of EEG electrodes alone"):
        SourcePower(config, meg)


def _r(predicted_bst, truth_bst):
    pairs = zip(predicted_bst[..., 0].T, truth_bst[..., 0].T, strict=True)
    return float(np.mean([np.corrcoef(one, other)[0, 1] for one, other in pairs]))
