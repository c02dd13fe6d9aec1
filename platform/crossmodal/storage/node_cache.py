"""Copies of remote folders on a node's own disk, shared by all processes of the node."""

import fcntl
import hashlib
import json
import os
import shutil
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from filelock import FileLock

from crossmodal.config import UserError
from crossmodal.storage.atomic import translate_disk_errors, write_file
from crossmodal.storage.uri import fetch_folder, is_local

_PARALLEL_FETCHES = 8


class NodeCache:
    """Folders fetched once a node, the least recently used evicted under a cap.

    Beside the copy in `<key>/` lie three small files. `<key>.json` says what it takes and, by its time, when it was last asked for; it is
    written before the download, as a reservation, and outlives a failed one until room is needed. `<key>.fetch` is locked by the one
    process that downloads. `<key>.use` is locked in shared mode by every process that uses the copy: the kernel lets go of it when a
    process dies, however it dies. `cache.lock` guards the reservations. Lock files are never removed, since others may wait on them.

    Parameters
    ----------
    root : Path
        On the node's own disk.
    max_bytes : int
        Cap on what all copies take together.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self.root = root
        self.max_bytes = max_bytes
        self._in_use: dict[str, IO[bytes]] = {}
        self._in_use_guard = threading.Lock()
        with translate_disk_errors(root):
            root.mkdir(parents=True, exist_ok=True)

    def fetch(self, uri: str, size_bytes: int) -> Path:
        """Return a local folder with the content of a remote one; a plain path is returned as it is.

        The copy stays until `close`, or the end of this object or process. Safe to call from threads and processes at once.

        Parameters
        ----------
        uri : str
            A published folder.
        size_bytes : int
            What it takes on disk.
        """
        if is_local(uri):
            return Path(uri)
        key = f"{uri.rstrip('/').rpartition('/')[2]}-{hashlib.sha256(uri.encode()).hexdigest()[:8]}"
        folder = self.root / key
        with translate_disk_errors(self.root), FileLock(self.root / f"{key}.fetch"):
            self._hold(key)
            if not folder.exists():
                try:
                    self._reserve(uri, size_bytes, key)
                    fetch_folder(uri, folder)
                except BaseException:
                    self._release(key)
                    raise
            os.utime(self._record(key))
        return folder

    def fetch_all(self, sizes_bytes: Mapping[str, int]) -> list[Path]:
        """Fetch many folders in parallel; `sizes_bytes` maps their URIs to sizes."""
        with ThreadPoolExecutor(_PARALLEL_FETCHES) as pool:
            return list(pool.map(self.fetch, sizes_bytes.keys(), sizes_bytes.values()))

    def close(self) -> None:
        """Let go of all copies: others may evict them from now on."""
        with self._in_use_guard:
            while self._in_use:
                self._in_use.popitem()[1].close()

    def _record(self, key: str) -> Path:
        return self.root / f"{key}.json"

    def _hold(self, key: str) -> None:
        """Lock a copy against eviction. Whoever holds the lock and sees the folder keeps the folder."""
        with self._in_use_guard:
            if key in self._in_use:
                return
            file = (self.root / f"{key}.use").open("ab")
            fcntl.flock(file, fcntl.LOCK_SH)
            self._in_use[key] = file

    def _release(self, key: str) -> None:
        with self._in_use_guard:
            self._in_use.pop(key).close()

    def _reserve(self, uri: str, size_bytes: int, key: str) -> None:
        with FileLock(self.root / "cache.lock"):
            records = sorted(self.root.glob("*.json"), key=lambda record: record.stat().st_mtime_ns)
            sizes = {record.stem: json.loads(record.read_bytes())["size_bytes"] for record in records if record.stem != key}
            free = self.max_bytes - sum(sizes.values())
            for oldest, size in sizes.items():
                if free >= size_bytes:
                    break
                if self._evict(oldest):
                    free += size
            if free < size_bytes:
                raise UserError(
                    f"{self.root}: {uri} needs {size_bytes / 1e9:.3g} GB, but only {max(free, 0) / 1e9:.3g} of the node cache's "
                    f"{self.max_bytes / 1e9:.3g} GB are not in use; raise its cap or run fewer trials at once"
                )
            write_file(self._record(key), json.dumps({"uri": uri, "size_bytes": size_bytes}).encode())

    def _evict(self, key: str) -> bool:
        """Remove a copy that no live process uses; tell whether it was removed."""
        with (self.root / f"{key}.use").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            folder = self.root / key
            if folder.exists():
                # Renamed first: a process killed in between leaves no folder that looks whole.
                folder.rename(self.root / f".{key}.{uuid.uuid4().hex}")
            for remains in self.root.glob(f".{key}.*"):
                shutil.rmtree(remains, ignore_errors=True)
            self._record(key).unlink(missing_ok=True)
        return True
