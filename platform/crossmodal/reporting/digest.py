"""What a night is told in the morning: one HTML page without anything to load."""

import html
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from crossmodal.config import Config
from crossmodal.reporting.style import BASELINES, CEILING, MODEL, SECOND

Role = Literal["winner", "champion", "baseline", "ceiling"]
_COLOURS: dict[Role, str] = {"winner": MODEL, "champion": SECOND, "baseline": BASELINES[0], "ceiling": CEILING}
_PLOT_PX, _ROW_PX = 260, 22
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } .quiet { color: #595959; }
.verdict { border-left: 5px solid #999; background: #f4f4f4; padding: .7rem 1rem; margin: 1rem 0; } .promoted { border-color: #009E73; }
.failed { border-color: #D55E00; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #e4e4e4; vertical-align: middle; }
th { font-weight: 600; border-bottom-color: #999; } td.n, th.n { text-align: right; } ul { margin: .3rem 0; padding-left: 1.2rem; }
.worse { color: #B34700; } .better { color: #00704F; } .scroll { overflow-x: auto; } svg { display: block; }
"""


class Standing(Config):
    """One row of a leaderboard; the interval over subjects is None where there are too few of them.

    `beyond` is the mean explained variance of what EOG and ECG leave, None where these are not recorded.
    """

    name: str
    role: Role
    mean: float
    low: float | None
    high: float | None
    n: int
    beyond: float | None = None


class Failure(Config):
    """A recording or a trial that failed, and why."""

    what: str
    cause: str


class SubjectRow(Config):
    """One subject's explained variance by predictor, in the order of the board's columns; None where it has none."""

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
    changes: tuple[str, ...] = ()
    leaderboards: dict[str, tuple[Standing, ...]] = Field(default_factory=dict)
    boards: dict[str, SubjectBoard] = Field(default_factory=dict)
    test: tuple[Standing, ...] = ()
    protocol: int = 1
    openings: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    cost: dict[str, str] = Field(default_factory=dict)
    links: dict[str, str] = Field(default_factory=dict)


def to_html(digest: Digest) -> str:
    """Write the page."""
    box = {"promoted": "verdict promoted", "failed": "verdict failed"}.get(digest.state, "verdict")
    parts = [
        f"<h1>{_text(digest.name)}: night of {_text(digest.date)}</h1>",
        f'<p class="quiet">written {datetime.fromisoformat(digest.finished):%Y-%m-%d %H:%M} UTC</p>',
        f'<p class="{box}">{_text(digest.verdict)}</p>',
        _section("What changed", _list(digest.changes) if digest.changes else "<p>Nothing.</p>"),
    ]
    for task, standings in digest.leaderboards.items():
        explained = "<p class='quiet'>Explained variance of left-out development subjects, mean and 95 % interval over subjects; "
        explained += f"protocol version {digest.protocol}.</p>"
        parts.append(_section(f"Leaderboard: {task}", explained + _leaderboard(standings)))
    parts += [_section(f"Subjects: {task}", _board(board)) for task, board in digest.boards.items()]
    if digest.test:
        parts.append(_section("Locked test subjects, opened this night", _leaderboard(digest.test)))
    times = f"{len(digest.openings)} time{'s' * (len(digest.openings) != 1)}"
    parts.append(_section(f"Test subjects were opened {times} so far", _list(digest.openings)))
    if digest.failures:
        failed = [[_text(failure.what), _text(failure.cause)] for failure in digest.failures]
        parts.append(_section(f"Failed: {len(failed)}", _table(["what", "cause"], failed)))
    else:
        parts.append(_section("Failed", "<p>Nothing.</p>"))
    parts.append(_section("Cost", _table(["", ""], [[_text(name), _text(value)] for name, value in digest.cost.items()], head=False)))
    parts.append(_section("Links", _list(_link(name, url) for name, url in digest.links.items()) if digest.links else ""))
    title = _text(f"{digest.name} {digest.date}: {digest.state}")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _leaderboard(standings: Sequence[Standing]) -> str:
    """Rows by their means, with intervals drawn on one axis."""
    ordered = sorted(standings, key=lambda standing: -standing.mean)
    ends = [end for standing in ordered for end in (standing.low, standing.high, standing.mean, 0.0) if end is not None]
    low, high = min(ends), max(ends)

    def x(value: float) -> float:
        return 8 + (_PLOT_PX - 16) * (value - low) / ((high - low) or 1.0)

    rows = []
    for standing in ordered:
        interval = "" if standing.low is None or standing.high is None else f" [{_number(standing.low)}, {_number(standing.high)}]"
        name = f"<strong>{_text(standing.name)}</strong>" if standing.role in ("winner", "champion") else _text(standing.name)
        beyond = "-" if standing.beyond is None else _number(standing.beyond)
        rows.append([name, standing.role, _number(standing.mean) + interval, _interval(standing, x), beyond, str(standing.n)])
    return _table(["predictor", "", "explained variance [95 %]", "", "beyond EOG, ECG", "n"], rows, numbers={4, 5})


def _interval(standing: Standing, x: Callable[[float], float]) -> str:
    colour, middle = _COLOURS[standing.role], _ROW_PX / 2
    marks = [f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="0" y2="{_ROW_PX}" stroke="#ccc"/>']
    if standing.low is not None and standing.high is not None:
        ends = f'x1="{x(standing.low):.1f}" x2="{x(standing.high):.1f}" y1="{middle}" y2="{middle}"'
        marks.append(f'<line {ends} stroke="{colour}" stroke-width="2"/>')
    shape = f'cx="{x(standing.mean):.1f}" cy="{middle}" r="4"'
    fill = "#fff" if standing.role == "ceiling" else colour
    marks.append(f'<circle {shape} fill="{fill}" stroke="{colour}" stroke-width="1.5"/>')
    return f'<svg width="{_PLOT_PX}" height="{_ROW_PX}" role="img" aria-label="interval">{"".join(marks)}</svg>'


def _board(board: SubjectBoard) -> str:
    titles = ["subject", *board.columns]
    if board.against_champion:
        titles.insert(3, "change")
    rows = []
    for row in board.rows:
        cells = [_text(row.subject), *("-" if value is None else _number(value) for value in row.values)]
        if board.against_champion:
            cells.insert(3, _change(row.values[0], row.values[1]))
        rows.append(cells)
    return f'<div class="scroll">{_table(titles, rows, numbers=set(range(1, len(titles))))}</div>'


def _change(winner: float | None, champion: float | None) -> str:
    if winner is None or champion is None:
        return "-"
    kind = "better" if winner > champion else "worse" if winner < champion else "quiet"
    return f'<span class="{kind}">{winner - champion:+.3f}</span>'


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = (), head: bool = True) -> str:
    """Cells are HTML already."""
    classes = [' class="n"' if index in set(numbers) else "" for index in range(len(titles))]
    top = "".join(f"<th{kind}>{_text(title)}</th>" for kind, title in zip(classes, titles, strict=True))
    body = "".join(f"<tr>{''.join(f'<td{kind}>{cell}</td>' for kind, cell in zip(classes, row, strict=True))}</tr>" for row in rows)
    return f"<table>{f'<tr>{top}</tr>' if head else ''}{body}</table>"


def _section(title: str, content: str) -> str:
    return f"<h2>{_text(title)}</h2>{content}"


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{item if item.startswith('<a ') else _text(item)}</li>" for item in items) + "</ul>"


def _link(name: str, url: str) -> str:
    if not url.startswith(("http://", "https://")):
        return f"{name}: {url}"
    return f'<a href="{html.escape(url)}">{_text(name)}</a>'


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-0.000", "0.000")


def _text(text: str) -> str:
    return html.escape(text)
