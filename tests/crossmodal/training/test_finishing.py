"""Validation subjects finish a network that asks for it, and leave others as they are."""

import numpy as np
import pytest
import torch

from crossmodal.config.data import Data, LeaveOneSubjectOut
from crossmodal.config.models import ModelSettings
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import open_fold
from crossmodal.datasets.shard import write_shard
from crossmodal.models.intervals import LEVEL
from crossmodal.models.registry import network_spec
from crossmodal.storage.node_cache import NodeCache
from crossmodal.training.finishing import finish
from tests.crossmodal.training.test_calhas import driven_recording

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finishing")
    entries = [write_shard(driven_recording(subject, "regions"), folder / subject) for subject in ("01", "02", "03")]
    data = Data.model_validate({"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": 6}, "input_scaling": "zscore"})
    fold = make_folds(LeaveOneSubjectOut(), Manifest.of(entries, "test"))[0]
    return open_fold(Manifest.of(entries, "test"), fold, data, 0, NodeCache(folder / "cache", 1 << 30))


def built(opened, kind):
    """A network after some steps."""
    torch.manual_seed(0)
    network = network_spec(ModelSettings(kind=kind)).build(opened.signals).train()
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    for batch in opened.train.batches(16, np.arange(len(opened.train))):
        optimiser.zero_grad()
        network.loss(batch.input_bct, batch.target_bst).backward()
        optimiser.step()
    return network.eval()


def test_gains_are_those_of_validation_windows_alone(opened):
    network = built(opened, "source_power")
    (batch,) = opened.validation.batches(len(opened.validation), np.arange(len(opened.validation)))
    with torch.no_grad():
        raw_bs, truth_bs = network(batch.input_bct)[..., 0].double(), batch.target_bst[..., 0].double()
        finish(network, opened.validation, 16, CPU)
        gain_s = ((raw_bs * truth_bs).sum(0) / raw_bs.square().sum(0)).clamp(0, 1)
        torch.testing.assert_close(network(batch.input_bct)[..., 0].double(), gain_s * raw_bs, rtol=1e-4, atol=1e-5)
    assert (gain_s < 1).any()


def test_intervals_hold_their_share_of_validation_windows(opened):
    network = built(opened, "source_power")
    finish(network, opened.validation, 16, CPU)
    (batch,) = opened.validation.batches(len(opened.validation), np.arange(len(opened.validation)))
    with torch.no_grad():
        own, constant = network.intervals(*network.run_with_deviation(batch.input_bct))
    for bounds in (own, constant):
        inside_bst = (bounds.lower_bst <= batch.target_bst) & (batch.target_bst <= bounds.upper_bst)
        assert inside_bst.float().mean() == pytest.approx(LEVEL, abs=0.04)


def test_a_finished_network_comes_back_from_its_state(opened):
    network, again = built(opened, "source_power"), built(opened, "source_power")
    finish(network, opened.validation, 16, CPU)
    again.load_state_dict(network.state_dict())
    (batch,) = opened.test.batches(4, np.arange(4))
    with torch.no_grad():
        assert torch.equal(again(batch.input_bct), network(batch.input_bct))
        own, again_own = (each.intervals(*each.run_with_deviation(batch.input_bct))[0] for each in (network, again))
    assert torch.equal(own.lower_bst, again_own.lower_bst)


def test_other_networks_stay_as_they_are(opened):
    network = built(opened, "band_power")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    finish(network, opened.validation, 16, CPU)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
