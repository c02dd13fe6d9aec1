"""Plain paths and a real S3 server behave alike; what goes wrong is told in one sentence."""

import logging
import os
import pickle
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow.fs
import pytest

from crossmodal.config import UserError
from crossmodal.storage import uri
from crossmodal.storage.uri import (
    arrow_filesystem,
    check_reachable,
    exists,
    fetch_folder,
    join,
    open_fs,
    publish_folder,
    read_bytes,
    read_json,
    write_bytes,
    write_json,
)


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of the test's own, on each kind of store."""
    return str(tmp_path / "store") if request.param == "local" else join(request.getfixturevalue("s3"), tmp_path.name)


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _folder(parent: Path, content: dict[str, bytes]) -> Path:
    folder = parent / "made"
    folder.mkdir()
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder


def test_files_come_back_as_written(store):
    check_reachable(store)
    place = join(store, "a", "b.json")
    assert not exists(place)
    write_json(place, {"x": [1, 2.5, None]})
    assert exists(place)
    assert exists(join(store, "a"))
    assert read_json(place) == {"x": [1, 2.5, None]}
    write_bytes(place, b"replaced")
    assert read_bytes(place) == b"replaced"
    with pytest.raises(UserError, match=r"b\.json: not a JSON document"):
        read_json(place)


def test_a_missing_file_is_missing(store):
    with pytest.raises(FileNotFoundError):
        read_bytes(join(store, "absent"))


def test_what_json_cannot_hold_is_not_written(store):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(join(store, "a.json"), float("nan"))
    assert not exists(join(store, "a.json"))


def test_folders_travel_whole(store, tmp_path):
    content = {"a": b"1", "b": bytes(100_000), "done": b"yes"}
    publish_folder(_folder(tmp_path, content), join(store, "x"), last="done")
    fetch_folder(join(store, "x"), tmp_path / "got")
    assert {path.name: path.read_bytes() for path in (tmp_path / "got").iterdir()} == content


@pytest.mark.slow
def test_a_large_file_goes_in_parts_and_comes_back(s3, tmp_path, caplog):
    """Beyond 100 MB s3fs uploads in parts of 50."""
    large = np.random.default_rng(0).bytes(120_000_000)
    place = join(s3, "parts", tmp_path.name)
    with caplog.at_level(logging.DEBUG, logger="s3fs"):
        publish_folder(_folder(tmp_path, {"large": large, "done": b""}), place, last="done")
    assert sum("CALL: upload_part" in message for message in caplog.messages) == 3
    fetch_folder(place, tmp_path / "got")
    assert (tmp_path / "got/large").read_bytes() == large


def test_a_published_folder_stays_as_it_is(store, tmp_path):
    for turn in (b"first", b"second"):
        (tmp_path / turn.decode()).mkdir()
        publish_folder(_folder(tmp_path / turn.decode(), {"done": turn}), join(store, "x"), last="done")
    assert read_bytes(join(store, "x", "done")) == b"first"


def test_an_upload_that_broke_off_is_absent_and_can_be_made_again(s3, tmp_path):
    place = join(s3, tmp_path.name)
    write_bytes(join(place, "a"), b"half")
    assert not exists(join(place, "done"))
    publish_folder(_folder(tmp_path, {"a": b"whole", "done": b""}), place, last="done")
    assert read_bytes(join(place, "a")) == b"whole"


def test_a_folder_that_is_gone_is_named(store, tmp_path):
    with pytest.raises(UserError, match="absent: is no longer in the store"):
        fetch_folder(join(store, "absent"), tmp_path / "got")
    assert os.listdir(tmp_path) == []


def test_arrow_reads_and_writes_through_the_same_store(s3, tmp_path):
    filesystem, path = arrow_filesystem(join(s3, tmp_path.name))
    assert isinstance(filesystem, pyarrow.fs.FileSystem)
    filesystem = pickle.loads(pickle.dumps(filesystem))  # as Ray sends it to its workers
    with filesystem.open_output_stream(f"{path}/file") as stream:
        stream.write(b"x" * 1000)
    assert read_bytes(join(s3, tmp_path.name, "file")) == b"x" * 1000
    assert arrow_filesystem(str(tmp_path)) == (None, str(tmp_path))


def test_e8_an_unreachable_store_is_told(s3, monkeypatch, closed_port, tmp_path):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port}")
    told = rf"^s3://bucket/store.* at http://127\.0\.0\.1:{closed_port}: the store cannot be reached; check its address, AWS_ENDPOINT_URL"
    with pytest.raises(UserError, match=told):
        check_reachable("s3://bucket/store")
    with pytest.raises(UserError, match=told):
        fetch_folder("s3://bucket/store/x", tmp_path / "got")
    assert os.listdir(tmp_path) == []


def test_e8_a_store_that_says_nothing_is_told(s3, monkeypatch):
    monkeypatch.setattr(uri, "_PROBE_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(UserError, match=r"the store cannot be reached; .* \(no answer\)"):
            check_reachable("s3://bucket")


def test_e8_a_missing_bucket_is_told(s3):
    with pytest.raises(UserError, match=r"s3://nowhere/store: there is no bucket 'nowhere' at http://127"):
        check_reachable("s3://nowhere/store")


def test_e8_refused_and_missing_credentials_are_told(s3, monkeypatch):
    endpoint = os.environ["AWS_ENDPOINT_URL"].replace("127.0.0.1", "localhost")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(UserError, match="the store refused; check the bucket's name and the AWS_"):
        check_reachable("s3://bucket")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint + "/")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "absent")
    with pytest.raises(UserError, match="no credentials; set AWS_ACCESS_KEY_ID"):
        check_reachable("s3://bucket")


def test_a_place_that_cannot_be_a_store_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written below"):
        check_reachable(str(tmp_path / "file" / "store"))
    with pytest.raises(UserError, match="'gs://' is not supported; give a plain path or s3://"):
        open_fs("gs://bucket/store")


def test_e9_a_full_local_disk_is_named_when_fetching(s3, small_disk):
    write_bytes(join(s3, "large", "file"), bytes(2_000_000))
    with pytest.raises(UserError, match=f"^{small_disk}/got: no space left"):
        fetch_folder(join(s3, "large"), small_disk / "got")
    assert os.listdir(small_disk) == []


class _NeverTellsToContinue(BaseHTTPRequestHandler):
    """An empty store that takes what is sent, and never answers the question whether it would."""

    protocol_version = "HTTP/1.1"

    def handle_expect_100(self):
        return True

    def do_HEAD(self):
        self._answer(404)

    def do_GET(self):
        self._answer(200, b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def _answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def test_an_upload_waits_for_no_leave(tmp_path, monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), _NeverTellsToContinue) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        folder = _folder(tmp_path, {"a": bytes(100_000), "done": b"yes"})
        upload = threading.Thread(target=publish_folder, args=(folder, "s3://bucket/x", "done"), daemon=True)
        upload.start()
        upload.join(20)
        assert not upload.is_alive()
        server.shutdown()
