"""A place that one process holds at a time, on whatever store: held by a file that is renewed while its holder lives."""

import logging
import os
import threading
import time
import uuid
from types import TracebackType
from typing import Any, Self

from crossmodal.config import UserError
from crossmodal.storage.process import Process
from crossmodal.storage.uri import read_json, remove_file, write_json

_LOG = logging.getLogger(__name__)
_RENEWED_EACH_S = 30.0
_LONGEST_SILENCE_S = 300.0
# Stores need not refuse a second writer: who was last to write is known after a moment.
_SETTLED_S = 1.0
_REPLACED_CODE = 2


class HeldError(UserError):
    """Another process holds the place, and lives."""


class Lease:
    """Held inside the context.

    A holder of this machine that is dead holds no longer. One of another machine, which cannot be asked, is watched: it lives if it renews,
    and holds no longer once it was silent for five minutes. A holder that was replaced, say after it could not reach the store for so long,
    ends its process at once with a sentence and exit code 2: whatever it wrote would be written beside its successor.

    Parameters
    ----------
    uri : str
        Of the file.
    what : str
        For the sentence that refuses a second holder.
    """

    def __init__(self, uri: str, what: str) -> None:
        self._uri = uri
        self._what = what
        self._holder = {"id": uuid.uuid4().hex, **Process.this()._asdict()}
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        """Take the place, after minutes of watching where another machine left it.

        Raises
        ------
        HeldError
            Another process holds it.
        """
        while not self._is_held(known := self._known()):
            if known:
                self._refuse_if_alive(known)
            self._write()
            time.sleep(_SETTLED_S)
        self._renewing.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._renewing.join()
        try:
            if self._is_held(self._known()):
                remove_file(self._uri)
        except (UserError, OSError) as unreachable:
            _LOG.warning("%s stays, and is given up in silence (%s)", self._uri, unreachable)

    def _known(self) -> dict[str, Any] | None:
        try:
            return dict(read_json(self._uri))
        except FileNotFoundError:
            return None

    def _is_held(self, known: dict[str, Any] | None) -> bool:
        return known is not None and known["id"] == self._holder["id"]

    def _refuse_if_alive(self, known: dict[str, Any]) -> None:
        process = Process(known["host"], known["name"])
        if process.is_alive if process.is_here else self._is_renewed(known, process):
            raise HeldError(f"{self._what} is running already, as process {process.number} on {process.host}; wait for it, or stop it")

    def _is_renewed(self, known: dict[str, Any], process: Process) -> bool:
        """Watch until a holder renews, leaves, or was silent for so long; two rounds at least, since clocks differ and outages end."""
        left_s = min(_LONGEST_SILENCE_S, max(2 * _RENEWED_EACH_S, known["seen"] + _LONGEST_SILENCE_S - time.time()))
        until = time.monotonic() + left_s
        _LOG.warning("waiting up to %.0f s to see whether process %d on %s still runs %s", left_s, process.number, process.host, self._what)
        while time.monotonic() < until:
            time.sleep(min(_SETTLED_S, _RENEWED_EACH_S))
            now = self._known()
            if now is None:
                return False
            if now != known:
                return True
        return False

    def _write(self) -> None:
        write_json(self._uri, self._holder | {"seen": time.time()})

    def _renew(self) -> None:
        while not self._over.wait(_RENEWED_EACH_S):
            try:
                if not self._is_held(known := self._known()):
                    self._end(known)
                self._write()
            except (UserError, OSError) as error:
                _LOG.warning("%s could not be renewed (%s)", self._uri, error)

    def _end(self, known: dict[str, Any] | None) -> None:
        """End the process without what it would write on its way out; an exception would not reach the thread that works."""
        by = f"by process {Process(known['host'], known['name']).number} on {known['host']}" if known else "by one that has ended since"
        _LOG.critical("%s was taken over %s while this one could not reach %s; this one stops", self._what, by, self._uri)
        os._exit(_REPLACED_CODE)
