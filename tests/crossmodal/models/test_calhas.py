"""The network of Calhas and Henriques: the paper's sizes, and what its settings change."""

import numpy as np
import pytest
import torch

from crossmodal.config import UserError, load_experiment
from crossmodal.config.models import ModelSettings
from crossmodal.models.calhas import Calhas, CalhasConfig
from crossmodal.models.checking import checked
from crossmodal.models.registry import network_spec
from tests.checkout import ROOT
from tests.crossmodal.models.pairs import volume_pair, voxel_pair

EXPERIMENTS = ROOT / "jobs/experiments"
# What the paper's table tells its rows apart by: attention, and the style that follows from it, and the projection.
ROWS = {
    "calhas_linear": (False, "none", "linear"),
    "calhas_attention": (True, "attention", "linear"),
    "calhas_fourier": (False, "none", "random_fourier"),
    "calhas": (True, "attention", "random_fourier"),
    "calhas_noddi": (True, "attention", "random_fourier"),
}
PAPER = voxel_pair(64, np.ones((64, 64, 30), dtype=bool), 5400, 250.0, tr_s=2.16)
SMALL = {"block_channels": 2, "latent": 12}
MASK = np.random.default_rng(0).random((7, 6, 5)) > 0.3


def n_weights(module):
    return sum(weight.numel() for weight in module.parameters())


@pytest.fixture(scope="module")
def paper():
    torch.manual_seed(0)
    return Calhas(CalhasConfig(), PAPER)


def test_the_paper_s_sizes(paper):
    assert (paper.spectra.n_window, paper.spectra.n_frequencies) == (540, 134)
    first, second = paper.encoder.blocks
    convolved = [
        block.right[0](torch.zeros(1, block.right[0].in_channels, *size)).shape[2:]
        for block, size in ((first, (64, 134, 10)), (second, (19, 19, 9)))
    ]
    assert convolved == [(20, 20, 9), (7, 7, 8)]
    assert (first.size, second.size) == ((19, 19, 9), (6, 6, 8))
    volumes = paper.target_encoder[0].encoder
    assert [block.size for block in volumes.blocks] == [(25, 58, 18), (19, 54, 12), (7, 7, 7)]
    assert (volumes.latent.in_features, volumes.latent.out_features) == (1372, 343)
    assert paper(torch.randn(2, 64, 5400)).shape == (2, 122_880, 1)


def test_the_paper_s_parameters(paper):
    # Convolutions with biases, and a scale and a shift a channel of each normalisation.
    first = 2 * (4 * 7 * 37 * 2 + 4) + (4 * 4 * 27 + 4) + 3 * 8
    second = 2 * (4 * 4 * 7 * 7 * 2 + 4) + (4 * 4 * 27 + 4) + 3 * 8
    assert [n_weights(block) for block in paper.encoder.blocks] == [first, second]
    assert n_weights(paper.encoder.latent) == 1152 * 343 + 343
    assert n_weights(paper.attention) == 64 * 134 * 10
    assert n_weights(paper.attention_style) == 64 * 64 * 343
    assert n_weights(paper.projection) == 1
    assert n_weights(paper.decoder.linear) == 343 * 122_880 + 122_880 == 42_270_720
    assert n_weights(paper.decoder) == 42_270_720 + 2
    linear = Calhas(CalhasConfig(attention=False, style="none", projection="linear"), volume_pair(64, 3, 5400, 250.0, tr_s=2.16))
    assert n_weights(linear.projection) == 343 * 343 + 343


def test_what_is_published_lacks_the_encoder_of_bold():
    spec = network_spec(ModelSettings(kind="calhas"))
    published = spec.build(PAPER).for_inference()
    assert not [name for name in published.state_dict() if name.startswith("target_encoder")]
    assert n_weights(published) == 44_165_106


@pytest.mark.parametrize(("n_channels", "n_times", "sfreq"), [(1, 200, 100.0), (19, 1000, 50.0), (34, 5000, 250.0), (128, 7000, 250.0)])
def test_blocks_are_scaled_to_other_inputs(n_channels, n_times, sfreq):
    pair = volume_pair(n_channels, 3, n_times, sfreq)
    model = Calhas(CalhasConfig(**SMALL), pair)
    assert model.spectra.n_frequencies == min(134, round(2 * sfreq) // 2)
    assert model(torch.randn(2, n_channels, n_times)).shape == (2, 3, 1)


@pytest.mark.parametrize("name", ROWS)
def test_each_row_of_the_paper_is_an_experiment(name):
    experiment = load_experiment(EXPERIMENTS / f"{name}.yaml", check=checked)
    model, training = experiment.model, experiment.training
    assert (model.attention, model.style, model.projection) == ROWS[name]
    assert (training.epochs, training.batch_size, training.learning_rate, training.weight_decay) == (10, 4, 2.98e-3, 0)
    assert (model.block_channels, model.latent, model.decoder["kind"], model.alignment) == (4, 343, "dense", 1)


def test_a_batch_of_one_window_is_trained_on_whatever_the_size():
    model = Calhas(CalhasConfig(**SMALL), voxel_pair(1, np.ones((2, 2, 2), dtype=bool), 200, 100.0))
    assert model.loss(torch.randn(1, 1, 200), torch.randn(1, 8, 1)).isfinite()


@pytest.mark.parametrize(
    ("settings", "n_times", "sentence"),
    [
        ({"tr_s": 2.16}, 2000, "model.tr_s: spectra of 2.16 s do not go with volumes every 2 s; leave it out or set 2"),
        ({}, 150, "data.windows.length_s: 1.5 s hold no spectrum of a TR of 2 s"),
        ({"blocks": [{"kernel": [2, 9, 11]}]}, 2000, r"model.blocks: a kernel of 2 x 9 x 11 .* does not fit into 5 x 100 x 10"),
        ({"decoder": {"kind": "dct"}}, 2000, "model.decoder.kind: dct makes voxels, and the targets are regions; choose dense"),
        ({"attention": False}, 2000, "style: attention needs attention: true"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(settings, n_times, sentence):
    with pytest.raises(UserError, match=sentence) as refusal:
        network_spec(ModelSettings(kind="calhas", **settings)).build(volume_pair(5, 3, n_times, 100.0))
    assert "\n" not in str(refusal.value)


def test_spectra_are_of_the_whole_trs_that_end_with_the_window():
    torch.manual_seed(0)
    model = Calhas(CalhasConfig(**SMALL), volume_pair(5, 3, 1000, 100.0)).eval()
    torch.manual_seed(0)
    longer = Calhas(CalhasConfig(**SMALL), volume_pair(5, 3, 1150, 100.0)).eval()
    x_bct = torch.randn(2, 5, 1150)
    torch.testing.assert_close(longer(x_bct), model(x_bct[..., 150:]))


@pytest.mark.parametrize("space", ["voxels", "regions"])
def test_the_loss_of_training_is_the_paper_s_and_validation_watches_the_error_alone(space):
    torch.manual_seed(0)
    pair = voxel_pair(5, MASK, 1000, 100.0) if space == "voxels" else volume_pair(5, 9, 1000, 100.0)
    model = Calhas(CalhasConfig(**SMALL, alignment_dropout=0, attention_regulariser=0.1, alignment=2), pair)
    x_bct, y_bst = torch.randn(4, 5, 1000), torch.randn(4, pair.target.n_channels, 1)
    terms = model.loss_terms(x_bct, y_bst)
    attended_bcfm, weight_bcc = model.attention(model.spectra(x_bct))
    z_bd, of_target_bd = model.encoder(attended_bcfm), model.target_encoder(y_bst[..., 0])
    cosine_b = (z_bd * of_target_bd).sum(1) / (z_bd.norm(dim=1) * of_target_bd.norm(dim=1))
    expected = {
        "mae": (model(x_bct) - y_bst).abs().mean(),
        "attention": -0.1 * (weight_bcc.sum(1) + 1e-9).log().sum(1).mean(),
        "alignment": 2 * (1 - cosine_b).mean(),
    }
    assert terms.keys() == expected.keys()
    for name, term in terms.items():
        torch.testing.assert_close(term, expected[name])
    assert model.eval().loss_terms(x_bct, y_bst).keys() == {"mae"}


@pytest.mark.parametrize("kind", ["dense", "dct", "variational_dct"])
def test_each_decoder_learns_voxels(kind):
    """Smooth ones, whose upper coefficients are small."""
    torch.manual_seed(0)
    pair = voxel_pair(5, MASK, 1000, 100.0)
    model = Calhas(CalhasConfig(**SMALL, decoder={"kind": kind}), pair)
    places_s3 = np.argwhere(MASK)
    course_b, map_s = torch.tensor([1.0, -1.0, 2.0, 0.0]), torch.from_numpy(np.cos(places_s3.sum(1) / 6)).float()
    x_bct, y_bst = torch.randn(4, 5, 1000), (course_b[:, None] * map_s)[..., None]
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(80):
        optimiser.zero_grad()
        model.loss(x_bct, y_bst).backward()
        optimiser.step()
    with torch.no_grad():
        error = (model.train()(x_bct) - y_bst).abs().mean() / y_bst.abs().mean()
    assert error < 0.3


def test_upper_coefficients_of_a_prediction_are_expected_and_those_of_training_drawn():
    torch.manual_seed(0)
    decoder = Calhas(CalhasConfig(**SMALL, decoder={"kind": "variational_dct"}), voxel_pair(5, MASK, 1000, 100.0)).decoder
    z_bd = torch.randn(1, 12)
    with torch.no_grad():
        decoder.high.weight.normal_()
        assert torch.equal(decoder.eval()(z_bd), decoder(z_bd))
        expected_bs = decoder(z_bd)
        drawn_bs = decoder.train()(z_bd.expand(5_000, -1))
    assert drawn_bs.std(0).min() > 0.1
    assert ((drawn_bs.mean(0) - expected_bs[0]).abs() < 5 * drawn_bs.std(0) / 5_000**0.5).all()


def test_the_likelihood_is_that_of_a_laplace_distribution():
    torch.manual_seed(0)
    decoder = Calhas(CalhasConfig(**SMALL, decoder={"kind": "variational_dct"}), voxel_pair(5, MASK, 1000, 100.0)).decoder.eval()
    z_bd, y_bs = torch.randn(3, 12), torch.randn(3, int(MASK.sum()))
    with torch.no_grad():
        decoder.log_scale_s.normal_()
        found = decoder.loss_terms(z_bd, y_bs)["laplacian_nll"]
        laplace = torch.distributions.Laplace(decoder(z_bd), decoder.log_scale_s.exp())
    torch.testing.assert_close(found, -laplace.log_prob(y_bs).mean())
