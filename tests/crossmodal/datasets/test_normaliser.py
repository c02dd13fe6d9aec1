"""Scaling learns from training recordings alone, and can be undone."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crossmodal.config import UserError
from crossmodal.config.data import Data, FixedSplit, LeakyWindows, Part, Signals, SlidingWindows
from crossmodal.datasets.normaliser import fit_scaling
from crossmodal.datasets.statistics import ChannelStatistics
from crossmodal.transforms.scaling import Normaliser

SLIDING = SlidingWindows(length_s=1, hop_s=0.5)


@pytest.mark.parametrize("held", ["01", "02"], ids=["test", "validation"])
@pytest.mark.parametrize("scaling", ["zscore", "robust", "minmax", "whiten", "common"])
def test_other_subjects_cannot_reach_the_normaliser(open_data, make_recording, held, scaling):
    fitted = []
    for scale in (1.0, 1000.0):
        recordings = [make_recording(subject) for subject in ("01", "02", "03") if subject != held]
        recordings.append(make_recording(held, run=str(int(scale)), scale=scale, seed=1))
        fitted.append(json.dumps(open_data(Data(windows=SLIDING, input_scaling=scaling), recordings=recordings).normaliser.to_plain()))
    assert fitted[0] == fitted[1]


def test_other_stretches_cannot_reach_the_normaliser(open_data, make_recording):
    fitted = []
    for scale in (1, 1000):
        recording = make_recording("01", run=str(scale), seed=1)
        for signal in recording.signals.values():
            signal.data_tc[500:] *= scale
        split = FixedSplit(train=(Part(subject="01", stop_s=5),), validation=("02",), test=(Part(subject="01", start_s=5),))
        fitted.append(json.dumps(open_data(split=split, recordings=[recording, make_recording("02")]).normaliser.to_plain()))
    assert fitted[0] == fitted[1]


def test_a_leaky_fold_is_fitted_to_its_training_windows(open_data):
    opened = open_data(Data(windows=SlidingWindows(length_s=1, hop_s=1), input_scaling="zscore"), LeakyWindows())
    samples = [
        opened.shards[shard].signal("eeg")["eeg"][start : start + 100]
        for shard, start in zip(opened.train.windows.shard_index, opened.train.windows.start, strict=True)
    ]
    np.testing.assert_allclose(1 / opened.normaliser.input.scale_c, np.concatenate(samples).astype(float).std(axis=0), rtol=1e-5)


@given(
    data_tc=hnp.arrays(np.float64, (50, 3), elements=st.floats(-1, 1, width=32)),
    kind=st.sampled_from(["zscore", "minmax", "whiten", "common", "minmax_log1p"]),
    unit=st.sampled_from([1e-13, 1e-6, 1.0]),
)
def test_scaling_can_be_undone(data_tc, kind, unit):
    # Something varies in every direction, so that whitening keeps all.
    data_tc = unit * (data_tc + np.random.default_rng(0).standard_normal((50, 3)))
    scaling = fit_scaling(ChannelStatistics.of(data_tc), kind)
    x_bct = torch.from_numpy(data_tc.T[None]).float()
    np.testing.assert_allclose(scaling.inverse(scaling(x_bct).double()), x_bct, rtol=1e-3, atol=1e-5 * unit)


@given(outside=st.floats(-1e3, 1e3))
def test_values_outside_the_fitted_range_stay_finite(outside):
    data_tc = np.random.default_rng(0).standard_normal((50, 2))
    for kind in ("zscore", "minmax", "whiten", "minmax_log1p"):
        assert torch.isfinite(fit_scaling(ChannelStatistics.of(data_tc), kind)(torch.full((1, 2, 1), outside))).all()


def test_a_common_deviation_keeps_topographies(open_data):
    normaliser = open_data(Data(windows=SLIDING, input_scaling="common")).normaliser
    assert len(normaliser.input.scale_c.unique()) == 1
    apart = open_data(Data(windows=SLIDING, input_scaling="zscore")).normaliser.input.scale_c
    torch.testing.assert_close(1 / normaliser.input.scale_c[0], (1 / apart).square().mean().sqrt())
    with pytest.raises(ValueError, match="choose input.channels mag or grad"):
        Data(input=Signals(modality="meg"), target=Signals(modality="eeg"), input_scaling="common")


def test_whitened_training_data_are_white_on_their_range(open_data):
    opened = open_data(Data(windows=SlidingWindows(length_s=10, hop_s=10)))
    (batch,) = opened.train.batches(2, np.arange(len(opened.train)))
    x = batch.input_bct.permute(1, 0, 2).reshape(4, -1).double().numpy()
    variances = np.sort(np.linalg.eigvalsh(np.cov(x)))
    # The average reference leaves one direction empty.
    np.testing.assert_allclose(variances, [0, 1, 1, 1], atol=5e-3)


def test_stretches_fit_the_normaliser_to_themselves(open_data):
    split = FixedSplit(train=(Part(subject="01", stop_s=5),), validation=("02",), test=("03",))
    opened = open_data(Data(windows=SLIDING, input_scaling="zscore"), split)
    first_half = opened.shards[0].signal("eeg")["eeg"][:500].astype(float)
    np.testing.assert_allclose(1 / opened.normaliser.input.scale_c, first_half.std(axis=0), rtol=1e-5)


def test_masked_samples_do_not_fit_the_normaliser(open_data, make_recording):
    recording = make_recording("03")
    recording.signals["eeg"].data_tc[200:300] *= 1e6
    good = np.ones(1000, dtype=bool)
    good[200:300] = False
    recordings = [make_recording("01"), make_recording("02"), replace(recording, good=good)]
    opened = open_data(Data(windows=SLIDING, input_scaling="zscore"), recordings=recordings)
    assert float((1 / opened.normaliser.input.scale_c).max()) < 1e-4


def test_log1p_clips_below_the_fitted_minimum_and_counts(open_data, make_recording):
    data = Data(windows=SLIDING, target_scaling="minmax_log1p")
    opened = open_data(data, recordings=[make_recording("01", scale=3.0), make_recording("02"), make_recording("03")])
    for role, clips in (("train", False), ("test", True)):
        opened.normaliser.target.log1p.clipped = 0
        reader = getattr(opened, role)
        for batch in reader.batches(8, np.arange(len(reader))):
            assert torch.isfinite(batch.target_bst).all()
            assert (batch.target_bst >= 0).all()
        assert (opened.normaliser.target.log1p.clipped > 0) == clips


@pytest.mark.parametrize("scaling", ["zscore", "robust", "whiten"])
def test_a_normaliser_survives_json(open_data, scaling):
    normaliser = open_data(Data(windows=SLIDING, input_scaling=scaling, target_scaling="minmax_log1p")).normaliser
    again = Normaliser.from_plain(json.loads(json.dumps(normaliser.to_plain())))
    x_bct = torch.randn(2, 4, 10) * 1e-6
    assert torch.equal(normaliser.input(x_bct), again.input(x_bct))
    assert again.target.log1p is not None


def test_a_channel_that_never_changes_is_named(open_data, make_recording):
    recording = make_recording("03")
    recording.signals["meg"].data_tc[:, 1] = 1e-13
    with pytest.raises(UserError, match="MEG1 never change in the training recordings; leave them out of data.input or data.target"):
        open_data(recordings=[make_recording("01"), make_recording("02"), recording])


def test_robust_scaling_is_by_the_quartiles_of_good_training_samples(open_data, make_recording):
    good = np.ones(1000, dtype=bool)
    good[200:300] = False
    spoilt = make_recording("03", scale=5.0)
    spoilt.signals["eeg"].data_tc[200:300] = 1e3
    recordings = [make_recording("01"), make_recording("02"), replace(spoilt, good=good), make_recording("04", seed=4)]
    opened = open_data(Data(windows=SLIDING, input_scaling="robust"), recordings=recordings)
    training = [shard for index, shard in enumerate(opened.shards) if index in opened.train.windows.shard_index]
    assert len(training) > 1
    data_tc = np.concatenate([shard.signal("eeg")["eeg"][shard.good] for shard in training]).astype(float)
    first_c, median_c, third_c = np.quantile(data_tc, (0.25, 0.5, 0.75), axis=0, method="inverted_cdf")
    scaling, tolerance = opened.normaliser.input, 1e-5 * np.ptp(data_tc, axis=0)
    np.testing.assert_array_less(np.abs(1 / scaling.scale_c - (third_c - first_c)), tolerance)
    np.testing.assert_array_less(np.abs(-scaling.offset_c / scaling.scale_c - median_c), tolerance)
    x_bct = torch.randn(2, len(median_c), 10) * 1e3
    assert torch.isfinite(scaling(x_bct)).all()
    torch.testing.assert_close(scaling.inverse(scaling(x_bct)), x_bct)


def test_a_channel_without_quartiles_is_named(open_data, make_recording):
    recordings = [make_recording(subject) for subject in ("01", "02", "03")]
    for recording in recordings:
        recording.signals["meg"].data_tc[:900, 1] = 1e-13
    with pytest.raises(UserError, match="MEG1 stay at one value for half the training recordings; scale by zscore or leave them out"):
        open_data(Data(windows=SLIDING, target_scaling="robust"), recordings=recordings)
