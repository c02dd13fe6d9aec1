"""Where an artifact reaches beyond what was marked of it, and that chance makes none."""

import numpy as np
import pytest

from preprocessing.signals.spans import Span
from preprocessing.steps.edges import beyond_edges, holding_artifacts
from preprocessing.steps.look import Look

_RATE_HZ = 100


def looked_at(x_ct):
    return Look(x_ct.astype(np.float32), ("eeg",) * len(x_ct), 1 / _RATE_HZ)


@pytest.mark.parametrize("n_sensors", [1, 4, 100])
def test_noise_beside_a_span_widens_none(n_sensors):
    """A span of two seconds in 30 of noise, in 100 recordings: chance may widen one of them."""
    rng = np.random.default_rng(n_sensors)
    widened = 0
    for _ in range(100):
        x_ct = rng.standard_normal((n_sensors, 30 * _RATE_HZ))
        x_ct[:, 12 * _RATE_HZ : 14 * _RATE_HZ] = 0
        widened += bool(beyond_edges([Span(12.0, 14.0)], looked_at(x_ct), 1.0))
    assert widened <= 1


@pytest.mark.parametrize("n_sensors", [1, 4, 100])
def test_an_artifact_that_begins_before_its_span_is_added(n_sensors):
    x_ct = np.random.default_rng(0).standard_normal((n_sensors, 30 * _RATE_HZ))
    x_ct[:, 1170:1400] += 10
    x_ct[:, 1200:1400] = 0
    (added,) = beyond_edges([Span(12.0, 14.0)], looked_at(x_ct), 1.0)
    assert added.start_s == pytest.approx(11.67, abs=0.02)
    assert added.stop_s == 12.0


def test_spans_in_which_nothing_is_unusual_hold_no_artifact():
    x_ct = np.random.default_rng(0).standard_normal((4, 30 * _RATE_HZ))
    x_ct[:, 1850:1900] += 20
    quiet, loud = Span(12.0, 14.0), Span(18.0, 19.5)
    assert holding_artifacts([quiet, loud, Span(5.0, 5.0)], looked_at(x_ct)) == [loud]
