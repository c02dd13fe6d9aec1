"""Work that goes on when MLflow or the object store is away for a while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from crossmodal.config import UserError
from crossmodal.storage.outage import retry_while_away
from crossmodal.tracking.spool import is_away

_Value = TypeVar("_Value")


def retry_while_mlflow_away(action: Callable[[], _Value], outage_s: float) -> _Value:
    """Ask something of MLflow and the store, again and again while one of them does not answer.

    Parameters
    ----------
    action : callable
        Can be repeated.
    outage_s : float
        How long they may be away from when one is first missed, s.

    Raises
    ------
    UserError
        One was away for longer.
    """
    with translate_outage_errors():
        return retry_while_away(action, outage_s, is_away)


@contextmanager
def translate_outage_errors() -> Iterator[None]:
    """Turn what MLflow does not answer into one sentence; the store has its own.

    Raises
    ------
    UserError
        MLflow, or the store, is away.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if is_away(error):
            raise UserError(f"tracking: the server is away ({error}); run the same command again when it answers") from error
        raise
