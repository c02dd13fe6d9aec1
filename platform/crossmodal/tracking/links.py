"""The way to what MLflow shows."""

import shlex
import sys
from pathlib import Path
from urllib.parse import urlencode

from crossmodal.tracking.describe import without_credentials

_SQLITE = "sqlite:///"
# Where `mlflow server` listens unless it is told otherwise.
_OWN_MACHINE = "http://127.0.0.1:5000"


def link(server: str, experiment_id: str, run: str = "", **query: str) -> str:
    """Address of the runs of an experiment, or of one of them, on an MLflow server.

    Without `workflowType`, MLflow 3.17 opens in its mode for language models, whose menu has neither models nor their registry.

    Parameters
    ----------
    run : str
        Id of a run, and below it the tab and the artifact to open.
    **query
        What the table of runs is filtered and ordered by, as MLflow calls it.
    """
    route = "/".join(["experiments", experiment_id, "runs", *filter(None, [run])])
    return f"{server.rstrip('/')}/#/{route}?{urlencode({'workflowType': 'machine_learning', **query})}"


def way_to_runs(tracking_uri: str, experiment_id: str) -> str:
    """Say how to see the runs of an experiment: the link; before it, where no server runs, the command that starts one."""
    place = without_credentials(tracking_uri)
    if place.startswith("http"):
        return link(place, experiment_id)
    if place.startswith(_SQLITE):
        place = f"{_SQLITE}{Path(place.removeprefix(_SQLITE)).absolute()}"
    # By its interpreter: `mlflow` is on no PATH unless the environment is active.
    command = shlex.join([sys.executable, "-m", "mlflow", "server", "--backend-store-uri", place])
    return f"{command}\nthen open {link(_OWN_MACHINE, experiment_id)}"
