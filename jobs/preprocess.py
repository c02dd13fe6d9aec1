"""Preprocess the recordings of an experiment into shards, one Ray task a recording; what is there already is not made again."""

import argparse
import sys
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from cluster import start_ray
from command import run_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from crossmodal.config import Experiment
    from preprocessing.plan import Plan
    from preprocessing.report import Outcome, Report

_LINE_EVERY_S = 10
# Of a plan, unless all are asked for.
_FIRST_ROWS = 20


def preprocess(experiment: "Experiment", arguments: argparse.Namespace) -> int:
    """Make the dataset, say what became of each recording, and return 1 when some failed; or only tell."""
    from preprocessing.plan import plan_dataset

    plan = plan_dataset(experiment)
    if arguments.why:
        return _print_why(plan, arguments.why)
    if arguments.plan:
        return _print_plan(plan, arguments.price, len(plan.entries) if arguments.all else _FIRST_ROWS)
    # Only now, since it brings Ray, which takes seconds that a wrong path need not wait for.
    from preprocessing.pipeline import preprocess_dataset

    if plan.missing:
        start_ray()
    with _shown_progress(plan) as advance:
        report = preprocess_dataset(plan, advance)
    _print_report(report, experiment.store)
    return 1 if report.failures else 0


@contextmanager
def _shown_progress(plan: "Plan") -> "Iterator[Callable[[Outcome], None]]":
    """Show a bar over the bytes of recordings; where nobody watches, a line now and then."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from preprocessing.progress import Progress

    progress = Progress(len(plan.entries), plan.missing, time.monotonic)
    console = Console(stderr=True)
    with Bar(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(progress.describe(), total=max(progress.bytes_total, 1))
        told_s = time.monotonic()

        def advance(outcome: "Outcome") -> None:
            nonlocal told_s
            progress.add(outcome)
            bar.update(task, description=progress.describe(), completed=progress.bytes_done)
            is_last = progress.done == progress.n_recordings
            if not console.is_terminal and (is_last or time.monotonic() - told_s > _LINE_EVERY_S):
                sys.stderr.write(f"{progress.describe()}\n")
                told_s = time.monotonic()

        yield advance


class _ListSources(argparse.Action):
    """Print every source and end, as --help does."""

    def __call__(self, parser: argparse.ArgumentParser, *unused: object) -> None:
        """Import the sources only now."""
        from preprocessing.readers.registry import READERS

        _print_table(("recordings.kind", "reads"), [(kind, reader.summary) for kind, reader in READERS.items()])
        parser.exit()


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plan", action="store_true", help="tell what is there, what would be made and what it would take, and make nothing"
    )
    parser.add_argument("--all", action="store_true", help=f"with --plan: tell every recording, not the first {_FIRST_ROWS} alone")
    parser.add_argument("--price", type=float, default=0.05, metavar="USD", help="of a core-hour, for --plan (default %(default)s)")
    parser.add_argument("--why", metavar="RECORDING", help="tell what changed since the last dataset; 'sub-01', 'sub-01 run 02' or a file")
    parser.add_argument("--list", action=_ListSources, nargs=0, help="list the sources of recordings and exit")


def _print_why(plan: "Plan", wanted: str) -> int:
    from crossmodal.datasets.manifest import load_last
    from preprocessing.why import explain

    print("\n".join(explain(plan, wanted, load_last(plan.store, plan.experiment.name))))
    return 0


def _print_plan(plan: "Plan", price: float, n_rows: int) -> int:
    from preprocessing.estimate import estimate

    expected = estimate(plan, price)
    rows = [
        (entry.label, "cached" if name in plan.present else "to be made", f"{entry.size_bytes / 1e9:.3f}", entry.uri)
        for name, entry in islice(plan.entries.items(), n_rows)
    ]
    _print_table(("recording", "shard", "GB", "file"), rows)
    if len(plan.entries) > n_rows:
        print(f"... and {len(plan.entries) - n_rows} more recordings; --plan --all tells every one")
    print(f"cached {len(plan.present)}, {expected.bytes_cached / 1e9:.3f} GB of shards in {plan.store}")
    written = "" if expected.bytes_written is None else f" into about {expected.bytes_written / 1e9:.3f} GB of shards"
    cost = f"about {expected.core_hours:.2g} core-hours, {expected.cost:.2g} USD at {price:g} a core-hour"
    print(f"to be made {len(plan.missing)}, from {expected.bytes_read / 1e9:.3f} GB{written}: {cost}")
    counted = ", ".join(f"{step} {hours:.2g}" for step, hours in expected.core_hours_by_step.items())
    print(f"core-hours counted by step: {counted or 'none'} (docs/scale.md says how they are estimated)")
    return 0


def _print_report(report: "Report", store: str) -> None:
    for outcome in report.outcomes:
        for note in (*outcome.notes, *filter(None, [outcome.loss])):
            print(f"{outcome.entry.label}: {note}")
    made, cached, failed = (report.count(status) for status in ("made", "cached", "failed"))
    nothing = "nothing to make: " if cached == len(report.outcomes) else ""
    print(f"{nothing}made {made}, cached {cached}, failed {failed}; dataset {report.name} in {store}")
    if report.failures:
        _print_table(("recording", "cause"), [(outcome.entry.label, outcome.cause) for outcome in report.failures], title="failed")


def _print_table(columns: "Sequence[str]", rows: "Iterable[Sequence[str]]", title: str | None = None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left", box=None)
    for row in rows:
        table.add_row(*row)
    # A terminal wraps; in a log a row stays a line.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


if __name__ == "__main__":
    run_job(__doc__, preprocess, _add_options)
