"""Surrogates have the spectra of what they were made from, and nothing else of it."""

import numpy as np
import pytest

from crossmodal.evaluation.surrogates import phase_randomised

SFREQ = 100


@pytest.mark.parametrize("n_times", [1000, 1001])
def test_spectra_between_channels_and_means_are_kept(n_times):
    rng = np.random.default_rng(0)
    x_ct = rng.standard_normal((3, 3)) @ rng.standard_normal((3, n_times)) + 5
    before_cf, after_cf = (np.fft.rfft(each_ct, axis=1) for each_ct in (x_ct, phase_randomised(x_ct, np.random.default_rng(1))))
    for one in range(3):
        for other in range(3):
            products = (spectra_cf[one] * spectra_cf[other].conj() for spectra_cf in (before_cf, after_cf))
            np.testing.assert_allclose(*products, atol=1e-3 * np.abs(before_cf).max())


def test_when_a_band_was_strong_is_lost():
    rng = np.random.default_rng(0)
    envelope_t = 1 + np.repeat(rng.random(120), 5 * SFREQ)
    x_t = envelope_t * np.sin(2 * np.pi * 10 * np.arange(len(envelope_t)) / SFREQ)
    power = [each_t.reshape(-1, 5 * SFREQ).var(axis=1) for each_t in (x_t, phase_randomised(x_t[None], rng)[0])]
    assert abs(np.corrcoef(*power)[0, 1]) < 0.3


def test_a_seed_gives_the_same_surrogate():
    x_ct = np.random.default_rng(0).standard_normal((2, 50))
    one, again, other = (phase_randomised(x_ct, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.5
