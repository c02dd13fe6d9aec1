"""The same predictors under several ways of dividing the same recordings, side by side: on the terminal, as Markdown and as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.evaluation.cohort import CohortRow
from crossmodal.reporting.report import metric_name
from crossmodal.reporting.table import ScoreTable, leak_mark, markdown_line, named

_ABSENT = "-"


@dataclass(frozen=True)
class SplitTable:
    """Tables of one experiment under several splits.

    Attributes
    ----------
    tables : mapping of str to ScoreTable
        By the kind of the split, in the order of columns.
    remarks : tuple of str
        What must be said besides.
    """

    tables: Mapping[str, ScoreTable]
    remarks: tuple[str, ...] = ()

    @property
    def first(self) -> ScoreTable:
        """The table of the first column."""
        return next(iter(self.tables.values()))

    def header(self, channel_type: str) -> list[str]:
        """Column titles for one channel type: each split with its label and number of subjects."""
        card = self.first.scorecard
        titles = [f"{card[card.primary].title} [{self.first.confidence:.0%}]"]
        for kind, table in self.tables.items():
            n = max(row.n for row in table.by_type()[channel_type])
            titles.append(f"{kind.replace('_', ' ')} ({', '.join(filter(None, [table.label, f'n = {n}']))})")
        return titles

    def rows(self, channel_type: str) -> Iterator[list[str]]:
        """A row a predictor: its name, then its score under each split, with its interval; a dash where it has none."""
        by_split = [{row.predictor: row for row in table.by_type()[channel_type]} for table in self.tables.values()]
        for predictor in dict.fromkeys(name for rows in by_split for name in rows):
            found = [rows.get(predictor) for rows in by_split]
            cells = [_cell(table, row) for table, row in zip(self.tables.values(), found, strict=True)]
            yield [named(next(filter(None, found))), *cells]

    def told(self) -> list[str]:
        """Sentences that explain the table."""
        card, labels = self.first.scorecard, dict.fromkeys(table.label for table in self.tables.values() if table.label)
        sentences = [f"{card[card.primary].told}, {self.first.confidence:.0%} t interval over n subjects."]
        if labels:
            sentences.append(f"Columns labelled {' or '.join(labels)} say nothing about a new subject.")
        sentences.append(f"Protocol version {self.first.protocol}; scores of other versions are not to be compared with these.")
        return [sentence for sentence in (self.first.note, *sentences, *self.remarks) if sentence]


def _cell(table: ScoreTable, row: CohortRow | None) -> str:
    return table.score(row) + leak_mark(row) if row else _ABSENT


def splits_to_rich(table: SplitTable) -> Group:
    """The table for a terminal."""
    parts: list[Table | Text] = []
    for channel_type in table.first.by_type():
        drawn = Table(title=f"{table.first.title}: {CHANNEL_TYPES[channel_type].title}", title_style="bold", box=box.SIMPLE_HEAD)
        for index, name in enumerate(table.header(channel_type)):
            drawn.add_column(name.replace(" (", "\n(") if index else name, justify="right" if index else "left")
        for cells in table.rows(channel_type):
            drawn.add_row(*cells)
        parts.append(drawn)
    return Group(*parts, *map(Text, table.told()))


def splits_to_markdown(table: SplitTable) -> str:
    """The same table for a page or an MLflow artifact."""
    lines = []
    for channel_type in table.first.by_type():
        titles = table.header(channel_type)
        lines += [f"### {table.first.title}: {CHANNEL_TYPES[channel_type].title}", "", markdown_line(titles)]
        lines += [markdown_line(["---"] + ["---:"] * (len(titles) - 1)), *map(markdown_line, table.rows(channel_type)), ""]
    return "\n".join([*lines, *(f"{sentence}\n" for sentence in table.told())])


def splits_to_csv(table: SplitTable) -> str:
    """All scores with all their digits, a line a split and row."""
    primary = table.first.scorecard.primary
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["channel_type", "predictor", "role", "split", "label", "protocol", "n", primary, f"{primary}_low", f"{primary}_high"])
    for kind, of_split in table.tables.items():
        for row in of_split.rows:
            figures = [repr(float(value)) for value in (row.means[primary], *row.intervals[primary])]
            writer.writerow(
                [row.channel_type, row.predictor, row.role, kind, of_split.label, of_split.protocol, row.n]
                + ["" if figure == "nan" else figure for figure in figures]
            )
    return text.getvalue()


def splits_to_metrics(table: SplitTable) -> dict[str, float]:
    """The same scores for MLflow."""
    primary = table.first.scorecard.primary
    return {
        f"{kind}/{metric_name(row.channel_type, row.predictor, primary)}": row.means[primary]
        for kind, of_split in table.tables.items()
        for row in of_split.rows
    }
