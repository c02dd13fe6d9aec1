"""KIT recordings, and the markers and digitised points beside them: in a BIDS dataset, named one by one, and on S3."""

import re
import shutil
from pathlib import PurePosixPath

import mne
import mne_bids
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import lead_field, located_channels, sphere_head, upper_scalp
from crossmodal.storage.uri import join, open_fs
from preprocessing.readers.bids.kit_parts import kit_parts
from preprocessing.readers.bids.tree import BidsFile
from preprocessing.readers.entry import SourceFile
from preprocessing.readers.formats.opening import read_raw_file
from preprocessing.readers.reading import list_recordings
from preprocessing.readers.stores import file_finder
from preprocessing.recording import preprocess_recording, shard_fingerprint
from tests.preprocessing.readers.formats.kit import COILS_M, DEWAR_TO_HEAD, LANDMARKS_M, UNITS, write_kit, write_markers, write_points

SFREQ, N_TIMES = 250.0, 2000
TYPES = ("mag",) * 12 + ("ref_meg",) * 3 + ("eeg",) * 4 + ("ecg",) + ("trigger",) * 2
NAMES = tuple(f"{kind[0].upper()}{index:02d}" for index, kind in enumerate(TYPES))
STEM = "sub-01_task-x_run-01"
AS_RECORDED = Preprocessing(highpass_hz=None, lowpass_hz=None, sfreq=None, average_reference=False)
MOVED_M = np.array([0.004, 0.0, 0.0])
COIL_POINTS_M = np.vstack([LANDMARKS_M, COILS_M])


def _recorded():
    """What channels recorded, and where sensors and electrodes were in head coordinates."""
    rng = np.random.default_rng(0)
    amplitude = np.array([{"mag": 1e-12, "ref_meg": 1e-11}.get(kind, 1e-5) for kind in TYPES])
    x_ct = amplitude[:, None] * rng.standard_normal((len(TYPES), N_TIMES))
    # Lines rest at 4.5 V, and are drawn to the ground.
    x_ct[-2:] = 4.5
    x_ct[-2, 500:600] = x_ct[-1, 1000:1100] = 0.0
    above = rng.standard_normal((len(TYPES), 3)) * [1, 1, 0.3] + [0, 0, 1]
    distance_m = np.array([0.13 if kind in ("mag", "ref_meg") else 0.09 for kind in TYPES])
    return x_ct, [0, 0, 0.04] + distance_m[:, None] * above / np.linalg.norm(above, axis=1, keepdims=True)


@pytest.fixture
def folder(tmp_path):
    """A BIDS dataset of one subject, as MNE-BIDS names files: markers before and after, and points whose format .pos does not tell."""
    folder = tmp_path / "bids/sub-01/meg"
    folder.mkdir(parents=True)
    x_ct, positions_m = _recorded()
    write_kit(folder / f"{STEM}_meg.con", NAMES, TYPES, positions_m, x_ct, SFREQ)
    # The head moved by 8 mm: between, it was where the mean of both is.
    write_markers(folder / "sub-01_task-x_acq-run01pre_markers.sqd", COILS_M - MOVED_M)
    write_markers(folder / "sub-01_task-x_acq-run01post_markers.sqd", COILS_M + MOVED_M)
    write_markers(folder / "sub-01_task-x_acq-run02pre_markers.sqd", 2 * COILS_M)
    write_points(folder / "sub-01_acq-ELP_headshape.pos", COIL_POINTS_M)
    write_points(folder / "sub-01_acq-HSP_headshape.pos", template_head().scalp_m[::50])
    (folder / f"{STEM}_events.tsv").write_text("onset\tduration\ttrial_type\n1.0\t0.0\tface\n")
    (folder / f"{STEM}_channels.tsv").write_text("name\ttype\tstatus\nE15\tEOG\tgood\nM00\tMEGGRADAXIAL\tgood\n")
    return folder


def _of_meg(info):
    return mne.pick_info(info, mne.pick_types(info, meg=True))


def bids(folder):
    return BidsRecordings(root=str(folder.parent.parent))


def made_of(recordings, scratch):
    (entry,) = list_recordings(recordings)
    return entry, preprocess_recording(entry, recordings, AS_RECORDED, scratch)


def test_a_recording_of_a_bids_dataset_is_read_with_its_markers_and_points(folder, tmp_path):
    entry, made = made_of(bids(folder), tmp_path)
    x_ct, positions_m = _recorded()
    assert [file.name for file in entry.files] == [
        f"{STEM}_meg.con",
        "sub-01_task-x_acq-run01post_markers.sqd",
        "sub-01_task-x_acq-run01pre_markers.sqd",
        "sub-01_acq-ELP_headshape.pos",
        "sub-01_acq-HSP_headshape.pos",
    ]
    meg, eeg = made.signals["meg"], made.signals["eeg"]
    # References, trigger lines and ECG are no targets, nor is what channels.tsv calls EOG.
    assert meg.names == NAMES[:12]
    assert eeg.names == NAMES[16:19]
    assert set(meg.types) == {"mag"}
    assert set(meg.units) == {"T"}
    np.testing.assert_allclose(meg.data_tc, x_ct[:12].T, rtol=1e-6, atol=0.51 * UNITS["mag"])
    np.testing.assert_allclose(eeg.data_tc, x_ct[16:19].T, rtol=1e-6, atol=0.51 * UNITS["eeg"])
    np.testing.assert_allclose(made.info["dev_head_t"]["trans"], DEWAR_TO_HEAD, atol=1e-6)
    np.testing.assert_allclose(meg.positions_m, positions_m[:12], atol=1e-6)
    assert made.events.trial_type == ("face",)
    assert made.events.onset_sample.tolist() == [250]
    assert made.sfreq == SFREQ
    assert made.provenance["notes"] == []
    source = Dipoles(np.array([[0.0, 0.02, 0.05]]), np.array([[1.0, 0.0, 0.0]]))
    seen = lead_field(_of_meg(made.info), source, sphere_head(upper_scalp(template_head().scalp_m)))
    assert (np.abs(seen) > 0).all()


def test_types_and_triggers_are_what_mne_says(folder):
    raw = read_raw_file(folder / f"{STEM}_meg.con")
    assert raw.get_channel_types() == [*(kind if kind != "trigger" else "misc" for kind in TYPES), "stim"]
    assert mne.find_events(raw, verbose="error")[:, [0, 2]].tolist() == [[500, 1], [1000, 2]]


def test_a_folder_may_hold_a_recording_and_its_markers(folder, tmp_path):
    """As BIDS had it at first."""
    inner = folder / f"{STEM}_meg"
    inner.mkdir()
    for path in (folder / f"{STEM}_meg.con", *folder.glob("*_markers.sqd")):
        path.rename(inner / path.name)
    entry, made = made_of(bids(folder), tmp_path)
    assert len(entry.files) == 5
    assert made.events.trial_type == ("face",)
    np.testing.assert_allclose(made.info["dev_head_t"]["trans"], DEWAR_TO_HEAD, atol=1e-6)


def test_electrodes_that_the_file_holds_are_placed_on_the_head(folder, tmp_path):
    x_ct, positions_m = _recorded()
    # Case differs between systems that digitise and that record.
    digitised = {NAMES[index].lower(): positions_m[index] for index in (15, 16, 18)}
    for part in (*folder.glob("*markers*"), *folder.glob("*headshape*")):
        part.unlink()
    write_kit(folder / f"{STEM}_meg.con", NAMES, TYPES, positions_m, x_ct, SFREQ, digitised)
    entry, made = made_of(bids(folder), tmp_path)
    assert len(entry.files) == 1
    np.testing.assert_allclose(made.signals["meg"].positions_m, positions_m[:12], atol=1e-6)
    np.testing.assert_allclose(made.signals["eeg"].positions_m[[0, 2]], positions_m[[16, 18]], atol=1e-6)
    assert np.isnan(made.signals["eeg"].positions_m[1]).all()


def test_electrodes_need_not_be_digitised_where_the_coils_beside_were(folder, tmp_path):
    x_ct, positions_m = _recorded()
    write_kit(folder / f"{STEM}_meg.con", NAMES, TYPES, positions_m, x_ct, SFREQ, {NAMES[16]: positions_m[16]})
    turned_m = COIL_POINTS_M[:, [2, 0, 1]] + [0.1, 0.2, 0.3]
    write_points(folder / "sub-01_acq-ELP_headshape.pos", turned_m)
    next(folder.glob("*HSP*")).unlink()
    _, made = made_of(bids(folder), tmp_path)
    np.testing.assert_allclose(made.info["dev_head_t"]["trans"], DEWAR_TO_HEAD, atol=1e-6)
    np.testing.assert_allclose(made.signals["eeg"].positions_m[0], positions_m[16], atol=1e-6)


@pytest.mark.parametrize(("removed", "lack"), [("*markers*", r"markers \(\*_markers"), ("*ELP*", r"digitised coils \(\*_headshape")])
def test_without_markers_or_coils_no_sensor_has_a_place(folder, tmp_path, removed, lack):
    for part in folder.glob(removed):
        part.unlink()
    _, made = made_of(bids(folder), tmp_path)
    assert made.info["dev_head_t"] is None
    assert np.isnan(made.signals["meg"].positions_m).all()
    (note,) = [note for note in made.provenance["notes"] if "head position" in note]
    assert re.match(f"has no head position for lack of {lack}", note)
    with pytest.raises(UserError, match="no head position"):
        located_channels(_of_meg(made.info))


def test_an_amplifier_whose_gain_mne_guesses_is_told(folder, tmp_path):
    x_ct, positions_m = _recorded()
    write_kit(folder / f"{STEM}_meg.con", NAMES, TYPES, positions_m, x_ct, SFREQ, amplifier=110)
    write_points(folder / "sub-01_acq-HSP_headshape.pos", np.tile(template_head().scalp_m[::50], (200, 1)))
    _, made = made_of(bids(folder), tmp_path)
    (note,) = made.provenance["notes"]
    assert note.startswith("Unknown site filter settings (FLL)")


def test_the_shape_of_the_head_may_lack(folder, tmp_path):
    next(folder.glob("*HSP*")).unlink()
    _, made = made_of(bids(folder), tmp_path)
    np.testing.assert_allclose(made.info["dev_head_t"]["trans"], DEWAR_TO_HEAD, atol=1e-6)


@pytest.mark.parametrize("form", ["elp", "hsp"])
def test_points_of_isotrak_are_known_by_what_they_hold(folder, tmp_path, form):
    name, points_m = {"elp": ("ELP", COIL_POINTS_M), "hsp": ("HSP", np.vstack([LANDMARKS_M, template_head().scalp_m[::50]]))}[form]
    write_points(folder / f"sub-01_acq-{name}_headshape.pos", points_m, form)
    _, made = made_of(bids(folder), tmp_path)
    np.testing.assert_allclose(made.info["dev_head_t"]["trans"], DEWAR_TO_HEAD, atol=1e-6)
    extra = [point for point in made.info["dig"] if point["kind"] == mne.io.constants.FIFF.FIFFV_POINT_EXTRA]
    np.testing.assert_allclose([point["r"] for point in extra], template_head().scalp_m[::50], atol=1e-6)


def test_markers_are_part_of_what_a_shard_is_named_by(folder):
    (before,) = list_recordings(bids(folder))
    write_markers(folder / "sub-01_task-x_acq-run01pre_markers.sqd", COILS_M)
    (folder / "sub-01_task-x_acq-run01post_markers.sqd").unlink()
    (after,) = list_recordings(bids(folder))
    names = {shard_fingerprint(entry, bids(folder), AS_RECORDED, file_finder(bids(folder))) for entry in (before, after)}
    assert len(names) == 2


def test_what_mne_bids_writes_is_read(folder, tmp_path):
    parts = {"mrk": sorted(str(path) for path in folder.glob("*run01*_markers.sqd"))[::-1]}
    for key, name in (("elp", "ELP"), ("hsp", "HSP")):
        parts[key] = str(tmp_path / f"{key}.txt")
        shutil.copy(next(folder.glob(f"*{name}*")), parts[key])
    raw = mne.io.read_raw_kit(folder / f"{STEM}_meg.con", **parts, verbose="error")
    path = mne_bids.BIDSPath(subject="02", session="a", task="y", run="03", datatype="meg", root=tmp_path / "theirs")
    mne_bids.write_raw_bids(raw, path, verbose="ERROR")
    (entry,) = list_recordings(BidsRecordings(root=str(tmp_path / "theirs")))
    assert len(entry.files) == 5
    made = preprocess_recording(entry, BidsRecordings(root=str(tmp_path / "theirs")), AS_RECORDED, tmp_path)
    np.testing.assert_allclose(made.info["dev_head_t"]["trans"], DEWAR_TO_HEAD, atol=1e-6)


def test_it_can_be_named_as_a_plain_file(folder, tmp_path):
    named = FileRecordings(files=(FileEntry(path=str(folder / f"{STEM}_meg.con"), subject="01"),))
    assert list_recordings(named)[0].files == list_recordings(bids(folder))[0].files
    plain = tmp_path / "plain"
    plain.mkdir()
    shutil.copy(folder / f"{STEM}_meg.con", plain / "R01.sqd")
    write_markers(plain / "R01.mrk")
    write_markers(plain / "R012.mrk", 2 * COILS_M)
    write_points(plain / "R01.elp", COIL_POINTS_M, "elp")
    entry, made = made_of(FileRecordings(files=(FileEntry(path=str(plain / "R01.sqd"), subject="01"),)), tmp_path)
    assert [file.name for file in entry.files] == ["R01.sqd", "R01.elp", "R01.mrk"]
    np.testing.assert_allclose(made.info["dev_head_t"]["trans"], DEWAR_TO_HEAD, atol=1e-6)


def test_from_s3_with_its_parts(folder, s3, tmp_path):
    filesystem, path = open_fs(join(s3, "kit"))
    filesystem.put(f"{folder.parent.parent}/", path, recursive=True)
    named = FileRecordings(files=(FileEntry(path=join(s3, f"kit/sub-01/meg/{STEM}_meg.con"), subject="01"),))
    for index, recordings in enumerate([BidsRecordings(root=join(s3, "kit")), named]):
        scratch = tmp_path / f"scratch{index}"
        scratch.mkdir()
        entry, made = made_of(recordings, scratch)
        assert len(entry.files) == 5
        np.testing.assert_allclose(made.info["dev_head_t"]["trans"], DEWAR_TO_HEAD, atol=1e-6)


def test_of_a_recording_on_s3_sentences_name_its_place_there(folder, s3, tmp_path):
    _truncate(folder)
    filesystem, path = open_fs(join(s3, "kit-broken"))
    filesystem.put(f"{folder.parent.parent}/", path, recursive=True)
    with pytest.raises(UserError, match=f"^{join(s3, 'kit-broken')}/sub-01/meg/{STEM}_meg.con: is truncated"):
        made_of(BidsRecordings(root=join(s3, "kit-broken")), tmp_path)


def _truncate(folder):
    path = folder / f"{STEM}_meg.con"
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_truncate, "_meg.con: is truncated, it holds 1997 of 2000 samples"),
        (lambda folder: (folder / f"{STEM}_meg.con").write_bytes(b"not a recording"), "_meg.con: cannot be read as a recording"),
        (lambda folder: next(folder.glob("*run01pre*")).write_bytes(b"nothing"), "pre_markers.sqd: cannot be read as markers"),
        (lambda folder: next(folder.glob("*ELP*")).write_text("8 points"), "ELP_headshape.pos: cannot be read as digitised points"),
        (
            lambda folder: write_points(folder / "sub-01_headshape.elp", COILS_M, "elp"),
            "holds 5 points, where .elp has nasion, ears and five",
        ),
        (lambda folder: write_points(folder / "sub-01_acq-ELP_headshape.pos", COIL_POINTS_M, unit_m=1.0), "lie .* mm apart at best"),
        (
            lambda folder: write_points(folder / "sub-01_headshape.txt", COIL_POINTS_M),
            "are 2 of what it can have 1 of; keep those that belong",
        ),
        (lambda folder: write_markers(folder / "sub-01_task-x_acq-mid_run-01_markers.mrk"), "are 3 of what it can have 2 of"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(folder, tmp_path, spoil, told):
    spoil(folder)
    with pytest.raises(UserError, match=told) as error:
        made_of(bids(folder), tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("recording", "names", "wanted"),
    [
        ("sub-01_task-x_meg.con", ["sub-01_task-x_markers.sqd", "sub-01_task-y_markers.sqd"], [0]),
        ("sub-01_task-x_meg.con", ["sub-01_markers.mrk", "sub-02_markers.mrk"], [0]),
        ("sub-01_task-x_run-1_meg.con", ["sub-01_task-x_run-1_markers.mrk", "sub-01_task-x_markers.mrk"], [0]),
        ("sub-01_task-x_run-2_meg.con", ["sub-01_task-x_run-1_markers.mrk", "sub-01_task-x_markers.mrk"], [1]),
        ("sub-01_task-x_acq-a_meg.con", ["sub-01_task-x_acq-a_markers.mrk", "sub-01_task-x_acq-b_markers.mrk"], [0]),
        ("sub-01_task-x_acq-a_meg.con", ["sub-01_task-x_acq-pre_markers.mrk", "sub-01_task-x_acq-post_markers.mrk"], [1, 0]),
        ("sub-01_task-x_run-10_meg.con", ["sub-01_task-x_acq-run10_markers.mrk", "sub-01_task-x_acq-run1_markers.mrk"], [0]),
        ("sub-01_task-x_meg.con", ["sub-01_headshape.pos", "sub-01_acq-HSP_headshape.txt", "sub-01_headshape.json"], [1, 0]),
    ],
)
def test_parts_are_told_from_those_of_other_recordings(recording, names, wanted):
    first, *files = (
        BidsFile.named(SourceFile.missing(f"/ds/sub-01/meg/{name}"), PurePosixPath("sub-01/meg")) for name in (recording, *names)
    )
    assert [file.name for file in kit_parts(first, files)] == [names[index] for index in wanted]
