"""Whom a night tells in the morning."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from crossmodal.nightly.morning import call_webhook
from crossmodal.reporting.digest import Digest
from tests.servers import free_port

DIGEST = Digest(name="night", date="2026-03-01", finished="2026-03-01T05:00:00+00:00", state="promoted", verdict="Promoted: +0.030.")


@pytest.fixture
def hook() -> Iterator[tuple[str, list[object]]]:
    """A chat that takes what is posted to /hook, and nothing else."""
    heard: list[object] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if self.path == "/hook" else 404)
            self.end_headers()

        def log_message(self, *unused: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Chat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", heard
        server.shutdown()


def test_a_webhook_is_told_the_verdict_and_where_the_digest_lies(hook, caplog):
    url, heard = hook
    call_webhook(url, DIGEST, "s3://bucket/digest.html")
    told = {"text": "night 2026-03-01: Promoted: +0.030. s3://bucket/digest.html", "state": "promoted", "digest": "s3://bucket/digest.html"}
    assert heard == [told]
    assert not caplog.records


def test_a_webhook_that_refuses_or_does_not_answer_stops_no_night_and_is_never_logged(hook, caplog):
    refusing = hook[0].replace("/hook", "/secret-token")
    nobody = f"http://127.0.0.1:{free_port()}/secret-token"
    for url in (refusing, nobody, "secret-token", "https://127.0.0.1/secret token"):
        call_webhook(url, DIGEST, "digest.html")
    assert len(caplog.records) == 4
    assert all("the webhook was not told" in record.message for record in caplog.records)
    assert "secret" not in caplog.text
    assert str(urlsplit(refusing).port) not in caplog.text
