"""Coverage and interval score against closed forms of the normal distribution."""

import numpy as np
import pytest
from scipy.stats import norm

from crossmodal.evaluation.intervals import coverage, interval_score

LEVEL, N = 0.9, 200_000
Z = norm.ppf((1 + LEVEL) / 2)


def test_the_score_is_width_and_what_misses_cost():
    truth, lower, upper = np.array([[0.0], [3.0], [-2.0], [1.0]]), np.full((4, 1), -1.0), np.full((4, 1), 1.0)
    assert coverage(truth, lower, upper) == pytest.approx([0.5])
    assert interval_score(truth, lower, upper, LEVEL) == pytest.approx([2 + 20 * (2 + 1) / 4])


@pytest.mark.parametrize("half_width", [0.5, Z, 2.5])
def test_of_normal_data_both_are_those_in_closed_form(half_width):
    """Outside c, a standard normal misses by density(c) - c tail(c), on each side."""
    truth = np.random.default_rng(0).standard_normal((N, 1))
    bound = np.full_like(truth, half_width)
    assert coverage(truth, -bound, bound) == pytest.approx([2 * norm.cdf(half_width) - 1], abs=3e-3)
    missed = 2 * (norm.pdf(half_width) - half_width * norm.sf(half_width))
    assert interval_score(truth, -bound, bound, LEVEL) == pytest.approx([2 * half_width + 20 * missed], rel=0.01)


def test_where_deviations_differ_their_own_quantiles_score_below_any_constant_width():
    rng = np.random.default_rng(0)
    deviation = np.exp(rng.standard_normal((N, 1)))
    truth = deviation * rng.standard_normal((N, 1))
    assert coverage(truth, -Z * deviation, Z * deviation) == pytest.approx([LEVEL], abs=3e-3)
    own = interval_score(truth, -Z * deviation, Z * deviation, LEVEL)
    constant = np.full_like(truth, np.quantile(np.abs(truth), LEVEL))
    assert coverage(truth, -constant, constant) == pytest.approx([LEVEL], abs=1e-3)
    assert own < 0.9 * interval_score(truth, -constant, constant, LEVEL)
