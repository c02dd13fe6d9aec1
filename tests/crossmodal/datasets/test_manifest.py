"""A dataset holds recordings that belong together, and is found again by its content or its settings."""

import pytest

from crossmodal.config import UserError
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.manifest import Manifest, load, load_latest, publish, shard_uri


def _entry(subject: str = "01", run: str = "01", **changes) -> ShardEntry:
    settings = {
        "uri": "anywhere",
        "subject": subject,
        "run": run,
        "fingerprint": f"f{subject}{run}",
        "n_samples": 1000,
        "sfreq": 100.0,
        "size_bytes": 10,
        "sha256": "0",
        "samples": {"eeg": f"{subject}{run}"},
        "channels": {"eeg": ("E1", "E2"), "meg": ("M1", "G1")},
        "types": {"eeg": ("eeg", "eeg"), "meg": ("mag", "grad")},
    }
    return ShardEntry(**{**settings, **changes})


def test_entries_are_ordered_and_named_by_content_alone():
    entries = [_entry("02"), _entry("01", "02"), _entry("01", "01")]
    manifest = Manifest.of(entries, "p")
    assert [(entry.subject, entry.run) for entry in manifest.entries] == [("01", "01"), ("01", "02"), ("02", "01")]
    assert manifest.subjects == ("01", "02")
    elsewhere = [entry.model_copy(update={"uri": "s3://elsewhere"}) for entry in reversed(entries)]
    assert Manifest.of(elsewhere, "p").fingerprint == manifest.fingerprint
    assert Manifest.of(entries, "q").fingerprint != manifest.fingerprint
    assert Manifest.of([*entries[:2], _entry(sha256="1")], "p").fingerprint != manifest.fingerprint


def test_sessions_are_kept_and_a_dataset_without_them_keeps_its_name(tmp_path):
    manifest = Manifest.of([_entry("01", "01"), _entry("01", "02", session="b")], "p")
    loaded = load(str(tmp_path), publish(manifest, str(tmp_path), "settings"))
    assert [entry.session for entry in loaded.entries] == ["", "b"]
    plain, other = (entry.model_dump() for entry in loaded.entries)
    assert "session" not in plain
    assert other["session"] == "b"


def test_the_latest_is_found_and_older_ones_stay(tmp_path):
    store = str(tmp_path)
    older, newer = Manifest.of([_entry("01")], "p"), Manifest.of([_entry("01"), _entry("02")], "p")
    names = [publish(manifest, store, "settings") for manifest in (older, newer)]
    latest = load_latest(store, "settings")
    assert latest.fingerprint == newer.fingerprint == names[1]
    assert [entry.uri for entry in latest.entries] == [shard_uri(store, "f0101"), shard_uri(store, "f0201")]
    assert load(store, names[0]).fingerprint == older.fingerprint


def test_a_store_can_be_moved(tmp_path):
    name = publish(Manifest.of([_entry()], "p"), str(tmp_path / "here"), "settings")
    (tmp_path / "here").rename(tmp_path / "there")
    (entry,) = load(str(tmp_path / "there"), name).entries
    assert entry.uri == f"{tmp_path}/there/shards/f0101"


def test_settings_never_preprocessed_are_told(tmp_path):
    with pytest.raises(UserError, match=r"holds no dataset for these .* settings; run jobs/preprocess\.py first"):
        load_latest(str(tmp_path), "settings")


@pytest.mark.parametrize(
    ("channels", "types", "told"),
    [
        (("M1",), ("mag",), "sub-02 run 01 differs .* in its MEG channels: it lacks G1;"),
        (("M1", "G1", "G2"), ("mag", "grad", "grad"), "it has G2 besides;"),
        (("M1", "G3"), ("mag", "grad"), "it lacks G1 and has G3 besides;"),
        (("M1", "G1"), ("mag", "mag"), r"it has other types for G1 \(mag, not grad\);"),
        (("G1", "M1"), ("grad", "mag"), "it has them in another order;"),
    ],
)
def test_e4_the_odd_recording_and_its_channels_are_named(channels, types, told):
    odd = _entry("02", channels={"eeg": ("E1", "E2"), "meg": channels}, types={"eeg": ("eeg", "eeg"), "meg": types})
    with pytest.raises(UserError, match=told):
        Manifest.of([_entry("01"), odd, _entry("03")], "p")


def test_e4_a_recording_without_a_modality_is_named():
    odd = _entry("03", channels={"eeg": ("E1", "E2")}, types={"eeg": ("eeg", "eeg")})
    with pytest.raises(UserError, match="sub-03 run 01 .* MEG channels: it lacks M1, G1;"):
        Manifest.of([_entry("01"), _entry("02"), odd], "p")


def test_e4_another_sampling_rate_is_named():
    with pytest.raises(UserError, match=r"sub-01 run 02 is sampled at 250 Hz, others at 100 Hz; set preprocessing\.sfreq"):
        Manifest.of([_entry("01"), _entry("01", "02", sfreq=250.0), _entry("02")], "p")


def test_a_recording_twice_and_none_at_all_are_refused():
    with pytest.raises(UserError, match="sub-01 run 01 comes from two recordings"):
        Manifest.of([_entry(), _entry(fingerprint="other")], "p")
    with pytest.raises(UserError, match="no recording became a shard"):
        Manifest.of([], "p")
