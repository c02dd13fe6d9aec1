"""Whether a champion can defend its title on another dataset."""

import pytest

from crossmodal.config import UserError
from crossmodal.datasets.manifest import publish
from crossmodal.nightly.defence import has_grown
from crossmodal.tracking.champions import Champion
from tests.bare_datasets import bare_manifest


def dataset(store, *subjects, preprocessed="once"):
    manifest = bare_manifest(subjects, preprocessing=preprocessed)
    publish(manifest, store, preprocessed)
    return manifest


def champion_of(manifest, test):
    return Champion("1", "run", 0, manifest.fingerprint, "folds", {}, test, {}, "2026-03-01", "Promoted: it is better.")


def test_a_dataset_has_grown_when_it_has_all_that_it_had_and_more(tmp_path):
    store = str(tmp_path)
    before = dataset(store, "1", "2", "3")
    champion = champion_of(before, ("1",))
    assert has_grown(champion, store, dataset(store, "1", "2", "3", "4"), ("1",))
    assert has_grown(champion, store, dataset(store, "1", "2", "3", "4"), ("1", "4"))
    assert not has_grown(champion, store, before, ("1",))
    assert not has_grown(champion, store, dataset(store, "1", "2"), ("1",))
    assert not has_grown(champion, store, dataset(store, "1", "2", "4", "5"), ("1",))
    assert not has_grown(champion, store, dataset(store, "1", "2", "3", "4", preprocessed="otherwise"), ("1",))


def test_the_dataset_of_another_store_is_not_known(tmp_path):
    champion = champion_of(dataset(str(tmp_path / "one"), "1", "2"), ("1",))
    assert not has_grown(champion, str(tmp_path / "other"), dataset(str(tmp_path / "other"), "1", "2", "3"), ("1",))


def test_locked_subjects_stay_locked_while_it_grows(tmp_path):
    store = str(tmp_path)
    champion = champion_of(dataset(store, "1", "2", "3"), ("1", "3"))
    with pytest.raises(UserError, match=r"test_subjects: .* subject '3', locked until now, .* set it to \[1, 3\], or to more"):
        has_grown(champion, store, dataset(store, "1", "2", "3", "4"), ("1", "4"))
