"""A line is a row, a tab parts cells, and everything else is a character."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
from preprocessing.readers.bids.tables import rows_of


def rows(text):
    return list(rows_of(text, "events.tsv").values())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system(end):
    assert rows(end.join(["onset\ttrial_type", "1\tgo", "2\tstop", ""])) == [
        {"onset": "1", "trial_type": "go"},
        {"onset": "2", "trial_type": "stop"},
    ]


def test_an_unbalanced_quote_swallows_no_rows():
    assert [row["trial_type"] for row in rows('onset\ttrial_type\n1\t"go\n2\t5" disk\n3\tsay "yes"\n')] == ['"go', '5" disk', 'say "yes"']


def test_quotes_around_a_cell_are_dress():
    assert rows('"onset"\t"trial_type"\n"1.5"\t"a ""b"""\n') == [{"onset": "1.5", "trial_type": 'a "b"'}]


@pytest.mark.parametrize("blank", ["", "\t", "\t\t\t", "  \t "])
def test_blank_lines_are_no_rows_and_keep_the_count(blank):
    table = f"{blank}\nonset\ttrial_type\n{blank}\n1\tgo\n{blank}\n{blank}\n2\tstop\n{blank}\n"
    assert list(rows_of(table, "events.tsv")) == [4, 7]


def test_spaces_around_cells_are_none():
    assert rows("Onset \t trial_type\r\n 1 \tgo left \r\n") == [{"onset": "1", "trial_type": "go left"}]


@pytest.mark.parametrize("nothing", ["n/a", "N/A", "NaN", "nan", "NA", "na", "", " ", "n.a."])
def test_a_cell_that_says_nothing(nothing):
    assert rows(f"onset\ttrial_type\tvalue\n1\t{nothing}\t3\n")[0]["trial_type"] == "n/a"


def test_short_rows_say_nothing_at_their_end():
    assert rows("onset\tduration\ttrial_type\n1\t0\n") == [{"onset": "1", "duration": "0", "trial_type": "n/a"}]


def test_tabs_at_the_end_of_rows_and_header():
    assert rows("onset\ttrial_type\t\n1\tgo\t\t\n") == [{"onset": "1", "trial_type": "go"}]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("onset\ttrial_type\n\n1\tgo\tleft\n", "line 3 has 3 cells, the header 2"),
        ("onset,trial_type\n1,go\n", "has no column 'onset'; add it, and check that tabs part the columns, there are 'onset,trial_type'"),
        ("", "has no column 'onset'"),
        ("onset\tvalue\tValue\n1\t2\t3\n", "has two columns 'value'"),
    ],
)
def test_a_table_that_cannot_be_taken_apart_is_refused_by_line(table, sentence):
    with pytest.raises(UserError, match=f"^a/events.tsv: {sentence}"):
        rows_of(table, "a/events.tsv", required=("onset",))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\t\r\n", exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=5))
def test_a_row_a_line_whatever_it_holds(cells):
    found = rows_of("onset\tvalue\n" + "".join(f"1\t{cell}\n" for cell in cells), "events.tsv")
    assert list(found) == list(range(2, 2 + len(cells)))
