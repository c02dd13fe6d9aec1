"""A network learns from samples that are made on the fly, and what it learned holds for a head it has never seen."""

import numpy as np
import pytest
import torch

from crossmodal.config.training import Training
from crossmodal.models.base import Geometry, Model
from crossmodal.models.minimum_norm import MinimumNorm, MinimumNormConfig
from crossmodal.models.source_net import SourceNet, SourceNetConfig
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.tasks.cortex.detection import active_auc
from crossmodal.tasks.cortex.distances import peak_error_m
from crossmodal.tasks.cortex.metrics import explained_variance
from crossmodal.tasks.cortex.minimum_norm import own_head_minimum_norm
from crossmodal.tasks.cortex.signals import signal_pair
from crossmodal.training.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from crossmodal.training.loop import ReclaimedError, fit
from crossmodal.training.state import TrainingState
from crossmodal.training.world import World, make_reproducible
from tests.crossmodal.tasks.cortex.heads import SIMULATION, feed, head

TRAINING = Training(epochs=4, batch_size=16, learning_rate=0.01)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    make_reproducible(threads=1)
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(before)


def train(keep=lambda state: None, resume=None, world=None) -> tuple[SourceNet, TrainingState]:
    torch.manual_seed(0)
    model = SourceNet(SourceNetConfig(dropout=0.05), signal_pair(SIMULATION))
    return model, fit(model, feed("train"), feed("validation"), TRAINING, 0, world or World(), keep, resume or TrainingState())


@pytest.fixture(scope="module")
def undisturbed(_one_thread):
    return train()


@pytest.fixture(scope="module")
def unseen():
    of = feed("test")
    return next(of.batches(len(of), np.arange(len(of))))


@torch.no_grad()
def predicted(model: Model, batch) -> np.ndarray:
    return model.eval()(batch.input_bct).numpy()


def test_the_network_beats_zero_on_a_new_head(undisturbed, unseen):
    truth, prediction = unseen.target_bst.numpy(), predicted(undisturbed[0], unseen)
    assert explained_variance(truth, prediction) > 0.1
    assert active_auc(truth, prediction).mean() > 0.85


def test_left_in_the_middle_of_an_epoch_it_goes_on_to_the_same_bits(undisturbed, tmp_path):
    model, state = undisturbed
    answers = iter([False] * 5 + [True])
    with pytest.raises(ReclaimedError):
        train(lambda left: save_checkpoint(left, str(tmp_path)), world=World(reclaimed=lambda: next(answers)))
    resume = load_checkpoint(latest_checkpoint(str(tmp_path)))
    assert (resume.epochs, resume.partial.steps) == (1, 16)
    again, resumed = train(resume=resume)
    losses = [[(epoch.loss, epoch.validation_loss) for epoch in of.history] for of in (state, resumed)]
    assert losses[0] == losses[1]
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), again.parameters(), strict=True))


def test_minimum_norm_finds_regions_from_the_electrodes_places_alone(unseen):
    """Better on the subject's own head than on the template's, and lost where the electrodes' names are mixed up."""
    units, pair = feed("test").normaliser, signal_pair(SIMULATION)
    info, truth = head("04").info, unseen.target_bst.numpy()
    scores, errors_m = {}, {}
    mixed = pair.model_copy(update={"input": pair.input.model_copy(update={"names": pair.input.names[::-1]})})
    models = {
        "own": own_head_minimum_norm(head("04"), units, snr=10.0),
        **{
            name: MinimumNorm(MinimumNormConfig(snr=10.0), signals).for_subject(Geometry(info, signals, units, True))
            for name, signals in (("template", pair), ("mixed", mixed))
        },
    }
    for name, model in models.items():
        prediction = predicted(model, unseen)
        scores[name] = explained_variance(truth, prediction)
        errors_m[name] = np.nanmean(peak_error_m(truth, prediction, cortical_regions()))
    assert scores["own"] > scores["template"] > 0.1 > scores["mixed"]
    assert max(errors_m["own"], errors_m["template"]) < 0.035 < 0.05 < errors_m["mixed"]
