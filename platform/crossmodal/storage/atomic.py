"""Local files and folders that are whole or absent, and failures told in one sentence."""

import contextlib
import errno
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossmodal.config import UnavailableError, UserError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_ASIDE = re.compile(r"\..+\.[0-9a-f]{32}\.unpublished")
# Nobody fills a folder for this long without adding a file.
_ABANDONED_S = 24 * 3600


@contextmanager
def translate_disk_errors(place: str | Path) -> Iterator[None]:
    """Turn what a disk refuses into one sentence about `place`; what is merely missing passes unchanged."""
    try:
        yield
    except OSError as error:
        # MNE and Arrow raise OSErrors whose errno lies on the cause, or only in the text.
        number = error.errno or (errno.ENOSPC if os.strerror(errno.ENOSPC) in str(error) else None)
        if number in _FULL:
            raise UnavailableError(
                f"{place}: no space left; free some or choose another place, and run again (nothing half-written is kept)"
            ) from error
        if number in _REFUSED:
            raise UnavailableError(
                f"{place}: not permitted ({os.strerror(number)}); choose a place you may write to and read from"
            ) from error
        raise


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder beside its place, then move it there; on any failure nothing remains.

    When another process has published the same folder meanwhile, its copy stays: names are fingerprints of
    content, so both hold the same. What a killed process has left beside its place is removed a day later by whoever comes next.

    Yields
    ------
    Path
        An empty folder on the same file system as `folder`.
    """
    aside = _beside(folder)
    with translate_disk_errors(folder):
        try:
            aside.mkdir(parents=True)
            _remove_abandoned(folder.parent)
            yield aside
            place_folder(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def new_files(first: Path) -> Iterator[Path]:
    """Fill a hidden folder with a file and its further parts, then move them all beside each other; on any failure nothing remains.

    Parameters
    ----------
    first : Path
        The file that leads to the others: it is moved last, so that where it is, they are.

    Yields
    ------
    Path
        An empty folder on the same file system, in which files have their final names already.

    Raises
    ------
    UserError
        There is a file of the same name already.
    """
    aside = _beside(first)
    placed = list[Path]()
    with translate_disk_errors(first.parent):
        try:
            aside.mkdir(parents=True)
            _remove_abandoned(first.parent)
            yield aside
            for part in sorted(aside.iterdir(), key=lambda part: part.name == first.name):
                place = first.with_name(part.name)
                if place.exists():
                    raise UserError(f"{place}: exists already; remove it or choose another name than {first.name}")
                placed.append(part.rename(place))
        except BaseException:
            for place in placed:
                place.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def place_folder(aside: Path, folder: Path) -> None:
    """Rename `aside` to `folder`, unless another process was first."""
    try:
        aside.rename(folder)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise


def _beside(folder: Path) -> Path:
    """A hidden place for a folder, as `_ASIDE` knows it, that nobody else has."""
    return folder.parent / f".{folder.name}.{uuid.uuid4().hex}.unpublished"


def _remove_abandoned(parent: Path) -> None:
    # Others move theirs into place or look through the folder, too; that nothing can be removed is no reason not to publish.
    with contextlib.suppress(OSError):
        for entry in os.scandir(parent):
            if _ASIDE.fullmatch(entry.name) and entry.is_dir() and time.time() - entry.stat().st_mtime > _ABANDONED_S:
                # Renamed first, so that one who wakes up again fails where it would publish a part.
                doomed = _beside(parent / "doomed")
                Path(entry.path).rename(doomed)
                shutil.rmtree(doomed, ignore_errors=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a file aside and move it into place, replacing what was there."""
    aside = path.parent / f".{path.name}.{uuid.uuid4().hex}"
    with translate_disk_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(content)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
