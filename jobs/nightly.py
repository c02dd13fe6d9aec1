"""A night: preprocess what is new, search within a budget, promote what is better than the champion beyond chance, and write a digest."""

import argparse
import contextlib
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment


def _options(parser: argparse.ArgumentParser) -> None:
    today = datetime.now(UTC).date()
    parser.add_argument("--date", type=date.fromisoformat, default=today, help="which night; one that is done is not done again")


def nightly(experiment: "Experiment", arguments: argparse.Namespace) -> int:
    """Run one night unless it is done, and say where its digest lies; 1 when recordings failed, 70 when the night failed unforeseen.

    Raises
    ------
    UserError
        Another process runs it, which is no failure, or it failed for something that the user can mend, which is told to a webhook.
    """
    from crossmodal.nightly.morning import page_uri
    from crossmodal.nightly.record import nights_uri, read_record
    from crossmodal.storage.lease import HeldError, Lease
    from crossmodal.storage.uri import absolute, check_reachable, join

    store = absolute(experiment.store)
    experiment, night = experiment.model_copy(update={"store": store}), arguments.date.isoformat()
    nights = nights_uri(store, experiment.name)
    with contextlib.ExitStack() as stack:
        try:
            check_reachable(store)
            stack.enter_context(Lease(join(nights, "running.json"), f"a night of {experiment.name}"))
            known = read_record(nights, night)
        except HeldError:
            raise
        except Exception as error:
            from night import tell_not_begun

            tell_not_begun(experiment, night, error)
            raise
        if known and known.done:
            print(f"night of {night} is done: {known.verdict}\ndigest: {page_uri(nights, night)}")
            return known.code
        from night import Night

        return Night(experiment, nights, night, known).run()


if __name__ == "__main__":
    run_job(__doc__, nightly, _options)
