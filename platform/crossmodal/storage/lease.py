"""A place that one process holds at a time, on whatever store: held by a file that is renewed while its holder lives."""

import logging
import threading
import time
import uuid
from types import TracebackType
from typing import Any, Self

from crossmodal.config import UserError
from crossmodal.storage.process import Process
from crossmodal.storage.uri import exists, read_json, remove_file, write_json

_LOG = logging.getLogger(__name__)
_RENEWED_EACH_S = 30.0
_LONGEST_SILENCE_S = 300.0
# Stores need not refuse a second writer: who was last to write is known after a moment.
_SETTLED_S = 1.0


class Lease:
    """Held inside the context.

    A holder of this machine that is dead, or one of another machine that was silent for five minutes, holds no longer.

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
        """Take the place.

        Raises
        ------
        UserError
            Another process holds it.
        """
        if exists(self._uri):
            self._refuse_if_held(read_json(self._uri))
        self._write()
        time.sleep(_SETTLED_S)
        written = read_json(self._uri)
        if written["id"] != self._holder["id"]:
            self._refuse_if_held(written)
        self._renewing.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._renewing.join()
        try:
            remove_file(self._uri)
        except (UserError, OSError) as unreachable:
            _LOG.warning("%s stays, and is given up in silence (%s)", self._uri, unreachable)

    def _refuse_if_held(self, holder: dict[str, Any]) -> None:
        process = Process(holder["host"], holder["name"])
        if process.is_alive if process.is_here else time.time() - holder["seen"] < _LONGEST_SILENCE_S:
            raise UserError(f"{self._what} is running already, as process {process.number} on {process.host}; wait for it, or stop it")

    def _write(self) -> None:
        write_json(self._uri, self._holder | {"seen": time.time()})

    def _renew(self) -> None:
        while not self._over.wait(_RENEWED_EACH_S):
            try:
                self._write()
            except (UserError, OSError) as error:
                _LOG.warning("%s could not be renewed (%s)", self._uri, error)
