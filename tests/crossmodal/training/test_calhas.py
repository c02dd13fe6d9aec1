"""The platform's loop trains the network of Calhas and Henriques on regions and on voxels."""

import numpy as np
import pytest
import torch

from crossmodal.config.data import Data, LeaveOneSubjectOut
from crossmodal.config.models import ModelSettings
from crossmodal.config.training import Training
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import open_fold
from crossmodal.datasets.shard import write_shard
from crossmodal.models.registry import network_spec
from crossmodal.storage.node_cache import NodeCache
from crossmodal.training.loop import fit
from crossmodal.training.state import TrainingState
from crossmodal.training.world import World
from tests.crossmodal.training.scans import driven_recording

TRAINING = Training(epochs=6, batch_size=4, learning_rate=2.98e-3, schedule="constant", warmup_epochs=0, gradient_clip=None)
SETTINGS = {
    "regions": {"attention_regulariser": 0.01},
    "voxels": {"attention": False, "style": "none", "projection": "linear", "decoder": {"kind": "dct"}},
}


@pytest.mark.parametrize("targets", SETTINGS)
def test_it_learns_what_drives_the_targets(tmp_path, targets):
    entries = [write_shard(driven_recording(subject, targets), tmp_path / subject) for subject in ("01", "02", "03", "04", "05", "06")]
    data = Data.model_validate({"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": 6}, "input_scaling": "zscore"})
    fold = make_folds(LeaveOneSubjectOut(), Manifest.of(entries, "test"))[0]
    opened = open_fold(Manifest.of(entries, "test"), fold, data, 0, NodeCache(tmp_path / "cache", 1 << 30))
    torch.manual_seed(0)
    model = network_spec(ModelSettings(kind="calhas", latent=27, **SETTINGS[targets])).build(opened.signals)
    state = fit(model, opened.train, opened.validation, TRAINING, 0, World(), lambda state: None, TrainingState())
    silence = np.mean([batch.target_bst.abs().mean() for batch in opened.validation.batches(4, np.arange(len(opened.validation)))])
    assert state.best.validation_loss < 0.9 * silence
    assert state.history[0].loss_terms.keys() == {"mae", "alignment"} | ({"attention"} if targets == "regions" else set())
