"""Tests and intervals keep the error rates they promise."""

import itertools

import numpy as np
import pytest
from scipy import stats

from crossmodal.evaluation.statistics import (
    bca_interval,
    best_of_many_p,
    detectable_sd,
    holm,
    is_significant,
    least_sign_flip_p,
    sign_flip_p,
    t_interval,
)


def test_eight_positive_subjects_give_the_smallest_p_there_is():
    values = np.linspace(0.1, 0.3, 8)
    assert sign_flip_p(values, "greater") == 1 / 2**8
    assert sign_flip_p(values, "two-sided") == 2 / 2**8
    assert sign_flip_p(-values, "greater") == 1.0


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
@pytest.mark.parametrize("n", [6, 17])
def test_no_p_is_below_the_least_that_is_told(n, alternative):
    assert sign_flip_p(np.linspace(10, 11, n), alternative) >= least_sign_flip_p(n, alternative)
    assert sign_flip_p(np.linspace(10, 11, 6), alternative) == least_sign_flip_p(6, alternative)


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_sign_flips_agree_with_scipy(alternative):
    values = np.random.default_rng(3).normal(0.4, 1.0, 9)
    expected = stats.permutation_test((values,), np.sum, permutation_type="samples", alternative=alternative, n_resamples=np.inf)
    assert sign_flip_p(values, alternative) == pytest.approx(expected.pvalue)


def test_monte_carlo_repeats_itself_and_is_near_the_normal_p():
    values = np.random.default_rng(1).normal(0.3, 1.0, 40)
    p = sign_flip_p(values, "greater", seed=5)
    assert p == sign_flip_p(values, "greater", seed=5)
    assert p == pytest.approx(stats.ttest_1samp(values, 0, alternative="greater").pvalue, abs=0.01)
    assert sign_flip_p(np.ones(40)) > 0


def test_sums_by_halves_are_those_of_all_patterns():
    values = np.random.default_rng(5).normal(0.4, 1.0, 13)
    sums = np.array(list(itertools.product([-1, 1], repeat=13))) @ values
    assert sign_flip_p(values) == np.mean(sums >= values.sum() - 1e-9)
    assert sign_flip_p(np.ones(32)) == 2.0**-32


def test_an_effect_of_the_size_that_is_told_is_found_as_often_as_is_told():
    effect, rng = detectable_sd(8, 0.03), np.random.default_rng(6)
    found = np.mean([sign_flip_p(rng.normal(effect, 1.0, 8)) <= 0.03 for _ in range(1000)])
    assert found == pytest.approx(0.8, abs=0.06)
    assert detectable_sd(6, 1 / 65) == float("inf")


def test_each_trial_that_nobody_knows_adds_the_p_of_the_chosen_one():
    values_kn = np.random.default_rng(7).normal(0.5, 1.0, (3, 8))
    known, alone = best_of_many_p(values_kn, 0), sign_flip_p(values_kn[0])
    assert best_of_many_p(values_kn, 0, unseen=2) == pytest.approx(min(1.0, known + 2 * alone))
    assert best_of_many_p(values_kn, 0, unseen=10_000) == 1.0


def test_sums_equal_up_to_rounding_are_ties():
    whole = stats.permutation_test(([1, 2, 3, -6],), np.sum, permutation_type="samples", alternative="greater")
    assert sign_flip_p([0.1, 0.2, 0.3, -0.6]) == pytest.approx(whole.pvalue)


def test_sign_flip_p_falls_below_a_twentieth_no_more_often_than_that():
    generator = np.random.default_rng(0)
    rejected = [sign_flip_p(generator.normal(size=8), "two-sided") < 0.05 for _ in range(2000)]
    assert np.mean(rejected) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_t_interval_covers_as_it_says_and_bca_as_its_docstring_says():
    generator = np.random.default_rng(0)
    t_hits, bca_hits = [], []
    for trial in range(1500):
        values = generator.normal(0.2, 0.1, 8)
        low, high = t_interval(values)
        t_hits.append(low <= 0.2 <= high)
        if trial < 200:
            low, high = bca_interval(values, seed=trial)
            bca_hits.append(low <= 0.2 <= high)
    assert np.mean(t_hits) == pytest.approx(0.95, abs=0.02)
    assert np.mean(bca_hits) == pytest.approx(0.88, abs=0.07)


def test_bca_leans_towards_the_long_tail():
    values = np.random.default_rng(2).exponential(1.0, 40)
    low, high = bca_interval(values)
    t_low, t_high = t_interval(values)
    assert low > t_low
    assert high > t_high
    assert (low, high) == bca_interval(values)


def test_intervals_of_too_few_subjects_are_undefined():
    assert np.isnan(t_interval([0.3])).all()
    assert np.isnan(bca_interval([0.3, 0.4])).all()
    assert bca_interval([0.3, 0.3, 0.3]) == (0.3, 0.3)


def test_holm_multiplies_by_the_comparisons_left():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.5, 0.9]) == pytest.approx((1.0, 1.0))
    corrected = holm([0.01, float("nan"), 0.02])
    assert corrected[0] == pytest.approx(0.02)
    assert np.isnan(corrected[1])


def test_nothing_is_significant_with_fewer_than_six_subjects():
    assert is_significant(0.01, 6)
    assert not is_significant(0.01, 5)


@pytest.mark.parametrize("n_subjects", [8, 20])
def test_the_best_of_one_is_tested_as_alone(n_subjects):
    values = np.random.default_rng(0).normal(0.3, 1.0, n_subjects)
    assert best_of_many_p([values], 0) == pytest.approx(sign_flip_p(values), abs=0.004 if n_subjects > 16 else 1e-12)


def test_the_best_of_many_is_tested_as_all_patterns_of_signs_say():
    rng = np.random.default_rng(1)
    values_kn = rng.normal(0.2, 1.0, (3, 6))
    reached_k = values_kn.sum(axis=1) / np.linalg.norm(values_kn, axis=1)
    patterns = [
        max(np.dot(signs, row) / np.linalg.norm(row) for row in values_kn) >= reached_k[1] - 1e-9
        for signs in itertools.product([-1, 1], repeat=6)
    ]
    assert best_of_many_p(values_kn, 1) == pytest.approx(np.mean(patterns))


def test_equal_rows_cost_nothing_and_a_champion_found_again_neither():
    values = np.random.default_rng(2).normal(0.5, 1.0, 8)
    assert best_of_many_p([values, 3 * values, np.zeros(8)], 0) == pytest.approx(sign_flip_p(values))
