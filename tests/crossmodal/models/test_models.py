"""One test over every registered model: the interface that training and evaluation rely on."""

import pytest
import torch
from safetensors.torch import save_file

from crossmodal.config import UserError
from crossmodal.config.models import AimConfig, MinimumNormConfig, RidgeConfig, SynaptechNetConfig, TrainingMeanConfig
from crossmodal.models.base import Shapes
from crossmodal.models.registry import MODELS, build_model
from crossmodal.models.store import load_weights

SMALL_NET = {"widths": (4, 8), "bridge_hidden": 6, "bridge_layers": 1}
NETWORKS = {
    "paper blocks": SynaptechNetConfig(**SMALL_NET),
    "no bridge": SynaptechNetConfig(widths=(4,), bridge_layers=0),
    "input skip": SynaptechNetConfig(**SMALL_NET, norm="none", input_skip={"filters": 3, "taps": 5}),
    "scalogram": SynaptechNetConfig(**SMALL_NET, representation={"kind": "scalogram", "frequencies": 8}),
    "bands": SynaptechNetConfig(**SMALL_NET, representation={"kind": "bands"}),
    "complex scalogram": SynaptechNetConfig(**SMALL_NET, representation={"kind": "scalogram", "frequencies": 8, "parts": "complex"}),
    "stft": SynaptechNetConfig(**SMALL_NET, representation={"kind": "stft", "window_s": 0.2}),
    "aim": AimConfig(width=8, encoder_layers=1, decoder_layers=1, heads=2, expansion=2, dropout=0.1),
    "aim autoregressive": AimConfig(width=8, encoder_layers=1, decoder_layers=1, heads=2, expansion=2, decoding="autoregressive"),
}
BASELINES = {"training mean": TrainingMeanConfig(), "ridge": RidgeConfig(), "lagged ridge": RidgeConfig(lag_s=0.03)}


@pytest.mark.parametrize("config", [*NETWORKS.values(), *BASELINES.values()], ids=[*NETWORKS, *BASELINES])
@pytest.mark.parametrize("n_times", [32, 37])
def test_every_model_maps_windows_to_windows(config, n_times):
    torch.manual_seed(0)
    model = build_model(config, Shapes(5, 3, n_times, 100.0)).eval()
    x_bct = torch.randn(2, 5, n_times)
    with torch.no_grad():
        y_bst = model(x_bct)
        assert y_bst.shape == (2, 3, n_times)
        torch.testing.assert_close(model(x_bct[:1]), y_bst[:1], msg="windows of a batch influence each other")
        assert torch.equal(model(x_bct), y_bst)


@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_every_weight_of_a_network_learns(config):
    torch.manual_seed(0)
    model = build_model(config, Shapes(5, 3, 32, 100.0)).train()
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(3):  # Heads that start at zero hide what is below them from the first gradient.
        optimiser.zero_grad()
        model.loss(torch.randn(4, 5, 32), torch.randn(4, 3, 32)).backward()
        optimiser.step()
    silent = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.abs().sum()]
    # A bias before InstanceNorm has no effect by construction.
    assert not [name for name in silent if not name.endswith("convolution.bias")]


@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_weights_come_back_from_the_store(config, tmp_path):
    torch.manual_seed(0)
    shapes = Shapes(5, 3, 32, 100.0)
    model = build_model(config, shapes).eval()
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, tmp_path / "w.safetensors")
    x_bct = torch.randn(2, 5, 32)
    with torch.no_grad():
        assert torch.equal(load_weights(tmp_path / "w.safetensors", config, shapes)(x_bct), model(x_bct))


def test_weights_of_another_architecture_are_refused(tmp_path):
    shapes = Shapes(5, 3, 32, 100.0)
    path = tmp_path / "w.safetensors"
    save_file(dict(build_model(NETWORKS["no bridge"], shapes).state_dict()), path)
    with pytest.raises(UserError, match="w.safetensors: holds weights of another architecture"):
        load_weights(path, NETWORKS["paper blocks"], shapes)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be read as weights"):
        load_weights(path, NETWORKS["no bridge"], shapes)


def test_every_registered_kind_is_tested():
    assert {config.kind for config in (*NETWORKS.values(), *BASELINES.values(), MinimumNormConfig())} == set(MODELS)


def test_paper_sizes_give_about_the_paper_s_parameters():
    model = build_model(SynaptechNetConfig(), Shapes(74, 102, 500, 250.0))
    assert 13e6 < sum(weight.numel() for weight in model.parameters()) < 18e6


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (SynaptechNetConfig(kernel=4), "must be odd"),
        (SynaptechNetConfig(input_skip={"taps": 4}), "must be odd"),
        (SynaptechNetConfig(input_skip={}, target={"kind": "bands"}), "input_skip predicts waveforms"),
        (SynaptechNetConfig(representation={"kind": "scalogram", "lowest_hz": 60}), "no scalogram frequency lies below 50 Hz"),
        (AimConfig(width=10, heads=4), "model.width 10 must be a multiple of model.heads 4"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(config, sentence):
    with pytest.raises(UserError, match=sentence):
        build_model(config, Shapes(5, 3, 32, 100.0))


def test_band_targets_are_learned_as_band_amplitudes():
    torch.manual_seed(0)
    model = build_model(SynaptechNetConfig(**SMALL_NET, target={"kind": "bands"}), Shapes(5, 3, 32, 100.0)).eval()
    x_bct, y_bst = torch.randn(2, 5, 32), torch.randn(2, 3, 32)
    with torch.no_grad():
        predicted_bsnt = model(x_bct)
        assert predicted_bsnt.shape == (2, 3, 3, 32)
        expected = (predicted_bsnt - model.target_rows(y_bst)).square().mean()
        torch.testing.assert_close(model.loss(x_bct, y_bst), expected)


@pytest.mark.parametrize(("frequencies", "pooled"), [(3, False), (4, True), (6, True)])
def test_frequency_is_pooled_where_there_are_rows_enough(frequencies, pooled):
    """Two blocks halve twice: fewer than four rows stay as they are."""
    config = SynaptechNetConfig(**SMALL_NET, representation={"kind": "scalogram", "frequencies": frequencies, "highest_hz": 40})
    model = build_model(config, Shapes(5, 3, 32, 100.0))
    assert model.encoder[0].pool.kernel_size == (2 if pooled else 1, 2)
    assert model(torch.randn(1, 5, 32)).shape == (1, 3, 32)


def test_instance_norm_takes_the_amplitude_away_and_an_input_skip_keeps_it():
    """What the paper's network says of a window does not depend on how strong its source is."""
    torch.manual_seed(0)
    x_bct = torch.randn(2, 5, 64)
    paper = build_model(NETWORKS["no bridge"], Shapes(5, 3, 64, 100.0)).eval()
    torch.testing.assert_close(paper(10 * x_bct), paper(x_bct), atol=0.05, rtol=0.05)
    skip = build_model(NETWORKS["input skip"], Shapes(5, 3, 64, 100.0)).eval()
    with torch.no_grad():
        skip.input_skip.mixing.weight.normal_()
    torch.testing.assert_close(skip(10 * x_bct), 10 * skip(x_bct))


class TestAimNeverSeesItsTarget:
    """While training it may read the true past; whatever it predicts at t depends on no true sample from t on."""

    def test_teacher_forcing_is_shifted(self):
        torch.manual_seed(0)
        model = build_model(NETWORKS["aim autoregressive"], Shapes(5, 3, 16, 100.0)).eval()
        memory_btd = model._encode(torch.randn(1, 5, 16))
        y_bst = torch.randn(1, 3, 16, requires_grad=True)
        predicted_bst = model._decode_after(y_bst, memory_btd)
        for t in range(16):
            (gradient_bst,) = torch.autograd.grad(predicted_bst[..., t].sum(), y_bst, retain_graph=True)
            assert not gradient_bst[..., t:].any()
            assert t == 0 or gradient_bst[..., t - 1].any()

    def test_evaluation_runs_free_even_when_asked_for_a_loss(self):
        torch.manual_seed(0)
        model = build_model(NETWORKS["aim autoregressive"], Shapes(5, 3, 16, 100.0)).eval()
        x_bct, y_bst = torch.randn(1, 5, 16), torch.randn(1, 3, 16)
        with torch.no_grad():
            expected = (model(x_bct) - y_bst).square().mean()
            torch.testing.assert_close(model.loss(x_bct, y_bst), expected)

    def test_running_free_reads_what_it_said(self):
        torch.manual_seed(0)
        model = build_model(NETWORKS["aim autoregressive"], Shapes(5, 3, 16, 100.0)).eval()
        x_bct = torch.randn(1, 5, 16)
        with torch.no_grad():
            y_bst = model(x_bct)
            torch.testing.assert_close(model._decode_after(y_bst, model._encode(x_bct)), y_bst)
