"""What a night is told in the morning: one HTML page without anything to load."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import Field

from crossmodal.config import Config
from crossmodal.reporting.style import BASELINES, CEILING, MODEL, SECOND

Role = Literal["winner", "champion", "trial", "baseline", "oracle", "control", "void", "ceiling"]
_COLOURS: dict[Role, str] = {
    "winner": MODEL,
    "champion": SECOND,
    **dict.fromkeys(("trial", "baseline", "oracle", "control", "void"), BASELINES[0]),
    "ceiling": CEILING,
}
_PLOT_PX, _ROW_PX = 260, 22


class Standing(Config):
    """One row of a leaderboard; the interval over subjects is None where there are too few of them.

    `beside` is the mean of the metric that the scorecard names beside the score, None where that is undefined.
    """

    name: str
    role: Role
    mean: float
    low: float | None
    high: float | None
    n: int
    beside: float | None = None


class ModelRow(Config):
    """One model of a search over several: its best trial, None where none was finished, and how many of its trials ended in which way."""

    model: str
    best: Standing | None
    trials: str


class Failure(Config):
    """A recording or a trial that failed, and why."""

    what: str
    cause: str


class SubjectRow(Config):
    """One subject's score by predictor, in the order of the board's columns; None where it has none."""

    subject: str
    values: tuple[float | None, ...]


class SubjectBoard(Config):
    """Every subject of one task. The first column is the winner's, and the second the champion's if there is one."""

    columns: tuple[str, ...]
    against_champion: bool
    rows: tuple[SubjectRow, ...]


class Digest(Config):
    """All that a night is told of.

    Attributes
    ----------
    leaderboards, boards : dict
        By task: what is predicted from what, on which sensors.
    models : tuple of ModelRow
        Where the search chooses among models, the best one first.
    test : tuple of Standing
        On the locked test subjects, where they were opened this night.
    protocol : int
        The version that its scores were made under.
    openings : tuple of str
        All times these were opened, a line each.
    cost, links : dict of str to str
        Labelled figures, and addresses.
    """

    name: str
    date: str
    finished: str = Field(description="ISO time")
    state: Literal["promoted", "kept", "failed"]
    verdict: str
    words: str = Field("score", description="what a score is")
    beside_words: str = Field("", description="what stands beside it; empty for nothing")
    changes: tuple[str, ...] = ()
    leaderboards: dict[str, tuple[Standing, ...]] = Field(default_factory=dict)
    boards: dict[str, SubjectBoard] = Field(default_factory=dict)
    models: tuple[ModelRow, ...] = ()
    test: tuple[Standing, ...] = ()
    protocol: int = 1
    openings: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    cost: dict[str, str] = Field(default_factory=dict)
    links: dict[str, str] = Field(default_factory=dict)


def to_html(digest: Digest) -> str:
    """Write the page."""
    page = Environment(
        loader=PackageLoader(__package__, "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page.filters["number"] = _number
    page.globals |= {"colours": _COLOURS, "plot_px": _PLOT_PX, "row_px": _ROW_PX}
    return page.get_template("digest.html").render(
        digest=digest, finished=datetime.fromisoformat(digest.finished), axis_of=_Axis.of, by_mean=_by_mean
    )


@dataclass(frozen=True)
class _Axis:
    """Between scores and pixels of a leaderboard's plot."""

    low: float
    high: float

    @classmethod
    def of(cls, standings: Sequence[Standing]) -> "_Axis":
        ends = [end for standing in standings for end in (standing.low, standing.high, standing.mean, 0.0) if end is not None]
        return cls(min(ends), max(ends))

    def x(self, value: float) -> str:
        return f"{8 + (_PLOT_PX - 16) * (value - self.low) / ((self.high - self.low) or 1.0):.1f}"


def _by_mean(standings: Sequence[Standing]) -> list[Standing]:
    """The best one first; of equals, the one that was scored first."""
    return sorted(standings, key=lambda standing: -standing.mean)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".replace("-0.000", "0.000")
