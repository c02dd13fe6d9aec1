"""Figures of one scan against what is known in closed form."""

import numpy as np
import pytest
from scipy import stats

from crossmodal.tasks.volumes.chance import chance_p
from crossmodal.tasks.volumes.metrics import mean_over_scans, mean_over_targets, score_images, score_scan
from crossmodal.tasks.volumes.scorecard import VOLUMES_SCORECARD


def scan(n_volumes=4000, n_targets=3, seed=0):
    rng = np.random.default_rng(seed)
    return 1000 + 10 * rng.standard_normal((n_volumes, n_targets)), rng


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_gaussian_noise_lowers_r_as_it_must(noise):
    truth_vs, rng = scan()
    metrics = score_scan(truth_vs, truth_vs + noise * 10 * rng.standard_normal(truth_vs.shape), np.full(3, 1000.0))
    np.testing.assert_allclose(metrics.r, 1 / np.sqrt(1 + noise**2), atol=0.03)
    np.testing.assert_allclose(metrics.r2, 1 - noise**2, atol=0.2)


def test_a_scaled_and_shifted_copy_has_r_1_and_a_halved_one_explains_three_quarters():
    truth_vs, _ = scan()
    metrics = score_scan(truth_vs, 500 + truth_vs / 2, truth_vs.mean(axis=0))
    np.testing.assert_allclose(metrics.r, 1.0)
    np.testing.assert_allclose(metrics.r2, 0.75)


def test_r_is_scipys_on_each_target():
    truth_vs, rng = scan(50)
    predicted_vs = rng.standard_normal(truth_vs.shape).astype(np.float32)
    expected = [stats.pearsonr(truth, predicted).statistic for truth, predicted in zip(truth_vs.T, predicted_vs.T, strict=True)]
    np.testing.assert_allclose(score_scan(truth_vs, predicted_vs, truth_vs[0]).r, expected)


def test_the_mean_volume_has_no_skill_and_no_r_and_the_own_mean_has_skill_alone():
    truth_vs, _ = scan()
    training_mean_s = np.array([990.0, 1000.0, 1020.0])
    of_training, own = (
        score_scan(truth_vs, np.tile(mean_s, (len(truth_vs), 1)), training_mean_s) for mean_s in (training_mean_s, truth_vs.mean(0))
    )
    for metrics in (of_training, own):
        np.testing.assert_array_equal(metrics.r, 0)
        np.testing.assert_allclose(metrics.r2, 0, atol=1e-12)
    np.testing.assert_array_equal(of_training.skill, 0)
    np.testing.assert_allclose(own.skill, [0.5, 0, 0.8], atol=0.03)


def test_a_target_that_never_changes_is_left_out_of_means():
    truth_vs, _ = scan(50)
    truth_vs[:, 1] = 7.0
    r_s = score_scan(truth_vs, truth_vs + 1, np.zeros(3)).r
    assert np.isnan(r_s[1])
    assert mean_over_targets(r_s, np.ones(3, dtype=bool)) == pytest.approx(1)
    assert np.isnan(mean_over_targets(r_s, np.array([False, True, False])))


def test_scans_are_averaged_and_never_joined():
    """Joined, two scans at different levels would correlate with a prediction that knows the levels alone."""
    assert mean_over_scans([{"r": 0.2}, {"r": 0.4}]) == {"r": pytest.approx(0.3)}


def test_images_are_compared_in_the_range_of_the_truth():
    rng = np.random.default_rng(0)
    stored = np.ones((8, 9, 7), dtype=bool)
    truth_vs = rng.uniform(0, 100, (5, stored.sum()))
    truth_vs[0, :2] = 0, 100
    same, shifted = score_images(truth_vs, truth_vs, stored), score_images(truth_vs, truth_vs + 10, stored)
    assert same["ssim"] == pytest.approx(1)
    assert shifted["rmse"] == pytest.approx(10)
    assert shifted["psnr"] == pytest.approx(20 * np.log10(100 / 10))
    assert shifted["ssim"] < 1
    assert np.isnan(score_images(truth_vs[:, :150], truth_vs[:, :150], np.ones((5, 5, 6), dtype=bool))["ssim"])


def test_contrast_counts_however_bright_the_brain_is_against_the_outside():
    """With zeros outside the brain both images would share one great edge, and SSIM would be 0.9997."""
    rng = np.random.default_rng(0)
    brain = np.linalg.norm(np.indices((12, 12, 12)) - 5.5, axis=0) < 5
    truth_vs = rng.uniform(950, 1050, (4, brain.sum()))
    mean = truth_vs.mean(axis=1, keepdims=True)
    halved, flat = (score_images(truth_vs, mean + factor * (truth_vs - mean), brain)["ssim"] for factor in (0.5, 0.0))
    # Of the deviations a and b = a / 2, SSIM is 2ab / (a^2 + b^2).
    assert halved == pytest.approx(0.8, abs=0.03)
    assert flat < 0.1


def test_the_mean_volume_owes_its_ssim_to_anatomy_and_the_table_says_so():
    rng = np.random.default_rng(0)
    anatomy_s = rng.uniform(400, 1000, 8**3)
    truth_vs = anatomy_s * (1 + 0.01 * rng.standard_normal((6, 8**3)))
    mean_volume_vs = np.tile(truth_vs.mean(axis=0), (6, 1))
    assert score_images(truth_vs, mean_volume_vs, np.ones((8, 8, 8), dtype=bool))["ssim"] > 0.99
    (told,) = (metric.told for metric in VOLUMES_SCORECARD.metrics if metric.name == "ssim")
    assert "what the mean volume (training mean, own mean) reaches is anatomy" in told


def test_chance_takes_smoothness_into_account():
    """Smooth noise correlates with smooth noise; a p value that knows it is uniform, and small where there is a relation."""
    rng = np.random.default_rng(0)
    smooth_vs = stats.norm.pdf(np.arange(-30, 31), scale=6)[:, None]
    draws = [np.apply_along_axis(np.convolve, 0, rng.standard_normal((260, 4)), smooth_vs[:, 0], "valid") for _ in range(120)]
    inside_s = np.ones(4, dtype=bool)
    p = [chance_p(truth_vs, predicted_vs, inside_s, 20) for truth_vs, predicted_vs in zip(draws[::2], draws[1::2], strict=True)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert chance_p(draws[0], draws[0] + 0.5 * draws[1], inside_s, 20) < 1e-3
    assert chance_p(draws[0], np.ones_like(draws[0]), inside_s, 20) == 1.0
