import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from subprocess import PIPE

import pytest

from crossmodal.config import UserError
from crossmodal.storage import lease
from crossmodal.storage.lease import Lease
from crossmodal.storage.uri import exists, read_json, remove_file, write_json

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
KILLED = "import os, sys; from crossmodal.storage.lease import Lease; Lease(sys.argv[1], 'x').__enter__(); os.kill(os.getpid(), 9)"
HOLDS = """
import sys, time
from crossmodal.storage import lease
lease._RENEWED_EACH_S = 0.1
with lease.Lease(sys.argv[1], "the night"):
    print("held", flush=True)
    time.sleep(60)
print("went on")
"""


@pytest.fixture(params=["local", "s3"])
def uri(request, tmp_path):
    root = f"{request.getfixturevalue('s3')}/{tmp_path.name}" if request.param == "s3" else str(tmp_path)
    return f"{root}/lease.json"


@pytest.fixture
def quick(monkeypatch):
    """Renewed and given up within seconds."""
    monkeypatch.setattr(lease, "_RENEWED_EACH_S", 0.5)
    monkeypatch.setattr(lease, "_LONGEST_SILENCE_S", 3.0)
    monkeypatch.setattr(lease, "_SETTLED_S", 0.2)


def left_elsewhere(uri, silent_s):
    """What another machine wrote so long ago."""
    with Lease(uri, "the night"):
        holder = read_json(uri)
    holder |= {"id": "another", "host": "elsewhere", "seen": time.time() - silent_s}
    write_json(uri, holder)
    return holder


def test_one_at_a_time(uri):
    with Lease(uri, "the night"):
        with pytest.raises(UserError, match=rf"the night is running already, as process {os.getpid()}"), Lease(uri, "the night"):
            pass
        assert exists(uri)
    assert not exists(uri)
    with Lease(uri, "the night"):
        pass


def test_the_dead_hold_nothing(tmp_path):
    uri = str(tmp_path / "lease.json")
    subprocess.run([sys.executable, "-c", KILLED, uri], env=ENVIRONMENT)
    assert exists(uri)
    with Lease(uri, "the night"):
        pass


@pytest.mark.parametrize("silent_s", [0.5, 600])
def test_what_another_machine_left_is_taken_over_after_its_silence(tmp_path, quick, caplog, silent_s):
    uri = str(tmp_path / "lease.json")
    left_elsewhere(uri, silent_s)
    with Lease(uri, "the night"):
        assert read_json(uri)["host"] != "elsewhere"
    assert "to see whether process" in caplog.text


@pytest.mark.parametrize("silent_s", [0.5, 600])
def test_another_machine_that_renews_is_believed(tmp_path, quick, silent_s):
    uri = str(tmp_path / "lease.json")
    holder = left_elsewhere(uri, silent_s)
    renewing = threading.Timer(0.5, lambda: write_json(uri, holder | {"seen": time.time()}))
    renewing.start()
    with pytest.raises(UserError, match="on elsewhere"), Lease(uri, "the night"):
        pass
    renewing.join()
    assert read_json(uri)["id"] == "another"


def test_another_machine_that_ends_meanwhile_is_not_waited_for(tmp_path, monkeypatch):
    uri = str(tmp_path / "lease.json")
    left_elsewhere(uri, 1)
    threading.Timer(0.5, lambda: remove_file(uri)).start()
    with Lease(uri, "the night"):
        assert read_json(uri)["host"] != "elsewhere"


@pytest.mark.parametrize("successor", ["runs", "has ended"])
def test_a_holder_that_was_replaced_stops_and_leaves_its_successor_alone(tmp_path, successor):
    uri = str(tmp_path / "lease.json")
    with subprocess.Popen([sys.executable, "-c", HOLDS, uri], env=ENVIRONMENT, stdout=PIPE, stderr=PIPE, text=True) as job:
        assert job.stdout.readline() == "held\n"
        theirs = read_json(uri) | {"id": "another", "host": "elsewhere"}
        # A renewal that was under way may come after what is written here.
        while job.poll() is None:
            write_json(uri, theirs) if successor == "runs" else remove_file(uri)
            time.sleep(0.3)
        printed, told = job.communicate()
    assert (job.returncode, printed) == (2, "")
    assert len(told.splitlines()) == 1
    assert f"the night was taken over by {'process' if successor == 'runs' else 'one that has ended'}" in told
    assert read_json(uri) == theirs if successor == "runs" else not exists(uri)


def test_a_place_that_another_holds_is_not_removed(tmp_path):
    uri = str(tmp_path / "lease.json")
    with Lease(uri, "the night"):
        write_json(uri, read_json(uri) | {"id": "another"})
    assert read_json(uri)["id"] == "another"
