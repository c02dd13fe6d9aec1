import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from crossmodal.config import UserError
from crossmodal.tracking.spool import Spool

ROOT = Path(__file__).resolve().parents[3]
REFUSED = MlflowException("no such run", error_code=RESOURCE_DOES_NOT_EXIST)
KILLED = """
import os, sys, threading
from pathlib import Path
from crossmodal.tracking.spool import Spool
spool = Spool(Path(sys.argv[1]), lambda record: threading.Event().wait())
for n in range(3):
    spool.put({"n": n})
os.kill(os.getpid(), 9)
"""


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(away=st.lists(st.integers(0, 4), max_size=2, unique=True))
def test_what_a_server_missed_is_delivered_in_order(tmp_path, away):
    """Away for a moment at some of the records; what comes meanwhile waits behind them."""
    path, got, failing = tmp_path / "spool" / "run.jsonl", [], set(away)

    def deliver(record):
        if record["n"] in failing:
            failing.remove(record["n"])
            raise ConnectionError("away")
        got.append(record["n"])

    spool = Spool(path, deliver)
    for n in range(5):
        spool.put({"n": n})
    spool.drain(60)
    assert got == list(range(5))
    assert not path.exists()


def test_what_a_killed_process_left_is_delivered_first(tmp_path):
    path, got = tmp_path / "run.jsonl", []
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
    subprocess.run([sys.executable, "-c", KILLED, str(path)], env=environment)
    with path.open("a") as file:
        file.write('{"n": 9')
    spool = Spool(path, lambda record: got.append(record["n"]))
    spool.put({"n": 3})
    spool.drain(60)
    assert got == [0, 1, 2, 3]


def test_a_server_that_stays_away_is_told_and_nothing_is_lost(tmp_path):
    path = tmp_path / "run.jsonl"

    def deliver(record):
        raise ConnectionError("nobody at home")

    spool = Spool(path, deliver)
    spool.put({"n": 0})
    with pytest.raises(UserError, match=r"did not take 1 reports within 1 s \(nobody at home\).*run\.jsonl"):
        spool.drain(1)
    assert json.loads(path.read_text()) == {"n": 0}


def test_a_report_that_is_refused_is_told_and_stops_no_other(tmp_path):
    got = []

    def deliver(record):
        if record["n"] == 1:
            raise REFUSED
        got.append(record["n"])

    spool = Spool(tmp_path / "run.jsonl", deliver)
    for n in range(3):
        spool.put({"n": n})
    with pytest.raises(MlflowException, match="no such run"):
        spool.drain(60)
    assert got == [0, 2]
