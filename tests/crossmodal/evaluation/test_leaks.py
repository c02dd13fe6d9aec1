"""The alarm names who leaks and on which row, and is seldom raised without cause."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.leak_alarm import FALSE_ALARMS, ROWS, Kind, finds, fold_of, null_run
from crossmodal.evaluation.leaks import find_leaks
from crossmodal.evaluation.scores import FoldScores, Score

SHORT = Kind("8 windows of 1 s", n_windows=8, length_s=1.0, n_sensors=10, n_sources=10)
LONG = Kind("24 windows of 2 s", n_sensors=10, n_sources=10)


def against_oracle(model, oracle, error, bounded=True):
    """One fold a subject of one row."""
    about = {"channel_type": "mag"}
    return [
        FoldScores(
            run="r",
            fold=str(subject),
            label="",
            bounded=bounded,
            scores=(
                Score(predictor="net", role="model", subject=str(subject), score=explained, **about),
                Score(predictor="oracle", role="ceiling", subject=str(subject), score=oracle, standard_error=error, **about),
            ),
        )
        for subject, explained in enumerate(model)
    ]


def test_runs_without_a_leak_seldom_raise_it():
    rng = np.random.default_rng(0)
    alarms = sum(bool(find_leaks(null_run(SHORT, 4, rng))) for _ in range(100))
    assert alarms <= stats.binom.ppf(0.999, 100, FALSE_ALARMS)


@pytest.mark.parametrize("n_subjects", [4, 8, 16])
@pytest.mark.parametrize("explained", [0.01, 0.05, 0.2, 0.999])
def test_one_leaking_subject_is_named(n_subjects, explained):
    rng = np.random.default_rng(1)
    assert np.mean([finds(LONG, n_subjects, explained, rng) for _ in range(5)]) > 0.5


@pytest.mark.parametrize(("leaking", "of"), [(3, 4), (5, 8), (7, 16)])
def test_leaks_in_some_subjects_are_named_however_much_subjects_scatter(leaking, of):
    folds = [
        fold_of(
            str(subject), dict.fromkeys(ROWS, 1.0) | {ROWS[2]: 1e-12 if subject < leaking else 0.4}, 0.999 if subject < leaking else -0.2
        )
        for subject in range(of)
    ]
    assert find_leaks(folds) == {("mag", ROWS[2]): tuple(str(subject) for subject in range(leaking))}


@pytest.mark.parametrize("explained", [-0.1, 0.0, 0.0009])
def test_what_explains_nothing_is_no_leak_however_like_its_windows(explained):
    assert find_leaks([fold_of(str(subject), dict.fromkeys(ROWS, 1e-30), explained) for subject in range(4)]) == {}


def test_a_weak_leak_in_each_subject_is_one_of_all_together():
    assert find_leaks([fold_of(str(subject), dict.fromkeys(ROWS, 1.0) | {ROWS[0]: 2e-3}) for subject in range(16)]) == {
        ("mag", ROWS[0]): ()
    }


def test_a_subject_of_many_folds_has_as_many_chances():
    level = FALSE_ALARMS / (2 * len(ROWS))
    p = dict.fromkeys(ROWS, 1.0) | {ROWS[0]: 0.6 * level}
    assert find_leaks([fold_of("0", p)])
    assert not find_leaks([fold_of("0", p), fold_of("0", dict.fromkeys(ROWS, 1.0))])


def test_only_more_than_sampling_error_is_above_the_oracle():
    assert find_leaks(against_oracle([0.5] * 8, 0.4, 0.01)) == {("mag", "net"): tuple("01234567")}
    assert not find_leaks(against_oracle([0.42] * 3 + [0.1] * 5, 0.4, 0.01))
    assert not find_leaks(against_oracle([0.5] * 8, 0.4, 0.01, bounded=False))
    # One subject, however far below the others are; and what no subject shows alone, a cohort does.
    assert find_leaks(against_oracle([0.47, 0.1, 0.1, 0.1], 0.4, 0.01)) == {("mag", "net"): ("0",)}
    assert find_leaks(against_oracle([0.43] * 8, 0.4, 0.01)) == {("mag", "net"): ()}
