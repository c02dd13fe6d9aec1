import pytest

from crossmodal.tracking.describe import document_without_credentials, git_commit, parameters, without_credentials


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


def test_a_copy_without_a_repository_names_its_commit(monkeypatch):
    monkeypatch.setenv("CROSSMODAL_COMMIT", "abc")
    assert git_commit() == "abc"
