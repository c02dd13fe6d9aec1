"""The learning rate over the steps of a training."""

import pytest

from crossmodal.config.training import Training
from crossmodal.training.schedule import highest_rate, learning_rate
from crossmodal.training.state import EpochMetrics


def history(losses, metrics=None):
    more = {"loss": 1.0, "learning_rate": 1.0, "seconds": 1.0, "windows_per_s": 1.0}
    return [
        EpochMetrics(epoch=epoch, validation_loss=loss, validation_metric=metrics and metrics[epoch], **more)
        for epoch, loss in enumerate(losses)
    ]


@pytest.mark.parametrize(
    ("losses", "falls"),
    [
        ([], 0),
        ([3, 2, 2, 2], 0),
        ([3, 2, 2, 2, 2], 1),
        # An epoch that is better by however little begins the count anew.
        ([3, 2, 2, 2, 1.999, 2, 2], 0),
        ([3, 2, 2, 2, 2, 2, 2], 1),
        ([3, 2, 2, 2, 2, 2, 2, 2], 2),
    ],
)
def test_the_rate_falls_tenfold_after_more_epochs_without_a_better_one_than_the_plateau_bears(losses, falls):
    training = Training(schedule="plateau", plateau_epochs=2, learning_rate=0.5)
    assert highest_rate(training, history(losses)) == pytest.approx(0.5 * 0.1**falls)
    assert highest_rate(training.model_copy(update={"schedule": "cosine"}), history(losses)) == 0.5


def test_a_metric_that_chooses_the_epoch_says_where_validation_stands_still():
    training = Training(schedule="plateau", plateau_epochs=2, learning_rate=0.5)
    assert highest_rate(training, history([4, 3, 2, 1], metrics=[0.4, 0.3, 0.2, 0.1])) == pytest.approx(0.05)
    assert highest_rate(training, history([1, 2, 3, 4], metrics=[0.1, 0.2, 0.3, 0.4])) == 0.5


@pytest.mark.parametrize(("schedule", "last"), [("plateau", 0.2), ("constant", 0.2), ("cosine", 0.1)])
def test_the_warm_up_comes_first(schedule, last):
    training = Training(schedule=schedule, warmup_epochs=1, epochs=2)
    assert [learning_rate(training, 0.2, step, 2) for step in range(4)] == pytest.approx([0.1, 0.2, 0.2, last])


def test_names_of_runs_stay_where_no_plateau_is_asked_for():
    assert "plateau_epochs" not in Training().model_dump()
    assert Training(plateau_epochs=3).model_dump()["plateau_epochs"] == 3
