"""The input before each volume, at any length and lag, from one dataset."""

from dataclasses import replace

import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.data import Data, FixedSplit, LeakyWindows, LeaveOneSessionOut, WithinRecordings
from crossmodal.datasets.shard import write_shard
from crossmodal.datasets.windows import check_scan
from tests.crossmodal.datasets.conftest import SFREQ, make_recording
from tests.crossmodal.datasets.test_volumes import make_volumes

TR_S, N_VOLUMES, FIRST_S = 2.0, 12, 1.7
TARGET = {"modality": "bold"}


def recordings(n_samples=2600, **volumes):
    """Three recordings with BOLD, of which the first has masked volumes."""
    return [
        replace(make_recording(subject, n_samples=n_samples), volumes=make_volumes(N_VOLUMES, names=("a", "b", "c"), seed=seed, **volumes))
        for seed, subject in enumerate(("01", "02", "03"))
    ]


def data(length_s=3.0, lag_s=0.0, **settings):
    return Data.model_validate({"target": TARGET, "windows": {"kind": "volumes", "length_s": length_s, "lag_s": lag_s}, **settings})


def expected(recording, length_s, lag_s):
    """Volumes that a window can precede, and first samples of those windows."""
    onset_s = FIRST_S + TR_S * np.arange(N_VOLUMES)
    start = np.round(onset_s * SFREQ) - round(lag_s * SFREQ) - round(length_s * SFREQ)
    inside = (start >= 0) & (start + round(length_s * SFREQ) <= len(recording.good)) & recording.volumes.good
    return np.flatnonzero(inside), start[inside]


@pytest.mark.parametrize(("length_s", "lag_s"), [(3.0, 0.0), (5.0, 2.5), (3.0, -4.0), (0.5, 0.0)])
def test_each_volume_is_paired_with_the_input_before_it(open_data, length_s, lag_s):
    made = recordings()
    opened = open_data(data(length_s, lag_s, input_scaling="zscore"), recordings=made)
    volumes, starts = expected(made[0], length_s, lag_s)
    np.testing.assert_array_equal(opened.test.windows.volume, volumes)
    np.testing.assert_array_equal(opened.test.windows.start, starts)
    assert opened.test.label(1) == f"sub-01 run 01 volume {volumes[1] + 1}"
    n_times = round(length_s * SFREQ)
    for batch in opened.test.batches(4, np.arange(len(volumes))):
        assert batch.target_bst.shape == (len(batch.windows), 3, 1)
        back_bst = opened.normaliser.target.inverse(batch.target_bst.double())[..., 0]
        np.testing.assert_allclose(back_bst, made[0].volumes.data_vs[volumes[batch.windows]], atol=1e-5)
        input_bct = opened.normaliser.input.inverse(batch.input_bct.double())
        eeg_tc = made[0].signals["eeg"].data_tc
        wanted = np.stack([eeg_tc[int(start) : int(start) + n_times].T for start in starts[batch.windows]])
        np.testing.assert_allclose(input_bct, wanted, atol=1e-11)


def test_masked_samples_and_the_volumes_after_them_are_left_out(open_data):
    made = recordings()
    made[0].good[1000:1010] = False
    opened = open_data(data(), recordings=made)
    volumes, starts = expected(made[0], 3.0, 0.0)
    free = (starts + 300 <= 1000) | (starts >= 1010)
    assert not free.all()
    np.testing.assert_array_equal(opened.test.windows.volume, volumes[free])


def test_targets_are_scaled_by_the_training_recordings_alone(open_data):
    made = recordings()
    opened = open_data(data(), recordings=made)
    good_vs = made[2].volumes.data_vs[made[2].volumes.good].astype(np.float64)
    np.testing.assert_allclose(opened.normaliser.target.scale_c, 1 / good_vs.std(axis=0), rtol=1e-5)


def test_parts_of_a_recording_share_no_sample_and_no_volume(open_data):
    parts = {"train": (0, 12), "validation": (12, 19), "test": (19, 26)}
    split = FixedSplit.model_validate(
        {role: [{"subject": "02", "start_s": start, "stop_s": stop}] for role, (start, stop) in parts.items()}
    )
    opened = open_data(data(length_s=2.0), split, recordings())
    for role, (start_s, stop_s) in parts.items():
        windows = getattr(opened, role).windows
        assert len(windows)
        onset_s = FIRST_S + TR_S * windows.volume
        assert (windows.start >= start_s * SFREQ).all()
        assert (onset_s < stop_s).all()
    train = opened.train.windows
    seen_vs = recordings()[1].volumes.data_vs[train.volume].astype(np.float64)
    np.testing.assert_allclose(opened.normaliser.target.scale_c, 1 / seen_vs.std(axis=0), rtol=1e-5)


def test_training_and_test_windows_of_a_recording_are_a_gap_apart(open_data):
    opened = open_data(data(length_s=2.0), WithinRecordings(gap_s=3.5, validation=0.25, test=0.35), recordings())
    train, test = opened.train.windows, opened.test.windows
    assert opened.fold.label == "within recording"
    assert set(train.shard_index) == set(test.shard_index) == {0, 1, 2}
    for index in range(3):
        last_s = FIRST_S + TR_S * train.volume[train.shard_index == index].max()
        assert test.start[test.shard_index == index].min() / SFREQ - last_s >= 2 * 3.5


def test_a_session_that_is_left_out_is_read_by_the_test_alone(open_data):
    made = [
        replace(recording, subject=subject, session=session, run=f"ses-{session}_01")
        for recording, (subject, session) in zip(
            [*recordings(), recordings()[0]], [("01", "a"), ("01", "b"), ("02", "a"), ("02", "b")], strict=True
        )
    ]
    opened = open_data(data(), LeaveOneSessionOut(), made)
    runs = {
        role: {(opened.shards[index].subject, opened.shards[index].run) for index in getattr(opened, role).windows.shard_index}
        for role in ("train", "validation", "test")
    }
    assert runs == {
        "train": {("01", "ses-b_01"), ("02", "ses-b_01")},
        "validation": {("02", "ses-a_01")},
        "test": {("01", "ses-a_01")},
    }


def test_leaky_windows_deal_the_volumes_of_each_scan_out(open_data):
    opened = open_data(data(), LeakyWindows(validation=0.2, test=0.3), recordings())
    pairs = {
        role: set(zip(windows.shard_index.tolist(), windows.volume.tolist(), strict=True))
        for role in ("train", "validation", "test")
        for windows in [getattr(opened, role).windows]
    }
    everything = set.union(*pairs.values())
    assert sum(map(len, pairs.values())) == len(everything)
    assert len(pairs["test"]) == round(0.3 * len(everything))
    assert {index for index, _ in pairs["test"]} == {index for index, _ in pairs["train"]} == {0, 1, 2}


def test_a_scan_of_fewer_volumes_than_a_window_lasts_is_refused(tmp_path):
    entry = write_shard(recordings()[0], tmp_path / "shard")
    check_scan(entry, data(length_s=24.0).windows)
    with pytest.raises(
        UserError, match="sub-01 run 01: its 12 volumes last 24 s, less than the window of 24.5 s before each; leave it out"
    ):
        check_scan(entry, data(length_s=24.5).windows)


def test_voxels_are_targets_too_and_regions_are_chosen_by_name(open_data):
    voxels = [replace(recording, volumes=make_volumes(N_VOLUMES, seed=seed)) for seed, recording in enumerate(recordings())]
    opened = open_data(data(), recordings=voxels)
    assert opened.signals.target.n_channels == 60
    chosen = data().model_copy(update={"target": data().target.model_copy(update={"channels": ("c", "a")})})
    with pytest.raises(UserError, match="channel 'c'"):
        open_data(chosen, recordings=voxels)


@pytest.mark.parametrize("parts", [False, True], ids=["subjects", "parts of a recording"])
def test_voxels_that_never_change_in_training_are_left_out(open_data, parts):
    voxels = [replace(recording, volumes=make_volumes(N_VOLUMES, seed=seed)) for seed, recording in enumerate(recordings())]
    split = FixedSplit.model_validate(
        {
            "train": [{"subject": "03", "stop_s": 14}],
            "validation": ["02"],
            "test": [{"subject": "03", "start_s": 14}] if parts else ["01"],
        }
    )
    tested = 2 if parts else 0
    # What the scanner reaches in the test alone, training says nothing of.
    voxels[2].volumes.data_vs[:7, [3, 10]] = 0.0
    opened = open_data(data(length_s=2.0), split, voxels)
    kept = np.delete(np.arange(60), [3, 10])
    assert opened.signals.target.names == tuple(map(str, kept))
    batch = next(opened.test.batches(1, np.arange(1)))
    back = opened.normaliser.target.inverse(batch.target_bst.double())[0, :, 0]
    np.testing.assert_allclose(back, voxels[tested].volumes.data_vs[opened.test.windows.volume[0], kept], atol=1e-5)


def test_an_image_that_never_changes_teaches_nothing(open_data):
    voxels = [replace(recording, volumes=make_volumes(N_VOLUMES, seed=seed)) for seed, recording in enumerate(recordings())]
    voxels[2].volumes.data_vs[:] = 0.0
    with pytest.raises(UserError, match="0, 1, 2, .* and 50 others never change in the training recordings"):
        open_data(data(), recordings=voxels)


def test_the_brain_is_that_of_training_recordings(open_data):
    voxels = [replace(recording, volumes=make_volumes(N_VOLUMES, seed=seed)) for seed, recording in enumerate(recordings())]
    opened = open_data(data(), recordings=voxels)
    assert set(opened.train.subjects) == {"03"}
    np.testing.assert_array_equal(opened.signals.target.space.brain, voxels[2].volumes.brain.ravel())


def test_regions_are_chosen_by_name(open_data):
    made = recordings()
    opened = open_data(data(target={**TARGET, "channels": ["a", "c"]}), recordings=made)
    assert opened.signals.target.names == ("a", "c")
    batch = next(opened.test.batches(1, np.arange(1)))
    back = opened.normaliser.target.inverse(batch.target_bst.double())[0, :, 0]
    np.testing.assert_allclose(back, made[0].volumes.data_vs[opened.test.windows.volume[0], [0, 2]], atol=1e-5)


def test_what_does_not_go_together_is_refused(open_data):
    with pytest.raises(ValueError, match=r"target\.modality bold and windows\.kind volumes go together"):
        Data.model_validate({"target": TARGET})
    with pytest.raises(ValueError, match=r"target\.modality bold and windows\.kind volumes go together"):
        Data.model_validate({"windows": {"kind": "volumes"}})
    with pytest.raises(ValueError, match="input must be eeg or meg"):
        Data.model_validate({"input": TARGET})
    with pytest.raises(UserError, match="no volume with a window before it of 30 s"):
        open_data(data(length_s=30.0), recordings=recordings())
    with pytest.raises(UserError, match="data asks for bold, the dataset holds eeg, meg"):
        open_data(data(), recordings=[make_recording(subject) for subject in ("04", "05", "06")])
