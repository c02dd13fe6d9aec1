"""A shard holds a recording as it was, opens without copying, and tells when it is damaged."""

import pickle
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import mne
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crossmodal.config import UserError
from crossmodal.datasets.recording import Events, Recording, Signal
from crossmodal.datasets.shard import Shard, read_entry, write_shard
from crossmodal.datasets.statistics import ChannelStatistics
from crossmodal.storage.uri import join, publish_folder

FILES = ["eeg.arrow", "eeg_comoment.arrow", "meg.arrow", "meg_comoment.arrow", "events.arrow", "good.arrow", "info.fif"]
UNITS = {"eeg": "V", "mag": "T", "grad": "T/m"}


def _signal(modality: str, types: list[str], data_tc: np.ndarray) -> Signal:
    names = tuple(f"{kind}{index}" for index, kind in enumerate(types))
    positions_m = np.linspace(-0.1, 0.1, 3 * len(types)).reshape(-1, 3)
    positions_m[0] = np.nan
    return Signal(modality, data_tc, names, tuple(types), tuple(UNITS[kind] for kind in types), positions_m)


def _recording(eeg: Signal, meg: Signal, good: np.ndarray, events: Events | None = None) -> Recording:
    # An extra channel, and the modalities in another order than the shard's.
    info = mne.create_info([*meg.names, "STI", *eeg.names], 100.0, [*meg.types, "stim", *eeg.types])
    info["dev_head_t"] = mne.transforms.Transform("meg", "head", mne.transforms.translation(0.01, 0.02, 0.03))
    none = Events(np.zeros(0, np.int64), np.zeros(0), ())
    return Recording("01", "02", 100.0, {"eeg": eeg, "meg": meg}, events or none, good, info, {"source": {"uri": "s3://x/y.fif"}})


@pytest.fixture
def recording() -> Recording:
    """A small recording, its gradiometer first."""
    rng = np.random.default_rng(0)
    eeg = _signal("eeg", ["eeg"] * 4, rng.normal(0, 1e-5, (500, 4)).astype(np.float32))
    meg = _signal("meg", ["grad", "mag", "mag"], rng.normal(0, 1e-13, (500, 3)).astype(np.float32))
    events = Events(np.array([10, 400]), np.array([0.0, 0.5]), ("Famous", "Scrambled"))
    return _recording(eeg, meg, np.arange(500) >= 100, events)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Any channels of any types, finite samples, masks and events."""
    n_samples = draw(st.integers(1, 50))
    finite = st.floats(-1, 1, width=32)

    def signal(modality: str, kinds: list[str]) -> Signal:
        types = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=6))
        return _signal(modality, types, draw(hnp.arrays(np.float32, (n_samples, len(types)), elements=finite)))

    good = draw(hnp.arrays(bool, n_samples).filter(np.any))
    kinds = draw(st.lists(st.text(max_size=5), max_size=4))
    onsets = draw(hnp.arrays(np.int64, len(kinds), elements=st.integers(0, n_samples - 1)))
    durations_s = draw(hnp.arrays(np.float64, len(kinds), elements=st.floats(0, 10)))
    return _recording(signal("eeg", ["eeg"]), signal("meg", ["mag", "grad"]), good, Events(onsets, durations_s, tuple(kinds)))


@settings(max_examples=20, deadline=None)
@given(recording=recordings())
def test_a_recording_comes_back(recording):
    with TemporaryDirectory() as parent:
        entry = write_shard(recording, Path(parent) / "name")
        shard = Shard.open(Path(parent) / "name", verify=True)
        assert (shard.subject, shard.run, shard.sfreq, shard.n_samples) == ("01", "02", 100.0, len(recording.good))
        assert entry == shard.entry
        np.testing.assert_array_equal(shard.good, recording.good)
        np.testing.assert_array_equal(shard.events.onset_sample, recording.events.onset_sample)
        np.testing.assert_array_equal(shard.events.duration_s, recording.events.duration_s)
        assert shard.events.trial_type == recording.events.trial_type
        for modality, signal in recording.signals.items():
            columns = [signal.names.index(name) for name in shard.names(modality)]
            assert sorted(columns) == list(range(len(signal.names)))
            assert shard.types(modality) == tuple(signal.types[column] for column in columns)
            np.testing.assert_array_equal(np.hstack(list(shard.signal(modality).values())), signal.data_tc[:, columns])
            np.testing.assert_array_equal(shard.positions_m(modality), signal.positions_m[columns])
            expected = ChannelStatistics.of(signal.data_tc[:, columns], recording.good)
            np.testing.assert_array_equal(shard.statistics(modality).comoment, expected.comoment)
            np.testing.assert_array_equal(shard.statistics(modality).min, expected.min)


def test_a_session_stays_with_its_recording(recording, tmp_path):
    assert Shard.open(Path(write_shard(recording, tmp_path / "none").uri)).session == ""
    assert Shard.open(Path(write_shard(replace(recording, session="b"), tmp_path / "b").uri)).session == "b"


def test_types_are_neighbours_and_keep_their_order(recording, tmp_path):
    write_shard(recording, tmp_path / "name")
    shard = Shard.open(tmp_path / "name")
    assert shard.names("meg") == ("mag1", "mag2", "grad0")
    assert shard.info()["ch_names"] == [*shard.names("eeg"), *shard.names("meg")]


def test_any_arrow_reader_finds_the_signal_and_what_it_is(recording, tmp_path):
    write_shard(recording, tmp_path / "name")
    with pa.ipc.open_file(tmp_path / "name" / "meg.arrow") as reader:
        assert reader.num_record_batches == 1
        assert reader.schema.field("mag").type == pa.list_(pa.float32(), 2)
        np.testing.assert_array_equal(reader.get_batch(0).column("mag")[7].as_py(), recording.signals["meg"].data_tc[7, [1, 2]])
        np.testing.assert_array_equal(reader.get_batch(0).column("grad")[7].as_py(), recording.signals["meg"].data_tc[7, [0]])
    told = Shard.open(tmp_path / "name").metadata("meg")
    assert told["units"] == ["T", "T", "T/m"]
    assert told["dev_head_t"][0][3] == pytest.approx(0.01)
    assert told["provenance"] == recording.provenance
    assert told["statistics"]["count"] == 400


def test_opening_copies_nothing(recording, tmp_path):
    write_shard(recording, tmp_path / "name")
    before = pa.total_allocated_bytes()
    signal_tc = Shard.open(tmp_path / "name").signal("meg")["mag"]
    assert pa.total_allocated_bytes() == before
    assert not signal_tc.flags.owndata
    assert not signal_tc.flags.writeable
    # The view is of the file itself: what is changed there is seen.
    with (tmp_path / "name" / "meg.arrow").open("r+b") as file:
        content = file.read()
        file.seek(content.index(signal_tc[0].tobytes()))
        file.write(np.float32(7).tobytes())
    assert signal_tc[0, 0] == 7


def test_two_writers_write_the_same_bytes(recording, tmp_path):
    entries = [write_shard(recording, tmp_path / place / "name") for place in ("a", "b")]
    assert entries[0].sha256 == entries[1].sha256
    assert entries[0].fingerprint == "name"


def test_a_shard_travels_to_another_process(recording, tmp_path):
    write_shard(recording, tmp_path / "name")
    shard = Shard.open(tmp_path / "name")
    shard.signal("meg")
    travelled = pickle.dumps(shard)
    assert len(travelled) < 2000
    np.testing.assert_array_equal(pickle.loads(travelled).signal("meg")["mag"], shard.signal("meg")["mag"])


def test_an_entry_is_read_from_where_it_was_published(recording, tmp_path, s3):
    entry = write_shard(recording, tmp_path / "name")
    uri = join(s3, tmp_path.name, "name")
    publish_folder(tmp_path / "name", uri, last="shard.json")
    assert read_entry(uri) == entry.model_copy(update={"uri": uri})


def test_nobody_is_recognised_in_the_info(recording, tmp_path):
    info = recording.info
    info["subject_info"] = {"his_id": "Secret1", "last_name": "Secret2", "birthday": date(1980, 1, 1)}
    info["experimenter"] = "Secret3"
    info["description"] = "Secret4"
    info["helium_info"] = {
        "meas_date": datetime(2020, 1, 1, tzinfo=UTC),
        "he_level_raw": 1.0,
        "helium_level": 1.0,
        "orig_file_guid": "Secret5",
    }
    info.set_meas_date(datetime(2020, 1, 1, tzinfo=UTC))
    with info._unlock():
        nothing = {"sss_info": {}, "max_st": {}, "sss_ctc": {}, "sss_cal": {}}
        info["proc_history"] = [{"experimenter": "Secret6", "creator": "MaxFilter", "max_info": nothing}]
        info["proj_name"] = "Secret7"
    write_shard(recording, tmp_path / "name")
    content = (tmp_path / "name" / "info.fif").read_bytes()
    assert b"MaxFilter" in content
    assert b"Secret" not in content
    kept = Shard.open(tmp_path / "name").info()
    assert kept["meas_date"] in (None, datetime(1970, 1, 1, tzinfo=UTC))
    assert kept["subject_info"] is None
    assert not any(kept["file_id"]["machid"])
    np.testing.assert_allclose(kept["dev_head_t"]["trans"], info["dev_head_t"]["trans"], atol=1e-7)
    assert info["experimenter"] == "Secret3", "the caller's info is its own"


@pytest.mark.parametrize("name", FILES)
def test_e10_a_damaged_file_is_named(recording, tmp_path, name):
    write_shard(recording, tmp_path / "name")
    path = tmp_path / "name" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{path}: does not match its checksum.*; delete the folder and run jobs/preprocess.py again$"):
        Shard.open(tmp_path / "name", verify=True)
    path.write_bytes(content[:-1])
    with pytest.raises(UserError, match=f"^{path}: does not match"):
        Shard.open(tmp_path / "name")
    path.unlink()
    with pytest.raises(UserError, match=f"^{path}: is missing"):
        Shard.open(tmp_path / "name")


def test_a_folder_that_is_no_shard_is_told(tmp_path):
    with pytest.raises(UserError, match=r"is not a shard, it has no shard\.json"):
        Shard.open(tmp_path)


def test_e5_samples_that_are_not_finite_are_listed(recording, tmp_path):
    meg = recording.signals["meg"]
    data_tc = meg.data_tc.copy()
    data_tc[3, 0], data_tc[400, 2] = np.nan, np.inf
    broken = replace(recording, signals={**recording.signals, "meg": replace(meg, data_tc=data_tc)})
    with pytest.raises(UserError, match="sub-01 run 02: mag2, grad0 hold samples that are not finite"):
        write_shard(broken, tmp_path / "name")
    assert not list(tmp_path.iterdir())


def test_a_recording_with_no_good_sample_is_refused(recording, tmp_path):
    with pytest.raises(UserError, match="sub-01 run 02: every sample is masked as bad"):
        write_shard(replace(recording, good=np.zeros(500, bool)), tmp_path / "name")


def test_e9_a_full_disk_is_told_and_nothing_is_half_written(recording, small_disk):
    eeg = recording.signals["eeg"]
    long = np.tile(eeg.data_tc, (200, 1))
    meg = replace(recording.signals["meg"], data_tc=np.tile(recording.signals["meg"].data_tc, (200, 1)))
    large = replace(recording, signals={"eeg": replace(eeg, data_tc=long), "meg": meg}, good=np.ones(len(long), bool))
    with pytest.raises(UserError, match=f"^{small_disk}/name: no space left"):
        write_shard(large, small_disk / "name")
    assert not list(small_disk.iterdir())
