"""News on their way to a server that may be away: kept on local disk, and delivered in their order."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from crossmodal.config import UserError
from crossmodal.storage.atomic import translate_disk_errors
from crossmodal.storage.uri import StoreAwayError

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE_S = 15.0
_AWAY = (MlflowException, SQLAlchemyError, OSError, StoreAwayError)
# Of HTTP's refusals, those that pass: a slow request, and too many of them.
_PASSING = {408, 429}


class Spool:
    """A queue with one end on disk.

    A thread delivers while there is something to deliver. What it could not deliver when its process died is delivered first by the
    next process that opens the same file; a record may then be delivered twice, so delivering must be repeatable.

    Parameters
    ----------
    path : Path
        On local disk; of one process at a time.
    deliver : callable
        Takes one record. What it raises because a server is away is tried again; any other refusal is kept for `drain` to tell, and
        the record is dropped.
    """

    def __init__(self, path: Path, deliver: Callable[[dict[str, Any]], None]) -> None:
        self._path = path
        self._deliver = deliver
        self._changed = threading.Condition()
        self._records: deque[dict[str, Any]] = deque(_read(path))
        self._delivering = False
        self._refusal: BaseException | None = None
        self._away: BaseException | None = None
        with self._changed:
            self._deliver_soon()

    def put(self, record: dict[str, Any]) -> None:
        """Keep a record, and deliver it after all before it."""
        with self._changed:
            with translate_disk_errors(self._path):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a") as file:
                    file.write(json.dumps(record) + "\n")
            self._records.append(record)
            self._deliver_soon()

    def drain(self, timeout_s: float) -> None:
        """Wait until all is delivered.

        Raises
        ------
        UserError
            A server is away for longer, and what it missed stays on disk.
        Exception
            What the server refused.
        """
        with self._changed:
            delivered = self._changed.wait_for(lambda: not self._records, timeout_s)
            left, away, refusal = len(self._records), self._away, self._refusal
        if not delivered:
            raise UserError(
                f"tracking: the server did not take {left} reports within {timeout_s:.0f} s ({away}); they are kept in {self._path}, "
                "run the same command again when it answers"
            )
        if refusal:
            raise refusal

    def _deliver_soon(self) -> None:
        if self._records and not self._delivering:
            self._delivering = True
            threading.Thread(target=self._deliver_all, daemon=True).start()

    def _deliver_all(self) -> None:
        pause_s = 0.5
        while True:
            try:
                self._deliver(self._records[0])
            except Exception as error:
                if is_away(error):
                    if self._away is None:
                        _LOG.warning("reports are kept until the server answers (%s)", error)
                    self._away = error
                    time.sleep(pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                    continue
                self._refuse(error)
            pause_s, self._away = 0.5, None
            with self._changed:
                self._records.popleft()
                if not self._records:
                    self._path.unlink(missing_ok=True)
                    self._delivering = False
                    self._changed.notify_all()
                    return

    def _refuse(self, error: Exception) -> None:
        _LOG.error("a report was refused (%s)", error)
        self._refusal = self._refusal or error


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    # What follows the last line's end is a record that its process died writing.
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


def is_away(error: BaseException) -> bool:
    """Tell whether a server, or the store, did not answer, so that the same may be asked again."""
    if not isinstance(error, _AWAY):
        return False
    if not isinstance(error, MlflowException):
        return True
    status = error.get_http_status_code()
    return status >= 500 or status in _PASSING
