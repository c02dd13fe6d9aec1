"""Events in time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TimedEvents:
    """Events in time, so that resampling cannot move them.

    Attributes
    ----------
    onset_s, duration_s : float64 array, shape (n,)
        Seconds; onsets count from the recording's first sample.
    trial_type : tuple of str, length n
    """

    onset_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    trial_type: tuple[str, ...]

    def shifted(self, delay_s: float) -> "TimedEvents":
        """Return the same events `delay_s` seconds later."""
        return TimedEvents(self.onset_s + delay_s, self.duration_s, self.trial_type)
