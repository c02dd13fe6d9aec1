"""E6, and that no subject has two roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.config.data import FixedSplit, LeakyWindows, LeaveOneSessionOut, LeaveOneSubjectOut, Part, WithinRecordings
from crossmodal.datasets.folds import ROLES, make_folds
from crossmodal.datasets.manifest import Manifest
from tests.bare_datasets import bare_entry, bare_manifest


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


@given(n_subjects=st.integers(1, 6), n_sessions=st.integers(2, 4), validation=st.integers(1, 3))
def test_each_session_is_the_test_once_and_has_one_role(n_subjects, n_sessions, validation):
    subjects, sessions = [f"{index:02d}" for index in range(n_subjects)], tuple(map(str, range(n_sessions)))
    manifest, split = bare_manifest(subjects, sessions=sessions), LeaveOneSessionOut(validation_sessions=validation)
    if n_subjects * n_sessions < validation + 2:
        with pytest.raises(UserError, match=f"needs {validation + 2} sessions, the dataset has {n_subjects * n_sessions}"):
            make_folds(split, manifest)
        return
    folds = make_folds(split, manifest)
    everything = [(subject, session) for subject in subjects for session in sessions]
    assert [(part.subject, part.session) for fold in folds for part in fold.test] == everything
    for fold in folds:
        assert sorted((part.subject, part.session) for role in ROLES for part in fold.parts(role)) == everything
        assert len(fold.validation) == validation
        for entry in manifest.entries:
            assert sum(part.takes(entry.subject, entry.session, entry.run) for role in ROLES for part in fold.parts(role)) == 1


def test_other_sessions_of_the_subject_teach_and_others_validate():
    first, *_ = make_folds(LeaveOneSessionOut(), bare_manifest(["01", "02"], sessions=("a", "b")))
    assert (first.name, first.label) == ("sub-01_ses-a", "within subject")
    assert [part.label for part in first.validation] == ["02 ses-a"]
    assert [part.label for part in first.train] == ["01 ses-b", "02 ses-b"]


def test_a_subject_of_one_session_teaches_and_is_never_the_test():
    manifest = Manifest.of([bare_entry("01", "a"), bare_entry("01", "b"), bare_entry("02"), bare_entry("03")], "test")
    folds = make_folds(LeaveOneSessionOut(), manifest)
    assert [fold.name for fold in folds] == ["sub-01_ses-a", "sub-01_ses-b"]
    assert {part.label for part in (*folds[0].train, *folds[0].validation)} == {"01 ses-b", "02", "03"}


@pytest.mark.parametrize("sessions", [("",), ("a",)])
def test_where_nobody_has_two_sessions_none_is_left_out(sessions):
    with pytest.raises(UserError, match="needs a subject with several sessions, and the dataset has none"):
        make_folds(LeaveOneSessionOut(), bare_manifest(["01", "02", "03"], sessions=sessions))


def test_a_session_is_named_in_a_fixed_split():
    split = FixedSplit(train=(Part(subject="01", session="a"),), validation=("02",), test=(Part(subject="01", session="b"),))
    manifest = bare_manifest(["01", "02"], sessions=("a", "b"))
    assert make_folds(split, manifest)[0].label == "within subject"
    absent = split.model_copy(update={"test": (Part(subject="01", session="c"),)})
    with pytest.raises(UserError, match="split.test: subject '01' has no session 'c'; it has a, b"):
        make_folds(absent, manifest)
    elsewhere = split.model_copy(update={"test": (Part(subject="01", session="b", run="ses-a_01"),)})
    with pytest.raises(UserError, match="has no run 'ses-a_01' in session 'b'"):
        make_folds(elsewhere, manifest)


def test_recordings_are_cut_in_three_with_gaps():
    (fold,) = make_folds(WithinRecordings(gap_s=1, validation=0.25, test=0.25), bare_manifest(["01", "02"]))
    assert fold.label == "within recording"
    for subject in ("01", "02"):
        parts = [next(part for part in fold.parts(role) if part.subject == subject) for role in ROLES]
        assert [(part.start_s, part.stop_s) for part in parts] == [(0, 4), (5, 7), (8, 10)]


def test_a_recording_that_gaps_leave_nothing_of_is_refused():
    with pytest.raises(UserError, match="sub-01 run 01 lasts 10 s, which cannot be cut into three with gaps of 5 s"):
        make_folds(WithinRecordings(gap_s=5), bare_manifest(["01"]))


def test_a_leaky_fold_says_so():
    (fold,) = make_folds(LeakyWindows(), bare_manifest(["01", "02"]))
    assert fold.leaky
    assert fold.label == "leaky"
    assert fold.name == "leaky"
