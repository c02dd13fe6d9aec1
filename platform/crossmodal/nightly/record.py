"""What the store knows of each night: how far it is, what it spent, and how it ended."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pydantic import Field, ValidationError

from crossmodal.config import Config, UserError
from crossmodal.storage.uri import exists, join, list_names, read_json, write_json

_NOTED_EACH_S = 15.0


class NightRecord(Config):
    """One night of one experiment, by its date.

    Attributes
    ----------
    began : str
        Local time, as Optuna notes it for trials.
    search_s, beside_s : float
        What its trials, and the champion's defence and the winner's refit beside them, have taken so far, over all attempts.
    budget_s : float
        What its trials might take.
    reason : str
        Why no further trial was begun.
    code : int
        The exit code it ended with: 1 where recordings failed, 2 for a mistake to mend, 70 for any other failure.
    settings : dict of str to str
        For the next night to tell what changed.
    """

    date: str
    began: str
    state: Literal["running", "promoted", "kept", "failed"] = "running"
    search_s: float = 0.0
    beside_s: float = 0.0
    budget_s: float = 0.0
    reason: str = ""
    code: int = 0
    verdict: str = ""
    commit: str = ""
    settings: dict[str, str] = Field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether it came to its end; one that failed is tried again."""
        return self.state in ("promoted", "kept")


def nights_uri(store: str, name: str) -> str:
    """Where a store keeps the nights of an experiment."""
    return join(store, "nights", name)


def read_record(nights: str, date: str) -> NightRecord | None:
    """Read what is known of a night.

    Raises
    ------
    UserError
        Something else lies in its place.
    """
    uri = join(nights, date, "record.json")
    try:
        return NightRecord.model_validate(read_json(uri)) if exists(uri) else None
    except ValidationError:
        raise UserError(f"{uri}: is no record of a night that this version reads; move it away and run again") from None


def write_record(nights: str, record: NightRecord) -> None:
    """Keep what is known of a night."""
    write_json(join(nights, record.date, "record.json"), record.model_dump(mode="json"))


def previous_record(nights: str, date: str) -> NightRecord | None:
    """Read the newest night before a date that came to its end."""
    before = sorted((name for name in list_names(nights) if name < date), reverse=True)
    return next((record for record in (read_record(nights, name) for name in before) if record and record.done), None)


@contextmanager
def spending(nights: str, date: str, what: Literal["search_s", "beside_s"]) -> Iterator[None]:
    """Note every few seconds what a night spends, so that a killed one knows it when it goes on."""
    record = read_record(nights, date)
    assert record, "a night is written down before it spends"
    before, started, over = getattr(record, what), time.monotonic(), threading.Event()

    def note() -> None:
        write_record(nights, record.model_copy(update={what: before + time.monotonic() - started}))

    def keep_noting() -> None:
        while not over.wait(_NOTED_EACH_S):
            try:
                note()
            except (UserError, OSError):
                continue  # the next note holds all that this one does

    noting = threading.Thread(target=keep_noting, daemon=True)
    noting.start()
    try:
        yield
    finally:
        over.set()
        noting.join()
        note()
