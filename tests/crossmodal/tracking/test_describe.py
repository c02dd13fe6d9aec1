import shutil

import pytest

from crossmodal.tracking.describe import document_without_credentials, git_commit, parameters, same_code, without_credentials
from tests.checkout import commit_all, git


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket/path", "s3://bucket/path"),
        ("postgresql://me:secret@host/db", "postgresql://host/db"),
        ("https://host/file.fif?X-Amz-Signature=secret&a=b", "https://host/file.fif"),
        ("https://host/file.fif?versionId=3", "https://host/file.fif?versionId=3"),
        ("{'root': 'https://token@host/x', 'n': 3}", "{'root': 'https://host/x', 'n': 3}"),
    ],
)
def test_credentials_are_cut_out(text, expected):
    assert without_credentials(text) == expected


def test_credentials_are_cut_out_of_a_document_that_stays_one():
    document = {"store": "https://host/x?token=secret", "files": [{"uri": "s3://me:secret@host/a", "n": 3}], "patience": None}
    cleaned = {"store": "https://host/x", "files": [{"uri": "s3://host/a", "n": 3}], "patience": None}
    assert document_without_credentials(document) == cleaned


def test_settings_become_flat_parameters():
    settings = {"training": {"epochs": 3, "patience": None}, "split": {"train": ["1", "2"]}, "bands": {}}
    assert parameters(settings) == {"training.epochs": "3", "training.patience": "None", "split.train": "['1', '2']", "bands": "{}"}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.delenv("CROSSMODAL_COMMIT", raising=False)
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "code.py").write_text("one")
    return folder


def test_a_checkout_names_its_commit_and_that_it_was_edited(checkout):
    commit = commit_all(checkout)
    assert git_commit(checkout) == commit
    (checkout / "code.py").write_text("two")
    assert git_commit(checkout) == f"{commit}-dirty"


@pytest.mark.parametrize("state", [(), ("pack-refs", "--all"), ("checkout", "--quiet", "--detach")], ids=["branch", "packed", "detached"])
def test_a_submitted_copy_names_its_commit_and_that_it_may_have_been_edited(checkout, state):
    commit = commit_all(checkout)
    if state:
        git(checkout, *state)
    shutil.rmtree(checkout / ".git/objects")
    assert git_commit(checkout) == f"{commit}-changes-unknown"


def test_an_image_names_its_commit_in_a_file(checkout):
    (checkout / "COMMIT").write_text("abc-dirty\n")
    assert git_commit(checkout) == "abc-dirty"


def test_a_copy_within_another_checkout_is_not_at_its_commit(checkout):
    commit_all(checkout)
    (checkout / "copy").mkdir()
    assert git_commit(checkout / "copy") == "unknown"


def test_a_copy_whose_commit_is_told_names_it(monkeypatch):
    monkeypatch.setenv("CROSSMODAL_COMMIT", "abc")
    assert git_commit() == "abc"


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [
        ("abc", "abc", True),
        ("abc", "def", False),
        ("abc-dirty", "def", False),
        ("abc-dirty", "abc-dirty", None),
        ("abc", "abc-dirty", None),
        ("abc-changes-unknown", "abc", None),
        ("abc-changes-unknown", "def-dirty", False),
        ("unknown", "unknown", None),
        ("abc", "unknown", None),
    ],
)
def test_code_is_the_same_only_where_both_sides_know(was, now, same):
    assert same_code(was, now) is same
    assert same_code(now, was) is same
