"""Work that goes on when the object store is away for a while."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from crossmodal.storage.uri import StoreAwayError

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE_S = 15.0
_Value = TypeVar("_Value")


def patiently(action: Callable[[], _Value], outage_s: float) -> _Value:
    """Ask something of a store, again and again while it does not answer.

    Parameters
    ----------
    action : callable
        Can be repeated.
    outage_s : float
        How long the store may be away, s.

    Raises
    ------
    StoreAwayError
        It was away for longer.
    """
    until, pause_s = time.monotonic() + outage_s, 0.5
    while True:
        try:
            return action()
        except StoreAwayError as error:
            if time.monotonic() >= until:
                raise
            _LOG.warning("waiting for the store (%s)", error)
        time.sleep(min(pause_s, max(0.0, until - time.monotonic())))
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
