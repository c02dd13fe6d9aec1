import numpy as np
import pytest

from crossmodal.nightly.verdict import judge


def scores(values):
    return {str(number): float(value) for number, value in enumerate(values)}


def test_a_clear_gain_is_promoted():
    champion = np.linspace(0.2, 0.6, 8)
    verdict = judge(scores(champion + np.linspace(0.01, 0.05, 8)), [], scores(champion))
    assert verdict.promote
    assert (verdict.n, verdict.p) == (8, pytest.approx(1 / 256))
    assert verdict.gain == pytest.approx(0.03)
    assert verdict.interval[0] > 0
    assert "Promoted: +0.030" in verdict.sentence


def test_differences_count_not_levels():
    """Subjects differ far more than models do: unpaired, the gain would drown."""
    champion = np.array([0.0, 0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6])
    assert judge(scores(champion + 0.01), [], scores(champion)).promote
    assert not judge(scores(champion[::-1] + 0.01), [], scores(champion)).promote


def test_a_gain_within_chance_is_not_promoted():
    champion = np.full(8, 0.5)
    verdict = judge(scores(champion + np.array([0.2, -0.05, -0.04, 0.1, -0.03, 0.05, -0.1, 0.02])), [], scores(champion))
    assert not verdict.promote
    assert "not better beyond chance" in verdict.sentence


def test_too_few_subjects_say_so():
    champion = np.full(5, 0.1)
    verdict = judge(scores(champion + 0.5), [], scores(champion))
    assert not verdict.promote
    assert "fewer than 6 subjects" in verdict.sentence


def test_the_first_champion_has_to_beat_the_training_mean():
    assert judge(scores(np.full(6, 0.1)), [], None).promote
    assert not judge(scores([0.1, -0.1, 0.1, -0.1, 0.1, -0.1]), [], None).promote


def test_the_best_of_many_trials_without_anything_to_find_is_rarely_promoted():
    """The winner is the trial with the best mean on the very subjects it is judged on: uncorrected, chance would promote often."""
    rng = np.random.default_rng(0)
    champion, n_nights, promoted, uncorrected = scores(np.full(8, 0.5)), 200, 0, 0
    for _ in range(n_nights):
        # Trials of one search are alike: half of a difference is a subject's own.
        shared_n = rng.standard_normal(8)
        trials = [scores(0.5 + 0.02 * (shared_n + rng.standard_normal(8))) for _ in range(20)]
        trials.sort(key=lambda trial: -sum(trial.values()))
        promoted += judge(trials[0], trials[1:], champion).promote
        uncorrected += judge(trials[0], [], champion).promote
    assert promoted <= 0.05 * n_nights + 2 * np.sqrt(0.05 * 0.95 * n_nights)
    assert uncorrected > 0.15 * n_nights


def test_poor_trials_do_not_hide_a_better_one():
    champion = np.linspace(0.2, 0.6, 8)
    poor = [scores(champion - 0.3 + 0.01 * number) for number in range(10)]
    verdict = judge(scores(champion + np.linspace(0.01, 0.05, 8)), poor, scores(champion))
    assert verdict.promote
    assert "for the best of 11 trials" in verdict.sentence


@pytest.mark.slow
def test_sixty_nights_without_anything_to_find_rarely_dethrone_a_champion():
    """Each night alone keeps its 5 %; nights of a study share most trials, so that together they do not err much more often."""
    rng = np.random.default_rng(1)
    champion, n_champions, dethroned = scores(np.full(8, 0.5)), 150, 0
    for _ in range(n_champions):
        shared_n = rng.standard_normal(8)
        trials: list[dict[str, float]] = []
        for _ in range(60):
            known = trials[:1]
            trials += [scores(0.5 + 0.02 * (shared_n + rng.standard_normal(8))) for _ in range(5)]
            trials.sort(key=lambda trial: -sum(trial.values()))
            # The same winner among more trials has no smaller p.
            if trials[:1] != known and judge(trials[0], trials[1:], champion).promote:
                dethroned += 1
                break
    assert dethroned <= 0.08 * n_champions + 2 * np.sqrt(0.08 * 0.92 * n_champions)
