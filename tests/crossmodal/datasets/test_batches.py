"""Batches hold the right samples in the right order, each rank as many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.config.data import Data, EpochWindows, Signals, SlidingWindows
from crossmodal.datasets import gather
from crossmodal.datasets.feed import epoch_order

SLIDING = SlidingWindows(length_s=1, hop_s=0.5)


def window_si(opened, reader, window, signals):
    """A window straight from the recording's arrays, shape (C, T)."""
    start = reader.windows.start[window]
    blocks = opened.shards[reader.windows.shard_index[window]].signal(signals.modality)
    rows = slice(start, start + reader.windows.n_times)
    return np.hstack([block for kind, block in blocks.items() if signals.channels in ("all", kind)])[rows].T


@pytest.mark.parametrize("scaling", ["zscore", "minmax", "whiten"])
@pytest.mark.parametrize("channels", ["mag", "grad", "all"])
def test_batches_undo_to_the_recorded_samples(open_data, scaling, channels):
    data = Data(windows=SLIDING, input_scaling=scaling, target=Signals(modality="meg", channels=channels))
    opened = open_data(data)
    seen = []
    for batch in opened.train.batches(4, np.arange(len(opened.train))[::-1].copy()):
        input = opened.normaliser.input.inverse(batch.input_bct.double())
        target = opened.normaliser.target.inverse(batch.target_bst.double())
        for x_ct, y_st, window in zip(input, target, batch.windows, strict=True):
            np.testing.assert_allclose(x_ct, window_si(opened, opened.train, window, data.input), rtol=1e-3, atol=3e-12)
            np.testing.assert_allclose(y_st, window_si(opened, opened.train, window, data.target), rtol=1e-3, atol=1e-18)
        seen += batch.windows.tolist()
    assert seen == list(range(len(opened.train)))[::-1]


def test_named_channels_come_in_the_order_of_the_dataset(open_data):
    opened = open_data(Data(windows=SLIDING, target=Signals(modality="meg", channels=("MEG5", "MEG0", "MEG2"))))
    assert opened.signals.target.names == ("MEG0", "MEG2", "MEG5")
    assert opened.signals.target.types == ("mag", "mag", "grad")
    batch = next(opened.test.batches(2, np.arange(2)))
    meg = np.hstack(list(opened.shards[0].signal("meg").values()))[:100, [0, 2, 5]]
    np.testing.assert_allclose(opened.normaliser.target.inverse(batch.target_bst.double())[0], meg.T, rtol=1e-4, atol=1e-18)


@pytest.mark.parametrize("length_s", [0.01, 0.96, 0.97, 1.28])
@pytest.mark.parametrize("channels", ["mag", "all", ("MEG1", "MEG2")])
def test_windows_of_any_length_are_copied_whole(open_data, length_s, channels):
    data = Data(windows=SlidingWindows(length_s=length_s, hop_s=0.5), target=Signals(modality="meg", channels=channels))
    opened = open_data(data)
    columns = [int(name.removeprefix("MEG")) for name in opened.signals.target.names]
    meg = np.hstack(list(opened.shards[0].signal("meg").values()))[:, columns]
    (batch,) = opened.test.batches(len(opened.test), np.arange(len(opened.test)))
    expected = [meg[start : start + opened.signals.input.n_times].T for start in opened.test.windows.start]
    np.testing.assert_allclose(opened.normaliser.target.inverse(batch.target_bst.double()), expected, rtol=1e-4, atol=1e-18)


@pytest.mark.parametrize("windows", [SLIDING, EpochWindows(tmin_s=-0.2, tmax_s=0.5, baseline_s=(-0.2, 0.0))])
def test_more_windows_than_views_are_kept_of_read_the_same(open_data, monkeypatch, windows):
    def read():
        opened = open_data(Data(windows=windows))
        (batch,) = opened.train.batches(len(opened.train), np.arange(len(opened.train)))
        return batch.input_bct.clone(), batch.target_bst.clone()

    kept = read()
    monkeypatch.setattr(gather, "_MOST_KEPT", 2)
    for ours, theirs in zip(read(), kept, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_input_and_target_can_change_places(open_data):
    opened = open_data(Data(windows=SLIDING, input=Signals(modality="meg", channels="mag"), target=Signals(modality="eeg")))
    batch = next(opened.train.batches(3, np.arange(3)))
    assert batch.input_bct.shape == (3, 3, 100)
    assert batch.target_bst.shape == (3, 4, 100)


def test_epochs_lose_their_baseline(open_data):
    opened = open_data(Data(windows=EpochWindows(tmin_s=-0.2, tmax_s=0.5, baseline_s=(-0.2, 0.0)), input_scaling="zscore"))
    batch = next(opened.train.batches(3, np.arange(3)))
    input = opened.normaliser.input.inverse(batch.input_bct.double())
    # A baseline takes a window's own mean away, so the offset alone is left in it.
    np.testing.assert_allclose(input[..., :21].mean(-1), 0, atol=1e-11)


@given(n=st.integers(1, 200), size=st.integers(1, 5), seed=st.integers(0, 9), epoch=st.integers(0, 3))
def test_ranks_share_every_window_equally(n, size, seed, epoch):
    orders = [epoch_order(n, seed, epoch, rank, size) for rank in range(size)]
    assert len({len(order) for order in orders}) == 1
    dealt = np.concatenate(orders)
    assert set(dealt.tolist()) == set(range(n))
    assert len(dealt) - n < size
    np.testing.assert_array_equal(orders[0], epoch_order(n, seed, epoch, 0, size))


def test_epochs_are_shuffled_differently():
    assert epoch_order(50, 0, 0, 0, 1).tolist() != epoch_order(50, 0, 1, 0, 1).tolist()
