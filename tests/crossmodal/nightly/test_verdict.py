import numpy as np
import pytest

from crossmodal.nightly.verdict import judge


def scores(values):
    return {str(number): float(value) for number, value in enumerate(values)}


def test_a_clear_gain_is_promoted():
    champion = np.linspace(0.2, 0.6, 8)
    verdict = judge(scores(champion + np.linspace(0.01, 0.05, 8)), scores(champion))
    assert verdict.promote
    assert (verdict.n, verdict.p) == (8, pytest.approx(1 / 256))
    assert verdict.gain == pytest.approx(0.03)
    assert verdict.interval[0] > 0
    assert "Promoted: +0.030" in verdict.sentence


def test_differences_count_not_levels():
    """Subjects differ far more than models do: unpaired, the gain would drown."""
    champion = np.array([0.0, 0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6])
    assert judge(scores(champion + 0.01), scores(champion)).promote
    assert not judge(scores(champion[::-1] + 0.01), scores(champion)).promote


def test_a_gain_within_chance_is_not_promoted():
    champion = np.full(8, 0.5)
    verdict = judge(scores(champion + np.array([0.2, -0.05, -0.04, 0.1, -0.03, 0.05, -0.1, 0.02])), scores(champion))
    assert not verdict.promote
    assert "not better beyond chance" in verdict.sentence


def test_too_few_subjects_say_so():
    champion = np.full(5, 0.1)
    verdict = judge(scores(champion + 0.5), scores(champion))
    assert not verdict.promote
    assert "fewer than 6 subjects" in verdict.sentence


def test_the_first_champion_has_to_beat_the_training_mean():
    assert judge(scores(np.full(6, 0.1)), None).promote
    assert not judge(scores([0.1, -0.1, 0.1, -0.1, 0.1, -0.1]), None).promote
