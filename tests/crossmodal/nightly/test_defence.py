"""Whether a champion can defend its title on another dataset."""

import pytest

from crossmodal.config import UserError
from crossmodal.datasets.manifest import publish
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.nightly.defence import must_defend
from crossmodal.tracking.champions import Champion
from tests.bare_datasets import bare_manifest


def dataset(store, *subjects, preprocessed="once"):
    manifest = bare_manifest(subjects, preprocessing=preprocessed)
    publish(manifest, store, preprocessed)
    return manifest


def champion_of(manifest, test, protocol=PROTOCOL):
    return Champion("1", "run", 0, manifest.fingerprint, "folds", {}, test, {}, "2026-03-01", "Promoted: it is better.", protocol)


def test_a_dataset_has_grown_when_it_has_all_that_it_had_and_more(tmp_path):
    store = str(tmp_path)
    before = dataset(store, "1", "2", "3")
    champion = champion_of(before, ("1",))
    assert must_defend(champion, store, dataset(store, "1", "2", "3", "4"), ("1",))
    assert must_defend(champion, store, dataset(store, "1", "2", "3", "4"), ("1", "4"))
    assert not must_defend(champion, store, before, ("1",))
    assert not must_defend(champion, store, dataset(store, "1", "2"), ("1",))
    assert not must_defend(champion, store, dataset(store, "1", "2", "4", "5"), ("1",))
    assert not must_defend(champion, store, dataset(store, "1", "2", "3", "4", preprocessed="otherwise"), ("1",))


def test_the_dataset_of_another_store_is_not_known(tmp_path):
    champion = champion_of(dataset(str(tmp_path / "one"), "1", "2"), ("1",))
    assert not must_defend(champion, str(tmp_path / "other"), dataset(str(tmp_path / "other"), "1", "2", "3"), ("1",))


def test_locked_subjects_stay_locked_while_it_grows(tmp_path):
    store = str(tmp_path)
    champion = champion_of(dataset(store, "1", "2", "3"), ("1", "3"))
    with pytest.raises(UserError, match=r"test_subjects: .* subject '3', locked until now, .* set it to \[1, 3\], or to more"):
        must_defend(champion, store, dataset(store, "1", "2", "3", "4"), ("1", "4"))


def test_a_champion_of_an_older_protocol_is_scored_anew_before_it_is_compared(tmp_path):
    """A mended fault may change all shards, so that the recordings are the same ones by subject and run alone."""
    store = str(tmp_path)
    before = dataset(store, "1", "2", "3")
    champion = champion_of(before, ("1",), protocol=PROTOCOL - 1)
    assert must_defend(champion, store, before, ("1",))
    mended = dataset(store, "1", "2", "3", preprocessed="mended")
    assert must_defend(champion, store, mended, ("1",))
    assert not must_defend(champion_of(before, ("1",)), store, mended, ("1",))
    assert not must_defend(champion, store, dataset(store, "1", "2"), ("1",))
