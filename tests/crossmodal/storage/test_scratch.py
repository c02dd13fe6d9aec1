"""Scratch folders go away, also those of processes that were killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from crossmodal.storage.scratch import scratch_folder

_SOURCE_ROOT = Path(__file__).resolve().parents[3] / "platform"
_HOLD = """
import sys
from crossmodal.storage.scratch import scratch_folder
with scratch_folder("held") as folder:
    (folder / "large").write_bytes(bytes(1000))
    print(folder, flush=True)
    sys.stdin.read()
"""


def _folders(root):
    return {path for path in root.iterdir() if path.is_dir()}


def test_a_folder_is_empty_and_removed_whatever_happens(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def use_and_fail():
        with scratch_folder("x") as folder:
            assert not list(folder.glob("[!.]*"))
            (folder / "file").write_text("x")
            raise ValueError("anything")

    with pytest.raises(ValueError, match="anything"):
        use_and_fail()
    assert not _folders(tmp_path)


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_used_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(_SOURCE_ROOT)}
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen([sys.executable, "-c", _HOLD], **piped) as other:
        held = other.stdout.readline().strip()
        with scratch_folder("held") as own:
            assert {str(path) for path in _folders(tmp_path)} == {held, str(own)}
        other.kill()
        other.wait()
        with scratch_folder("other"):
            assert held in {str(path) for path in _folders(tmp_path)}
        with scratch_folder("held") as own:
            assert _folders(tmp_path) == {own}
