"""The three public EEG-fMRI datasets in their own layouts, and what is wrong with recordings of them."""

import json

import mne
import nibabel
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.bold import Bold, GradientCorrection
from crossmodal.config.eeg_fmri import BidsFmriRecordings, CnEpflRecordings, NoddiRecordings, OddballRecordings
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from preprocessing.readers.eeg_fmri.oddball import scanner_clock
from preprocessing.readers.reading import list_recordings, open_recording
from preprocessing.readers.registry import READERS
from preprocessing.readers.stores import file_finder
from preprocessing.recording import preprocess_recording, shard_fingerprint
from tests.preprocessing.readers import layouts

BOTH = Preprocessing(modalities=("eeg", "bold"), bold=Bold(dvars_iqr=None, detrend_order=0))
OURS = BOTH.model_copy(update={"highpass_hz": None})


def first(recordings):
    return list_recordings(recordings)[0]


def made(recordings, tmp_path, settings=BOTH):
    return preprocess_recording(first(recordings), recordings, settings, tmp_path)


@pytest.mark.parametrize(("subject", "sample", "mispaired"), [("32", 37, 0), ("35", 32393, 60), ("36", 17859, 33)])
def test_real_noddi_markers_time_volumes_that_sample_zero_would_mispair(real_data, tmp_path, subject, sample, mispaired):
    """The published pipelines read from sample 0: by that, volumes of sub-35 and sub-36 are paired with EEG 60 and 33 volumes earlier."""
    export = tmp_path / "EEG" / subject / "export"
    export.mkdir(parents=True)
    for suffix in ("vhdr", "vmrk"):
        name = f"sub-{subject}_task-rest_eeg.{suffix}"
        (export / name).write_bytes((real_data / "noddi_markers" / name).read_bytes())
    points = int(
        next(line for line in (export / f"sub-{subject}_task-rest_eeg.vhdr").read_text().splitlines() if "DataPoints=" in line)[11:]
    )
    with (export / f"sub-{subject}_task-rest_eeg.dat").open("wb") as data:
        data.truncate(64 * 4 * points)  # the signal is not public here: a hole of its size
    tr_s = json.loads((real_data / "noddi_markers/task-rest_bold.json").read_text())["RepetitionTime"]
    layouts.write_image(tmp_path / "fMRI" / subject / "x_cross.nii.gz", 300, tr_s, shape=(4, 4, 4))
    recordings = NoddiRecordings(root=str(tmp_path))
    bold = open_recording(first(recordings), recordings, tmp_path).bold
    np.testing.assert_allclose(bold.onset_s, (sample - 1 + 540 * np.arange(300)) / 250, atol=1e-9)
    assert round(bold.onset_s[0] / tr_s) == mispaired


def test_noddi_layout_becomes_eeg_and_volumes_on_one_clock(tmp_path):
    layouts.noddi(tmp_path, "32")
    layouts.noddi(tmp_path, "35", first=9000)
    recordings = NoddiRecordings(root=str(tmp_path))
    assert [entry.label for entry in list_recordings(recordings)] == ["sub-32 run 01", "sub-35 run 01"]
    recording = made(recordings, tmp_path)
    assert recording.signals["eeg"].names == ("Cz", "Fp1", "Fp2", "O1", "O2")  # the ECG is no EEG
    volumes = recording.volumes
    assert volumes.tr_s == pytest.approx(2.16)
    np.testing.assert_allclose(volumes.onset_s, (1234 + 540 * np.arange(20)) / 250)
    image = nibabel.load(tmp_path / "fMRI/32/32_rest_cross.nii.gz").get_fdata()
    percent = 100 * image / image[volumes.brain][:, volumes.good].mean()
    np.testing.assert_allclose(volumes.data_vs.T.reshape(image.shape), percent, rtol=1e-5)
    assert volumes.brain[3, 3, 2]
    assert not volumes.brain[0, 0, 0]
    assert any("confounds function with head position" in note for note in recording.provenance["notes"])
    with pytest.raises(UserError, match="recordings.subjects: '99' is not in .*; it has 32, 35"):
        list_recordings(NoddiRecordings(root=str(tmp_path), subjects=("99",)))
    with pytest.raises(UserError, match="holds no EEG/"):
        list_recordings(NoddiRecordings(root=str(tmp_path / "fMRI")))


def test_oddball_layout_is_read_with_its_stimuli_and_says_how_volumes_are_timed(tmp_path):
    layouts.oddball(tmp_path, "sub001")
    layouts.oddball(tmp_path, "sub001", run="task002_run001")
    recordings = OddballRecordings(root=str(tmp_path))
    assert [entry.label for entry in list_recordings(recordings)] == ["sub-sub001 run task001_run001", "sub-sub001 run task002_run001"]
    recording = made(recordings, tmp_path, BOTH.model_copy(update={"average_reference": False}))
    eeg = recording.signals["eeg"]
    assert len(eeg.names) == 43
    assert 1e-6 < eeg.data_tc.std() < 1e-4
    assert list(zip(recording.events.onset_sample.tolist(), recording.events.trial_type, strict=True)) == [
        (500, "auditory standard"),
        (800, "auditory target"),
        (840, "response"),
    ]
    np.testing.assert_allclose(recording.volumes.onset_s, 2.0 * np.arange(20))
    assert "has no volume markers" in recording.provenance["notes"][-3]
    rereferenced = OddballRecordings(root=str(tmp_path), eeg="EEG_rereferenced", runs=("task002_run001",))
    assert len(made(rereferenced, tmp_path).signals["eeg"].names) == 34
    with pytest.raises(UserError, match="holds none of the runs task009_run001"):
        list_recordings(OddballRecordings(root=str(tmp_path), runs=("task009_run001",)))


def test_an_oddball_eeg_that_ends_before_the_image_is_told(tmp_path):
    layouts.oddball(tmp_path, "sub001", n_volumes=20)
    layouts.write_image(tmp_path / "sub001/BOLD/task001_run001/bold.nii.gz", 25, 2.0)
    with pytest.raises(UserError, match=r"the EEG \(40.7 s\) has 20 volume markers, the image has 25 volumes"):
        made(OddballRecordings(root=str(tmp_path)), tmp_path)


@pytest.mark.parametrize(("n_samples", "n_volumes"), [(40_001, 20), (40_000, 20), (39_999, 20), (39_998, 19)])
def test_an_oddball_eeg_may_lack_its_last_sample(n_samples, n_volumes):
    raw = mne.io.RawArray(np.zeros((1, n_samples)), mne.create_info(1, 1000.0, "eeg"), verbose="error")
    np.testing.assert_allclose(scanner_clock(raw, 2.0).onset_s, 2.0 * np.arange(n_volumes))


def test_cn_epfl_layout_is_read_whatever_its_headers_call_the_files(tmp_path):
    layouts.cn_epfl(tmp_path, "02")
    layouts.cn_epfl(tmp_path, "02", run="002")
    recordings = CnEpflRecordings(root=str(tmp_path), runs=("001",))
    (entry,) = list_recordings(recordings)
    assert entry.label == "sub-02 run 001"
    volumes = made(recordings, tmp_path, OURS).volumes
    assert volumes.tr_s == 1.28  # the sidecar's, not the header's
    np.testing.assert_allclose(volumes.onset_s, 4.321 + 1.28 * np.arange(40))


def test_gradients_of_cn_epfl_are_taken_off_or_warned_of(tmp_path):
    for name, gradient_uv in (("scanned", 3000.0), ("clean", 0.0)):
        layouts.cn_epfl(tmp_path / name, "02", gradient_uv=gradient_uv)
    scanned, clean = (CnEpflRecordings(root=str(tmp_path / name)) for name in ("scanned", "clean"))
    settings = OURS.model_copy(update={"average_reference": False})
    left = made(scanned, tmp_path, settings)
    taken = made(scanned, tmp_path, settings.model_copy(update={"gradients": GradientCorrection()}))
    assert any("gradients still in its EEG" in note for note in left.provenance["notes"])
    assert not any("gradients still in its EEG" in note for note in taken.provenance["notes"])
    inside = slice(600, 5000)  # of the scan, at 100 Hz
    with_gradients, without, true = (
        recording.signals["eeg"].data_tc[inside] for recording in (left, taken, made(clean, tmp_path, settings))
    )
    assert np.corrcoef(with_gradients[:, 0], true[:, 0])[0, 1] < 0.1
    assert np.corrcoef(without[:, 0], true[:, 0])[0, 1] > 0.96
    assert 20 * np.log10((with_gradients - true).std() / (without - true).std()) > 50


def bids_recordings(root, **settings):
    return BidsFmriRecordings(root=str(root), task="main", **settings)


def broken_by(cause, root):
    layouts.cn_epfl(root, "02")
    eeg = next(root.rglob("*_eeg.vhdr"))
    image, sidecar = next(root.rglob("*_bold.nii.gz")), next(root.rglob("*_bold.json"))
    if cause == "truncated image":
        image.write_bytes(image.read_bytes()[:-2000])
    elif cause == "truncated EEG":
        eeg.with_suffix(".eeg").write_bytes(eeg.with_suffix(".eeg").read_bytes()[:-16000])
    elif cause == "EEG ends within a sample":
        eeg.write_text(eeg.read_text().replace("DataPoints", "Unknown"))
        eeg.with_suffix(".eeg").write_bytes(eeg.with_suffix(".eeg").read_bytes()[:-3])
    elif cause == "EEG ends before its markers":
        eeg.write_text(eeg.read_text().replace("DataPoints", "Unknown"))
        eeg.with_suffix(".eeg").write_bytes(eeg.with_suffix(".eeg").read_bytes()[:-160_000])
    elif cause == "no markers":
        eeg.with_suffix(".vmrk").unlink()
    elif cause == "no sidecar":
        sidecar.unlink()
    elif cause == "several images":
        image.with_name(image.name.replace("_run-001", "_dir-AP_run-001")).write_bytes(image.read_bytes())
    elif cause == "no image":
        image.unlink()
    elif cause == "empty image":
        image.write_bytes(b"")
    elif cause == "no repetition time":
        sidecar.write_text("{}")
    elif cause == "other repetition time":
        sidecar.write_text('{"RepetitionTime": 2.0}')
    elif cause == "other marker":
        eeg.with_suffix(".vmrk").write_text(eeg.with_suffix(".vmrk").read_text().replace("R128", "R  1"))
    elif cause == "fewer markers":
        lines = eeg.with_suffix(".vmrk").read_text().splitlines()
        eeg.with_suffix(".vmrk").write_text("\n".join(lines[:-3]))
    elif cause == "one volume":
        nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4)), np.eye(4)), image)


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ("truncated image", r"_bold.nii.gz: cannot be read as a recording \(.*\); replace the file or leave it out"),
        ("truncated EEG", r"_eeg.eeg: is truncated, it holds 55021 of 56021 samples"),
        ("EEG ends within a sample", r"_eeg.eeg: is truncated, it ends within a sample"),
        ("EEG ends before its markers", r"_eeg.eeg: is truncated, it holds 46021 samples and a marker is at 54242"),
        ("no markers", r"_eeg.vhdr: its marker file \(.vmrk\) is missing"),
        ("no sidecar", r"_bold.json: the sidecar that states the repetition time is missing"),
        ("several images", r"_eeg.vhdr: has several images \(\S+_dir-AP_run-001_bold.nii.gz, \S+_run-001_bold.nii.gz\); keep one"),
        ("no image", r"_bold.nii.gz: its BOLD image is missing; fetch it"),
        ("empty image", r"_bold.nii.gz: its BOLD image is an empty file"),
        ("no repetition time", r"_bold.json: states no RepetitionTime in seconds; add it"),
        ("other repetition time", r"markers come every 1.280 s, but the image's repetition time is 2.000 s"),
        ("other marker", r"no marker is called 'R128', there are .*'Response/R  1' \(40\); set recordings.volume_marker"),
        ("fewer markers", r"the EEG \(56.0 s\) has 37 volume markers, the image has 40 volumes"),
        ("one volume", r"has shape \(4, 4, 4\), not that of a series of volumes"),
    ],
)
def test_what_is_wrong_with_a_recording_is_one_sentence(tmp_path, cause, sentence):
    broken_by(cause, tmp_path / "data")
    with pytest.raises(UserError, match=sentence) as told:
        made(bids_recordings(tmp_path / "data"), tmp_path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("several", ["EEG/32/export/32.vhdr", "fMRI/32/32_rest_cross.nii.gz"])
def test_which_of_several_noddi_files_belong_together_is_not_guessed(tmp_path, several):
    layouts.noddi(tmp_path, "32")
    one = tmp_path / several
    one.with_name(f"31{one.name}").write_bytes(one.read_bytes())
    with pytest.raises(UserError, match=rf"31{one.name}: is one of several of this subject \(31{one.name}, {one.name}\); keep one"):
        made(NoddiRecordings(root=str(tmp_path)), tmp_path)


def test_a_subject_with_several_images_stops_no_other(tmp_path):
    layouts.cn_epfl(tmp_path / "data", "01")
    recordings = bids_recordings(tmp_path / "data")
    whole = shard_fingerprint(first(recordings), recordings, BOTH, file_finder(recordings))
    broken_by("several images", tmp_path / "data/")
    entries = list_recordings(recordings)
    assert [entry.subject for entry in entries if entry.flaw] == ["02"]
    assert shard_fingerprint(entries[0], recordings, BOTH, file_finder(recordings)) == whole


def test_motion_and_transforms_are_found_by_their_pattern_and_checked(tmp_path):
    layouts.cn_epfl(tmp_path / "data", "02")
    rng = np.random.default_rng(0)
    motion = np.zeros((40, 6))
    motion[10:, 3] = 0.02  # 1 mm on a sphere of 50 mm
    named = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z", "csf"]
    rows = ["\t".join(named), *("\t".join(map(str, [*row, rng.random()])) for row in motion)]
    (tmp_path / "02_001.tsv").write_text("\n".join(rows))
    np.savetxt(tmp_path / "02_001.par", np.roll(motion, 3, axis=1))
    np.savetxt(tmp_path / "02_001.txt", motion)
    np.savetxt(tmp_path / "02_to.txt", np.eye(4))
    for suffix in ("tsv", "par", "txt"):
        patterns = {"motion": str(tmp_path / f"{{subject}}_{{run}}.{suffix}"), "transforms": str(tmp_path / "{subject}_to.txt")}
        recording = made(bids_recordings(tmp_path / "data", **patterns), tmp_path)
        assert np.flatnonzero(~recording.volumes.good).tolist() == [10]
        assert recording.volumes.in_common_space
        assert recording.provenance["notes"][2:] == ["masked 1 of 40 volumes for motion"]
        assert recording.session == "001"
    np.savetxt(tmp_path / "ses-001_sub-02_ses-001_task-main_run-001.txt", motion)
    assert made(bids_recordings(tmp_path / "data", motion=str(tmp_path / "ses-{session}_{name}.txt")), tmp_path).volumes.motion is not None
    np.savetxt(tmp_path / "02_001.txt", motion[:-1])
    with pytest.raises(UserError, match=r"02_001.txt: holds motion of shape \(39, 6\), the image has 40 volumes"):
        made(bids_recordings(tmp_path / "data", **patterns), tmp_path)
    with pytest.raises(UserError, match="its transform is missing"):
        made(bids_recordings(tmp_path / "data", transforms=str(tmp_path / "none.txt")), tmp_path)
    np.savetxt(tmp_path / "02_to.txt", np.eye(3))
    with pytest.raises(UserError, match="is no 4 x 4 affine matrix"):
        made(bids_recordings(tmp_path / "data", transforms=str(tmp_path / "02_to.txt")), tmp_path)


def test_voxels_that_the_scanner_did_not_reach_are_told(tmp_path):
    layouts.cn_epfl(tmp_path / "data", "02")
    layouts.write_image(tmp_path / "grid.nii.gz", 2, 1.0, shape=(8, 8, 9))
    settings = BOTH.model_copy(update={"bold": Bold(dvars_iqr=None, grid=str(tmp_path / "grid.nii.gz"))})
    recording = made(bids_recordings(tmp_path / "data"), tmp_path, settings)
    assert "192 of 576 targets never change, as voxels do that the scanner did not reach" in recording.provenance["notes"]


def test_a_new_atlas_or_image_makes_a_new_shard(tmp_path):
    layouts.cn_epfl(tmp_path / "data", "02")
    atlas = tmp_path / "atlas.nii.gz"
    layouts.write_image(atlas, 2, 1.0)
    recordings = bids_recordings(tmp_path / "data")
    settings = Preprocessing(modalities=("eeg", "bold"), bold=Bold(targets={"kind": "regions", "atlas": str(atlas)}))
    names = [shard_fingerprint(first(recordings), recordings, settings, file_finder(recordings))]
    layouts.write_image(atlas, 3, 1.0)
    names.append(shard_fingerprint(first(recordings), recordings, settings, file_finder(recordings)))
    marked = bids_recordings(tmp_path / "data", dummy_volumes=2)
    names.append(shard_fingerprint(first(marked), marked, settings, file_finder(marked)))
    next((tmp_path / "data").rglob("*_bold.json")).write_text('{"RepetitionTime": 1.0}')
    names.append(shard_fingerprint(first(recordings), recordings, settings, file_finder(recordings)))
    assert len(set(names)) == 4


def test_every_kind_an_experiment_may_name_is_a_source():
    kinds = {kind.model_fields["kind"].default for kind in (BidsRecordings, FileRecordings, BidsFmriRecordings, CnEpflRecordings)}
    kinds |= {kind.model_fields["kind"].default for kind in (NoddiRecordings, OddballRecordings)}
    assert set(READERS) == kinds
    assert all(reader.summary and "\n" not in reader.summary for reader in READERS.values())


def test_bold_that_is_asked_for_and_not_there_is_told(tmp_path, make_raw):
    make_raw().save(tmp_path / "x_raw.fif", verbose="error")
    recordings = FileRecordings(files=(FileEntry(path=str(tmp_path / "x_raw.fif"), subject="1"),))
    with pytest.raises(UserError, match="has no BOLD, and the experiment asks for it"):
        made(recordings, tmp_path)
