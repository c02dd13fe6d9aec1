"""Wiener filters and their scores against closed forms and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.config.preprocessing import Preprocessing
from crossmodal.evaluation.band import Band, preprocessed_band
from crossmodal.evaluation.wiener import JointSpectra, instantaneous_filter, mean_spectra, score_filter, wiener_filter

BAND = preprocessed_band(Preprocessing(highpass_hz=None, lowpass_hz=None, sfreq=None), sfreq=100.0, n_freqs=400)


def mixed_spectra(
    rng: np.random.Generator, band: Band, n_input: int = 4, n_target: int = 3, types: tuple[str, ...] | None = None
) -> JointSpectra:
    """Two rank-two sources of unlike spectra seen through random mixing, in sensor noise."""
    n = n_input + n_target
    spectrum_fkk = np.tile(np.diag(rng.uniform(0.005, 0.02, n)), (len(band.frequencies_hz), 1, 1))
    for exponent in (1.0, 2.0):
        mixing = rng.standard_normal((n, 2))
        spectrum_fkk += (1 / (1 + band.frequencies_hz) ** exponent)[:, None, None] * (mixing @ mixing.T)
    return JointSpectra(
        band,
        input_fcc=spectrum_fkk[:, :n_input, :n_input],
        cross_fsc=spectrum_fkk[:, n_input:, :n_input],
        target_fss=spectrum_fkk[:, n_input:, n_input:],
        target_types=types or ("mag",) * n_target,
    )


def scalar_spectra(signal_f: np.ndarray, input_noise: float, target_noise: float) -> JointSpectra:
    signal_fkk = signal_f[:, None, None]
    return JointSpectra(BAND, signal_fkk + input_noise, signal_fkk, signal_fkk + target_noise, ("mag",))


def draw(density_f: np.ndarray, n_times: int, sfreq: float, rng: np.random.Generator) -> np.ndarray:
    """Periodic Gaussian signal of a one-sided density given at the frequencies of its FFT."""
    coefficients = rng.standard_normal((2, len(density_f))) * np.sqrt(density_f * sfreq * n_times / 4)
    coefficients[:, [0, -1]] = 0
    return np.fft.irfft(coefficients[0] + 1j * coefficients[1], n_times)


def test_scalar_oracle_is_the_integral_of_signal_times_coherence() -> None:
    """Signal density 1 / (1 + f) in noise of density 0.02 at the input and 0.03 at the target, from 0 to 50 Hz."""
    spectra = scalar_spectra(1 / (1 + BAND.frequencies_hz), 0.02, 0.03)

    score = score_filter(wiener_filter(spectra.input_fcc, spectra.cross_fsc), spectra)

    # G^2 / (G + n) = 1 / ((1 + f) (1 + n + n f)), whose antiderivative is log((1 + f) / (1 + n + n f)).
    explained = np.log(51 / (1 + 0.02 * 51)) - np.log(1 / 1.02)
    assert score.pooled["mag"].explained_variance == pytest.approx(explained / (np.log(51) + 0.03 * 50), rel=1e-4)


def test_white_sources_need_no_neighbouring_samples() -> None:
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((7, 3))
    covariance = mixing @ mixing.T + np.diag(rng.uniform(0.5, 1.0, 7))
    white_fkk = np.tile(covariance, (len(BAND.frequencies_hz), 1, 1))
    spectra = JointSpectra(BAND, white_fkk[:, :4, :4], white_fkk[:, 4:, :4], white_fkk[:, 4:, 4:], ("mag",) * 3)

    per_frequency = score_filter(wiener_filter(spectra.input_fcc, spectra.cross_fsc), spectra)
    instantaneous = score_filter(instantaneous_filter(spectra), spectra)

    cross = covariance[4:, :4]
    expected_s = np.diag(cross @ np.linalg.solve(covariance[:4, :4], cross.T)) / np.diag(covariance[4:, 4:])
    np.testing.assert_allclose(per_frequency.explained_variance_s, expected_s)
    np.testing.assert_allclose(instantaneous.explained_variance_s, expected_s)


def test_average_reference_costs_a_dimension_but_no_information_about_the_others() -> None:
    """With a rank-deficient input the filter equals that from all but one of its channels."""
    full = mixed_spectra(np.random.default_rng(2), BAND, n_input=6)
    reference = np.eye(6) - 1 / 6
    input_fcc, cross_fsc = reference @ full.input_fcc @ reference, full.cross_fsc @ reference

    filter_fsc = wiener_filter(input_fcc, cross_fsc)
    without_last_fsc = wiener_filter(input_fcc[:, :5, :5], cross_fsc[:, :, :5])

    explained = np.einsum("fsc,fsc->s", filter_fsc, cross_fsc)
    np.testing.assert_allclose(explained, np.einsum("fsc,fsc->s", without_last_fsc, cross_fsc[:, :, :5]))


def test_units_of_channels_do_not_matter() -> None:
    spectra = mixed_spectra(np.random.default_rng(3), BAND, types=("mag", "mag", "grad"))
    input, target = np.array([1e-6, 1e-13, 1e-12, 1.0]), np.array([1e-15, 1e-15, 1e-12])
    in_si = JointSpectra(
        BAND,
        spectra.input_fcc * np.outer(input, input),
        spectra.cross_fsc * np.outer(target, input),
        spectra.target_fss * np.outer(target, target),
        spectra.target_types,
    )

    score = score_filter(wiener_filter(spectra.input_fcc, spectra.cross_fsc), spectra)
    score_in_si = score_filter(wiener_filter(in_si.input_fcc, in_si.cross_fsc), in_si)

    np.testing.assert_allclose(score_in_si.explained_variance_s, score.explained_variance_s)
    assert list(score.pooled) == ["mag", "grad"]
    for kind, pooled in score.pooled.items():
        assert score_in_si.pooled[kind].explained_variance == pytest.approx(pooled.explained_variance)
        assert score_in_si.pooled[kind].error_rate_s == pytest.approx(pooled.error_rate_s)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_nothing_linear_beats_the_oracle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    band = Band(BAND.frequencies_hz[::20], BAND.weights_hz[::20], BAND.squared_weights_hz[::20])
    subjects = [mixed_spectra(rng, band) for _ in range(3)]
    test = subjects[0]
    reference = mean_spectra(subjects[1:])

    oracle = score_filter(wiener_filter(test.input_fcc, test.cross_fsc), test)
    others = (
        score_filter(wiener_filter(reference.input_fcc, reference.cross_fsc), test),
        score_filter(instantaneous_filter(test), test),
        score_filter(np.zeros((1, 3, 4)), test),
    )

    assert np.all((oracle.explained_variance_s > 0) & (oracle.explained_variance_s < 1))
    assert all(np.all(other.explained_variance_s <= oracle.explained_variance_s + 1e-9) for other in others)
    np.testing.assert_allclose(others[-1].explained_variance_s, 0, atol=1e-12)


@pytest.mark.parametrize("exponent", [0.0, 2.0])
def test_score_and_its_standard_error_are_those_of_simulated_recordings(exponent: float) -> None:
    sfreq, n_times, n_recordings = 100.0, 3000, 400
    rng = np.random.default_rng(4)
    fft_hz = np.fft.rfftfreq(n_times, 1 / sfreq)
    noise_f = np.full_like(fft_hz, 0.01)
    spectra = scalar_spectra(1 / (1 + BAND.frequencies_hz) ** exponent, 0.01, 0.01)
    score = score_filter(wiener_filter(spectra.input_fcc, spectra.cross_fsc), spectra).pooled["mag"]
    signal_f = 1 / (1 + fft_hz) ** exponent
    gain_f = signal_f / (signal_f + noise_f)

    measured = []
    for _ in range(n_recordings):
        signal = draw(signal_f, n_times, sfreq, rng)
        input, target = signal + draw(noise_f, n_times, sfreq, rng), signal + draw(noise_f, n_times, sfreq, rng)
        predicted = np.fft.irfft(gain_f * np.fft.rfft(input), n_times)
        measured.append(1 - np.square(target - predicted).sum() / np.square(target).sum())

    standard_error = score.standard_error(n_times / sfreq)
    assert np.mean(measured) == pytest.approx(score.explained_variance, abs=0.3 * standard_error)
    assert np.std(measured) == pytest.approx(standard_error, rel=0.12)
