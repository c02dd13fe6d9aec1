"""What stands above a score on a simulated cohort: the true power behind the EEG, through the haemodynamic response."""

import csv
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from crossmodal.config import Experiment
from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.datasets.shard import Shard
from crossmodal.physics.cohort_settings import check_settings, settings_path
from crossmodal.physics.haemodynamics import PEAK_S, respond
from crossmodal.storage.uri import is_local
from crossmodal.tasks.volumes.scorecard import R_COUPLED, R_UNCOUPLED

TRUE_POWER = "true power through blood"


@dataclass(frozen=True)
class ScanTruth:
    """What a simulated cohort keeps of one scan.

    Attributes
    ----------
    power : float64 array, shape (n_rhythms, n_powers)
        True power in the EEG of each band of each region, relative to its mean, from the EEG's first sample.
    power_rate_hz : float
    onset_s : float64 array, shape (n_volumes,)
        Of volumes, s from the EEG's first sample.
    strength : float64 array, shape (n_regions, n_rhythms)
        By how many per cent a region's BOLD changes when a power doubles for long; 0 where it does not follow the EEG's power.
    peak_s : float64 array, shape (n_regions,)
        When the response to an impulse peaks.
    """

    power: NDArray[np.float64]
    power_rate_hz: float
    onset_s: NDArray[np.float64]
    strength: NDArray[np.float64]
    peak_s: NDArray[np.float64]

    @property
    def is_coupled(self) -> NDArray[np.bool_]:
        """Whether each region follows the EEG's power, shape (n_regions,)."""
        return np.abs(self.strength).sum(axis=1) > 0

    def answer(self) -> NDArray[np.float64]:
        """What BOLD would be if it followed the power in the EEG and nothing else, shape (n_volumes, n_regions), per cent.

        In a coupled cohort a region's BOLD is this plus noise that nothing tells: no other linear map of the true power, of all bands,
        correlates better with it. So its r with the preprocessed target is the ceiling, measured, noise included. In closed form it is
        sqrt(S / (S + N)), with S the variance of the response and N that of the noise left in the mean over a region. Power from before
        the EEG began is not kept; of the response to it, a few volumes show the tail.
        """
        times_s = np.arange(self.power.shape[1]) / self.power_rate_hz
        response = respond(self.strength @ (self.power - 1), self.power_rate_hz, self.peak_s)
        return np.column_stack([np.interp(self.onset_s, times_s, of_region) for of_region in response])


def scan_truth(root: Path, shard: Shard) -> ScanTruth | None:
    """Read the truth of a scan; None where the recordings are no simulated cohort."""
    folder = root / "derivatives" / "truth" / f"sub-{shard.subject}"
    # The label of a run begins with what else tells it apart, as ses-01_task-rest_01.
    session, number = f"_ses-{shard.session}" if shard.session else "", shard.run.rpartition("_")[2]
    (path, *_) = [*sorted(folder.glob(f"sub-{shard.subject}{session}_task-*_run-{number}_truth.npz")), None]
    if path is None:
        return None
    with np.load(path) as kept:
        truth = dict(kept)
    # A cohort that was made before there were several bands has one a region, and nothing but the canonical response.
    n_regions = len(truth["response"])
    truth = {"strength": np.eye(n_regions), "peak_s": np.full(n_regions, PEAK_S)} | truth
    return ScanTruth(truth["power"], float(truth["power_rate_hz"]), truth["onset_s"], truth["strength"], truth["peak_s"])


class Ceilings:
    """Ceilings of one experiment, as far as the truth of its cohort is known.

    Attributes
    ----------
    is_null : bool
        Whether the cohort is known to have nothing to learn.

    Raises
    ------
    UserError
        The experiment simulates with other settings than those that the cohort was made with.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._root = _cohort(experiment)
        simulation = experiment.simulation
        self.is_null = self._root is not None and isinstance(simulation, EegFmriSimulation) and simulation.cohort == "null"

    def predict(self, shard: Shard, volumes: NDArray[np.integer], columns: NDArray[np.integer]) -> NDArray[np.float64] | None:
        """What the true power behind a scan's EEG makes of some of its volumes and targets; None where the truth is not known.

        Returns
        -------
        float64 array, shape (n_volumes, n_targets), or None
            Relative changes; 0 outside the regions that the power drives.
        """
        truth = scan_truth(self._root, shard) if self._root else None
        region_s = _regions_of_targets(self._root, shard) if self._root else None
        if truth is None or region_s is None:
            return None
        answer_vr = np.column_stack([np.zeros(len(truth.onset_s)), truth.answer()])
        return answer_vr[np.ix_(volumes, region_s[columns])]

    def groups(self, shard: Shard, columns: NDArray[np.integer]) -> dict[str, NDArray[np.bool_]]:
        """Which targets follow the EEG and which do not, by the metric of their r; empty where nobody knows or all are alike.

        Returns
        -------
        dict of str to bool array, shape (n_targets,)
            Targets outside all regions are in neither.
        """
        truth = scan_truth(self._root, shard) if self._root else None
        if self._root is None or truth is None or truth.is_coupled.all() or not truth.is_coupled.any():
            return {}
        region_s = _regions_of_targets(self._root, shard)
        if region_s is None:
            return {}
        number_s = region_s[columns]
        is_coupled_s = np.concatenate([[False], truth.is_coupled])[number_s]
        return {R_COUPLED: is_coupled_s, R_UNCOUPLED: ~is_coupled_s & (number_s > 0)}


def _cohort(experiment: Experiment) -> Path | None:
    """Where the experiment's recordings were simulated to, where ceilings are asked for."""
    simulation = experiment.simulation
    if not (isinstance(simulation, EegFmriSimulation) and experiment.evaluation.ceilings and is_local(simulation.root)):
        return None
    root = Path(simulation.root)
    if getattr(experiment.recordings, "root", None) != simulation.root or not settings_path(root).exists():
        return None
    check_settings(root, simulation)
    return root


def _regions_of_targets(root: Path, shard: Shard) -> NDArray[np.intp] | None:
    """Number of the region that each target follows, 0 for none, shape (n_targets,); None where the targets are other regions or grids."""
    folder, volumes = root / "derivatives" / "truth", shard.volumes
    if volumes.names is not None:
        with (folder / "atlas.tsv").open(newline="") as file:
            numbers = {row["name"]: int(row["index"]) for row in csv.DictReader(file, delimiter="\t")}
        return np.array([numbers[name] for name in volumes.names]) if numbers.keys() >= set(volumes.names) else None
    atlas = np.asarray(nibabel.load(folder / "atlas.nii.gz").dataobj)  # type: ignore[attr-defined]
    return atlas[volumes.stored].astype(np.intp) if atlas.shape == volumes.brain.shape else None
