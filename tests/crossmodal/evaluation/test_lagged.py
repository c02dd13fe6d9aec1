"""Lagged covariances and the FIR that follows from them, against plain sums and plain least squares."""

import numpy as np
import pytest

from crossmodal.evaluation.lagged import FirMoments, apply_fir, lagged_products


@pytest.mark.parametrize(("n_times", "half_length"), [(50, 3), (2500, 20), (2500, 300), (7, 0)])
def test_lagged_products_are_plain_sums(n_times: int, half_length: int) -> None:
    rng = np.random.default_rng(0)
    a_tc, b_ts = rng.standard_normal((n_times, 2)), rng.standard_normal((n_times, 3))

    products_lcs = lagged_products(a_tc, b_ts, half_length)

    for index, lag in enumerate(range(-half_length, half_length + 1)):
        shifted = np.zeros_like(b_ts)
        first, last = max(0, -lag), min(n_times, n_times - lag)
        if last > first:
            shifted[first:last] = b_ts[first + lag : last + lag]
        np.testing.assert_allclose(products_lcs[index], a_tc.T @ shifted, atol=1e-9)


def test_fit_is_least_squares_over_the_padded_signal() -> None:
    rng = np.random.default_rng(1)
    half_length, n_times = 3, 400
    input_tc, target_ts = rng.standard_normal((n_times, 2)), rng.standard_normal((n_times, 2))

    fir_lcs, error_s = FirMoments.of(input_tc, target_ts, half_length).solve(np.zeros(7))

    margin = ((2 * half_length, 2 * half_length), (0, 0))
    padded_tc = np.pad(input_tc, margin)
    rows = np.arange(half_length, len(padded_tc) - half_length)
    design = np.hstack([padded_tc[rows - lag] for lag in range(-half_length, half_length + 1)])
    expected, residual_s, _, _ = np.linalg.lstsq(design, np.pad(target_ts, margin)[rows], rcond=None)
    np.testing.assert_allclose(fir_lcs.reshape(14, 2), expected, atol=1e-10)
    np.testing.assert_allclose(error_s, residual_s)


def test_moments_of_stretches_add_up() -> None:
    rng = np.random.default_rng(2)
    stretches = [(rng.standard_normal((n, 2)), rng.standard_normal((n, 1))) for n in (300, 500)]
    gap = 20  # at least the FIR's whole length, so that nothing reaches over it
    joined = [np.concatenate([first, np.zeros((gap, first.shape[1])), second]) for first, second in zip(*stretches, strict=True)]

    total = FirMoments.of(*stretches[0], 4) + FirMoments.of(*stretches[1], 4)

    whole = FirMoments.of(*joined, 4)
    assert total.n_times == 800
    np.testing.assert_allclose(total.input_lcc, whole.input_lcc, atol=1e-9)
    np.testing.assert_allclose(total.cross_lcs, whole.cross_lcs, atol=1e-9)
    np.testing.assert_allclose(total.target_s, whole.target_s)


def test_a_known_fir_is_found_and_applied_at_the_right_lags() -> None:
    rng = np.random.default_rng(3)
    true_lcs = rng.standard_normal((5, 2, 3))
    input_tc = rng.standard_normal((5000, 2))
    target_ts = np.zeros((5000, 3))
    for index, lag in enumerate(range(-2, 3)):
        target_ts[2:-2] += input_tc[2 - lag : 4998 - lag] @ true_lcs[index]

    fir_lcs, _ = FirMoments.of(input_tc, target_ts, 2).solve(np.zeros(5))

    np.testing.assert_allclose(fir_lcs, true_lcs, atol=0.02)
    np.testing.assert_allclose(apply_fir(true_lcs, input_tc), target_ts[2:-2], atol=1e-12)


def test_penalty_shrinks_the_taps_it_is_laid_on_and_is_counted_in_the_error() -> None:
    rng = np.random.default_rng(4)
    input_tc = rng.standard_normal((1000, 1))
    target_ts = input_tc + np.roll(input_tc, 1, axis=0)
    moments = FirMoments.of(input_tc, target_ts, 1)

    fir_lcs, error_s = moments.solve(np.array([0.0, 0.0, 1e9]))

    np.testing.assert_allclose(fir_lcs[:, 0, 0], [0, 1, 0], atol=0.1)
    padded = np.concatenate([[0], apply_fir(fir_lcs, np.pad(input_tc, ((2, 2), (0, 0))))[:, 0], [0]])[1:-1]
    target = np.pad(target_ts[:, 0], 1)
    assert error_s[0] == pytest.approx(np.square(target - padded).sum(), rel=1e-6)
