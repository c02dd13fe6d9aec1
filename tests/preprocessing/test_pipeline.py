import os
import re
from pathlib import Path

import pytest
import ray

from crossmodal.config import Experiment, UnavailableError, UserError
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from crossmodal.datasets.manifest import load_latest
from crossmodal.datasets.shard import Shard
from crossmodal.storage.node_cache import NodeCache
from crossmodal.storage.uri import join, open_fs
from preprocessing import pipeline
from preprocessing.pipeline import alike_in_need, preprocess_dataset, task_memory
from preprocessing.plan import plan_dataset
from preprocessing.readers.entry import Entry, SourceFile

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def workers(s3):
    """Run Ray with one worker, which inherits the way to the S3 server."""
    environment = {"PYTHONPATH": f"{_ROOT / 'platform'}:{_ROOT}"}
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=2**27,
        runtime_env={"env_vars": environment},
    )
    yield
    ray.shutdown()


def _experiment(root, store, **settings):
    return Experiment(
        name="test", store=str(store), recordings=BidsRecordings(root=str(root), **settings), preprocessing=Preprocessing(sfreq=100.0)
    )


def _run(experiment):
    told = []
    report = preprocess_dataset(plan_dataset(experiment), told.append)
    assert sorted(outcome.entry.label for outcome in told) == sorted(outcome.entry.label for outcome in report.outcomes)
    return report


def test_second_run_makes_nothing_and_a_changed_recording_alone_is_made_again(bids, tmp_path):
    experiment = _experiment(bids("01", "02"), tmp_path / "store")
    first = _run(experiment)
    assert (first.count("made"), first.count("cached"), first.count("failed")) == (2, 0, 0)
    assert not plan_dataset(experiment).missing
    second = _run(experiment)
    assert (second.count("made"), second.count("cached"), second.name) == (0, 2, first.name)
    assert load_latest(experiment.store, experiment.dataset_recipe) == first.manifest

    recording = next((tmp_path / "bids/sub-02").rglob("*_meg.fif"))
    os.utime(recording, (1, 1))
    assert [entry.subject for entry in plan_dataset(experiment).missing.values()] == ["02"]


def test_broken_recording_is_a_failure_with_its_cause_and_the_others_go_on(bids, tmp_path):
    root = bids("01", "02", "03")
    broken = next((root / "sub-02").rglob("*_meg.fif"))
    broken.write_bytes(broken.read_bytes()[:1000])
    report = _run(_experiment(root, tmp_path / "store"))
    assert [outcome.status for outcome in report.outcomes] == ["made", "failed", "made"]
    assert report.outcomes[1].cause.startswith(f"{broken}: cannot be read")
    assert report.manifest.subjects == ("01", "03")
    assert len(list((tmp_path / "store/shards").iterdir())) == 2


def test_of_two_named_files_that_are_the_same_run_neither_is_taken(make_raw, tmp_path):
    for seed, name in enumerate("abc"):
        make_raw(seed=seed).save(tmp_path / f"{name}_raw.fif", verbose="error")
    named = [FileEntry(path=str(tmp_path / f"{name}_raw.fif"), subject=subject) for name, subject in zip("abc", "112", strict=True)]
    experiment = Experiment(name="test", store=str(tmp_path / "store"), recordings=FileRecordings(files=tuple(named)))
    report = _run(experiment)
    assert [outcome.status for outcome in report.outcomes] == ["failed", "failed", "made"]
    assert report.outcomes[0].cause == f"{tmp_path}/a_raw.fif: is sub-1 run 01, and so is {tmp_path}/b_raw.fif; keep one of them"
    assert report.manifest.subjects == ("2",)


def test_what_nobody_foresaw_is_told_with_its_place(tmp_path):
    row = {"name": "shard", "entry": _sized(1).model_dump_json()}
    told = pipeline._make_shard(row, recordings=None, preprocessing=Preprocessing(), store=str(tmp_path))
    assert re.fullmatch(r"/x: AttributeError: 'NoneType' .* \(in \w+, \w+\.py:\d+\)", told["cause"])
    assert not told["again"]


def _sized(size_bytes):
    return Entry(subject=str(size_bytes), run="01", files=(SourceFile(uri="/x", size_bytes=size_bytes, version="1"),))


def test_memory_is_declared_by_need_and_never_more_than_a_node_has():
    gb = 10.0**9
    groups = alike_in_need({str(need): need for need in (6 * gb, 600 * gb, 54 * gb, 60 * gb, 0.0)})
    assert [list(group.values()) for group in groups] == [[600 * gb], [60 * gb, 54 * gb], [6 * gb], [0]]
    declared = [task_memory(max(group.values()), node_memory=200 * gb) for group in groups]
    assert declared == [160 * gb, 60 * gb, 6 * gb, 500 * 2**20]


def test_recordings_of_very_different_sizes_are_made_in_one_go(bids, tmp_path):
    root = bids("01", duration_s=8.0)
    bids("02", duration_s=100.0)
    report = _run(_experiment(root, tmp_path / "store"))
    assert [entry.n_samples for entry in report.manifest.entries] == [800, 10_000]


def test_no_dataset_is_published_while_shards_cannot_be_kept(bids, tmp_path, small_disk):
    store = small_disk / "store"
    root = bids("01", duration_s=8.0)
    bids("02", duration_s=400.0)
    with pytest.raises(UnavailableError, match=r"no space left.*\(1 of 2 recordings are done; run again for the others\)"):
        _run(_experiment(root, store))
    assert len(list((store / "shards").iterdir())) == 1
    assert not (store / "datasets").exists()


def test_from_s3_to_s3(bids, s3, tmp_path):
    root = bids("01")
    filesystem, path = open_fs(join(s3, "raw"))
    filesystem.put(str(root) + "/", path, recursive=True)
    experiment = _experiment(join(s3, "raw"), join(s3, "store"))
    before = filesystem.find(path, detail=True)
    report = _run(experiment)
    assert report.count("made") == 1
    assert filesystem.find(path, detail=True) == before
    assert not plan_dataset(experiment).missing
    entry = load_latest(experiment.store, experiment.dataset_recipe).entries[0]
    shard = Shard.open(NodeCache(tmp_path / "cache", max_bytes=2**30).fetch(entry.uri, entry.size_bytes), verify=True)
    assert {kind: samples_tc.shape for kind, samples_tc in shard.signal("meg").items()} == {"mag": (1000, 3), "grad": (1000, 2)}
    source = shard.metadata("eeg")["provenance"]["source"][0]
    assert source["uri"] == join(s3, "raw/sub-01/ses-meg/meg/sub-01_ses-meg_task-faces_run-01_meg.fif")


def test_real_metadata_without_recordings_fails_naming_a_file(real_data, tmp_path):
    experiment = _experiment(real_data / "ds000117_bids", tmp_path / "store", subjects=("01",))
    outcomes = []
    with pytest.raises(UserError, match=r"no recording could be preprocessed: .*run-01_meg.fif: the recording is an empty file.*5 others"):
        preprocess_dataset(plan_dataset(experiment), outcomes.append)
    assert {outcome.cause.partition(": ")[0] for outcome in outcomes} == {outcome.entry.uri for outcome in outcomes}
    assert len(outcomes) == 6


def test_a_recording_with_other_channels_is_a_failure_and_the_others_are_a_dataset(bids, tmp_path):
    root = bids("01", "02", "03")
    next((root / "sub-02").rglob("*channels.tsv")).write_text("name\ttype\nO1\tECG\nFp2\tVEOG\n")
    report = _run(_experiment(root, tmp_path / "store"))
    assert [outcome.status for outcome in report.outcomes] == ["made", "failed", "made"]
    odd = report.outcomes[1]
    assert odd.cause.startswith(f"{odd.entry.uri}: differs from other recordings in its EEG channels: it lacks O1; leave it out")
    assert report.manifest.subjects == ("01", "03")
    # One against one, nobody can tell which of them is odd.
    with pytest.raises(UserError, match="^sub-02 run 01 differs from other recordings in its EEG channels: it lacks O1;"):
        _run(_experiment(root, tmp_path / "store", subjects=("01", "02")))


def test_store_without_space_is_told(bids, small_disk):
    experiment = _experiment(bids("01", duration_s=400.0), small_disk)
    with pytest.raises(UserError, match=f"{small_disk}.*no space left"):
        _run(experiment)
    assert not any(small_disk.rglob("*.arrow"))


@pytest.mark.slow
def test_recording_that_kills_its_worker_is_a_failure_and_the_others_go_on(bids, tmp_path, monkeypatch):
    make_shard = pipeline._make_shard

    def make_or_die(row, **settings):
        if '"subject":"01"' in row["entry"]:
            os._exit(1)
        return make_shard(row, **settings)

    monkeypatch.setattr(pipeline, "_make_shard", make_or_die)
    report = _run(_experiment(bids("01", "02"), tmp_path / "store"))
    assert [outcome.status for outcome in report.outcomes] == ["failed", "made"]
    assert "the worker died" in report.failures[0].cause
