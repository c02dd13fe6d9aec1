"""4D/BTi recordings, which are folders: in a BIDS dataset, named one by one, and on S3."""

import struct

import mne
import mne_bids
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import lead_field, sphere_head, upper_scalp
from crossmodal.storage.uri import join, open_fs
from preprocessing.readers.formats.opening import read_raw_file
from preprocessing.readers.reading import list_recordings
from preprocessing.readers.stores import file_finder
from preprocessing.recording import preprocess_recording, shard_fingerprint
from tests.preprocessing.readers.formats.bti import UNITS, write_bti

SFREQ, N_TIMES = 250.0, 2000
TYPES = ("mag",) * 12 + ("ref_meg",) * 2 + ("eeg",) * 4 + ("misc", "stim")
# In the order they are stored, as systems do: not that of their numbers.
NAMES = tuple(f"A{number}" for number in (22, 2, 104, 1, 3, 4, 5, 6, 7, 8, 9, 10))
NAMES += ("MxA", "GxxA", "EEG001", "EEG002", "EEG003", "VEOG", "X1", "TRIGGER")
AS_RECORDED = Preprocessing(highpass_hz=None, lowpass_hz=None, sfreq=None, average_reference=False)
SHAPE_M = template_head().scalp_m[::50]


def _recorded():
    """What channels recorded, and where sensors were in head coordinates."""
    rng = np.random.default_rng(0)
    amplitude = np.array([{"mag": 1e-12, "ref_meg": 1e-11}.get(kind, 1e-5) for kind in TYPES])
    x_ct = amplitude[:, None] * rng.standard_normal((len(TYPES), N_TIMES))
    x_ct[-1] = 0.0
    x_ct[-1, 500:600], x_ct[-1, 1000:1100] = 3, 5
    above = rng.standard_normal((len(TYPES), 3)) * [1, 1, 0.3] + [0, 0, 1]
    return x_ct, [0, 0, 0.04] + 0.13 * above / np.linalg.norm(above, axis=1, keepdims=True)


def write(folder, **options):
    x_ct, positions_m = _recorded()
    write_bti(folder, NAMES, TYPES, positions_m, x_ct, SFREQ, **{"shape_m": SHAPE_M} | options)


def make_bids(tmp_path, folder="sub-01_task-x_meg", **options):
    meg = tmp_path / "bids/sub-01/meg"
    write(meg / folder, **options)
    # What else an acquisition leaves: where the coils were, and a log.
    (meg / folder / "e,rfhp1.0Hz.COH").write_bytes(b"coils")
    (meg / folder / "log").write_text("x")
    (meg / "sub-01_task-x_events.tsv").write_text("onset\tduration\ttrial_type\n1.0\t0.0\tface\n")
    return BidsRecordings(root=str(tmp_path / "bids"))


def made_of(recordings, scratch):
    (entry,) = list_recordings(recordings)
    return entry, preprocess_recording(entry, recordings, AS_RECORDED, scratch)


def check(made):
    x_ct, positions_m = _recorded()
    stored = [NAMES.index(name) for name in made.signals["meg"].names]
    assert sorted(stored) == list(range(12))
    # References and the trigger line are no targets.
    assert set(made.signals["meg"].types) == {"mag"}
    assert set(made.signals["meg"].units) == {"T"}
    np.testing.assert_allclose(made.signals["meg"].data_tc, x_ct[stored].T, rtol=1e-6, atol=0.51 * UNITS["mag"])
    np.testing.assert_allclose(made.signals["meg"].positions_m, positions_m[stored], atol=1e-6)
    assert made.signals["eeg"].names == NAMES[14:17]
    np.testing.assert_allclose(made.signals["eeg"].data_tc, x_ct[14:17].T, rtol=1e-6, atol=0.51 * UNITS["eeg"])


@pytest.mark.parametrize("folder", ["sub-01_task-x_meg", "sub-01_task-x_meg.pdf"])
@pytest.mark.parametrize("stored_as", ["i2", "f4"])
def test_a_folder_of_a_bids_dataset_is_one_recording(tmp_path, folder, stored_as):
    entry, made = made_of(make_bids(tmp_path, folder, stored_as=stored_as), tmp_path)
    check(made)
    assert entry.label == "sub-01 run 01"
    assert [file.name for file in entry.files] == ["c,rfDC", "config", "e,rfhp1.0Hz.COH", "hs_file", "log"]
    assert made.events.trial_type == ("face",)
    assert made.events.onset_sample.tolist() == [250]
    assert made.provenance["notes"] == ["has no channels.tsv: types of channels and bad ones are what the recording itself says"]
    source = Dipoles(np.array([[0.0, 0.02, 0.05]]), np.array([[1.0, 0.0, 0.0]]))
    seen = lead_field(mne.pick_info(made.info, mne.pick_types(made.info, meg=True)), source, sphere_head(upper_scalp(SHAPE_M)))
    assert (np.abs(seen) > 0).all()


def test_types_and_triggers_are_what_mne_says(tmp_path):
    write(tmp_path / "a")
    raw = read_raw_file(tmp_path / "a/c,rfDC")
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    assert {name: types[name] for name in NAMES[12:]} == dict(zip(NAMES[12:], (*TYPES[12:17], "eog", *TYPES[18:]), strict=True))
    assert mne.find_events(raw, verbose="error")[:, [0, 2]].tolist() == [[500, 3], [1000, 5]]


@pytest.mark.parametrize("theirs", [False, True])
def test_a_sensor_marked_bad_is_found_by_the_systems_name_and_by_mnes(tmp_path, theirs):
    recordings = make_bids(tmp_path)
    folder = tmp_path / "bids/sub-01/meg"
    named = mne.io.read_raw_bti(folder / "sub-01_task-x_meg/c,rfDC", rename_channels=theirs, verbose="error").ch_names
    # By number, A104 is the last of the sensors.
    (folder / "sub-01_task-x_channels.tsv").write_text(f"name\ttype\tstatus\n{named[11]}\tMEGMAG\tbad\n{named[12]}\tMEGREFMAG\tgood\n")
    with pytest.raises(UserError, match=r"bad channels A104 \(marked bad\)"):
        made_of(recordings, tmp_path)


@pytest.mark.parametrize("options", [{"shape_m": None}, {"head": None}, {"head": np.eye(4)}])
def test_where_the_head_was_not_measured_no_sensor_has_a_place(tmp_path, options):
    _, made = made_of(make_bids(tmp_path, **options), tmp_path)
    assert made.info["dev_head_t"] is None
    assert np.isnan(made.signals["meg"].positions_m).all()
    assert made.provenance["notes"][-1].startswith("has no head position in its config and hs_file: sensors have no place around the head")


def test_configuration_is_part_of_what_a_shard_is_named_by(tmp_path):
    recordings = make_bids(tmp_path)
    (before,) = list_recordings(recordings)
    write(tmp_path / "moved", head=np.eye(4))
    (tmp_path / "moved/config").rename(tmp_path / "bids/sub-01/meg/sub-01_task-x_meg/config")
    (after,) = list_recordings(recordings)
    names = {shard_fingerprint(entry, recordings, AS_RECORDED, file_finder(recordings)) for entry in (before, after)}
    assert len(names) == 2


def test_what_mne_bids_writes_is_read(tmp_path):
    write(tmp_path / "acquired")
    raw = mne.io.read_raw_bti(tmp_path / "acquired/c,rfDC", verbose="error")
    raw.info["bads"] = ["MEG 002"]
    path = mne_bids.BIDSPath(subject="02", session="a", task="y", datatype="meg", root=tmp_path / "theirs")
    mne_bids.write_raw_bids(raw, path, verbose="ERROR")
    recordings = BidsRecordings(root=str(tmp_path / "theirs"))
    (entry,) = list_recordings(recordings)
    made = preprocess_recording(entry, recordings, AS_RECORDED.model_copy(update={"bad_channels": "interpolate"}), tmp_path)
    assert made.provenance["interpolated"] == ["A2"]


@pytest.mark.parametrize("named", ["", "/", "/c,rfDC"])
def test_it_can_be_named_as_a_plain_folder_or_by_its_data_file(tmp_path, named):
    write(tmp_path / "17@4D/0001")
    recordings = FileRecordings(files=(FileEntry(path=f"{tmp_path}/17@4D/0001{named}", subject="01"),))
    entry, made = made_of(recordings, tmp_path)
    assert [file.name for file in entry.files] == ["c,rfDC", "config", "hs_file"]
    check(made)


def test_from_s3_with_all_its_files(s3, tmp_path):
    make_bids(tmp_path)
    filesystem, path = open_fs(join(s3, "bti"))
    filesystem.put(f"{tmp_path}/bids/", path, recursive=True)
    folder = join(s3, "bti/sub-01/meg/sub-01_task-x_meg")
    plain = [FileRecordings(files=(FileEntry(path=named, subject="01"),)) for named in (f"{folder}/", f"{folder}/c,rfDC")]
    for index, recordings in enumerate([BidsRecordings(root=join(s3, "bti")), *plain]):
        scratch = tmp_path / f"scratch{index}"
        scratch.mkdir()
        entry, made = made_of(recordings, scratch)
        check(made)
        assert len(entry.files) == 5
        assert (scratch / "sub-01_task-x_meg/config").exists()


def _cut(path, n_bytes):
    path.write_bytes(path.read_bytes()[:-n_bytes])


def _shorten(path):
    """Lose a second of samples, and tell it in the place of the header alone."""
    content = path.read_bytes()
    at = int.from_bytes(content[-8:], "big")
    lost = 2 * len(NAMES) * int(SFREQ)
    path.write_bytes(content[: at - lost] + content[at:-8] + struct.pack(">Q", at - lost))


def _count(path, kind, at):
    """Damage a number of a block, by its place from the block's content."""
    content = path.read_bytes()
    start = content.index(kind) + 96
    at += start + -start % 8
    path.write_bytes(content[:at] + b"\x7f\xff\xff\xff" + content[at + 4 :])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: _cut(folder / "c,rfDC", 100), "c,rfDC: is truncated, its header or samples are not all there"),
        (lambda folder: _cut(folder / "c,rfDC", 20_000), "c,rfDC: is truncated"),
        (lambda folder: (folder / "c,rfDC").write_bytes(bytes(50_000)), "c,rfDC: is truncated"),
        (lambda folder: (folder / "c,rfDC").write_bytes(b"x"), "c,rfDC: is truncated"),
        (lambda folder: _shorten(folder / "c,rfDC"), "c,rfDC: is truncated"),
        (lambda folder: _cut(folder / "config", 500), "c,rfDC: cannot be read as a recording"),
        (
            lambda folder: _count(folder / "config", b"B_E_table_used", 8),
            "c,rfDC: its config is damaged, a block of it says that it holds more",
        ),
        (lambda folder: _count(folder / "config", b"B_weights_used", 128), "c,rfDC: its config is damaged"),
        (lambda folder: _count(folder / "config", b"B_weights_used", -40), "c,rfDC: its config is damaged"),
        (lambda folder: _cut(folder / "hs_file", 100), "c,rfDC: cannot be read as a recording"),
        (lambda folder: (folder / "config").unlink(), "c,rfDC: its config is missing beside it"),
        (lambda folder: (folder / "c,rfhp0.1Hz").write_bytes(b"x"), "_meg: holds several data files .c,rfDC, c,rfhp0.1Hz.; keep one"),
        (lambda folder: (folder / "c,rfDC").unlink(), "_meg: is a folder without what a 4D/BTi recording is opened by"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path, spoil, told):
    recordings = make_bids(tmp_path)
    spoil(tmp_path / "bids/sub-01/meg/sub-01_task-x_meg")
    with pytest.raises(UserError, match=told) as error:
        made_of(recordings, tmp_path)
    assert "\n" not in str(error.value)


def test_channels_that_mne_would_mix_up_are_refused(tmp_path):
    numbers = [2, 1, *range(3, len(NAMES) + 1)]
    with pytest.raises(UserError, match="stores its channels in another order than it numbers them"):
        made_of(make_bids(tmp_path, numbers=numbers), tmp_path)
    mixed = mne.io.read_raw_bti(tmp_path / "bids/sub-01/meg/sub-01_task-x_meg/c,rfDC", rename_channels=False, verbose="error")
    first = mixed.get_data(picks=[NAMES[0]])[0]
    x_ct, _ = _recorded()
    assert np.abs(first - x_ct[1]).max() < np.abs(first - x_ct[0]).max()
