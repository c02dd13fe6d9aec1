"""The paper's network, and what its settings change."""

import pytest
import torch

from crossmodal.config import UserError
from crossmodal.models.synaptech_net import SynaptechNet, SynaptechNetConfig
from tests.crossmodal.models.pairs import sensor_pair

SMALL = {"widths": (4, 8), "bridge_hidden": 6, "bridge_layers": 1}


def test_paper_sizes_give_about_the_paper_s_parameters():
    model = SynaptechNet(SynaptechNetConfig(), sensor_pair(74, 102, 500, 250.0))
    assert 13e6 < sum(weight.numel() for weight in model.parameters()) < 18e6


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"kernel": 4}, "must be odd"),
        ({"input_skip": {"taps": 4}}, "must be odd"),
        ({"input_skip": {}, "target": {"kind": "bands"}}, "input_skip predicts waveforms"),
        ({"representation": {"kind": "scalogram", "lowest_hz": 60}}, "no scalogram frequency lies below 50 Hz"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        SynaptechNet(SynaptechNetConfig(**settings), sensor_pair(5, 3, 32, 100.0))


def test_band_targets_are_learned_as_band_amplitudes():
    torch.manual_seed(0)
    model = SynaptechNet(SynaptechNetConfig(**SMALL, target={"kind": "bands"}), sensor_pair(5, 3, 32, 100.0)).eval()
    x_bct, y_bst = torch.randn(2, 5, 32), torch.randn(2, 3, 32)
    with torch.no_grad():
        predicted_bsnt = model(x_bct)
        assert predicted_bsnt.shape == (2, 3, 3, 32)
        expected = (predicted_bsnt - model.target_rows(y_bst)).square().mean()
        torch.testing.assert_close(model.loss(x_bct, y_bst), expected)


@pytest.mark.parametrize(("frequencies", "pooled"), [(3, False), (4, True), (6, True)])
def test_frequency_is_pooled_where_there_are_rows_enough(frequencies, pooled):
    """Two blocks halve twice: fewer than four rows stay as they are."""
    config = SynaptechNetConfig(**SMALL, representation={"kind": "scalogram", "frequencies": frequencies, "highest_hz": 40})
    model = SynaptechNet(config, sensor_pair(5, 3, 32, 100.0))
    assert model.encoder[0].pool.kernel_size == (2 if pooled else 1, 2)
    assert model(torch.randn(1, 5, 32)).shape == (1, 3, 32)


def test_instance_norm_takes_the_amplitude_away_and_an_input_skip_keeps_it():
    """What the paper's network says of a window does not depend on how strong its input is."""
    torch.manual_seed(0)
    x_bct = torch.randn(2, 5, 64)
    paper = SynaptechNet(SynaptechNetConfig(widths=(4,), bridge_layers=0), sensor_pair(5, 3, 64, 100.0)).eval()
    torch.testing.assert_close(paper(10 * x_bct), paper(x_bct), atol=0.05, rtol=0.05)
    skip = SynaptechNet(SynaptechNetConfig(**SMALL, norm="none", input_skip={"filters": 3, "taps": 5}), sensor_pair(5, 3, 64, 100.0)).eval()
    with torch.no_grad():
        skip.input_skip.mixing.weight.normal_()
    torch.testing.assert_close(skip(10 * x_bct), 10 * skip(x_bct))
