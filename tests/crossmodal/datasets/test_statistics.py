"""Statistics of parts merge into those of the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crossmodal.datasets import statistics
from crossmodal.datasets.statistics import ChannelStatistics, merge_all

N_CHANNELS = 3
# Means up to a thousand times the spread, at the size of a magnetometer's signal (T).
parts_of = st.lists(
    hnp.arrays(np.float32, st.tuples(st.integers(0, 40), st.just(N_CHANNELS)), elements=st.floats(-1, 1, width=32)),
    min_size=1,
    max_size=5,
)
offsets_of = st.floats(-1000, 1000, width=32)


def _assert_measures(measured: ChannelStatistics, data_tc: np.ndarray) -> None:
    """Compare with NumPy on the samples themselves, within float64's rounding at their size."""
    exact_tc = data_tc.astype(np.float64)
    size = np.abs(exact_tc).max() if exact_tc.size else 1.0
    assert measured.count == len(exact_tc)
    if not len(exact_tc):
        np.testing.assert_array_equal(measured.comoment, np.zeros((N_CHANNELS, N_CHANNELS)))
        return
    np.testing.assert_allclose(measured.mean, exact_tc.mean(axis=0), rtol=0, atol=1e-14 * size)
    covariance = np.cov(exact_tc, rowvar=False, bias=True).reshape(N_CHANNELS, N_CHANNELS)
    np.testing.assert_allclose(measured.covariance, covariance, rtol=1e-9, atol=1e-14 * size * np.ptp(exact_tc, axis=0).max())
    np.testing.assert_array_equal(measured.variance, np.diag(measured.covariance))
    np.testing.assert_array_equal(measured.min, exact_tc.min(axis=0))
    np.testing.assert_array_equal(measured.max, exact_tc.max(axis=0))


@given(parts=parts_of, offset=offsets_of)
def test_merged_parts_are_the_whole(parts, offset):
    scaled = [((part + np.float32(offset)) * np.float32(1e-13)).astype(np.float32) for part in parts]
    _assert_measures(merge_all(map(ChannelStatistics.of, scaled), N_CHANNELS), np.concatenate(scaled))


@given(parts=parts_of, data=st.data())
def test_the_order_of_merging_does_not_matter(parts, data):
    order = data.draw(st.permutations(range(len(parts))))
    forward = merge_all(map(ChannelStatistics.of, parts), N_CHANNELS)
    shuffled = merge_all((ChannelStatistics.of(parts[index]) for index in order), N_CHANNELS)
    assert forward.count == shuffled.count
    np.testing.assert_allclose(forward.mean, shuffled.mean, rtol=0, atol=1e-14)
    np.testing.assert_allclose(forward.comoment, shuffled.comoment, rtol=0, atol=1e-12)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_masked_samples_do_not_count_whatever_the_block(monkeypatch, block):
    monkeypatch.setattr(statistics, "_BLOCK", block)
    rng = np.random.default_rng(0)
    data_tc = rng.normal(5, 1, (100, N_CHANNELS)).astype(np.float32)
    good = rng.random(100) > 0.4
    data_tc[~good] = 1e6
    _assert_measures(ChannelStatistics.of(data_tc, good), data_tc[good])
    assert ChannelStatistics.of(data_tc, np.zeros(100, bool)).count == 0


def test_selected_channels_are_those_measured_alone():
    data_tc = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    columns = np.array([3, 0, 4])
    chosen, alone = ChannelStatistics.of(data_tc).select(columns), ChannelStatistics.of(data_tc[:, columns])
    np.testing.assert_allclose(chosen.comoment, alone.comoment, rtol=1e-12)
    np.testing.assert_array_equal(chosen.max, alone.max)
