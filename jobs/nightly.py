"""A night: preprocess what is new, search within a budget, promote what is better than the champion beyond chance, and write a digest."""

import argparse
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment


def _options(parser: argparse.ArgumentParser) -> None:
    today = datetime.now(UTC).date()
    parser.add_argument("--date", type=date.fromisoformat, default=today, help="which night; one that is done is not done again")


def nightly(experiment: "Experiment", arguments: argparse.Namespace) -> int:
    """Run one night unless it is done, and say where its digest lies; 1 when recordings failed, 70 when the night failed unforeseen."""
    from crossmodal.nightly.morning import page_uri
    from crossmodal.nightly.record import nights_uri, read_record
    from crossmodal.storage.lease import Lease
    from crossmodal.storage.uri import check_reachable, is_local, join, open_fs

    store = open_fs(experiment.store)[1] if is_local(experiment.store) else experiment.store
    experiment, night = experiment.model_copy(update={"store": store}), arguments.date.isoformat()
    check_reachable(store)
    nights = nights_uri(store, experiment.name)
    with Lease(join(nights, "running.json"), f"a night of {experiment.name}"):
        known = read_record(nights, night)
        if known and known.done:
            print(f"night of {night} is done: {known.verdict}\ndigest: {page_uri(nights, night)}")
            return known.code
        from night import Night

        return Night(experiment, nights, night, known).run()


if __name__ == "__main__":
    run_job(__doc__, nightly, _options)
