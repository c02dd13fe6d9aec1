"""One door to a fold's data: verified shards, the channels asked for, no channel on both sides."""

import pytest

from crossmodal.config import UserError
from crossmodal.config.data import Data, LeaveOneSubjectOut, Signals, SlidingWindows
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.opening import open_fold
from crossmodal.storage.node_cache import NodeCache

SLIDING = SlidingWindows(length_s=1, hop_s=0.5)


def test_roles_read_their_own_subjects(open_data):
    opened = open_data(Data(windows=SLIDING))
    roles = [set(reader.subjects) for reader in (opened.train, opened.validation, opened.test)]
    assert roles == [{"03"}, {"02"}, {"01"}]
    assert (opened.signals.input.n_channels, opened.signals.target.n_channels) == (4, 3)
    assert (opened.signals.input.n_times, opened.signals.input.sfreq) == (100, 100.0)
    assert opened.info("02").ch_names[:4] == list(opened.signals.input.names)


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


def test_a_channel_cannot_be_input_and_target(open_data):
    data = Data(
        windows=SLIDING, input=Signals(modality="meg", channels=("MEG1", "MEG2", "MEG4")), target=Signals(modality="meg", channels="mag")
    )
    with pytest.raises(UserError, match=r"both have MEG1, MEG2: a model would be given what it is to predict"):
        open_data(data)


@pytest.fixture
def three(dataset, make_recording):
    manifest, _ = dataset(*[make_recording(subject) for subject in ("01", "02", "03")])
    return manifest


def open_first(manifest, tmp_path):
    return open_fold(
        manifest, make_folds(LeaveOneSubjectOut(), manifest)[0], Data(windows=SLIDING), 0, NodeCache(tmp_path / "cache", 1 << 30)
    )


def test_e10_a_damaged_shard_is_named(three, tmp_path):
    path = tmp_path / "02-01" / "meg.arrow"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(UserError, match=r"02-01/meg\.arrow: does not match its checksum"):
        open_first(three, tmp_path)


def test_a_shard_that_is_not_the_manifests_is_refused(three, tmp_path):
    entries = [entry.model_copy(update={"sha256": "0"}) if entry.subject == "02" else entry for entry in three.entries]
    with pytest.raises(UserError, match=r"02-01: was replaced since the dataset was published; run jobs/preprocess\.py again"):
        open_first(three.model_copy(update={"entries": tuple(entries)}), tmp_path)
