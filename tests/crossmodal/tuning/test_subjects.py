"""Development and test subjects never meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.config import Experiment, UserError
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.tuning.subjects import divide
from tests.bare_datasets import bare_manifest


def cohort(n_subjects: int) -> Manifest:
    return bare_manifest(f"{index:02d}" for index in range(n_subjects))


def experiment(seed: int = 0, split: dict | None = None, **tuning: object) -> Experiment:
    settings = {"name": "a", "seed": seed, "recordings": {"kind": "bids", "root": "b"}, "tuning": tuning}
    return Experiment.model_validate(settings | ({"split": split} if split else {}))


@given(n_subjects=st.integers(4, 30), folds=st.integers(2, 8), seed=st.integers(0, 99))
def test_every_development_subject_is_left_out_once_and_no_test_subject_is_in_any_fold(n_subjects, folds, seed):
    manifest = cohort(n_subjects)
    split, test = divide(experiment(seed, folds=folds), manifest.subjects)
    try:
        made = make_folds(split, manifest)
    except UserError:
        assert n_subjects - len(test) < 2 * folds
        return
    left_out = [part.subject for fold in made for part in fold.test]
    assert sorted([*left_out, *test]) == list(manifest.subjects)
    for fold in made:
        roles = [{part.subject for part in fold.parts(role)} for role in ("train", "validation", "test")]
        assert all(roles)
        assert not (roles[0] & roles[1])
        assert not (roles[0] & roles[2])
        assert not (roles[1] & roles[2])
        assert not (set.union(*roles) & set(test))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"test_subjects": ["77"]}, "subject '77' is not in the dataset"),
        ({"test_subjects": ["00", "01", "02"]}, "a search with 1 for validation needs at least 3"),
        ({"split": {"kind": "leaky_windows"}}, "not as 'leaky_windows'"),
    ],
)
def test_a_division_that_cannot_be_is_refused(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        divide(experiment(**settings), cohort(5).subjects)
