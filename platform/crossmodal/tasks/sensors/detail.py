"""Arrays of a fold that figures of sensors are drawn from."""

from dataclasses import dataclass, field
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray

from crossmodal.tasks.sensors.metrics import SensorMetrics


@dataclass(frozen=True)
class SubjectDetail:
    """Arrays of one test subject that figures are drawn from; s sensor, t time of one window, f frequency.

    Attributes
    ----------
    info : mne.Info
        Describes its sensors.
    sensors : dict of str to SensorMetrics
        A predictor each.
    frequencies_hz : ndarray, shape (n_freqs,)
    psd : dict of str to ndarray, shape (n_sensors, n_freqs)
        Power density of 'truth' and of each predictor over all test windows, unit squared per Hz.
    example : dict of str to ndarray, shape (n_sensors, n_times)
        The middle test window: 'truth' and each predictor, V, T or T/m.
    """

    info: mne.Info
    sensors: dict[str, SensorMetrics]
    frequencies_hz: NDArray[np.float64]
    psd: dict[str, NDArray[np.float64]]
    example: dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class SensorsDetail:
    """Arrays of one fold.

    Attributes
    ----------
    names, types : tuple of str
        Target sensors, ordered by type.
    sfreq : float
        Hz.
    subjects : dict of str to SubjectDetail
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    sfreq: float
    subjects: dict[str, SubjectDetail] = field(default_factory=dict)

    def arrays(self) -> dict[str, Any]:
        """Name all arrays: subject, group, predictor."""
        arrays: dict[str, Any] = {"names": np.array(self.names), "types": np.array(self.types), "sfreq": np.array(self.sfreq)}
        for subject, of_subject in self.subjects.items():
            arrays[f"{subject}/frequencies_hz"] = of_subject.frequencies_hz
            for group in ("psd", "example"):
                arrays |= {f"{subject}/{group}/{name}": array for name, array in getattr(of_subject, group).items()}
            for name, metrics in of_subject.sensors.items():
                arrays |= {f"{subject}/sensors/{metric}/{name}": array for metric, array in vars(metrics).items()}
        return arrays
