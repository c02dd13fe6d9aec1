"""Which recordings are set aside so that the others make a dataset, and what is said of them."""

import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from crossmodal.datasets.copies import find_copies
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.shard import write_shard
from crossmodal.datasets.trace_files import read_trace
from crossmodal.datasets.volumes import VolumesEntry
from preprocessing.misfits import without_misfits
from preprocessing.readers.entry import Entry, SourceFile
from preprocessing.readers.files import list_files
from preprocessing.recording import preprocess_recording
from preprocessing.report import Outcome

VOLUMES = VolumesEntry(n_volumes=9, n_targets=60, kind="voxels", targets="a", grid=(5, 4, 3), tr_s=2.0)


def outcome(subject, uri=None, **changes):
    """A recording that was made, as most others are but for `changes`."""
    entry = Entry(subject=subject, run="01", files=(SourceFile(uri=uri or f"/{subject}", size_bytes=1, version="1"),))
    settings = {
        "uri": "anywhere",
        "subject": subject,
        "run": "01",
        "fingerprint": subject,
        "n_samples": 9,
        "sfreq": 100.0,
        "size_bytes": 1,
        "sha256": "0",
        "samples": {"eeg": subject},
        "channels": {"eeg": ("E1", "E2")},
        "types": {"eeg": ("eeg", "eeg")},
        "volumes": VOLUMES,
    }
    return Outcome(entry, shard=ShardEntry(**{**settings, **changes}))


def told(*outcomes):
    """Causes by subject; the recordings without one make a dataset."""
    left = without_misfits(outcomes)
    assert [each.entry for each in left] == [each.entry for each in outcomes]
    Manifest.of([each.shard for each in left if each.shard], "p")
    return {each.entry.subject: each.cause for each in left if each.shard is None}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"sfreq": 250.0}, "/3: is sampled at 250 Hz, others at 100 Hz; set preprocessing.sfreq or leave it out"),
        (
            {"channels": {"eeg": ("E1", "E3")}},
            "/3: differs from other recordings in its EEG channels: it lacks E2 and has E3 besides; leave it out",
        ),
        ({"channels": {}, "types": {}}, "/3: differs from other recordings in its EEG channels: it lacks E1, E2; leave it out"),
        (
            {"volumes": VOLUMES.model_copy(update={"tr_s": 2.5})},
            "/3: has 60 voxels on a grid of 5 x 4 x 3, one every 2.5 s, others have 60 voxels on a grid of 5 x 4 x 3, one every 2 s;",
        ),
        (
            {"volumes": VOLUMES.model_copy(update={"targets": "b", "grid": (6, 4, 3)})},
            "/3: has 60 voxels on a grid of 6 x 4 x 3, one every 2 s, others have 60 voxels on a grid of 5 x 4 x 3, one every 2 s; give",
        ),
        (
            {"volumes": VOLUMES.model_copy(update={"targets": "b"})},
            "/3: has 60 voxels on a grid of 5 x 4 x 3, one every 2 s, as others have, but not the same ones; give preprocessing.bold",
        ),
        ({"volumes": None}, "/3: has no BOLD, others have 60 voxels on a grid of 5 x 4 x 3, one every 2 s; give preprocessing.bold a grid"),
    ],
)
def test_the_odd_one_is_set_aside_and_its_difference_told(changes, cause):
    causes = told(outcome("1"), outcome("2"), outcome("3", **changes))
    assert list(causes) == ["3"]
    assert causes["3"].startswith(cause)
    with pytest.raises(UserError, match="^sub-3 run 01 "):
        told(outcome("1"), outcome("3", **changes))


def test_eog_and_ecg_may_differ_between_recordings():
    channels = {"eeg": ("E1", "E2"), "physiology": ("VEOG",)}
    assert not told(outcome("1"), outcome("2"), outcome("3", channels=channels, types={"eeg": ("eeg", "eeg"), "physiology": ("eog",)}))


def test_each_misfit_has_its_own_cause_and_whoever_failed_keeps_theirs():
    failed = Outcome(outcome("4").entry, cause="/4: broken")
    twins = outcome("5", uri="/5a"), outcome("5", uri="/5b")
    odd = outcome("6", sfreq=250.0), outcome("7", channels={"eeg": ("E2", "E1")})
    causes = told(*(outcome(str(subject)) for subject in range(3)), failed, *twins, *odd)
    assert causes["4"] == "/4: broken"
    assert causes["5"] == "/5b: is sub-5 run 01, and so is /5a; keep one of them"
    assert "250 Hz" in causes["6"]
    assert "it has them in another order" in causes["7"]


@pytest.mark.parametrize("modality", ["eeg", "meg", "bold"])
def test_nobody_can_tell_whose_a_recording_is_that_two_subjects_have(modality):
    names = ("1", "2", "3", "4")
    causes = told(*(outcome(name, samples={"eeg": name, modality: "3" if name == "1" else name}) for name in names))
    assert causes == {
        name: f"/{name}: its {modality.upper()} is that of sub-{other} run 01, sample for sample; keep it under the right label"
        for name, other in (("1", "3"), ("3", "1"))
    }


@pytest.mark.parametrize(("one", "other"), [("1", "01"), ("A7", "a07"), ("pat1", "Pat001"), ("02", "sub-2")])
def test_labels_that_differ_in_zeros_or_case_are_no_two_subjects(one, other):
    causes = told(outcome(one), outcome("10"), outcome("20"), outcome("100"), outcome(other))
    assert list(causes) == [one, other]
    assert causes[one].startswith(f"/{one}: sub-{one} and sub-{other} are one label but for zeros or case; give one person one label")


@pytest.fixture
def made(make_raw, tmp_path):
    """Preprocess recordings by subject; those named by another subject are made of that one's samples."""

    def make(**changed):
        raws = {subject: make_raw(20.0, seed=index) for index, subject in enumerate(("1", "2", "3", "4"))}
        for subject, (whose, change) in changed.items():
            raws[subject.removeprefix("s")] = change(raws[whose].copy())
        outcomes = []
        for subject, raw in raws.items():
            raw.save(tmp_path / f"{subject}_raw.fif", overwrite=True, verbose="error")
            recordings = FileRecordings(files=(FileEntry(path=str(tmp_path / f"{subject}_raw.fif"), subject=subject),))
            (entry,) = list_files(recordings)
            recording = preprocess_recording(entry, recordings, Preprocessing(), tmp_path)
            outcomes.append(Outcome(entry, shard=write_shard(recording, tmp_path / f"shard-{len(list(tmp_path.iterdir()))}")))
        return outcomes

    return make


def _resampled(raw):
    return raw.load_data().resample(256, verbose="error")


def _backwards(raw):
    raw._data = -1.5 * raw._data[:, ::-1]
    return raw


def _noisy(raw):
    noise = np.random.default_rng(9).standard_normal(raw._data.shape)
    raw._data += 0.5 * raw._data.std(axis=1, keepdims=True) * noise
    return raw.crop(3.0015)


@pytest.mark.parametrize("change", [_resampled, _backwards, _noisy])
def test_a_changed_copy_is_refused_with_what_it_was_made_of(made, change):
    outcomes = made(s3=("1", change))
    causes = told(*outcomes)
    assert set(causes) == {"1", "3"}
    assert "its EEG is that of sub-3 run 01, scaled, cut or changed otherwise (correlation " in causes["1"]
    assert ("one of them backwards" in causes["1"]) == (change is _backwards)
    assert "recordings.allow_copies" in causes["3"]
    assert all(each.shard for each in without_misfits(outcomes, allow_copies=[("3", "1")]))
    assert not all(each.shard for each in without_misfits(outcomes, allow_copies=[("1", "2")]))


def test_two_real_recordings_of_two_people_are_no_copies(real_data, tmp_path):
    shards = []
    for name, settings in (("eeg/test_raw.set", {}), ("paired_eeg_meg/sample_neuromag306_first_half_raw.fif", {"highpass_hz": None})):
        recordings = FileRecordings(files=(FileEntry(path=str(real_data / name), subject=name[:3]),))
        (entry,) = list_files(recordings)
        recording = preprocess_recording(
            entry, recordings, Preprocessing(modalities=("eeg",), bad_channels="interpolate", **settings), tmp_path
        )
        shards.append(write_shard(recording, tmp_path / f"shard-{name[:3]}"))
    assert not find_copies(shards, read_trace)


def test_as_many_of_each_are_all_kept_and_refused_as_a_dataset():
    halves = [outcome(str(number), sfreq=100.0 if number < 2 else 250.0) for number in range(4)]
    assert without_misfits(halves) == tuple(halves)
    with pytest.raises(UserError, match="^sub-2 run 01 is sampled at 250 Hz, others at 100 Hz"):
        told(*halves)


def test_nothing_whole_is_nothing_odd():
    failed = Outcome(outcome("1").entry, cause="/1: broken")
    assert without_misfits([failed]) == (failed,)
