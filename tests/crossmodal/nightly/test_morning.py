"""Whom a night tells in the morning."""

from urllib.parse import urlsplit

import pytest

from crossmodal.nightly.morning import call_webhook
from crossmodal.reporting.digest import Digest
from tests.servers import chat, free_port

DIGEST = Digest(name="night", date="2026-03-01", finished="2026-03-01T05:00:00+00:00", state="promoted", verdict="Promoted: +0.030.")


@pytest.fixture
def hook():
    with chat() as known:
        yield known


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
