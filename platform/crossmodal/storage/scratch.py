"""A folder of a process's own on the local disk, which does not outlive the process, however it ends."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossmodal.storage.atomic import translate_disk_errors

_LOCK = ".lock"


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Yield an empty folder below TMPDIR, removed at the end.

    A process that is killed cannot remove its own. Each locks a file in its folder, which the kernel unlocks when it dies; whoever comes
    next on the same machine, as the same user and with the same prefix, removes the folders that nobody locks.

    Parameters
    ----------
    prefix : str
        Of the folder's name.

    Raises
    ------
    UnavailableError
        The disk is full or may not be written.
    """
    root = Path(tempfile.gettempdir())
    own_prefix = f"{prefix}-{os.getuid()}"
    with translate_disk_errors(root), (root / f"{own_prefix}.lock").open("ab") as guard:
        # Held while folders are made and looked through, so that nobody takes one that is not locked yet for a dead one's.
        fcntl.flock(guard, fcntl.LOCK_EX)
        for lock in root.glob(f"{own_prefix}-*/{_LOCK}"):
            _remove_unless_used(lock)
        folder = Path(tempfile.mkdtemp(prefix=f"{own_prefix}-"))
        own = (folder / _LOCK).open("ab")
        fcntl.flock(own, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        own.close()


def _remove_unless_used(lock: Path) -> None:
    try:
        with lock.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
    except (BlockingIOError, FileNotFoundError):
        return
