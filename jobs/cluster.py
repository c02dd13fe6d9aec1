"""How a job reaches Ray: the cluster it was submitted to, or one of its own on this machine."""

import logging
import os
import socket
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossmodal.config import Experiment

# The longest path of a socket that Linux takes, and what Ray appends to its folder for the longest of its own.
_SOCKET_BYTES = 107
_IN_RAYS_FOLDER = "/ray/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


def start_ray(dashboard: bool = False, num_cpus: int | None = None) -> None:
    """Connect to Ray unless that is done already.

    Parameters
    ----------
    dashboard : bool
        Start one where Ray itself is started here; Tune needs it wherever trials start trainers of their own.
    num_cpus : int, optional
        Tasks at a time where Ray itself is started here; by default one a core.

    Raises
    ------
    UserError
        Ray does not start, or no cluster answers.
    """
    import ray.data

    from crossmodal.config import UserError
    from crossmodal.storage.heap import KEEP_FREED_MEMORY

    # Its plans, warnings and traces of lost workers would drown the job's own progress, which tells what failed in a sentence.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    if ray.is_initialized():
        return
    # Without this, ray.init() would also join whatever cluster someone else started on the machine.
    address = os.environ.get("RAY_ADDRESS", "local")
    options: dict[str, Any] = {"include_dashboard": dashboard, "num_cpus": num_cpus} if address == "local" else {}
    if address == "local":
        # Which Ray hands on to its workers; those of a submitted job have it by its runtime environment.
        os.environ.update(KEEP_FREED_MEMORY)
        os.environ.update(_short_folder(os.environ))
    if address == "local" and dashboard:
        # What clears up asks for its address; where several Rays run on this machine, it would find more than one and give up.
        options["dashboard_port"] = _free_port()
        os.environ["RAY_API_SERVER_ADDRESS"] = f"http://127.0.0.1:{options['dashboard_port']}"
    if address != "local" and "RAY_JOB_CONFIG_JSON_ENV_VAR" not in os.environ:
        # A submitted job brings its code by its runtime environment; joined by hand, workers find it where the job does.
        options["runtime_env"] = {"env_vars": {"PYTHONPATH": os.environ["PYTHONPATH"], **KEEP_FREED_MEMORY}}
    # On a busy machine Ray's own helpers take longer to start than the seconds it waits for them.
    os.environ.setdefault("RAY_agent_register_timeout_ms", "120000")
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **options)
    except Exception as error:  # Ray raises bare ones when its processes are late, or nobody answers.
        advice = "the machine is busy, run again" if address == "local" else "check RAY_ADDRESS and that the cluster runs"
        raise UserError(f"Ray ({address}) did not start: {' '.join(str(error).split())}; {advice}") from error


def start_ray_for_trials(experiment: "Experiment") -> None:
    """Connect to Ray as `start_ray` does; one of its own has room for the trials of a search."""
    training, trials = experiment.training, experiment.tuning.parallel_trials
    # A trial of several workers starts a trainer of its own, and what a pruned one leaves behind is cleared up through the dashboard.
    nested = training.workers > 1
    start_ray(dashboard=nested, num_cpus=trials * (training.workers * training.threads_per_worker + nested))


def _short_folder(variables: Mapping[str, str]) -> dict[str, str]:
    """Give Ray another folder where its own would lie so deep that its sockets cannot be opened, as below the TMPDIR of a Slurm job.

    Raises
    ------
    UserError
        There is no short folder that can be written to.
    """
    from crossmodal.config import UserError

    variable = next((name for name in ("RAY_TMPDIR", "TMPDIR") if variables.get(name)), None)
    if variable is None or len(os.fsencode(variables[variable] + _IN_RAYS_FOLDER)) <= _SOCKET_BYTES:
        return {}
    longest = _SOCKET_BYTES - len(_IN_RAYS_FOLDER)
    told = f"{variable}={variables[variable]} is too long for Ray, whose folder may have {longest} bytes, since its sockets lie there"
    short = next((folder for folder in _SHORT_FOLDERS if os.access(folder, os.W_OK | os.X_OK)), None)
    if short is None:
        raise UserError(f"{told}; export RAY_TMPDIR=/a/short/folder that can be written to")
    sys.stderr.write(f"{told}; it uses {short} instead (RAY_TMPDIR names another)\n")
    return {"RAY_TMPDIR": short}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
