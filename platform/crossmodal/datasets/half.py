"""Samples in 16 bits with a scale a channel: half the disk, half the traffic, eleven significant bits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of float16: half a unit in the last of its eleven significant bits, relative to the value.
BOUND = 2.0**-11
# Scaled channels stay below 2 to this, well inside float16's 65504, so that every value within 2^-29 of the largest is a normal number.
_GREATEST_EXPONENT = 15
# Below it float32 itself has fewer bits.
_LEAST_EXPONENT = -126


@dataclass(frozen=True)
class Half:
    """A signal in 16 bits.

    Attributes
    ----------
    data_tc : float16 array, shape (T, C)
    scale_c : float32 array, shape (C,)
        Powers of two, so that scaling itself rounds nothing: a sample is `data_tc * scale_c`, SI units.
    """

    data_tc: NDArray[np.float16]
    scale_c: NDArray[np.float32]

    @classmethod
    def of(cls, data_tc: NDArray[np.float32]) -> "Half":
        """Round a signal; its samples are finite.

        No sample is off by more than `BOUND` times the largest of its channel (IEEE 754 binary16, rounding to nearest).
        """
        _, exponent_c = np.frexp(np.abs(data_tc).max(axis=0, initial=0))
        scale_c = np.ldexp(np.float32(1), np.maximum(exponent_c - _GREATEST_EXPONENT, _LEAST_EXPONENT)).astype(np.float32)
        return cls((data_tc / scale_c).astype(np.float16), scale_c)

    def decoded(self) -> NDArray[np.float32]:
        """Samples in SI units, shape (T, C)."""
        return self.data_tc.astype(np.float32) * self.scale_c

    def error(self, data_tc: NDArray[np.float32]) -> dict[str, Any]:
        """Measure what rounding did to a signal, as what JSON can hold.

        Returns
        -------
        dict
            `largest_of_range`: the largest error of any channel over its largest sample, at most `bound_of_range`; `rms`: the largest
            root-mean-square error of any channel over its root-mean-square.
        """
        error_tc = self.decoded() - data_tc
        largest = _ratio(np.abs(error_tc).max(axis=0), np.abs(data_tc).max(axis=0))
        rms = _ratio(np.linalg.norm(error_tc.astype(np.float64), axis=0), np.linalg.norm(data_tc.astype(np.float64), axis=0))
        return {"largest_of_range": largest, "bound_of_range": BOUND, "rms": rms}


def _ratio(error_c: NDArray[Any], size_c: NDArray[Any]) -> float:
    """Largest ratio of any channel; one that is zero has none."""
    return float(np.divide(error_c, size_c, out=np.zeros(len(size_c)), where=size_c > 0).max(initial=0.0))
