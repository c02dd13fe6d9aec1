"""What a task's scores consist of, declared once: tables, MLflow, searches, nights and digests derive what they show from it."""

from dataclasses import dataclass
from typing import Literal

from crossmodal.evaluation.names import TRAINING_MEAN


@dataclass(frozen=True)
class Metric:
    """One figure of a score.

    Attributes
    ----------
    name : str
        In scores, MLflow and CSV.
    title : str
        Of its column in a table; one without a title is in CSV and MLflow alone.
    better : str
        Which way is better; tables say it of those where lower is.
    pattern : str
        How it prints.
    shown_scale : float
        From its SI unit to that of its column.
    has_unit : bool
        It is in the unit of the group's channels, so that the column names the unit that people read.
    has_interval : bool
        The interval over subjects is kept beside it.
    shows_interval : bool
        Tables print that interval, too, as of the primary metric.
    is_optional : bool
        Its column is left out where no row has it.
    mean_of : tuple of str
        Names of metrics whose means over subjects it is the mean of; no score has it then.
    share_of : str
        How the title of a predictor begins; it is the mean primary metric over that predictor's, and no score has it then.
    told, absent : str
        What a table says of it where some row has it, and where none has.
    """

    name: str
    title: str = ""
    better: Literal["higher", "lower"] = "higher"
    pattern: str = "{:.3f}"
    shown_scale: float = 1.0
    has_unit: bool = False
    has_interval: bool = False
    shows_interval: bool = False
    is_optional: bool = False
    mean_of: tuple[str, ...] = ()
    share_of: str = ""
    told: str = ""
    absent: str = ""

    @property
    def is_scored(self) -> bool:
        """Whether each score has it, rather than the summary of a cohort alone."""
        return not self.mean_of and not self.share_of


@dataclass(frozen=True)
class Scorecard:
    """All figures of a task.

    Attributes
    ----------
    metrics : tuple of Metric
        In the order of columns.
    primary : str
        Name of the metric that searches maximise and nights compare; higher is better, and the trivial predictor has zero.
    words : str
        What sentences call it.
    beside : str
        Name of a metric that figures and digests show beside it; empty for none.
    beside_words : str
    rival : str
        How the title of the linear model begins that networks are compared with.
    rival_word : str
        The same in the title of a column.
    trivial : str
        Title of the predictor that knows nothing of the input.
    trivial_word : str
        The same in the title of a column.
    """

    metrics: tuple[Metric, ...]
    primary: str
    words: str
    beside: str = ""
    beside_words: str = ""
    rival: str = "lagged ridge"
    rival_word: str = "lagged"
    trivial: str = TRAINING_MEAN
    trivial_word: str = "mean"

    def __getitem__(self, name: str) -> Metric:
        return next(metric for metric in self.metrics if metric.name == name)

    @property
    def yardsticks(self) -> tuple[str, ...]:
        """How the titles of predictors begin that metrics are shares of."""
        return tuple(metric.share_of for metric in self.metrics if metric.share_of)

    @property
    def scored(self) -> tuple[Metric, ...]:
        """Metrics that each score has."""
        return tuple(metric for metric in self.metrics if metric.is_scored)

    def is_rival(self, predictor: str) -> bool:
        """Whether a predictor is the linear model that networks are compared with."""
        return predictor.startswith(self.rival)
