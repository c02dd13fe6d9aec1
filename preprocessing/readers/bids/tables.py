"""Tables of BIDS: text in which a line is a row, and a tab parts its cells."""

import re
from collections.abc import Sequence

from crossmodal.config import UserError
from preprocessing.readers.text import lines_of

UNSTATED = "n/a"
# R writes NA, MATLAB and pandas NaN.
_SAYS_NOTHING = {"", "n/a", "na", "n.a.", "#n/a", "nan"}
# R and spreadsheets put a cell in quotes; any other quote is a character, as BIDS has it.
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def rows_of(text: str, called: str, required: Sequence[str] = ()) -> dict[int, dict[str, str]]:
    """Take a table apart.

    Parameters
    ----------
    text : str
        A header, and a row a line. Lines of spaces and tabs alone are none; cells that a row lacks at its end say nothing.
    called : str
        What sentences call it.
    required : sequence of str
        Columns that it must have.

    Returns
    -------
    dict of int to dict of str to str
        Of each row, by its line in the file from 1: cells by the column's name in lower case, 'n/a' where a cell says nothing.

    Raises
    ------
    UserError
        A column is missing or there twice, or a row has more cells than the header.
    """
    lines = {line: _cells(row) for line, row in enumerate(lines_of(text), start=1) if row.strip()}
    columns = [cell.lower() for cell in lines.pop(next(iter(lines), 0), [])]
    named = [column for column in columns if column != UNSTATED]
    for column in required:
        if column not in named:
            raise UserError(
                f"{called}: has no column '{column}'; add it, and check that tabs part the columns, there are {_listing(named)}"
            )
    for column in named:
        if named.count(column) > 1:
            raise UserError(f"{called}: has two columns '{column}'; remove one")
    rows = {}
    for line, cells in lines.items():
        if set(cells[len(columns) :]) - {UNSTATED}:
            raise UserError(f"{called}: line {line} has {len(cells)} cells, the header {len(columns)}; correct or remove the line")
        stated = dict(zip(columns, cells, strict=False))
        rows[line] = {column: stated.get(column, UNSTATED) for column in named}
    return rows


def _cells(line: str) -> list[str]:
    return [_bare(cell.strip()) for cell in line.split("\t")]


def _bare(cell: str) -> str:
    quoted = _QUOTED.fullmatch(cell)
    bare = quoted[1].replace('""', '"').strip() if quoted else cell
    return UNSTATED if bare.lower() in _SAYS_NOTHING else bare


def _listing(columns: Sequence[str]) -> str:
    return ", ".join(f"'{column}'" for column in columns) or "none"
