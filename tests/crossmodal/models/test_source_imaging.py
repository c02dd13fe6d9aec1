"""LightBunny, Bunny and DeepSIF: the papers' sizes, settings and views of time, and how they are scaled."""

import pytest
import torch

from crossmodal.config import load_experiment
from crossmodal.config.models import ModelSettings
from crossmodal.models.checking import checked
from crossmodal.models.registry import network_spec
from crossmodal.models.source_imaging_parts.light_ts import LightTS
from crossmodal.models.source_imaging_parts.residual_linear import initialise
from crossmodal.models.source_imaging_parts.segment_rnn import SegmentRNN
from tests.checkout import ROOT
from tests.crossmodal.models.pairs import sensor_pair

KINDS = ("lightbunny", "bunny", "deepsif", "pointwise_mlp")


def small(kind, n_times=100):
    torch.manual_seed(0)
    return network_spec(ModelSettings(kind=kind)).build(sensor_pair(6, 4, n_times, 100.0)).eval()


@pytest.mark.parametrize(("kind", "published"), [("lightbunny", 5_064_360), ("bunny", 4_316_849), ("deepsif", 22_346_896)])
def test_the_papers_parameters(kind, published):
    """With 64 electrodes, 994 regions and 500 times; no memory is taken."""
    with torch.device("meta"):
        model = network_spec(ModelSettings(kind=kind)).build(sensor_pair(64, 994, 500, 500.0))
    assert sum(weight.numel() for weight in model.parameters()) == published


@pytest.mark.parametrize(
    ("name", "epochs", "batch_size", "learning_rate", "weight_decay"),
    [("lightbunny", 32, 128, 5e-4, 0), ("bunny", 32, 128, 5e-4, 0), ("deepsif", 20, 64, 3e-4, 1e-6)],
)
def test_experiments_train_as_the_papers(name, epochs, batch_size, learning_rate, weight_decay):
    experiment = load_experiment(ROOT / f"jobs/experiments/{name}.yaml", check=checked)
    training = experiment.training
    assert experiment.model.kind == name
    assert (training.epochs, training.batch_size * training.workers) == (epochs, batch_size)
    assert (training.learning_rate, training.weight_decay) == (learning_rate, weight_decay)
    assert (training.schedule, training.warmup_epochs, training.gradient_clip) == ("constant", 0, None)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_half_the_eeg_is_half_the_activity_and_silence_is_silence(kind):
    model, x_bct = small(kind), torch.randn(3, 6, 100)
    torch.testing.assert_close(model(x_bct / 2), model(x_bct) / 2)
    assert not model(torch.zeros(1, 6, 100)).any()


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_the_loss_weighs_each_window_at_a_target_peak_of_one(kind):
    model, x_bct, y_bst = small(kind), torch.randn(3, 6, 100), torch.randn(3, 4, 100)
    scale_b11 = torch.tensor([1.0, 10, 1e3])[:, None, None]
    loss = model.loss(x_bct, y_bst)
    torch.testing.assert_close(model.loss(scale_b11 * x_bct, scale_b11 * y_bst), loss)
    relative_bst = (model(x_bct) - y_bst) / y_bst.abs().amax((1, 2), keepdim=True)
    torch.testing.assert_close(loss, relative_bst.square().mean())
    assert model.loss(x_bct, torch.zeros(3, 4, 100)).isfinite()


@torch.no_grad()
def test_deepsif_never_says_more_than_its_scale():
    model, x_bct = small("deepsif"), 1e3 * torch.randn(3, 6, 100)
    assert (model(x_bct).abs().amax((1, 2)) <= model.scale * x_bct.abs().amax((1, 2))).all()


@torch.no_grad()
def test_a_perceptron_of_one_time_knows_no_other_and_recurrent_networks_know_what_was_before():
    x_bct = torch.randn(1, 6, 100)
    x_bct[..., 0] = 10  # keeps the peak
    changed_bct = x_bct.clone()
    changed_bct[..., 40] = 0
    differing = {}
    for kind in ("pointwise_mlp", "deepsif"):
        model = small(kind)
        differing[kind] = (model(x_bct) != model(changed_bct)).any(1)[0].nonzero()[:, 0].tolist()
    assert differing["pointwise_mlp"] == [40]
    assert differing["deepsif"][:5] == [40, 41, 42, 43, 44]


@torch.no_grad()
def test_lightts_sees_consecutive_samples_and_every_nth_one():
    """Each view depends on time as its chunks are cut: 8 times in chunks of 4 are (0 1 2 3)(4 5 6 7), and (0 2 4 6)(1 3 5 7)."""
    torch.manual_seed(0)
    model = LightTS(2, 8, 4, 32).apply(initialise)
    x_brt = torch.randn(1, 2, 8)
    seen = {}
    for name in ("continuous", "interval"):
        getattr(model, name).register_forward_pre_hook(lambda module, given, name=name: seen.update({name: given[0]}))
    model(x_brt)
    torch.testing.assert_close(seen["continuous"][0, 1], x_brt[0, 1].view(2, 4))
    torch.testing.assert_close(seen["interval"][0, 1], torch.stack([x_brt[0, 1, ::2], x_brt[0, 1, 1::2]]))


@torch.no_grad()
def test_a_course_that_is_no_multiple_of_a_chunk_is_seen_with_zeros_at_its_end():
    torch.manual_seed(0)
    model, x_brt = SegmentRNN(2, 10, 4, 8, 0.0), torch.randn(3, 2, 10)
    whole = SegmentRNN(2, 12, 4, 8, 0.0)
    whole.load_state_dict(model.state_dict())
    torch.testing.assert_close(model(x_brt), whole(torch.nn.functional.pad(x_brt, (0, 2)))[..., :10])
    assert LightTS(2, 10, 4, 32)(x_brt).shape == x_brt.shape


@torch.no_grad()
def test_segments_are_decoded_window_by_window_and_region_by_region():
    """As written out: each segment is one step of the cell from what it read of the region, on the code of segment and region."""
    torch.manual_seed(0)
    model, x_brt = SegmentRNN(3, 8, 4, 8, 0.0), torch.randn(2, 3, 8)
    y_brt = model(x_brt)
    read = model.cell(model.embedding(x_brt[1, 2].view(1, 2, 4)))[1]
    code = torch.cat([model.place_nd[1], model.region_rd[2]])
    expected = model.out(model.cell(code[None, None], read)[1])[0, 0]
    torch.testing.assert_close(y_brt[1, 2, 4:], expected)
