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
from crossmodal.evaluation.cohort import CohortRow, band_figure, summarise
from crossmodal.evaluation.names import EYES_AND_HEART
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
        input, target = (signals.modality.upper() for signals in (experiment.data.input, experiment.data.target))
        confidence = experiment.evaluation.confidence
        (protocol,) = {fold.protocol for fold in folds}
        rows = summarise(folds, confidence, experiment.seed)
        return cls(f"{experiment.name}: {input} → {target}", experiment.note, folds[0].label, protocol, confidence, rows)

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
        remarks = [self.note] if self.note else []
        subjects = f"{n} subject{'s' * (n > 1)}"
        remarks.append(
            f"EV: explained variance of the sensors' signal about the training mean, {self.confidence:.0%} t interval over {subjects}; "
            "p: sign-flip test over subjects, Holm-corrected down the column, * below .05; against lagged ridge it is two-sided, and "
            "the star says which is better."
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
        return remarks + list(dict.fromkeys(remark for rows in self.by_type().values() for remark in _no_star(rows)))


def _no_star(rows: Sequence[CohortRow]) -> Iterator[str]:
    """Say of each column of p values of one channel type whether no row of it could have a star, however much it explains."""
    above, lagged = ([row.n for row in rows if not np.isnan(getattr(row, name))] for name in ("p_above_mean", "p_lagged"))
    columns: list[tuple[str, list[int], Alternative]] = [("p > mean", above, "greater"), ("p vs lagged", lagged, "two-sided")]
    for title, n_of_rows, alternative in columns:
        least = len(n_of_rows) * least_sign_flip_p(max(n_of_rows), alternative) if n_of_rows else 0.0
        if least >= ALPHA:
            counted = f"n = {max(n_of_rows)} and {len(n_of_rows)} row{'s' * (len(n_of_rows) > 1)}"
            yield f"{title}: no star is possible with {counted}; the least corrected p is {f'{least:.4f}'.removeprefix('0')}."


def header(table: ScoreTable, channel_type: str) -> list[str]:
    """Column titles for one channel type."""
    unit = CHANNEL_TYPES[channel_type].shown_unit
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
    scale = CHANNEL_TYPES[row.channel_type].shown_scale
    low, high = row.interval
    interval = "" if np.isnan(low) else f" [{_number(low)}, {_number(high)}]"
    psd_errors = {band: error for band, error in row.log_psd_error_db.items() if not np.isnan(error)}
    psd_error = float(np.mean(list(psd_errors.values()))) if psd_errors else np.nan
    return [
        row.predictor + (f" ({label})" if label and row.role != "ceiling" else "") + _leak_mark(row),
        _number(row.explained_variance) + interval,
        _number(row.beyond_physiology) + _of_fewer(row, "beyond_physiology"),
        _number(row.ratio, "{:.2f}"),
        _number(row.r) + _of_fewer(row, "r"),
        _number(row.topography_r) + _of_fewer(row, "topography_r"),
        _number(row.nmse) + _of_fewer(row, "nmse"),
        _number(psd_error, "{:.1f}") + _of_fewer(row, *(band_figure(band) for band in psd_errors)),
        _number(scale * row.rms_error, "{:#.3g}"),
        _p(row.p_above_mean, row.above_mean),
        _p(row.p_lagged, row.differs_from_lagged) + _direction(row),
        str(row.n),
    ]


def to_rich(table: ScoreTable) -> Group:
    """The table for a terminal."""
    parts: list[Table | Text] = []
    for channel_type, rows in table.by_type().items():
        drawn = Table(title=f"{table.title}: {CHANNEL_TYPES[channel_type].title}", title_style="bold", box=box.SIMPLE_HEAD)
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
        lines += [
            f"### {table.title}: {CHANNEL_TYPES[channel_type].title}",
            "",
            _line(titles),
            _line(["---"] + ["---:"] * (len(titles) - 1)),
        ]
        for row in rows:
            first, *others = cells(row, table.label)
            lines.append(_line([f"**{first}**" if row.role == "model" else first, *others]))
        lines.append("")
    return "\n".join([*lines, *(f"**{warning}**\n" for warning in table.warnings()), *(f"{remark}\n" for remark in table.remarks())])


def to_csv(table: ScoreTable) -> str:
    """All figures with all their digits, SI units; empty where undefined."""
    of_all = {"label": table.label, "protocol": table.protocol}
    rows = [_csv_row(row, of_all) for row in table.rows]
    text = io.StringIO()
    # Ceilings have no errors of bands, and the first row, the model's, has all columns.
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _csv_row(row: CohortRow, of_all: Mapping[str, str | int]) -> dict[str, str | int]:
    texts = {"channel_type": row.channel_type, "predictor": row.predictor, "role": row.role}
    numbers = {
        "explained_variance": row.explained_variance,
        "t_low": row.interval[0],
        "t_high": row.interval[1],
        "bca_low": row.bca[0],
        "bca_high": row.bca[1],
        "beyond_physiology": row.beyond_physiology,
        "beyond_low": row.beyond_interval[0],
        "beyond_high": row.beyond_interval[1],
        "ratio_to_linear_reference": row.ratio,
        "r": row.r,
        "r2": row.r2,
        "nmse": row.nmse,
        "topography_r": row.topography_r,
        "rms_error_si": row.rms_error,
        "p_above_mean": row.p_above_mean,
        "p_vs_lagged": row.p_lagged,
        "difference_to_lagged": row.lagged_difference,
    } | {band_figure(band): error for band, error in row.log_psd_error_db.items()}
    digits = {name: "" if np.isnan(value) else repr(float(value)) for name, value in numbers.items()}
    counts = {f"n_{figure}": count for figure, count in row.n_defined.items()}
    return {**texts, **of_all, "leak": " ".join(["LEAK", *row.leaking]) if row.leak else "", "n": row.n, **digits, **counts}


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"


def _number(value: float, pattern: str = "{:.3f}") -> str:
    if np.isnan(value):
        return _UNDEFINED
    text = pattern.format(value)
    # What rounds to zero is shown without a sign.
    return text if float(text) else text.removeprefix("-")


def _leak_mark(row: CohortRow) -> str:
    if not row.leak:
        return ""
    return f" LEAK in {len(row.leaking)} of {row.n}" if row.leaking else " LEAK"


def _of_fewer(row: CohortRow, *figures: str) -> str:
    """Over how many subjects a figure is, where it is over fewer than the explained variance of its row."""
    fewest = min((row.n_defined[figure] for figure in figures), default=row.n)
    return f" (n = {fewest})" if 0 < fewest < row.n else ""


def _direction(row: CohortRow) -> str:
    if not row.differs_from_lagged:
        return ""
    return " better" if row.lagged_difference > 0 else " worse"


def _p(p: float, significant: bool) -> str:
    if np.isnan(p):
        return _UNDEFINED
    return ("<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")) + ("*" if significant else "")
