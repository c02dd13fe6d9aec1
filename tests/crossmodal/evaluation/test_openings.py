from crossmodal.datasets.manifest import publish
from crossmodal.evaluation.openings import openings, record_opening
from tests.bare_datasets import bare_manifest


def published(store, *subjects):
    manifest = bare_manifest(subjects)
    publish(manifest, store, "settings")
    return manifest


def test_each_run_that_looks_counts_once_and_also_after_the_dataset_has_grown(tmp_path, s3):
    for store in (str(tmp_path), f"{s3}/{tmp_path.name}"):
        before, after, another = published(store, "1", "3", "4"), published(store, "1", "2", "3", "4"), published(store, "5", "6")
        assert openings(store, before) == ()
        for run in ("one", "two", "one"):
            record_opening(store, before.fingerprint, run, "promotion", ("3", "4"))
        record_opening(store, another.fingerprint, "three", "promotion", ("5",))
        record_opening(store, after.fingerprint, "four", "promotion", ("3", "4"))
        assert [opening.run for opening in openings(store, before)] == [opening.run for opening in openings(store, after)]
        assert sorted(opening.run for opening in openings(store, after)) == ["four", "one", "two"]
        assert [opening.subjects for opening in openings(store, another)] == [("5",)]


def test_a_run_that_looks_at_further_subjects_names_them_all(tmp_path):
    store = str(tmp_path)
    dataset = published(store, "1", "2", "3")
    for subjects in (("2",), ("1",), ("2",)):
        record_opening(store, dataset.fingerprint, "one", "evaluation", subjects)
    assert [(opening.run, opening.subjects) for opening in openings(store, dataset)] == [("one", ("1", "2"))]


def test_a_deleted_dataset_hides_no_look(tmp_path):
    store = str(tmp_path)
    before, after, another = published(store, "1", "2"), published(store, "1", "2", "3"), published(store, "5", "6")
    record_opening(store, before.fingerprint, "one", "promotion", ("2",))
    record_opening(store, another.fingerprint, "two", "promotion", ("5",))
    for dataset in (before, another):
        (tmp_path / "datasets" / f"{dataset.fingerprint}.json").unlink()
    assert [opening.run for opening in openings(store, after)] == ["one"]
