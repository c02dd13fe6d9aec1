"""E6, and that no subject has two roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.config.data import FixedSplit, LeakyWindows, LeaveOneSubjectOut, Part
from crossmodal.datasets.folds import make_folds
from tests.bare_datasets import bare_manifest


@given(n_subjects=st.integers(3, 20), validation=st.integers(1, 5))
def test_each_subject_is_the_test_once_and_has_one_role(n_subjects, validation):
    subjects = [f"{index:02d}" for index in range(n_subjects)]
    split = LeaveOneSubjectOut(validation_subjects=validation)
    if n_subjects < validation + 2:
        with pytest.raises(UserError, match=f"needs {validation + 2} subjects, the dataset has {n_subjects}"):
            make_folds(split, bare_manifest(subjects))
        return
    folds = make_folds(split, bare_manifest(subjects))
    assert [fold.test[0].subject for fold in folds] == subjects
    for fold in folds:
        named = [part.subject for role in ("train", "validation", "test") for part in fold.parts(role)]
        assert sorted(named) == subjects
        assert len(fold.validation) == validation


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (LeaveOneSubjectOut(held_out=("09",)), "split.held_out: subject '09' is not in the dataset; it has 01, 02, 03, 04"),
        (LeaveOneSubjectOut(held_out=("01", "01")), "subject '01' is named twice"),
        (FixedSplit(train=("01",), validation=("02",), test=("07",)), "split.test: subject '07' is not in the dataset"),
        (FixedSplit(train=("01", "01"), validation=("02",), test=("03",)), "sub-01 is named twice in split.train"),
        (FixedSplit(train=("01", "03"), validation=("02",), test=("03",)), "sub-03 is named twice in split.train and split.test"),
        (FixedSplit(train=("01",), validation=("02",), test=(Part(subject="03", run="9"),)), "subject '03' has no run '9'; it has 01"),
        (FixedSplit(train=("01",), validation=("02",), test=(Part(subject="03", start_s=10),)), "holds nothing, the recording lasts 10 s"),
        (
            FixedSplit(train=(Part(subject="01", stop_s=5),), validation=("02",), test=(Part(subject="01", start_s=5.5),), gap_s=1),
            "sub-01 is named twice in split.train and split.test less than 1 s apart",
        ),
        (FixedSplit(train=(Part(subject="01", stop_s=5),), validation=("02",), test=(Part(subject="01", start_s=4),)), "sub-01 is named"),
    ],
)
def test_a_fold_that_names_an_absent_subject_or_one_twice_is_refused(split, sentence):
    with pytest.raises(UserError, match=sentence):
        make_folds(split, bare_manifest(["01", "02", "03", "04"]))


def test_stretches_of_one_recording_may_have_several_roles_with_a_gap_and_are_labelled():
    split = FixedSplit(train=(Part(subject="01", stop_s=4),), validation=("02",), test=(Part(subject="01", run="01", start_s=5),), gap_s=1)
    (fold,) = make_folds(split, bare_manifest(["01", "02"]))
    assert fold.label == "within recording"


def test_a_gap_may_be_exactly_what_is_asked_for():
    """Written in decimals, which floating point rounds: 1.4 - 1.3 < 0.1."""
    split = FixedSplit(train=(Part(subject="01", stop_s=1.3),), validation=("02",), test=(Part(subject="01", start_s=1.4),), gap_s=0.1)
    assert make_folds(split, bare_manifest(["01", "02"]))[0].label == "within recording"


@pytest.mark.parametrize(("train", "validation"), [(Part(subject="01", run="01"), "02"), ("02", Part(subject="01", run="01"))])
def test_other_runs_of_a_training_or_validation_subject_are_within_a_subject(train, validation):
    split = FixedSplit(train=(train,), validation=(validation,), test=(Part(subject="01", run="02"),))
    (fold,) = make_folds(split, bare_manifest(["01", "02"], runs=("01", "02")))
    assert fold.label == "within subject"


def test_a_fold_of_other_people_needs_no_label():
    assert {fold.label for fold in make_folds(LeaveOneSubjectOut(), bare_manifest(["01", "02", "03"]))} == {""}


def test_a_leaky_fold_says_so():
    (fold,) = make_folds(LeakyWindows(), bare_manifest(["01", "02"]))
    assert fold.leaky
    assert fold.label == "leaky"
    assert fold.name == "leaky"
