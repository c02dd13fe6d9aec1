"""Work that goes on when the object store, or a server, is away for a while."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from crossmodal.storage.uri import StoreAwayError

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE_S = 15.0
_Value = TypeVar("_Value")


def _is_store_away(error: Exception) -> bool:
    return isinstance(error, StoreAwayError)


def retry_while_away(action: Callable[[], _Value], outage_s: float, is_away: Callable[[Exception], bool] = _is_store_away) -> _Value:
    """Ask something of a store or a server, again and again while it does not answer.

    Parameters
    ----------
    action : callable
        Can be repeated.
    outage_s : float
        How long it may be away from when it is first missed, s.
    is_away : callable
        Tells from an error whether it does not answer; by default, whether the store does not.

    Raises
    ------
    Exception
        What `action` raised: StoreAwayError or another that `is_away` holds for, if that went on for longer.
    """
    until: float | None = None
    pause_s = 0.5
    while True:
        try:
            return action()
        except Exception as error:
            if not is_away(error):
                raise
            # From here, not from the beginning: what was asked may itself have taken longer than that.
            until = time.monotonic() + outage_s if until is None else until
            if time.monotonic() >= until:
                raise
            _LOG.warning("waiting until it answers (%s)", error)
        time.sleep(min(pause_s, max(0.0, until - time.monotonic())))
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
