"""The table every evaluation prints: on the terminal, as Markdown, and as CSV with all digits."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from crossmodal.config import Experiment
from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.datasets.folds import Label
from crossmodal.evaluation.cohort import CohortRow, summarise
from crossmodal.evaluation.scorecard import Metric, Scorecard
from crossmodal.evaluation.scores import FoldScores
from crossmodal.evaluation.statistics import ALPHA, LEAST_SUBJECTS, Alternative, least_sign_flip_p

_UNDEFINED = "-"
_LABELS: dict[Label, str] = {
    "leaky": "LEAKY: windows of one recording are both in training and in test; these scores say nothing about a new subject.",
    "within recording": "WITHIN RECORDING: trained and tested on parts of one recording; these scores say nothing about a new subject.",
    "within subject": "WITHIN SUBJECT: trained and tested on recordings of one person; these scores say nothing about a new subject.",
}


@dataclass(frozen=True)
class ScoreTable:
    """Rows of a run with what must be said beside them.

    Attributes
    ----------
    title : str
        Names the experiment and the direction.
    note : str
        The experiment's own note.
    label : str
        Of its folds, as `Fold.label`.
    protocol : int
        The version that its scores were made under.
    confidence : float
        Of the intervals.
    scorecard : Scorecard
        Of the task.
    rows : tuple of CohortRow
    """

    title: str
    note: str
    label: Label
    protocol: int
    confidence: float
    scorecard: Scorecard
    rows: tuple[CohortRow, ...]

    @classmethod
    def of(cls, experiment: Experiment, folds: Sequence[FoldScores], scorecard: Scorecard) -> Self:
        """Summarise the folds of an experiment."""
        input, target = (signals.modality.upper() for signals in (experiment.data.input, experiment.data.target))
        confidence = experiment.evaluation.confidence
        (protocol,) = {fold.protocol for fold in folds}
        rows = summarise(folds, scorecard, confidence, experiment.seed)
        return cls(f"{experiment.name}: {input} → {target}", experiment.note, folds[0].label, protocol, confidence, scorecard, rows)

    def by_type(self) -> dict[str, list[CohortRow]]:
        """Rows of each channel type, in order."""
        grouped: dict[str, list[CohortRow]] = {}
        for row in self.rows:
            grouped.setdefault(row.channel_type, []).append(row)
        return grouped

    def warnings(self) -> list[str]:
        """Sentences without which the table would mislead."""
        protocol = [_LABELS[self.label]] if self.label else []
        return protocol + self.leaks()

    def leaks(self) -> list[str]:
        """Sentences that name each row that leaks, and the subjects."""
        return [
            f"LEAK: {row.predictor}, {CHANNEL_TYPES[row.channel_type].title}, explains more than can be known of {row.leak_in}."
            for row in self.rows
            if row.leak
        ]

    def remarks(self) -> list[str]:
        """Sentences that explain the table."""
        n = max(row.n for row in self.rows)
        card = self.scorecard
        remarks = [self.note] if self.note else []
        subjects = f"{n} subject{'s' * (n > 1)}"
        remarks.append(
            f"{card[card.primary].told}, {self.confidence:.0%} t interval over {subjects}; "
            "p: sign-flip test over subjects, Holm-corrected down the column, * below .05; "
            f"against {card.rival} it is two-sided, and the star says which is better."
        )
        for metric in card.metrics:
            if metric.name != card.primary and (told := metric.told if _is_there(metric, self.rows) else metric.absent):
                remarks.append(told)
        shown = dict.fromkeys(metric for kind in self.by_type() for metric in self._columns(kind))
        if lower := [metric.title for metric in shown if metric.better == "lower"]:
            remarks.append(f"Lower is better: {', '.join(lower)}.")
        remarks.append(f"Protocol version {self.protocol}; scores of other versions are not to be compared with these.")
        if n < LEAST_SUBJECTS:
            remarks.append(f"n = {n}: with fewer than {LEAST_SUBJECTS} subjects nothing is called significant.")
            return remarks
        return remarks + list(dict.fromkeys(remark for rows in self.by_type().values() for remark in _no_star(rows, card)))

    def header(self, channel_type: str) -> list[str]:
        """Column titles for one channel type."""
        unit = CHANNEL_TYPES[channel_type].shown_unit
        titles = [self._title(metric, unit) for metric in self._columns(channel_type)]
        return ["predictor", *titles, _above(self.scorecard), _beside(self.scorecard), "n"]

    def _title(self, metric: Metric, unit: str) -> str:
        with_unit = f"{metric.title} {unit}" if metric.has_unit else metric.title
        return f"{with_unit} [{self.confidence:.0%}]" if metric.shows_interval else with_unit

    def score(self, row: CohortRow) -> str:
        """The score of a row with its interval."""
        return _cell(row, self.scorecard[self.scorecard.primary])

    def cells(self, row: CohortRow) -> list[str]:
        """One row as a reader sees it, with the protocol's label; a dash where a figure is undefined."""
        return [
            named(row) + (f" ({self.label})" if self.label and row.role != "ceiling" else "") + leak_mark(row),
            *(_cell(row, metric) for metric in self._columns(row.channel_type)),
            _p(row.p_above, row.above),
            _p(row.p_rival, row.differs_from_rival) + _direction(row),
            str(row.n),
        ]

    def _columns(self, channel_type: str) -> list[Metric]:
        """Metrics with a title that are not left out, the primary one first."""
        card, rows = self.scorecard, self.by_type()[channel_type]
        shown = [metric for metric in card.metrics if metric.title and metric.name != card.primary]
        return [card[card.primary], *(metric for metric in shown if not metric.is_optional or _is_there(metric, rows))]


def _is_there(metric: Metric, rows: Sequence[CohortRow]) -> bool:
    return any(not np.isnan(row.means[metric.name]) for row in rows)


def _above(scorecard: Scorecard) -> str:
    return f"p > {scorecard.trivial_word}"


def _beside(scorecard: Scorecard) -> str:
    return f"p vs {scorecard.rival_word}"


def _no_star(rows: Sequence[CohortRow], scorecard: Scorecard) -> Iterator[str]:
    """Say of each column of p values of one channel type whether no row of it could have a star, however much it explains."""
    above, rival = ([row.n for row in rows if not np.isnan(getattr(row, name))] for name in ("p_above", "p_rival"))
    columns: list[tuple[str, list[int], Alternative]] = [(_above(scorecard), above, "greater"), (_beside(scorecard), rival, "two-sided")]
    for title, n_of_rows, alternative in columns:
        least = len(n_of_rows) * least_sign_flip_p(max(n_of_rows), alternative) if n_of_rows else 0.0
        if least >= ALPHA:
            counted = f"n = {max(n_of_rows)} and {len(n_of_rows)} row{'s' * (len(n_of_rows) > 1)}"
            yield f"{title}: no star is possible with {counted}; the least corrected p is {f'{least:.4f}'.removeprefix('0')}."


def _cell(row: CohortRow, metric: Metric) -> str:
    low, high = row.intervals[metric.name] if metric.shows_interval else (float("nan"),) * 2
    return _figure(row, metric) + ("" if np.isnan(low) else f" [{_number(low)}, {_number(high)}]")


def _figure(row: CohortRow, metric: Metric) -> str:
    scale = CHANNEL_TYPES[row.channel_type].shown_scale if metric.has_unit else metric.shown_scale
    # Bands that no frequency lies in are undefined, and no part of their mean.
    parts = [name for name in metric.mean_of if not np.isnan(row.means[name])] or [metric.name]
    return _number(scale * row.means[metric.name], metric.pattern) + _of_fewer(row, *parts)


def to_rich(table: ScoreTable) -> Group:
    """The table for a terminal."""
    parts: list[Table | Text] = []
    for channel_type, rows in table.by_type().items():
        drawn = Table(title=f"{table.title}: {CHANNEL_TYPES[channel_type].title}", title_style="bold", box=box.SIMPLE_HEAD)
        for index, name in enumerate(table.header(channel_type)):
            drawn.add_column(name, justify="left" if index == 0 else "right", no_wrap=index < 2)
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            style = "bold red" if row.leak else "bold" if row.role == "model" else "dim" if row.role == "ceiling" else ""
            drawn.add_row(*table.cells(row), style=style, end_section=following is not None and following.role != row.role)
        parts.append(drawn)
    return Group(*parts, *(Text(warning, style="bold red") for warning in table.warnings()), *map(Text, table.remarks()))


def to_markdown(table: ScoreTable) -> str:
    """The same table for a README or an MLflow artifact."""
    lines = []
    for channel_type, rows in table.by_type().items():
        titles = table.header(channel_type)
        lines += [
            f"### {table.title}: {CHANNEL_TYPES[channel_type].title}",
            "",
            markdown_line(titles),
            markdown_line(["---"] + ["---:"] * (len(titles) - 1)),
        ]
        for row in rows:
            first, *others = table.cells(row)
            lines.append(markdown_line([f"**{first}**" if row.role == "model" else first, *others]))
        lines.append("")
    return "\n".join([*lines, *(f"**{warning}**\n" for warning in table.warnings()), *(f"{remark}\n" for remark in table.remarks())])


def to_csv(table: ScoreTable) -> str:
    """All figures with all their digits, SI units; empty where undefined."""
    of_all = {"label": table.label, "protocol": table.protocol}
    rows = [_csv_row(row, of_all, table.scorecard) for row in table.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _csv_row(row: CohortRow, of_all: Mapping[str, str | int], scorecard: Scorecard) -> dict[str, str | int]:
    texts = {"channel_type": row.channel_type, "predictor": row.predictor, "role": row.role}
    numbers: dict[str, float] = {}
    for metric in scorecard.metrics:
        numbers[f"{metric.name}_si" if metric.has_unit else metric.name] = row.means[metric.name]
        if metric.has_interval:
            numbers |= dict(zip((f"{metric.name}_low", f"{metric.name}_high"), row.intervals[metric.name], strict=True))
        if metric.name == scorecard.primary:
            numbers |= {"bca_low": row.bca[0], "bca_high": row.bca[1]}
    numbers |= {f"p_above_{scorecard.trivial_word}": row.p_above, f"p_vs_{scorecard.rival_word}": row.p_rival}
    numbers[f"difference_to_{scorecard.rival_word}"] = row.rival_difference
    digits = {name: "" if np.isnan(value) else repr(float(value)) for name, value in numbers.items()}
    counts = {f"n_{figure}": count for figure, count in row.n_defined.items()}
    return {**texts, **of_all, "leak": " ".join(["LEAK", *row.leaking]) if row.leak else "", "n": row.n, **digits, **counts}


def markdown_line(row: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(row) + " |"


def _number(value: float, pattern: str = "{:.3f}") -> str:
    if np.isnan(value):
        return _UNDEFINED
    text = pattern.format(value)
    # What rounds to zero is shown without a sign.
    return text if float(text) else text.removeprefix("-")


def named(row: CohortRow) -> str:
    """The predictor, marked where it has seen the test subject's own target, can know nothing, or was told what to predict."""
    return row.predictor + (f" ({row.role})" if row.role in ("oracle", "control", "void") else "")


def leak_mark(row: CohortRow) -> str:
    """What follows a row that leaks; empty for others."""
    if not row.leak:
        return ""
    return f" LEAK in {len(row.leaking)} of {row.n}" if row.leaking else " LEAK"


def _of_fewer(row: CohortRow, *figures: str) -> str:
    """Over how many subjects a figure is, where it is over fewer than the score of its row."""
    fewest = min(row.n_defined.get(figure, row.n) for figure in figures)
    return f" (n = {fewest})" if 0 < fewest < row.n else ""


def _direction(row: CohortRow) -> str:
    if not row.differs_from_rival:
        return ""
    return " better" if row.rival_difference > 0 else " worse"


def _p(p: float, significant: bool) -> str:
    if np.isnan(p):
        return _UNDEFINED
    return ("<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")) + ("*" if significant else "")
