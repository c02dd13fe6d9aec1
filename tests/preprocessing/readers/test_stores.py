"""Datasets and single files on a store that refuses or does not answer: one sentence, whatever asks first."""

import os

import pytest

from crossmodal.config import UnavailableError, UserError
from crossmodal.config.eeg_fmri import BidsFmriRecordings, NoddiRecordings, OddballRecordings
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from crossmodal.storage.s3 import ObjectStore
from crossmodal.storage.uri import join, open_fs, write_bytes
from preprocessing.readers.entry import SourceFile
from preprocessing.readers.reading import list_recordings, open_recording
from preprocessing.recording import preprocess_recording
from tests.preprocessing.readers import layouts
from tests.servers import free_port, s3_gate, s3_server

SECRET = "secret-never-told"
_IDENTITY = [b"1 0 0 0", b"0 1 0 0", b"0 0 1 0", b"0 0 0 1"]
TOLD = {
    "wrong": "the store refused; check the bucket's name and the AWS_",
    "missing": "no credentials; set AWS_ACCESS_KEY_ID",
    "away": "the store cannot be reached; check its address",
}
ASKED = {
    "bids": lambda: list_recordings(BidsRecordings(root="s3://bucket/ds")),
    "bids_fmri": lambda: list_recordings(BidsFmriRecordings(root="s3://bucket/ds")),
    "noddi": lambda: list_recordings(NoddiRecordings(root="s3://bucket/ds")),
    "oddball": lambda: list_recordings(OddballRecordings(root="s3://bucket/ds")),
    "files": lambda: list_recordings(FileRecordings(files=(FileEntry(path="s3://bucket/ds/a.fif", subject="01"),))),
    "one file": lambda: SourceFile.at("s3://bucket/ds/atlas.nii.gz"),
}


@pytest.fixture
def fault(request, s3, monkeypatch):
    """Break the way to the store; clients know their credentials from when they were made."""
    if request.param == "wrong":
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    elif request.param == "missing":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "absent")
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    ObjectStore.clear_instance_cache()
    yield request.param
    ObjectStore.clear_instance_cache()


@pytest.mark.parametrize("fault", TOLD, indirect=True)
@pytest.mark.parametrize("asked", ASKED)
def test_a_store_that_cannot_be_used_is_told_in_one_sentence(fault, asked):
    with pytest.raises(UserError, match=f"^s3://bucket/ds.* at {os.environ['AWS_ENDPOINT_URL']}: {TOLD[fault]}") as told:
        ASKED[asked]()
    assert "\n" not in str(told.value)
    assert SECRET not in str(told.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_missing(s3):
    uri = join(s3, "single/folder/atlas.nii.gz")
    write_bytes(uri, b"x")
    assert SourceFile.at(uri).size_bytes == 1
    for other in ("single/folder", "single/none.nii.gz"):
        assert SourceFile.at(join(s3, other)) == SourceFile.missing(join(s3, other))


@pytest.mark.parametrize("named", ["motion", "transforms"])
def test_a_file_that_its_store_forbids_is_an_error_of_its_recording_alone(s3, tmp_path, named):
    uri = join(s3, f"forbids_{named}")
    for subject in ("01", "02"):
        layouts.cn_epfl(tmp_path / "ds", subject)
        write_bytes(join(uri, f"{subject}.txt"), b"\n".join([b"0 0 0 0 0 0"] * 40 if named == "motion" else _IDENTITY))
    filesystem, path = open_fs(uri)
    filesystem.put(f"{tmp_path}/ds/", f"{path}/ds", recursive=True)
    with s3_gate(os.environ["AWS_ENDPOINT_URL"], forbidden=[f"/{path}/01.txt"]) as (address, _):
        recordings = BidsFmriRecordings(root=join(uri, "ds"), endpoint_url=address, **{named: join(uri, "{subject}.txt")})
        first, second = list_recordings(recordings)
        with pytest.raises(UserError, match=f"^{uri}/01.txt at {address}: the store refused; .*Forbidden") as told:
            open_recording(first, recordings, tmp_path)
        assert not isinstance(told.value, UnavailableError)
        assert getattr(open_recording(second, recordings, tmp_path).bold, named.removesuffix("s")) is not None


def test_a_public_dataset_is_read_anonymously_where_there_are_no_credentials(bids, tmp_path, monkeypatch):
    """As ds000117 is on openneuro.org."""
    bids("01", "02").rename(tmp_path / "ds")
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "absent")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with s3_server(tmp_path / "s3", public=True) as (_, variables):
        (tmp_path / "ds").rename(tmp_path / "s3/bucket/ds")
        recordings = BidsRecordings(root="s3://bucket/ds", anonymous=True, endpoint_url=variables["AWS_ENDPOINT_URL"])
        first, second = list_recordings(recordings)
        assert (first.label, second.label) == ("sub-01 run 01", "sub-02 run 01")
        made = preprocess_recording(first, recordings, Preprocessing(), scratch)
        with pytest.raises(UserError, match="no credentials; set .*, or read anonymously"):
            list_recordings(recordings.model_copy(update={"anonymous": False}))
    assert made.signals["eeg"].names == ("C3", "C4", "Fp1", "O1", "O2", "P7", "P8")
    assert made.events.trial_type == ("Famous", "Scrambled")
    assert {file["uri"].partition("sub-")[0] for file in made.provenance["source"]} == {"s3://bucket/ds/"}
