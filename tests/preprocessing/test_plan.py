"""What a plan tells without reading a recording: what it will take, and why a recording is made again."""

import os
from pathlib import Path

import pytest

from crossmodal.config import Experiment, UserError, fingerprint
from crossmodal.config.preprocessing import BidsRecordings, Preprocessing
from crossmodal.datasets.manifest import Manifest, load_last, publish, remember_last, shard_uri
from crossmodal.datasets.shard import read_entry, read_key, write_shard
from preprocessing.estimate import estimate
from preprocessing.needs import CORE_S_PER_GB
from preprocessing.plan import plan_dataset
from preprocessing.recording import preprocess_recording
from preprocessing.why import differences, explain


@pytest.fixture
def experiment(bids, tmp_path):
    """Two recordings, the first of which is in the last dataset."""
    recordings = BidsRecordings(root=str(bids("01", "02")))
    experiment = Experiment(name="test", store=str(tmp_path / "store"), recordings=recordings, preprocessing=Preprocessing())
    name, entry = next(iter(plan_dataset(experiment).entries.items()))
    folder = Path(shard_uri(experiment.store, name))
    shard = write_shard(preprocess_recording(entry, recordings, experiment.preprocessing, tmp_path), folder)
    remember_last(experiment.store, experiment.name, publish(Manifest.of([shard], "p"), experiment.store, "recipe"))
    return experiment


def _why(experiment, wanted):
    return explain(plan_dataset(experiment), wanted, load_last(experiment.store, experiment.name))


def test_a_shard_keeps_the_key_that_names_it(experiment):
    name = next(iter(plan_dataset(experiment).entries))
    uri = shard_uri(experiment.store, name)
    assert fingerprint(read_key(uri)) == name == read_entry(uri).fingerprint


def test_an_estimate_follows_the_sizes_of_what_is_missing(experiment):
    plan = plan_dataset(experiment)
    (present,), (missing,) = plan.present.values(), plan.missing.values()
    expected = estimate(plan, price=3.0)
    assert (expected.bytes_cached, expected.bytes_read) == (present.size_bytes, missing.size_bytes)
    assert expected.bytes_written == pytest.approx(present.size_bytes)
    assert expected.cost == 3.0 * expected.core_hours == pytest.approx(3.0 * missing.size_bytes / 1e9 * CORE_S_PER_GB["basic"] / 3600)
    assert list(expected.core_hours_by_step) == ["basic"]
    elsewhere = estimate(plan_dataset(experiment.model_copy(update={"store": f"{experiment.store}-2"})), price=3.0)
    assert (elsewhere.bytes_cached, elsewhere.bytes_written) == (0, None)


def test_what_changed_is_named(experiment):
    assert _why(experiment, "sub-01") == ["sub-01 run 01: its shard is there; nothing changed since the last dataset"]
    last = load_last(experiment.store, "test").fingerprint
    changed = experiment.model_copy(update={"preprocessing": Preprocessing(sfreq=125.0)})
    assert _why(changed, "sub-01 run 01") == [
        f"sub-01 run 01: is to be made; since the last dataset, {last}:",
        "  preprocessing.sfreq: 100.0 -> 125.0",
    ]
    entry = plan_dataset(experiment).entries[read_entry(load_last(experiment.store, "test").entries[0].uri).fingerprint]
    os.utime(entry.uri, (1, 1))
    (_, change) = _why(experiment, entry.files[0].name)
    assert change == f"  entry.files.{entry.files[0].name}.version: {entry.files[0].version} -> 1.0"


def test_what_cannot_be_compared_is_told(experiment):
    last = load_last(experiment.store, "test")
    assert _why(experiment, "sub-02") == [f"sub-02 run 01: is to be made; the last dataset, {last.fingerprint}, lacks it"]
    other = experiment.model_copy(update={"name": "other"})
    assert _why(other, "sub-02") == ["sub-02 run 01: is to be made; this experiment has published no dataset yet"]
    with pytest.raises(UserError, match="no recording is called 'sub-03'; .* there are sub-01 run 01, sub-02 run 01"):
        _why(experiment, "sub-03")
    Path(last.entries[0].uri, "shard.json").unlink()
    assert _why(experiment, "sub-01")[0].endswith(
        "is to be made; nothing changed since the last dataset, but its shard is gone from the store"
    )


def test_files_are_compared_by_name_and_what_came_or_went_is_told():
    old = {"files": [{"uri": "/a/x.fif", "size": 1}, {"uri": "/a/y.fif", "size": 2}], "gone": None, "same": [1, 2]}
    new = {"files": [{"uri": "/a/y.fif", "size": 3}], "same": [1, 2], "steps": {"reading": 2}}
    assert differences(old, new) == [
        "files.y.fif.size: 2 -> 3",
        "steps.reading: absent -> 2",
        "files.x.fif.uri: /a/x.fif -> absent",
        "files.x.fif.size: 1 -> absent",
    ]
