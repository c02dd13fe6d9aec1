from pathlib import Path

from crossmodal.datasets.manifest import publish
from crossmodal.tuning.locks import Lock, locks, write_lock
from tests.bare_datasets import bare_manifest


def test_what_studies_keep_is_known_for_all_datasets_that_share_recordings(tmp_path, s3):
    for store in (str(tmp_path), f"{s3}/{tmp_path.name}"):
        before, after, another = (bare_manifest(subjects) for subjects in ("12", "123", "45"))
        for dataset in (before, after, another):
            publish(dataset, store, "settings")
        assert locks(store, before) == ()
        kept = [
            Lock(study=study, dataset=dataset.fingerprint, subjects=subjects)
            for study, dataset, subjects in (("first", before, ("2",)), ("grown", after, ("2", "3")), ("other", another, ("5",)))
        ]
        for lock in kept:
            write_lock(store, lock)
        assert locks(store, before) == locks(store, after) == (kept[0], kept[1])
        assert locks(store, another) == (kept[2],)


def test_a_deleted_dataset_unlocks_nobody(tmp_path):
    store, before, after = str(tmp_path), bare_manifest("12"), bare_manifest("123")
    for dataset in (before, after):
        publish(dataset, store, "settings")
    write_lock(store, Lock(study="first", dataset=before.fingerprint, subjects=("2",)))
    Path(store, "datasets", f"{before.fingerprint}.json").unlink()
    assert [lock.study for lock in locks(store, after)] == ["first"]
