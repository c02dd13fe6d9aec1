"""How much is explained of what EOG and ECG leave: a score that a blink makes is no score.

Shape suffixes: b window, c EOG or ECG channel, s target sensor, t time, l lag, p lag and channel.
"""

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from crossmodal.datasets.physiology import PhysiologyReader

Floats = NDArray[np.float64]

# Directions of lagged EOG and ECG with less than this share of the strongest one's power are rounding.
_LEAST_POWER = 1e-10


class BeyondPhysiology:
    """Squared errors of one subject's predictions after lagged EOG and ECG are regressed out of truth and prediction alike.

    To regress the same signals out of both is to regress them out of their difference, so the error's products with them are all that is
    summed. They are fitted to the subject itself and to what is scored, so that they take off as much as they can.

    Parameters
    ----------
    physiology : PhysiologyReader
        EOG and ECG of the subject's windows.
    half_length : int
        Samples; lags run from minus this to plus this, zero outside the window.
    """

    def __init__(self, physiology: PhysiologyReader, half_length: int) -> None:
        self._physiology = physiology
        self._half_length = half_length
        n_regressors = (2 * half_length + 1) * len(physiology.names) + 1
        self._gram_pp = np.zeros((n_regressors, n_regressors))
        self._cross_ps: dict[str, Floats] = {}
        self._error_sq_s: dict[str, Floats] = {}

    def add(self, chosen: NDArray[np.integer], truth_bst: NDArray[np.floating], predicted: Mapping[str, NDArray[np.floating]]) -> None:
        """Take in some windows: the truth, and what each predictor says of it, V, T or T/m."""
        design_np = self._design(self._physiology.read(chosen).double().numpy())
        self._gram_pp += design_np.T @ design_np
        for name, predicted_bst in predicted.items():
            error_ns = (truth_bst.astype(np.float64) - predicted_bst).transpose(0, 2, 1).reshape(len(design_np), -1)
            self._cross_ps[name] = self._cross_ps.get(name, 0.0) + design_np.T @ error_ns
            self._error_sq_s[name] = self._error_sq_s.get(name, 0.0) + np.square(error_ns).sum(axis=0)

    def explained_variance(self, predictor: str, reference: str, sensors: slice) -> float:
        """1 - SSE of a predictor / SSE of the reference, after regression, pooled over some sensors; NaN where nothing is left."""
        left_sq, reference_sq = (self._left_sq(name)[sensors].sum() for name in (predictor, reference))
        return float(1 - left_sq / reference_sq) if reference_sq > 0 else float("nan")

    def _left_sq(self, predictor: str) -> Floats:
        """Squared error that no combination of the regressors explains, shape (n_sensors,)."""
        power_p, directions_pp = np.linalg.eigh(self._gram_pp)
        kept = power_p > _LEAST_POWER * power_p[-1]
        products_ps = directions_pp[:, kept].T @ self._cross_ps[predictor]
        return self._error_sq_s[predictor] - (products_ps**2 / power_p[kept, None]).sum(axis=0)

    def _design(self, z_bct: Floats) -> Floats:
        """Lagged EOG and ECG and a constant, shape (windows x times, regressors)."""
        n_windows, _, n_times = z_bct.shape
        padded_bct = np.pad(z_bct, ((0, 0), (0, 0), (self._half_length, self._half_length)))
        lagged_bctl = sliding_window_view(padded_bct, 2 * self._half_length + 1, axis=2)
        lagged_np = lagged_bctl.transpose(0, 2, 3, 1).reshape(n_windows * n_times, -1)
        return np.column_stack([lagged_np, np.ones(len(lagged_np))])
