"""Quantiles from histograms against NumPy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.datasets.quantiles import quantiles


@settings(deadline=None)
@given(
    n_times=st.integers(2, 300),
    decimals=st.sampled_from([1, 3, 15]),
    outlier=st.sampled_from([0.0, 1e3]),
    probability=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]),
    seed=st.integers(0, 99),
)
def test_they_are_those_of_the_samples(n_times, decimals, outlier, probability, seed):
    """Also of values that repeat, and beside one that is far away."""
    data_tc = np.random.default_rng(seed).standard_normal((n_times, 3)).round(decimals)
    data_tc[0] += 10 + outlier
    low_c, high_c = data_tc.min(axis=0), data_tc.max(axis=0)
    (found_c,) = quantiles(lambda: iter(np.array_split(data_tc, 4)), low_c, high_c, [probability])
    expected_c = np.quantile(data_tc, probability, axis=0, method="inverted_cdf")
    np.testing.assert_array_less(np.abs(found_c - expected_c), (high_c - low_c) / 1024**2 + 1e-12)
