import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossmodal.config import UserError
from crossmodal.storage.lease import Lease
from crossmodal.storage.uri import exists, read_json, write_json

ROOT = Path(__file__).resolve().parents[3]
KILLED = "import os, sys; from crossmodal.storage.lease import Lease; Lease(sys.argv[1], 'x').__enter__(); os.kill(os.getpid(), 9)"


@pytest.fixture(params=["local", "s3"])
def uri(request, tmp_path):
    root = f"{request.getfixturevalue('s3')}/{tmp_path.name}" if request.param == "s3" else str(tmp_path)
    return f"{root}/lease.json"


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
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
    subprocess.run([sys.executable, "-c", KILLED, uri], env=environment)
    assert exists(uri)
    with Lease(uri, "the night"):
        pass


def test_another_machine_is_believed_until_it_is_silent(tmp_path):
    uri = str(tmp_path / "lease.json")
    with Lease(uri, "the night"):
        holder = read_json(uri)
    write_json(uri, holder | {"host": "elsewhere", "seen": time.time() - 60})
    with pytest.raises(UserError, match="on elsewhere"), Lease(uri, "the night"):
        pass
    write_json(uri, holder | {"host": "elsewhere", "seen": time.time() - 600})
    with Lease(uri, "the night"):
        pass
