"""Coverage of intervals: over what the model calls active, and over what is."""

import numpy as np
import pytest
import torch

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model
from crossmodal.models.intervals import ActiveIntervals
from crossmodal.models.predictor import Predictor
from crossmodal.models.zero import ZeroConfig
from crossmodal.tasks.cortex.coverage import coverage
from crossmodal.tasks.cortex.signals import signal_pair
from tests.crossmodal.tasks.cortex.heads import SIMULATION, feed


class Surest(Model):
    """Says that region 0 has a moment of one and is known by 0.1, and that all others are silent and known by 0.01."""

    def __init__(self, config: ZeroConfig, signals: SignalPair) -> None:
        super().__init__()
        self.intervals = ActiveIntervals(signals.target.n_channels)

    def forward(self, x_bct):
        return self.run_with_deviation(x_bct, None)[0]

    def run_with_deviation(self, x_bct, places):
        said_brt = torch.zeros(len(x_bct), 60, x_bct.shape[2])
        said_brt[:, 0] = 1
        return said_brt, 0.01 + 0.09 * said_brt


def test_regions_are_those_that_the_model_calls_active_and_those_that_are():
    signals, normaliser = signal_pair(SIMULATION), feed("test").normaliser
    predictor = Predictor(Surest(ZeroConfig(), signals), normaliser)
    truth_brt = torch.zeros(2, 60, 50)
    # In the first sample, a quarter of the times of region 0 is missed; in the second, another region was active.
    truth_brt[0, 0], truth_brt[1, 7] = 1, 1
    truth_brt[0, 0, ::4] = 1.2
    found = coverage(predictor, [(torch.zeros(2, 32, 50), normaliser.target.inverse(truth_brt))])
    n_missed = len(range(0, 50, 4))
    assert found["coverage"] == pytest.approx((1 - n_missed / 50) / 2)
    assert found["coverage_labelled"] == pytest.approx((1 - n_missed / 50) / 2)
    silent = coverage(predictor, [(torch.zeros(2, 32, 50), torch.zeros(2, 60, 50))])
    assert silent["coverage"] == 0
    assert np.isnan(silent["coverage_labelled"])
