"""What every job script shares: its arguments, and how it ends."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
# A checkout runs as it is, without installing: the source root is put where the package manager would have put it.
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

if TYPE_CHECKING:
    from crossmodal.config import Experiment


def run_job(
    description: str,
    action: Callable[["Experiment", argparse.Namespace], int | None],
    options: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """Read EXPERIMENT.yaml and overrides, run `action`, and exit: 0 done, 1 partly failed, 2 a mistake the user can mend, 70 a bug."""

    def add_experiment(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("experiment", metavar="EXPERIMENT.yaml")
        parser.add_argument("overrides", nargs="*", metavar="key=value", help="override a setting, as training.epochs=3")
        if options:
            options(parser)

    def with_experiment(arguments: argparse.Namespace) -> int | None:
        from crossmodal.config import load_experiment

        return action(load_experiment(arguments.experiment, arguments.overrides, checked), arguments)

    run_action(description, with_experiment, add_experiment)


def checked(experiment: "Experiment") -> "Experiment":
    """Read the settings of models, which takes PyTorch; a mistake elsewhere need not wait for that."""
    from crossmodal.models.checking import checked

    return checked(experiment)


def run_action(
    description: str, action: Callable[[argparse.Namespace], int | None], options: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Read arguments, run `action`, and exit as `run_job` does."""
    parser = argparse.ArgumentParser(description=description)
    options(parser)
    arguments = parser.parse_intermixed_args()
    # Imported late so that --help answers at once.
    from crossmodal.config import UserError

    # Ray workers import the project by this path, whatever folder the job was started in.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "platform"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        code = action(arguments)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except Exception:
        # Python's own 1 would say that the rest was done.
        traceback.print_exc()
        sys.exit(os.EX_SOFTWARE)
    sys.exit(code or 0)
