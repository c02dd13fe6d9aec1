"""The platform's loop trains the networks of Bricman and Borst, and the newer ones, on regions and on voxels."""

import pytest
import torch

from crossmodal.config.data import Data, LeaveOneSubjectOut
from crossmodal.config.models import ModelSettings
from crossmodal.config.training import Augmentation, Training
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import open_fold
from crossmodal.datasets.shard import write_shard
from crossmodal.models.registry import network_spec
from crossmodal.storage.node_cache import NodeCache
from crossmodal.training.loop import fit
from crossmodal.training.state import TrainingState
from crossmodal.training.world import World
from tests.crossmodal.training.test_calhas import driven_recording

TRAINING = Training(epochs=8, batch_size=4, learning_rate=5e-3, augmentation=Augmentation(offset=0.2, noise=0.001))
SETTINGS = {
    "bricman_cnn": {"filters": 8, "taps": 9, "pool": 8, "features": 8, "features_dropout": 0, "widths": [16], "dropout": 0, "rank": 4},
    "bricman_mixed": {"filters": 8, "taps": 9, "pool": 8, "width": 8, "heads": 2, "layers": 1, "expansion": 2},
    "bricman_seq2seq": {"width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "expansion": 2, "dropout": 0},
    "multiscale_attention": {"scales_s": [1], "width": 8, "heads": 2, "time_layers": 1, "electrode_layers": 1, "rank": 4},
    "spectrogram_unet": {"steps": 6, "front_width": 8, "widths": [8], "dropout": 0},
}


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    def opened(targets):
        folder = tmp_path_factory.mktemp(targets)
        entries = [write_shard(driven_recording(subject, targets), folder / subject) for subject in ("01", "02", "03", "04")]
        data = Data.model_validate(
            {"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": 6}, "input_scaling": "zscore"}
        )
        fold = make_folds(LeaveOneSubjectOut(), Manifest.of(entries, "test"))[0]
        return open_fold(Manifest.of(entries, "test"), fold, data, 0, NodeCache(folder / "cache", 1 << 30))

    return {targets: opened(targets) for targets in ("regions", "voxels")}


def trained(opened, kind):
    torch.manual_seed(0)
    model = network_spec(ModelSettings(kind=kind, **SETTINGS[kind])).build(opened.signals)
    return fit(model, opened.train, opened.validation, TRAINING, 0, World(), lambda state: None, TrainingState())


@pytest.mark.parametrize(
    ("kind", "targets"),
    [("bricman_mixed", "regions"), ("bricman_cnn", "voxels"), ("multiscale_attention", "regions"), ("spectrogram_unet", "voxels")],
)
def test_it_learns_what_drives_the_targets(driven, kind, targets):
    """Standardised targets that nobody foresees leave a squared error of about one."""
    state = trained(driven[targets], kind)
    assert state.best.validation_loss < 0.8


def test_who_is_told_the_slices_before_each_foresees_the_next(driven):
    """All voxels go together: told the truth, training foresees them well, which says nothing of what is foreseen from the EEG."""
    last = trained(driven["voxels"], "bricman_seq2seq").history[-1]
    assert last.loss < 0.5 < 0.8 < last.validation_loss
