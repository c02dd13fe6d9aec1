import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.training import Augmentation
from crossmodal.datasets.feed import Batch
from crossmodal.evaluation import epoch_metrics
from crossmodal.training.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from crossmodal.training.loop import ReclaimedError, fit
from crossmodal.training.state import EpochMetrics, TrainingState
from crossmodal.training.validation import validate
from crossmodal.training.world import World
from tests.crossmodal.training.cohort import N_EEG, N_MAG, SmallNet, open_first_fold, publish_cohort, small_experiment


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    root = tmp_path_factory.mktemp("cohort")
    experiment = small_experiment(root)
    return experiment, open_first_fold(experiment, publish_cohort(experiment), root)


class Simulated:
    """A feed that makes each sample from its number."""

    def __init__(self, n_samples: int, seed: int) -> None:
        self.subjects = np.array(["somebody"] * n_samples)
        self._seed = seed

    def __len__(self) -> int:
        return len(self.subjects)

    def batches(self, batch_size, order, device="cpu"):
        for first in range(0, len(order), batch_size):
            numbers = order[first : first + batch_size]
            drawn_bct = np.stack([np.random.default_rng([self._seed, number]).standard_normal((N_EEG, 32)) for number in numbers])
            x_bct = torch.tensor(drawn_bct, dtype=torch.float32, device=device)
            yield Batch(x_bct, x_bct[:, :N_MAG].roll(1, 2), numbers)


class Aligned(SmallNet):
    """Is also asked that an encoding of its prediction be like that of the target."""

    training_only = ("encoder",)

    def __init__(self, data) -> None:
        super().__init__(data)
        self.encoder = nn.Conv1d(data.signals.target.n_channels, 3, 1)

    def loss_terms(self, x_bct, y_bst):
        predicted_bst = self(x_bct)
        alignment = nn.functional.mse_loss(self.encoder(predicted_bst), self.encoder(y_bst))
        return {"mse": nn.functional.mse_loss(predicted_bst, y_bst), "alignment": 0.1 * alignment}


def run(opened, keep=lambda state: None, resume=None, world=None, network=SmallNet, **training) -> tuple[SmallNet, TrainingState]:
    experiment, data = opened
    torch.manual_seed(0)
    world = world or World()
    model = network(data).to(world.device)
    settings = experiment.training.model_copy(update=training)
    return model, fit(model, data.train, data.validation, settings, experiment.seed, world, keep, resume or TrainingState())


def bits(history: list[EpochMetrics]) -> list[dict[str, float]]:
    return [metrics.model_dump(exclude={"seconds", "windows_per_s"}) for metrics in history]


def test_learns_and_ends_with_the_best_epoch(opened):
    experiment, data = opened
    model, state = run(opened, epochs=6)
    assert state.history[-1].validation_loss < 0.9 * state.history[0].validation_loss
    assert validate(model, data.validation, experiment.training, World()).terms == {"mse": state.best.validation_loss}


class Apart(SmallNet):
    """Its loss looks at another input than prediction does."""

    def loss_terms(self, x_bct, y_bst):
        return {"mse": nn.functional.mse_loss(self(0.9 * x_bct), y_bst)}


@pytest.mark.parametrize(("network", "runs_a_part"), [(SmallNet, 1), (Apart, 2)])
def test_a_metric_is_taken_on_the_prediction_that_the_loss_made_of_the_same_input(opened, network, runs_a_part):
    experiment, data = opened
    torch.manual_seed(0)
    model, metric = network(data), epoch_metrics.explained_variance()
    asked = []
    model.register_forward_hook(lambda *unused: asked.append(1))
    alone = validate(model, data.validation, experiment.training, World())
    n_parts = len(asked)
    judged = validate(model, data.validation, experiment.training, World(), metric)
    assert judged.terms == alone.terms
    assert len(asked) == n_parts * (1 + runs_a_part)
    again = SmallNet(data)
    again.load_state_dict(model.state_dict())
    assert judged.metric == validate(again, data.validation, experiment.training, World(), metric).metric


@pytest.mark.parametrize("name", ["explained_variance", "temporal_r"])
def test_a_metric_may_choose_the_epoch(opened, name):
    """One of the validation subjects, counted alike, whichever is longer; the weights are those of the epoch where it was highest."""
    experiment, data = opened
    metric = getattr(epoch_metrics, name)()
    torch.manual_seed(0)
    model = SmallNet(data)
    training = experiment.training.model_copy(update={"epochs": 6, "learning_rate": 0.1})
    state = fit(model, data.train, data.validation, training, 0, World(), lambda state: None, TrainingState(), metric)
    values = [epoch.validation_metric for epoch in state.history]
    assert state.best.validation_metric == max(values)
    assert state.best is not state.history[-1] or values[-1] == max(values)
    assert state.history[0].named()["validation_metric"] == values[0]
    of_subjects = []
    for subject in np.unique(data.validation.subjects):
        (batch,) = data.validation.batches(1000, np.flatnonzero(data.validation.subjects == subject))
        with torch.no_grad():
            predicted_bst = model.eval()(batch.input_bct).double()
        truth_bst = batch.target_bst.double()
        if name == "explained_variance":
            of_subjects.append(float(1 - (truth_bst - predicted_bst).square().sum() / truth_bst.square().sum()))
        else:
            pairs = zip(truth_bst.transpose(0, 1), predicted_bst.transpose(0, 1), strict=True)
            of_subjects.append(np.mean([np.corrcoef(y.flatten(), p.flatten())[0, 1] for y, p in pairs]))
    assert validate(model, data.validation, training, World(), metric).metric == pytest.approx(np.mean(of_subjects), abs=1e-6)
    assert max(values) == pytest.approx(np.mean(of_subjects), abs=1e-6)


def test_a_constant_prediction_correlates_with_nothing():
    truth_bst, metric = torch.randn(5, 3, 1).double(), epoch_metrics.temporal_r()
    assert float(metric.value(metric.sums(truth_bst, torch.ones_like(truth_bst))[None])) == 0
    assert float(metric.value(metric.sums(truth_bst, 2 * truth_bst + 1)[None])) == pytest.approx(1)


@pytest.mark.parametrize("stop", [1, 3, 4])
def test_resumes_with_the_same_bits(opened, tmp_path, stop):
    model, undisturbed = run(opened)

    class Killed(BaseException):
        pass

    def die(state):
        save_checkpoint(state, str(tmp_path))
        if state.epochs == stop:
            raise Killed

    with pytest.raises(Killed):
        run(opened, die)
    resumed_model, resumed = run(opened, resume=load_checkpoint(latest_checkpoint(str(tmp_path))))
    assert bits(resumed.history) == bits(undisturbed.history)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), resumed_model.parameters(), strict=True))


@pytest.mark.parametrize("asked", [1, 2, 4])
@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(offset=0.2, noise=0.1)])
def test_leaves_in_the_middle_of_an_epoch_and_goes_on_with_the_same_bits(opened, tmp_path, asked, augmentation):
    """Asked after its 8th and its last step whether a machine goes."""
    settings = {"batch_size": 9, "augmentation": augmentation}
    model, undisturbed = run(opened, **settings)
    last = math.ceil(len(opened[1].train) / 9)
    assert 8 < last < 16
    answers = iter([False] * (asked - 1) + [True])
    with pytest.raises(ReclaimedError):
        run(opened, lambda state: save_checkpoint(state, str(tmp_path)), world=World(reclaimed=lambda: next(answers)), **settings)
    resume = load_checkpoint(latest_checkpoint(str(tmp_path)))
    assert (resume.epochs, resume.partial.steps) == ((asked - 1) // 2, 8 if asked % 2 else last)
    resumed_model, resumed = run(opened, resume=resume, **settings)
    assert bits(resumed.history) == bits(undisturbed.history)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), resumed_model.parameters(), strict=True))


def test_on_a_plateau_the_rate_falls_and_a_resume_in_the_middle_of_an_epoch_knows_it(opened, tmp_path):
    settings = {"schedule": "plateau", "plateau_epochs": 1, "learning_rate": 3.0, "epochs": 7, "batch_size": 9}
    model, undisturbed = run(opened, **settings)
    rates = [metrics.learning_rate for metrics in undisturbed.history]
    assert rates[0] == 3.0
    assert rates[-1] == pytest.approx(0.3)
    # The first epoch at the lower rate is left in its middle.
    fallen = next(index for index, rate in enumerate(rates) if rate < 3.0)
    answers = iter([False] * (2 * fallen) + [True])
    with pytest.raises(ReclaimedError):
        run(opened, lambda state: save_checkpoint(state, str(tmp_path)), world=World(reclaimed=lambda: next(answers)), **settings)
    resume = load_checkpoint(latest_checkpoint(str(tmp_path)))
    assert (resume.epochs, resume.partial.steps) == (fallen, 8)
    resumed_model, resumed = run(opened, resume=resume, **settings)
    assert bits(resumed.history) == bits(undisturbed.history)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), resumed_model.parameters(), strict=True))


def test_terms_of_a_loss_are_told_one_by_one_also_where_an_epoch_was_left(opened, tmp_path):
    _, undisturbed = run(opened, network=Aligned)
    for epoch in undisturbed.history:
        assert epoch.loss_terms.keys() == epoch.validation_terms.keys() == {"mse", "alignment"}
        assert epoch.loss == sum(epoch.loss_terms.values())
        assert epoch.validation_loss == sum(epoch.validation_terms.values())
        assert epoch.named()["validation_loss/alignment"] == epoch.validation_terms["alignment"] > 0
    answers = iter([False, False, True])
    with pytest.raises(ReclaimedError):
        run(opened, lambda state: save_checkpoint(state, str(tmp_path)), world=World(reclaimed=lambda: next(answers)), network=Aligned)
    resume = load_checkpoint(latest_checkpoint(str(tmp_path)))
    assert resume.partial.totals_r.keys() == {"mse", "alignment"}
    _, resumed = run(opened, resume=resume, network=Aligned)
    assert bits(resumed.history) == bits(undisturbed.history)


def test_learns_from_a_simulator_as_from_shards_and_goes_on_in_the_middle_of_an_epoch(opened, tmp_path):
    experiment, data = opened
    simulated = experiment, replace(data, train=Simulated(200, seed=1), validation=Simulated(40, seed=2))
    model, undisturbed = run(simulated)
    assert undisturbed.history[-1].validation_loss < 0.5 * undisturbed.history[0].validation_loss
    answers = iter([False] * 4 + [True])
    with pytest.raises(ReclaimedError):
        run(simulated, lambda state: save_checkpoint(state, str(tmp_path)), world=World(reclaimed=lambda: next(answers)))
    resume = load_checkpoint(latest_checkpoint(str(tmp_path)))
    assert resume.partial.steps == 8
    resumed_model, resumed = run(simulated, resume=resume)
    assert bits(resumed.history) == bits(undisturbed.history)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), resumed_model.parameters(), strict=True))


def test_what_the_loss_alone_needs_learns_and_is_dropped_for_inference(opened):
    torch.manual_seed(0)
    before = Aligned(opened[1]).encoder.weight.detach().clone()
    model, state = run(opened, network=Aligned)
    assert not torch.equal(state.weights["encoder.weight"], before)
    x_bct = torch.randn(2, opened[1].signals.input.n_channels, 64)
    with torch.no_grad():
        expected = model.eval()(x_bct)
        assert torch.equal(model.for_inference()(x_bct), expected)
    assert model.state_dict().keys() == SmallNet(opened[1]).state_dict().keys()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-3), ("bfloat16", 1e-2)])
def test_a_gpu_ends_with_losses_within_the_tolerances_told(opened, precision, tolerance):
    _, on_cpu = run(opened)
    _, on_gpu = run(opened, world=World(device=torch.device("cuda")), precision=precision)
    losses = [[metrics.validation_loss for metrics in state.history] for state in (on_cpu, on_gpu)]
    np.testing.assert_allclose(*losses, rtol=tolerance)


def test_keeps_few_checkpoints(opened, tmp_path):
    run(opened, lambda state: save_checkpoint(state, str(tmp_path)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epochs-00003", "epochs-00004"]


def test_stops_when_validation_no_longer_improves(opened):
    _, state = run(opened, epochs=50, patience=2, learning_rate=0.3, schedule="constant")
    assert state.epochs < 50
    assert state.epochs - 1 - state.best.epoch == 2


def test_a_loss_that_explodes_is_told_clearly(opened):
    with pytest.raises(UserError, match="lower training.learning_rate"):
        run(opened, learning_rate=1e30, gradient_clip=None, warmup_epochs=0)


class Breaking(SmallNet):
    """Its loss is no number from some batch of training, or of validation, on."""

    in_training, batches_left = True, 0

    def loss_terms(self, x_bct, y_bst):
        Breaking.batches_left -= self.training is self.in_training
        return {"mse": super().loss_terms(x_bct, y_bst)["mse"] * (1 if Breaking.batches_left > 0 else math.nan)}


@pytest.mark.parametrize("in_training", [True, False])
def test_a_loss_that_is_no_number_ends_training_at_its_batch_and_the_epochs_before_are_gone_on_from(opened, tmp_path, in_training):
    _, undisturbed = run(opened)
    # The third epoch begins, and losses are looked at after 8 steps.
    Breaking.in_training = in_training
    Breaking.batches_left = 2 * math.ceil(len(opened[1].train if in_training else opened[1].validation) / 8) + 3
    told = r"^the loss was no longer finite in epoch 3, at a batch of 8 windows, of which sub-\d run 01 at [\d.]+ s has the largest values;"
    with pytest.raises(UserError, match=told + r".*; the epochs before it are kept$"):
        run(opened, lambda state: save_checkpoint(state, str(tmp_path)), network=Breaking)
    if in_training:
        assert -8 < Breaking.batches_left <= 0
    resume = load_checkpoint(latest_checkpoint(str(tmp_path)))
    assert (resume.epochs, resume.partial) == (2, None)
    assert bits(run(opened, resume=resume)[1].history) == bits(undisturbed.history)


def test_validation_weighs_subjects_equally(opened):
    experiment, data = opened
    torch.manual_seed(0)
    model = SmallNet(data).eval()
    found = validate(model, data.train, experiment.training, World()).terms["mse"]
    losses: dict[str, list[float]] = {}
    for batch in data.train.batches(1, np.arange(len(data.train))):
        with torch.no_grad():
            loss = model.loss(batch.input_bct, batch.target_bst)
        losses.setdefault(data.train.subjects[batch.windows[0]], []).append(float(loss))
    assert len({len(of_one) for of_one in losses.values()}) > 1
    assert math.isclose(found, sum(sum(of_one) / len(of_one) for of_one in losses.values()) / len(losses), rel_tol=1e-5)
