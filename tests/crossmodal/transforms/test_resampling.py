"""Signals are resampled by way of the first bins of their spectrum."""

import numpy as np
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.transforms.resampling import LowSpectrum


@given(n_parts=st.integers(1, 12), n_each=st.integers(1, 60), seed=st.integers(0, 9), data=st.data())
def test_short_transforms_make_the_first_bins_of_the_long_one(n_parts, n_each, seed, data):
    n_bins = data.draw(st.integers(1, n_each // 2 + 1))
    x_t = np.random.default_rng(seed).standard_normal(n_parts * n_each)
    made = LowSpectrum(len(x_t), n_parts, n_bins)(x_t)
    np.testing.assert_allclose(made, scipy.fft.rfft(x_t)[:n_bins], rtol=0, atol=1e-12 * np.abs(x_t).sum())
