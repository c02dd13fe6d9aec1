"""What is published is whole or absent, also on a full disk."""

import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from crossmodal.config import UserError
from crossmodal.storage.atomic import new_files, new_folder, write_file


def test_a_folder_appears_whole(tmp_path):
    with new_folder(tmp_path / "a" / "b") as aside:
        (aside / "file").write_text("x")
        assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a" / "b" / "file").read_text() == "x"
    assert os.listdir(tmp_path / "a") == ["b"]


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "b") as aside:  # noqa: PT012
        (aside / "file").write_text("x")
        (aside / "absent").read_text()
    assert os.listdir(tmp_path) == []


def test_what_a_killed_writer_left_is_removed_a_day_later(tmp_path):
    with new_folder(tmp_path / "slow") as slow:
        dead = tmp_path / f".dead.{uuid.uuid4().hex}.unpublished"
        dead.mkdir()
        (dead / "file").write_text("half")
        others = [tmp_path / ".config", tmp_path / f".dead.{uuid.uuid4().hex}"]
        for folder in (dead, *others):
            folder.mkdir(exist_ok=True)
            os.utime(folder, (0, time.time() - 25 * 3600))
        with new_folder(tmp_path / "fast"):
            assert slow.exists()
            assert not dead.exists()
        assert all(folder.exists() for folder in others)


def test_the_first_of_two_writers_stays(tmp_path):
    with new_folder(tmp_path / "b") as slow, new_folder(tmp_path / "b") as fast:
        (slow / "file").write_text("slow")
        (fast / "file").write_text("fast")
    assert (tmp_path / "b" / "file").read_text() == "fast"
    assert os.listdir(tmp_path) == ["b"]


def test_files_appear_together_and_the_first_one_last(tmp_path):
    with new_files(tmp_path / "a" / "first") as aside:
        for name in ("first", "second"):
            (aside / name).write_text(name)
        assert os.listdir(tmp_path / "a") == [aside.name]
    assert sorted(os.listdir(tmp_path / "a")) == ["first", "second"]


def test_files_that_cannot_all_be_placed_leave_what_was_there(tmp_path):
    (tmp_path / "second").write_text("mine")
    with pytest.raises(UserError, match="second: exists already"), new_files(tmp_path / "first") as aside:  # noqa: PT012
        for name in ("alone", "first", "second"):
            (aside / name).write_text(name)
    assert os.listdir(tmp_path) == ["second"]
    assert (tmp_path / "second").read_text() == "mine"


def test_readers_of_a_file_see_one_version_or_the_other(tmp_path):
    versions = [bytes([letter]) * 200_000 for letter in b"ab"]
    write_file(tmp_path / "file", versions[0])
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(lambda: [write_file(tmp_path / "file", versions[turn % 2]) for turn in range(50)])
        while not writing.done():
            assert (tmp_path / "file").read_bytes() in versions
    assert os.listdir(tmp_path) == ["file"]


def test_e9_a_full_disk_is_told_and_keeps_what_was_there(small_disk):
    write_file(small_disk / "file", b"before")
    with pytest.raises(UserError, match=f"{small_disk}/file: no space left"):
        write_file(small_disk / "file", bytes(2_000_000))
    with pytest.raises(UserError, match=f"{small_disk}/folder: no space left"), new_folder(small_disk / "folder") as aside:
        (aside / "large").write_bytes(bytes(2_000_000))
    assert os.listdir(small_disk) == ["file"]
    assert (small_disk / "file").read_bytes() == b"before"
