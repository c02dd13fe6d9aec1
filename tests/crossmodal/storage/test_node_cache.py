"""A node fetches a folder once, keeps under its cap, and never takes a copy away from a live process."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from crossmodal.config import UserError
from crossmodal.storage.node_cache import NodeCache
from crossmodal.storage.uri import join, publish_folder, write_bytes

SIZE = 100_000
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def shards(s3: str, tmp_path: Path) -> list[str]:
    """Three folders on the store."""
    uris = [join(s3, tmp_path.name, name) for name in ("one", "two", "three")]
    for turn, uri in enumerate(uris):
        folder = tmp_path / f"made-{turn}"
        folder.mkdir()
        (folder / "data").write_bytes(bytes([turn]) * (SIZE - 2))
        (folder / "done").write_bytes(b"ok")
        publish_folder(folder, uri, last="done")
    return uris


def _copies(root: Path) -> set[str]:
    return {path.name.split("-")[0] for path in root.iterdir() if path.is_dir()}


def _hold(root: Path, uri: str, cap: int, ready, done) -> None:
    """Use a copy, in another process, until told or killed."""
    cache = NodeCache(root, cap)
    folder = cache.fetch(uri, SIZE)
    ready.put((folder / "data").stat().st_size)
    done.wait()


def _visit(root: Path, uris: list[str], cap: int, seed: int, results) -> None:
    """Fetch folders in an own order and tell what was wrong with them."""
    wrong = []
    for turn in range(12):
        cache = NodeCache(root, cap)
        kind = (seed * 7 + turn * (seed + 1)) % len(uris)
        try:
            folder = cache.fetch(uris[kind], SIZE)
            if (folder / "data").read_bytes() != bytes([kind]) * (SIZE - 2):
                wrong.append(folder.name)
        except UserError as error:
            if "not in use" not in str(error):
                wrong.append(str(error))
        cache.close()
    results.put(wrong)


def test_plain_paths_are_read_where_they_lie(tmp_path):
    assert NodeCache(tmp_path / "cache", 0).fetch(str(tmp_path / "shard"), SIZE) == tmp_path / "shard"


def test_a_folder_is_fetched_once(shards, tmp_path):
    cache = NodeCache(tmp_path / "cache", 10 * SIZE)
    folder = cache.fetch(shards[1], SIZE)
    assert (folder / "data").read_bytes() == b"\1" * (SIZE - 2)
    write_bytes(join(shards[1], "data"), b"changed")
    again = NodeCache(tmp_path / "cache", 10 * SIZE).fetch(shards[1], SIZE)
    assert again == folder
    assert (again / "data").stat().st_size == SIZE - 2


def test_many_are_fetched_in_order_of_asking(shards, tmp_path):
    cache = NodeCache(tmp_path / "cache", 10 * SIZE)
    folders = cache.fetch_all(dict.fromkeys(shards, SIZE))
    assert [(folder / "data").read_bytes()[0] for folder in folders] == [0, 1, 2]


def test_the_least_recently_used_is_evicted(shards, tmp_path):
    root = tmp_path / "cache"
    for uri in (shards[0], shards[1], shards[0], shards[2]):
        cache = NodeCache(root, 2 * SIZE)
        cache.fetch(uri, SIZE)
        cache.close()
    assert _copies(root) == {"one", "three"}


def test_a_copy_in_use_by_a_process_stays_until_it_dies(shards, tmp_path):
    root, ready, done = tmp_path / "cache", SPAWN.Queue(), SPAWN.Event()
    process = SPAWN.Process(target=_hold, args=(root, shards[0], SIZE, ready, done))
    process.start()
    try:
        assert ready.get(timeout=60) == SIZE - 2
        with pytest.raises(UserError, match="not in use; raise its cap or run fewer trials"):
            NodeCache(root, SIZE).fetch(shards[1], SIZE)
        assert _copies(root) == {"one"}
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        NodeCache(root, SIZE).fetch(shards[1], SIZE)
        assert _copies(root) == {"two"}
    finally:
        process.kill()


def test_processes_that_fetch_and_evict_at_once_read_what_they_asked_for(shards, tmp_path):
    root, results = tmp_path / "cache", SPAWN.Queue()
    processes = [SPAWN.Process(target=_visit, args=(root, shards, 2 * SIZE, seed, results)) for seed in range(3)]
    for process in processes:
        process.start()
    assert [results.get(timeout=120) for _ in processes] == [[], [], []]
    for process in processes:
        process.join()
    assert len(_copies(root)) <= 2
    assert not [path for path in root.iterdir() if path.name.startswith(".")]


def test_a_failed_fetch_leaves_room_and_can_be_tried_again(shards, s3, tmp_path):
    root = tmp_path / "cache"
    with pytest.raises(UserError, match="absent: is no longer in the store"):
        NodeCache(root, SIZE).fetch(join(s3, "absent"), SIZE)
    assert (NodeCache(root, SIZE).fetch(shards[0], SIZE) / "done").read_bytes() == b"ok"


def test_e9_a_full_disk_is_told(shards, small_disk):
    write_bytes(join(shards[0], "data"), bytes(2_000_000))
    with pytest.raises(UserError, match=f"^{small_disk}/one-.*: no space left"):
        NodeCache(small_disk, 10 * SIZE).fetch(shards[0], SIZE)
    assert _copies(small_disk) == set()
