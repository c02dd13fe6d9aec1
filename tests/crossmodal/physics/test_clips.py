"""Waveforms of sources: where they are cut, and that each follows from its source and seed."""

import numpy as np
import pytest

from crossmodal.config.cortex import Clips, DecayConnectome, NeuralMasses
from crossmodal.physics.clips import cut_clips, make_clips
from crossmodal.physics.connectome import decay_connectome

CLIPS = Clips(seconds=4, neural_masses=NeuralMasses(step_ms=1.0))


@pytest.fixture(scope="module")
def connectome():
    return decay_connectome(np.random.default_rng(0).normal(scale=0.05, size=(12, 3)), DecayConnectome())


def bumps(*peaks: int, height: float = 10.0, length: int = 600) -> np.ndarray:
    times = np.arange(length)
    return 1.0 + sum(height * np.exp(-((times - peak) ** 2) / (2 * 4.0**2)) for peak in peaks)


def cut(wave_t, others=(), apart=20):
    others_t = np.zeros(len(wave_t), dtype=bool)
    others_t[list(others)] = True
    return cut_clips(wave_t, others_t, 8.0, 100, apart, np.random.default_rng(0))


def test_clips_are_cut_around_high_peaks_and_have_a_peak_of_one():
    clips = cut(bumps(150, 400))
    assert len(clips) == 2
    for clip_t in clips:
        assert clip_t.max() == 1
        assert 25 <= clip_t.argmax() <= 75
        assert np.abs(clip_t).min() < 1e-6
    assert cut(bumps(150, 400, height=6.0)) == []


@pytest.mark.parametrize(("others", "n_clips"), [((150,), 1), ((80,), 1), ((390, 160), 0), ((280,), 2)])
def test_no_other_region_fires_in_a_clip_or_near_it(others, n_clips):
    assert len(cut(bumps(150, 400), others)) == n_clips


def test_clips_neither_overlap_nor_leave_the_simulation():
    assert len(cut(bumps(150, 180))) == 1
    assert cut(bumps(10)) == cut(bumps(595)) == []


def test_neural_masses_fire_clips_that_follow_from_source_and_seed(connectome):
    sources = [3, 7, 9, 10]
    clips_kt = make_clips(connectome, CLIPS, sources, 0, 250.0, 250)
    assert clips_kt.dtype == np.float32
    assert clips_kt.shape[1] == 250
    assert 4 <= len(clips_kt) <= 16
    np.testing.assert_array_equal(np.abs(clips_kt).max(axis=1), 1)
    # Waves rise far above what goes on beside them.
    assert np.median(np.abs(clips_kt)) < 0.2
    short = CLIPS.model_copy(update={"seconds": 1.5})
    first, again, other = (make_clips(connectome, short, sources, seed, 250.0, 250) for seed in (0, 0, 1))
    assert len(first) > 0
    assert np.array_equal(again, first)
    assert not np.array_equal(other, first)
