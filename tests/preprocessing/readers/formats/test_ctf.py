"""CTF recordings, which are folders: in a BIDS dataset, named one by one, and on S3."""

import shutil

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
from preprocessing.signals.spans import continuous_pieces
from tests.preprocessing.readers.formats.ctf import write_ctf

SFREQ, N_TIMES = 300.0, 3000
TYPES = ("mag",) * 12 + ("ref_meg",) * 2 + ("eeg",) * 4 + ("stim", "clock")
NAMES = (*(f"{kind[0].upper()}{index:02d}" for index, kind in enumerate(TYPES[:-1])), "SCLK01")
# After which something else was recorded for a second.
GAP_AT = 2000
AS_RECORDED = Preprocessing(highpass_hz=None, lowpass_hz=None, sfreq=None, average_reference=False)


@pytest.fixture
def recorded(tmp_path):
    """A BIDS dataset of one subject, and what its channels recorded."""
    rng = np.random.default_rng(0)
    amplitude = np.array([{"mag": 1e-12, "ref_meg": 1e-11, "eeg": 1e-5, "stim": 0.0, "clock": 0.0}[kind] for kind in TYPES])
    x_ct = amplitude[:, None] * rng.standard_normal((len(TYPES), N_TIMES))
    x_ct[-1] = (1 + np.arange(N_TIMES)) / SFREQ + (np.arange(N_TIMES) >= GAP_AT)
    above = rng.standard_normal((len(TYPES), 3)) * [1, 1, 0.3] + [0, 0, 1]
    distance_m = np.array([0.09 if kind == "eeg" else 0.13 for kind in TYPES])
    positions_m = [0, 0, 0.04] + distance_m[:, None] * above / np.linalg.norm(above, axis=1, keepdims=True)
    folder = tmp_path / "bids/sub-01/meg"
    write_ctf(folder / "sub-01_task-x_meg.ds", [f"{name}-1706" for name in NAMES], TYPES, positions_m, x_ct, SFREQ)
    # What a CTF acquisition leaves besides, which is no recording.
    (folder / "sub-01_task-x_meg.ds/hz.ds").mkdir()
    shutil.copy(folder / "sub-01_task-x_meg.ds/sub-01_task-x_meg.res4", folder / "sub-01_task-x_meg.ds/hz.ds/hz.res4")
    (folder / "sub-01_task-x_events.tsv").write_text("onset\tduration\ttrial_type\n1.0\t0.0\tface\n")
    return tmp_path / "bids", x_ct


def check(recordings, x_ct, scratch):
    (entry,) = list_recordings(recordings)
    made = preprocess_recording(entry, recordings, AS_RECORDED, scratch)
    for modality, kind in (("meg", "mag"), ("eeg", "eeg")):
        picks = [index for index, each in enumerate(TYPES) if each == kind]
        signal = made.signals[modality]
        assert signal.names == tuple(NAMES[index] for index in picks)
        resolution = {"mag": 1e-15, "eeg": 1e-10}[kind]
        np.testing.assert_allclose(signal.data_tc, x_ct[picks].T, rtol=1e-6, atol=0.51 * resolution)
    assert set(made.signals["meg"].types) == {"mag"}
    assert np.isfinite(made.signals["meg"].positions_m).all()
    assert made.sfreq == SFREQ
    # A source in the middle of the head, along x: what each sensor sees of it.
    source = Dipoles(np.array([[0.0, 0.02, 0.05]]), np.array([[1.0, 0.0, 0.0]]))
    seen = lead_field(made.info, source, sphere_head(upper_scalp(template_head().scalp_m)))
    assert np.isfinite(seen).all()
    assert (np.abs(seen) > 0).all()
    return entry, made


def test_a_folder_of_a_bids_dataset_is_one_recording(recorded, tmp_path):
    root, x_ct = recorded
    entry, made = check(BidsRecordings(root=str(root)), x_ct, tmp_path)
    assert entry.label == "sub-01 run 01"
    assert sorted(file.name.rpartition(".")[2] for file in entry.files) == ["hc", "meg4", "res4"]
    assert made.events.trial_type == ("face",)
    assert made.events.onset_sample.tolist() == [300]


@pytest.mark.parametrize("suffix", ["", "-1706"])
def test_a_sensor_marked_bad_is_found_with_and_without_the_systems_number(recorded, tmp_path, suffix):
    root, x_ct = recorded
    table = root / "sub-01/meg/sub-01_task-x_channels.tsv"
    table.write_text(f"name\ttype\tstatus\nM03{suffix}\tMEGGRADAXIAL\tbad\nE14{suffix}\tEOG\tgood\n")
    with pytest.raises(UserError, match=r"bad channels M03 \(marked bad\)"):
        check(BidsRecordings(root=str(root)), x_ct, tmp_path)


def test_nothing_is_filtered_across_a_jump_of_the_clock(recorded, tmp_path):
    root, _ = recorded
    raw = read_raw_file(root / "sub-01/meg/sub-01_task-x_meg.ds")
    assert [(piece.start_s, piece.stop_s) for piece in continuous_pieces(raw)] == [(0.0, GAP_AT / SFREQ), (GAP_AT / SFREQ, N_TIMES / SFREQ)]


def test_samples_are_part_of_what_a_shard_is_named_by(recorded):
    root, _ = recorded
    recordings = BidsRecordings(root=str(root))
    (before,) = list_recordings(recordings)
    samples = root / "sub-01/meg/sub-01_task-x_meg.ds/sub-01_task-x_meg.meg4"
    another_trial = bytes(4 * len(TYPES) * N_TIMES)
    samples.write_bytes(samples.read_bytes() + another_trial)
    (after,) = list_recordings(recordings)
    names = {shard_fingerprint(entry, recordings, AS_RECORDED, file_finder(recordings)) for entry in (before, after)}
    assert len(names) == 2
    assert after.size_bytes == before.size_bytes + len(another_trial)


def test_a_folder_is_named_as_a_plain_recording(recorded, tmp_path):
    root, x_ct = recorded
    check(FileRecordings(files=(FileEntry(path=str(root / "sub-01/meg/sub-01_task-x_meg.ds"), subject="01"),)), x_ct, tmp_path)


def test_a_folder_on_s3_is_staged_whole(recorded, s3, tmp_path):
    root, x_ct = recorded
    filesystem, bucket = open_fs(join(s3, f"ctf-{tmp_path.name}"))
    filesystem.put(str(root), bucket, recursive=True)
    named = FileEntry(path=f"s3://{bucket}/sub-01/meg/sub-01_task-x_meg.ds", subject="01")
    for place, recordings in (("dataset", BidsRecordings(root=f"s3://{bucket}")), ("named", FileRecordings(files=(named,)))):
        scratch = tmp_path / place
        scratch.mkdir()
        check(recordings, x_ct, scratch)
        assert (scratch / "sub-01_task-x_meg.ds/sub-01_task-x_meg.meg4").exists()


@pytest.mark.parametrize(
    ("broken", "told"), [("meg4", "cannot be read as a recording"), ("res4", r"meg.ds: its header \(.res4\) is missing")]
)
def test_a_folder_that_lacks_a_part_is_told(recorded, tmp_path, broken, told):
    root, x_ct = recorded
    (root / f"sub-01/meg/sub-01_task-x_meg.ds/sub-01_task-x_meg.{broken}").unlink()
    with pytest.raises(UserError, match=told):
        check(BidsRecordings(root=str(root)), x_ct, tmp_path)
