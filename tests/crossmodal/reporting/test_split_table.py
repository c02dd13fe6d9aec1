"""One table of several splits: each column says what it is worth."""

import csv
import io
from dataclasses import replace

import pytest
from rich.console import Console

from crossmodal.reporting.split_table import SplitTable, splits_to_csv, splits_to_markdown, splits_to_rich
from crossmodal.reporting.table import ScoreTable
from tests.crossmodal.reporting.test_table import CARD, row


@pytest.fixture
def table():
    honest = ScoreTable("x: EEG → MEG", "A note.", "", 2, 0.95, CARD, (row("Net", "model"), row("ridge")))
    sessions = replace(honest, label="within subject", rows=(row("Net", "model", n=6), row("ridge", n=6)))
    better = {"explained_variance": 0.9}, {"explained_variance": (0.8, 1.0)}
    leaky = replace(honest, label="leaky", rows=(row("Net", "model", *better), row("other EEG", "control", *better)))
    return SplitTable({"leave_one_subject_out": honest, "leave_one_session_out": sessions, "leaky_windows": leaky}, ("A remark.",))


def test_each_column_has_its_split_label_and_number_and_each_cell_its_interval(table):
    title, _, header, _, *rows = splits_to_markdown(table).partition("\n\nA note.")[0].splitlines()
    assert "magnetometers" in title
    assert header.split(" | ") == [
        "| EV [95%]",
        "leave one subject out (n = 8)",
        "leave one session out (within subject, n = 6)",
        "leaky windows (leaky, n = 8) |",
    ]
    assert rows == [
        "| Net | 0.312 [0.250, 0.375] | 0.312 [0.250, 0.375] | 0.900 [0.800, 1.000] |",
        "| ridge | 0.312 [0.250, 0.375] | 0.312 [0.250, 0.375] | - |",
        "| other EEG (control) | - | - | 0.900 [0.800, 1.000] |",
    ]
    assert "Columns labelled within subject or leaky say nothing about a new subject." in splits_to_markdown(table)
    assert splits_to_markdown(table).endswith("\nA remark.\n")


def test_a_terminal_shows_the_same(table):
    console = Console(width=190, record=True)
    console.print(splits_to_rich(table))
    shown = console.export_text()
    for part in ("leave one session out", "(within subject, n = 6)", "0.900 [0.800, 1.000]", "A note.", "A remark."):
        assert part in shown


def test_a_leak_is_marked_in_its_own_column(table):
    leaking = replace(table.first, rows=(row("Net", "model", leak=True, leaking=("03",)),))
    (cells,) = SplitTable({"leave_one_subject_out": leaking}).rows("mag")
    assert cells == ["Net", "0.312 [0.250, 0.375] LEAK in 1 of 8"]


def test_all_digits_are_in_the_file(table):
    rows = list(csv.DictReader(io.StringIO(splits_to_csv(table))))
    assert [(line["split"], line["label"], line["n"], line["predictor"]) for line in rows[:3]] == [
        ("leave_one_subject_out", "", "8", "Net"),
        ("leave_one_subject_out", "", "8", "ridge"),
        ("leave_one_session_out", "within subject", "6", "Net"),
    ]
    assert (rows[0]["explained_variance"], rows[0]["explained_variance_low"], rows[-1]["explained_variance_high"]) == (
        "0.3125",
        "0.25",
        "1.0",
    )
