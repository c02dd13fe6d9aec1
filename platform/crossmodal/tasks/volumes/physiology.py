"""How well BOLD is predicted beyond heartbeat, breath and head movement: a score that a pulse makes is no score.

Shape suffixes: v volume, s target, k regressor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orth

from crossmodal.datasets.recording import PHYSIOLOGY
from crossmodal.datasets.shard import Shard
from crossmodal.physics import physiology
from crossmodal.physics.physiology import RATE_HZ, RESPONSE_LENGTH_S

Floats = NDArray[np.float64]

HEART, BREATH, MOTION = "heart rate", "respiration", "motion"
# Blood follows heart and breath some seconds sooner or later than the published mean responses, by person and by place.
LAGS_S = (-6.0, -3.0, 0.0, 3.0, 6.0)
_AXES = ("x", "y", "z", "rotation x", "rotation y", "rotation z")
# An interval between two beats needs two, and its neighbours.
_FEWEST_BEATS = 10
# What is left of a target or of a regressor is rounding below this share of its root mean square.
_NOTHING = 1e-6


@dataclass(frozen=True)
class Regressors:
    """What ECG, respiratory belt and motion parameters say of each volume.

    Attributes
    ----------
    names : tuple of str, length k
    values_vk : float64 array, shape (n_volumes, k)
        Each with mean 0 and standard deviation 1 over volumes; one that never changes is zero.
    """

    names: tuple[str, ...]
    values_vk: Floats


def regressors(shard: Shard) -> Regressors | None:
    """Gather what is recorded of heartbeat, breath and head movement and changes at all; None where nothing is."""
    groups = body(shard).values()
    columns = {name: column for each in groups for name, column in zip(each.names, each.values_vk.T, strict=True) if column.any()}
    return Regressors(tuple(columns), np.column_stack(list(columns.values()))) if columns else None


def body(shard: Shard) -> dict[str, Regressors]:
    """What is recorded of heartbeat, breath and head movement, at the onsets of a recording's volumes.

    Heart rate passes through the cardiac response function, respiration volume through the respiratory one, each at several lags; six
    motion parameters stand beside their differences from volume to volume.

    Parameters
    ----------
    shard : Shard
        Of EEG and BOLD.

    Returns
    -------
    dict of str to Regressors
        Of `HEART`, `BREATH` and `MOTION` those that are recorded.
    """
    found = {HEART: _heart(shard), BREATH: _breath(shard), MOTION: _motion(shard)}
    return {group: Regressors(tuple(columns), _standard(columns)) for group, columns in found.items() if columns}


def _standard(columns: Mapping[str, Floats]) -> Floats:
    return np.column_stack([(column - column.mean()) / (column.std() or 1.0) for column in columns.values()])


def global_signal(shard: Shard, columns: NDArray[np.integer]) -> Floats:
    """Mean over those of some targets that lie in the brain, less its mean over good volumes, shape (n_volumes,), per cent."""
    volumes = shard.volumes
    inside = columns if volumes.stored is None else columns[volumes.brain[volumes.stored][columns]]
    signal_v = np.asarray(volumes.data_vs)[:, inside].mean(axis=1, dtype=np.float64)
    return signal_v - signal_v[volumes.good].mean()


def with_global_signal(regressors_vk: Floats, truth_vs: NDArray[np.floating]) -> Floats:
    """Add the global signal, the mean over targets, to some regressors, shape (n_volumes, k + 1).

    It follows breath and heart even where neither is recorded, but it contains the effect itself: what a model predicts of all targets
    alike is taken out with it. A partial correlation given it is therefore told beside the one without it, and not in its place.
    """
    return np.column_stack([regressors_vk, truth_vs.mean(axis=1, dtype=np.float64)])


def partial_r(truth_vs: NDArray[np.floating], predicted_vs: NDArray[np.floating], regressors_vk: Floats) -> Floats:
    """Correlate over time what regressors leave of truth and prediction.

    Parameters
    ----------
    truth_vs, predicted_vs : array, shape (n_volumes, n_targets)
        Of one scan; good volumes alone.
    regressors_vk : float64 array, shape (n_volumes, k)
        At the same volumes; a constant is added.

    Returns
    -------
    float64 array, shape (n_targets,)
        Partial correlation; NaN where regressors leave nothing of truth or prediction.

    Notes
    -----
    Source: Fisher (1924), The distribution of the partial correlation coefficient, Metron 3:329-332: the correlation of residuals.
    Regressors are fitted to the scan itself, and to truth and prediction apart, so that they take off as much as they can.
    """
    spread_k = regressors_vk.std(axis=0)
    moving = spread_k > 0
    scaled_vk = (regressors_vk[:, moving] - regressors_vk[:, moving].mean(axis=0)) / spread_k[moving]
    basis_vk = orth(np.column_stack([np.ones(len(scaled_vk)), scaled_vk]), rcond=_NOTHING)
    truth_left_vs, predicted_left_vs = (_left(each_vs, basis_vk) for each_vs in (truth_vs, predicted_vs))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (truth_left_vs * predicted_left_vs).sum(axis=0) / np.sqrt(
            (truth_left_vs**2).sum(axis=0) * (predicted_left_vs**2).sum(axis=0)
        )


def _left(x_vs: NDArray[np.floating], basis_vk: Floats) -> Floats:
    """What an orthonormal basis leaves of each target; zero where that is rounding."""
    centred_vs = x_vs - x_vs.mean(axis=0, dtype=np.float64)
    left_vs = centred_vs - basis_vk @ (basis_vk.T @ centred_vs)
    left_vs[:, left_vs.std(axis=0) <= _NOTHING * np.sqrt(np.mean(np.square(x_vs, dtype=np.float64), axis=0))] = 0.0
    return left_vs


def _heart(shard: Shard) -> dict[str, Floats]:
    ecg_t = _channel(shard, "ecg")
    beats_s = np.zeros(0) if ecg_t is None else physiology.find_heartbeats(ecg_t, shard.sfreq)
    if len(beats_s) < _FEWEST_BEATS:
        return {}
    return _lagged(HEART, physiology.heart_rate(beats_s, _times_s(shard)), physiology.cardiac_response, shard)


def _breath(shard: Shard) -> dict[str, Floats]:
    respiration_t = _channel(shard, "resp")
    if respiration_t is None:
        return {}
    volume_t = physiology.respiration_volume(respiration_t, shard.sfreq)
    volume = np.interp(_times_s(shard), np.arange(shard.n_samples) / shard.sfreq, volume_t)
    return _lagged(BREATH, volume, physiology.respiratory_response, shard)


def _motion(shard: Shard) -> dict[str, Floats]:
    motion_vp = shard.volumes.motion
    if motion_vp is None:
        return {}
    change_vp = np.diff(motion_vp, axis=0, prepend=motion_vp[:1])
    return {
        **{f"{MOTION} {name}": column for name, column in zip(_AXES, motion_vp.T, strict=True)},
        **{f"{MOTION} {name}, change": column for name, column in zip(_AXES, change_vp.T, strict=True)},
    }


def _channel(shard: Shard, kind: str) -> NDArray[np.float32] | None:
    """Samples of the first channel of a type beside the EEG, shape (n_samples,); None where there is none."""
    if kind not in shard.entry.types.get(PHYSIOLOGY, ()):
        return None
    return shard.signal(PHYSIOLOGY)[kind][:, 0]


def _times_s(shard: Shard) -> Floats:
    return np.arange(int(shard.n_samples / shard.sfreq * RATE_HZ)) / RATE_HZ


def _lagged(name: str, course_t: Floats, response: Callable[[Floats], Floats], shard: Shard) -> dict[str, Floats]:
    """A time course through its response, at the onsets of volumes, sooner and later by `LAGS_S`."""
    answer_t = physiology.respond(course_t, response(np.arange(round(RESPONSE_LENGTH_S * RATE_HZ)) / RATE_HZ))
    return {f"{name}, {lag_s:+g} s": np.interp(shard.volumes.onset_s - lag_s, _times_s(shard), answer_t) for lag_s in LAGS_S}
