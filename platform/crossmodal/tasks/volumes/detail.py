"""Arrays of a fold that figures of volumes are drawn from."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.signal_spec import SignalSpec


@dataclass(frozen=True)
class ScanDetail:
    """One test scan.

    Attributes
    ----------
    onset_s : float64 array, shape (n_volumes,)
        Of the volumes that are scored, s from the first sample of the EEG.
    truth_vs, predicted_vs : float32 array, shape (n_volumes, n_targets)
        What was recorded, and what the network says.
    r_s : float64 array, shape (n_targets,)
        Their correlation over volumes.
    """

    onset_s: NDArray[np.float64]
    truth_vs: NDArray[np.float32]
    predicted_vs: NDArray[np.float32]
    r_s: NDArray[np.float64]


@dataclass(frozen=True)
class VolumesDetail:
    """Arrays of one fold.

    Attributes
    ----------
    target : SignalSpec
    stored : bool array, shape (X, Y, Z), or None
        Voxels that the dataset stores; None where targets are regions.
    is_shown_s : bool array, shape (n_targets,)
        False of targets that are known to follow nothing that the EEG shows.
    scans : dict of str to ScanDetail
        The first scan of each test subject.
    r_of_subjects : dict of str to float64 array, shape (n_targets,)
        Mean r over all scans of each test subject.
    """

    target: SignalSpec
    stored: NDArray[np.bool_] | None
    is_shown_s: NDArray[np.bool_]
    scans: dict[str, ScanDetail] = field(default_factory=dict)
    r_of_subjects: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def arrays(self) -> dict[str, Any]:
        """Name all arrays by their subject."""
        of_all = {"names": np.array(self.target.names), "tr_s": np.array(1 / self.target.sfreq)}
        of_scans = {f"{subject}/{name}": array for subject, scan in self.scans.items() for name, array in vars(scan).items()}
        return of_all | of_scans | {f"{subject}/r_of_all_scans_s": r_s for subject, r_s in self.r_of_subjects.items()}
