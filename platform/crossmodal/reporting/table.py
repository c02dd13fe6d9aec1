"""The table every evaluation prints: on the terminal, as Markdown, and as CSV with all digits."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from crossmodal.config import Experiment
from crossmodal.datasets.folds import Label
from crossmodal.evaluation.cohort import CohortRow, summarise
from crossmodal.evaluation.names import EYES_AND_HEART
from crossmodal.evaluation.scores import FoldScores
from crossmodal.evaluation.statistics import LEAST_SUBJECTS
from crossmodal.reporting.units import display_unit, sensor_title

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
    rows : tuple of CohortRow
    """

    title: str
    note: str
    label: Label
    protocol: int
    confidence: float
    rows: tuple[CohortRow, ...]

    @classmethod
    def of(cls, experiment: Experiment, folds: Sequence[FoldScores]) -> Self:
        """Summarise the folds of an experiment."""
        source, target = (signals.modality.upper() for signals in (experiment.data.source, experiment.data.target))
        confidence = experiment.evaluation.confidence
        (protocol,) = {fold.protocol for fold in folds}
        rows = summarise(folds, confidence, experiment.seed)
        return cls(f"{experiment.name}: {source} → {target}", experiment.note, folds[0].label, protocol, confidence, rows)

    def by_type(self) -> dict[str, list[CohortRow]]:
        """Rows of each channel type, in order."""
        grouped: dict[str, list[CohortRow]] = {}
        for row in self.rows:
            grouped.setdefault(row.channel_type, []).append(row)
        return grouped

    def warnings(self) -> list[str]:
        """Sentences without which the table would mislead."""
        protocol = [_LABELS[self.label]] if self.label else []
        leaks = dict.fromkeys(row.predictor for row in self.rows if row.leak)
        return protocol + [f"LEAK: {predictor} is above the oracle beyond its sampling error." for predictor in leaks]

    def remarks(self) -> list[str]:
        """Sentences that explain the table."""
        n = max(row.n for row in self.rows)
        remarks = [self.note] if self.note else []
        subjects = f"{n} subject{'s' * (n > 1)}"
        remarks.append(
            f"EV: explained variance of the sensors' signal about the training mean, {self.confidence:.0%} t interval over {subjects}; "
            "p: sign-flip test over subjects, Holm-corrected down the column, * below .05."
        )
        if any(not np.isnan(row.beyond_physiology) for row in self.rows):
            remarks.append(
                "beyond EOG, ECG: explained variance of what lagged EOG and ECG leave, regressed out of truth and prediction;"
                f" {EYES_AND_HEART}: what these predict without any EEG."
            )
        else:
            remarks.append("No EOG or ECG is recorded, so nobody can tell how much of a score eyes and heart make.")
        remarks.append(f"Protocol version {self.protocol}; scores of other versions are not to be compared with these.")
        if n < LEAST_SUBJECTS:
            remarks.append(f"n = {n}: with fewer than {LEAST_SUBJECTS} subjects nothing is called significant.")
        return remarks


def header(table: ScoreTable, channel_type: str) -> list[str]:
    """Column titles for one channel type."""
    _, unit = display_unit(channel_type)
    interval = f"EV [{table.confidence:.0%}]"
    return [
        "predictor",
        interval,
        "beyond EOG, ECG",
        "of lin. ref.",
        "r",
        "topogr. r",
        "NMSE",
        "PSD err. dB",
        f"error {unit}",
        "p > mean",
        "p vs lagged",
        "n",
    ]


def cells(row: CohortRow, label: str) -> list[str]:
    """One row as a reader sees it, with the protocol's label; a dash where a figure is undefined."""
    scale, _ = display_unit(row.channel_type)
    low, high = row.interval
    interval = "" if np.isnan(low) else f" [{_number(low)}, {_number(high)}]"
    psd_errors = [error for error in row.log_psd_error_db.values() if not np.isnan(error)]
    return [
        row.predictor + (f" ({label})" if label and row.role != "ceiling" else "") + (" LEAK" if row.leak else ""),
        _number(row.explained_variance) + interval,
        _number(row.beyond_physiology),
        _number(row.ratio, "{:.2f}"),
        _number(row.r),
        _number(row.topography_r),
        _number(row.nmse),
        _number(float(np.mean(psd_errors)) if psd_errors else np.nan, "{:.1f}"),
        _number(scale * row.rms_error, "{:#.3g}"),
        _p(row.p_above_mean, row.above_mean),
        _p(row.p_lagged, row.differs_from_lagged),
        str(row.n),
    ]


def to_rich(table: ScoreTable) -> Group:
    """The table for a terminal."""
    parts: list[Table | Text] = []
    for channel_type, rows in table.by_type().items():
        drawn = Table(title=f"{table.title}: {sensor_title(channel_type)}", title_style="bold", box=box.SIMPLE_HEAD)
        for index, name in enumerate(header(table, channel_type)):
            drawn.add_column(name, justify="left" if index == 0 else "right", no_wrap=index < 2)
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            style = "bold red" if row.leak else "bold" if row.role == "model" else "dim" if row.role == "ceiling" else ""
            drawn.add_row(*cells(row, table.label), style=style, end_section=following is not None and following.role != row.role)
        parts.append(drawn)
    return Group(*parts, *(Text(warning, style="bold red") for warning in table.warnings()), *map(Text, table.remarks()))


def to_markdown(table: ScoreTable) -> str:
    """The same table for a README or an MLflow artifact."""
    lines = []
    for channel_type, rows in table.by_type().items():
        titles = header(table, channel_type)
        lines += [f"### {table.title}: {sensor_title(channel_type)}", "", _line(titles), _line(["---"] + ["---:"] * (len(titles) - 1))]
        for row in rows:
            first, *others = cells(row, table.label)
            lines.append(_line([f"**{first}**" if row.role == "model" else first, *others]))
        lines.append("")
    return "\n".join([*lines, *(f"**{warning}**\n" for warning in table.warnings()), *(f"{remark}\n" for remark in table.remarks())])


def to_csv(table: ScoreTable) -> str:
    """All figures with all their digits, SI units; empty where undefined."""
    bands = list(table.rows[0].log_psd_error_db) if table.rows else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    numbers = ["ratio_to_linear_reference", "r", "r2", "nmse", "topography_r", "rms_error_si", "p_above_mean", "p_vs_lagged"]
    intervals = ["t_low", "t_high", "bca_low", "bca_high", "beyond_physiology", "beyond_low", "beyond_high"]
    psd_errors = [f"log_psd_error_db_{band}" for band in bands]
    writer.writerow(
        ["channel_type", "predictor", "role", "label", "protocol", "leak", "n", "explained_variance", *intervals, *numbers, *psd_errors]
    )
    for row in table.rows:
        values = [row.explained_variance, *row.interval, *row.bca, row.beyond_physiology, *row.beyond_interval]
        values += [row.ratio, row.r, row.r2, row.nmse, row.topography_r, row.rms_error, row.p_above_mean, row.p_lagged]
        values += [row.log_psd_error_db.get(band, np.nan) for band in bands]
        digits = ["" if np.isnan(value) else repr(float(value)) for value in values]
        writer.writerow(
            [row.channel_type, row.predictor, row.role, table.label, table.protocol, "LEAK" if row.leak else "", row.n, *digits]
        )
    return text.getvalue()


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"


def _number(value: float, pattern: str = "{:.3f}") -> str:
    # What rounds to zero is shown without a sign.
    return _UNDEFINED if np.isnan(value) else pattern.format(value).replace("-0.000", "0.000")


def _p(p: float, significant: bool) -> str:
    if np.isnan(p):
        return _UNDEFINED
    return ("<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")) + ("*" if significant else "")
