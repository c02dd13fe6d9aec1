"""What a fold gives to a model: the right samples, scaled by training subjects alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.config.data import Data, EpochWindows, FixedSplit, LeaveOneSubjectOut, Part, Signals, SlidingWindows
from crossmodal.datasets.batches import epoch_order, iterate
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.normaliser import Normaliser
from crossmodal.datasets.opening import open_fold
from crossmodal.storage.node_cache import NodeCache

SLIDING = SlidingWindows(length_s=1, hop_s=0.5)


@pytest.fixture
def open_data(dataset, make_recording, tmp_path):
    """Open the first fold of three recordings."""

    def open_first(data=None, split=None, recordings=None):
        manifest, _ = dataset(*(recordings or [make_recording(subject) for subject in ("01", "02", "03")]))
        fold = make_folds(split or LeaveOneSubjectOut(), manifest)[0]
        return open_fold(manifest, fold, data or Data(windows=SLIDING), 0, NodeCache(tmp_path / "cache", 1 << 30))

    return open_first


def window_si(opened, reader, window, signals):
    """A window straight from the recording's arrays, shape (C, T)."""
    start = reader.windows.start[window]
    blocks = opened.shards[reader.windows.shard_index[window]].signal(signals.modality)
    rows = slice(start, start + reader.windows.n_times)
    return np.hstack([block for kind, block in blocks.items() if signals.channels in ("all", kind)])[rows].T


@pytest.mark.parametrize("scaling", ["zscore", "minmax", "whiten"])
@pytest.mark.parametrize("channels", ["mag", "grad", "all"])
def test_batches_undo_to_the_recorded_samples(open_data, scaling, channels):
    data = Data(windows=SLIDING, source_scaling=scaling, target=Signals(modality="meg", channels=channels))
    opened = open_data(data)
    seen = []
    for batch in iterate(opened.train, 4, np.arange(len(opened.train))[::-1].copy()):
        source = opened.normaliser.source.inverse(batch.source_bct.double())
        target = opened.normaliser.target.inverse(batch.target_bst.double())
        for x_ct, y_st, window in zip(source, target, batch.windows, strict=True):
            np.testing.assert_allclose(x_ct, window_si(opened, opened.train, window, data.source), rtol=1e-3, atol=3e-12)
            np.testing.assert_allclose(y_st, window_si(opened, opened.train, window, data.target), rtol=1e-3, atol=1e-18)
        seen += batch.windows.tolist()
    assert seen == list(range(len(opened.train)))[::-1]


def test_named_channels_come_in_the_order_of_the_dataset(open_data):
    opened = open_data(Data(windows=SLIDING, target=Signals(modality="meg", channels=("MEG5", "MEG0", "MEG2"))))
    assert opened.target_names == ("MEG0", "MEG2", "MEG5")
    assert opened.target_types == ("mag", "mag", "grad")
    batch = next(iterate(opened.test, 2, np.arange(2)))
    meg = np.hstack(list(opened.shards[0].signal("meg").values()))[:100, [0, 2, 5]]
    np.testing.assert_allclose(opened.normaliser.target.inverse(batch.target_bst.double())[0], meg.T, rtol=1e-4, atol=1e-18)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (Signals(modality="meg", channels=("MEG55",)), "channel 'MEG55', which the dataset has not; the nearest is 'MEG5'"),
        (Signals(modality="eeg", channels="mag"), "asks for mag channels, the dataset's eeg has eeg"),
    ],
)
def test_absent_channels_are_named(open_data, target, sentence):
    with pytest.raises(UserError, match=sentence):
        open_data(Data(windows=SLIDING, target=target))


def test_source_and_target_can_change_places(open_data):
    opened = open_data(Data(windows=SLIDING, source=Signals(modality="meg", channels="mag"), target=Signals(modality="eeg")))
    batch = next(iterate(opened.train, 3, np.arange(3)))
    assert batch.source_bct.shape == (3, 3, 100)
    assert batch.target_bst.shape == (3, 4, 100)


def test_the_test_subject_cannot_reach_the_normaliser(open_data, make_recording, tmp_path):
    fitted = []
    for scale in (1.0, 1000.0):
        recordings = [make_recording("01", run=str(int(scale)), scale=scale, seed=1), make_recording("02"), make_recording("03")]
        fitted.append(json.dumps(open_data(recordings=recordings).normaliser.to_plain()))
    assert fitted[0] == fitted[1]


def test_whitened_training_data_are_white_on_their_range(open_data):
    opened = open_data(Data(windows=SlidingWindows(length_s=10, hop_s=10)))
    (batch,) = iterate(opened.train, 2, np.arange(len(opened.train)))
    x = batch.source_bct.permute(1, 0, 2).reshape(4, -1).double().numpy()
    variances = np.sort(np.linalg.eigvalsh(np.cov(x)))
    # The average reference leaves one direction empty.
    np.testing.assert_allclose(variances, [0, 1, 1, 1], atol=5e-3)


def test_stretches_fit_the_normaliser_to_themselves(open_data):
    split = FixedSplit(train=(Part(subject="01", stop_s=5),), validation=("02",), test=("03",))
    opened = open_data(Data(windows=SLIDING, source_scaling="zscore"), split)
    first_half = opened.shards[0].signal("eeg")["eeg"][:500].astype(float)
    np.testing.assert_allclose(1 / opened.normaliser.source.scale_c, first_half.std(axis=0), rtol=1e-5)


def test_epochs_lose_their_baseline(open_data):
    opened = open_data(Data(windows=EpochWindows(tmin_s=-0.2, tmax_s=0.5, baseline_s=(-0.2, 0.0)), source_scaling="zscore"))
    batch = next(iterate(opened.train, 3, np.arange(3)))
    source = opened.normaliser.source.inverse(batch.source_bct.double())
    # A baseline takes a window's own mean away, so the offset alone is left in it.
    np.testing.assert_allclose(source[..., :21].mean(-1), 0, atol=1e-11)


def test_log1p_clips_below_the_fitted_minimum_and_counts(open_data, make_recording):
    data = Data(windows=SLIDING, target_scaling="minmax_log1p")
    opened = open_data(data, recordings=[make_recording("01", scale=3.0), make_recording("02"), make_recording("03")])
    for role, clips in (("train", False), ("test", True)):
        opened.normaliser.target.clipped = 0
        reader = getattr(opened, role)
        for batch in iterate(reader, 8, np.arange(len(reader))):
            assert torch.isfinite(batch.target_bst).all()
            assert (batch.target_bst >= 0).all()
        assert (opened.normaliser.target.clipped > 0) == clips


def test_a_normaliser_survives_json(open_data):
    normaliser = open_data(Data(windows=SLIDING, target_scaling="minmax_log1p")).normaliser
    again = Normaliser.from_plain(json.loads(json.dumps(normaliser.to_plain())))
    x_bct = torch.randn(2, 4, 10) * 1e-6
    assert torch.equal(normaliser.source(x_bct), again.source(x_bct))
    assert again.target.log1p


def test_masked_samples_do_not_fit_the_normaliser(open_data, make_recording):
    recording = make_recording("03")
    recording.signals["eeg"].data_tc[200:300] *= 1e6
    good = np.ones(1000, dtype=bool)
    good[200:300] = False
    recordings = [make_recording("01"), make_recording("02"), replace(recording, good=good)]
    opened = open_data(Data(windows=SLIDING, source_scaling="zscore"), recordings=recordings)
    assert float((1 / opened.normaliser.source.scale_c).max()) < 1e-4


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
