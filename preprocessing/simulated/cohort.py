"""Make a whole cohort, once: subjects in parallel, the dataset whole or absent."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from threadpoolctl import threadpool_limits

from crossmodal.config import UserError
from crossmodal.config.simulation import AnySimulation, EegFmriSimulation, Simulation
from crossmodal.physics.cohort_settings import changed_settings, write_settings
from crossmodal.physics.head import HeadModel
from crossmodal.storage.atomic import new_folder
from preprocessing.simulated.bids import write_dataset, write_run, write_subject
from preprocessing.simulated.eeg_fmri import draw_fmri_subject, simulate_fmri_run
from preprocessing.simulated.eeg_fmri_bids import write_fmri_dataset, write_fmri_run, write_fmri_subject
from preprocessing.simulated.recording import sensor_patterns, simulate_run, subject_truth
from preprocessing.simulated.subject import draw_subject, subject_labels, template_conductor


def simulate_cohort(simulation: AnySimulation, on_subject: Callable[[str], None]) -> int:
    """Write the cohort at `simulation.root` unless it is there.

    Parameters
    ----------
    simulation : Simulation
        Equal settings give equal signals on every machine.
    on_subject : callable
        Told the label of each subject as it is done.

    Returns
    -------
    int
        Subjects made: all of them, or 0 when the same cohort was there already.

    Raises
    ------
    UserError
        Something else is at the root, or the disk is full; nothing is changed then.
    """
    if "://" in simulation.root:
        raise UserError(f"simulation.root: {simulation.root} is not a local folder; simulate to one and copy it from there")
    root = Path(simulation.root)
    if _is_made(root, simulation):
        return 0
    with new_folder(root) as aside:
        for label in _write_subjects(simulation, aside):
            on_subject(label)
        if isinstance(simulation, Simulation):
            write_dataset(aside, simulation, subject_labels(simulation))
        else:
            write_fmri_dataset(aside, simulation)
        write_settings(aside, simulation)
    # Another process may have been first, with other settings.
    assert _is_made(root, simulation)
    return simulation.subjects


def _is_made(root: Path, simulation: AnySimulation) -> bool:
    """Tell whether just this cohort is at the root; refuse anything else there."""
    if not root.exists():
        return False
    try:
        changed = changed_settings(root, simulation)
    except (OSError, ValueError):
        raise UserError(f"simulation.root: {root} exists and holds no simulated cohort; give another folder") from None
    if changed:
        raise UserError(f"simulation.root: {root} was made with another {', '.join(changed)}; remove it or give another folder")
    return True


def _write_subjects(simulation: AnySimulation, root: Path) -> Iterator[str]:
    labels = subject_labels(simulation)
    if isinstance(simulation, Simulation):
        write: Callable[[str], str] = partial(_write_one, simulation, root, template_conductor(simulation))
    else:
        write = partial(_write_fmri, simulation, root)
    workers = min(len(labels), len(os.sched_getaffinity(0)))
    if workers == 1:
        yield from map(write, labels)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(write, label) for label in labels]):
            yield done.result()


def _write_one(simulation: Simulation, root: Path, conductor: HeadModel, label: str) -> str:
    with threadpool_limits(1):  # the processes share the cores already
        subject = draw_subject(simulation, label, conductor)
        truth = subject_truth(subject, simulation)
        patterns = sensor_patterns(subject)
        for number in range(1, simulation.runs + 1):
            write_run(root, subject, number, simulate_run(subject, truth, patterns, simulation, number))
        write_subject(root, subject, truth, simulation.runs)
    return label


def _write_fmri(simulation: EegFmriSimulation, root: Path, label: str) -> str:
    with threadpool_limits(1):
        subject = draw_fmri_subject(simulation, label)
        for session in range(1, (simulation.sessions or 1) + 1):
            for number in range(1, simulation.runs + 1):
                run = simulate_fmri_run(subject, simulation, number, session)
                write_fmri_run(root, subject, session if simulation.sessions else None, number, run, simulation)
        write_fmri_subject(root, subject)
    return label
