"""Fit the scaling of input and target to training recordings alone."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.data import Data
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.statistics import ChannelStatistics
from crossmodal.datasets.training_signal import TrainingSignal
from crossmodal.datasets.windows import WindowSet
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

Scaling = Literal["zscore", "robust", "minmax", "whiten", "common", "minmax_log1p"]

# Directions with less than this share of the largest variance are not whitened: an average reference leaves one without any.
_EIGENVALUE_FLOOR = 1e-9
# The same for samples rounded to float16, whose rounding alone puts up to 4e-8 of a channel's variance into every direction.
_HALF_EIGENVALUE_FLOOR = 1e-7


def fit_normaliser(shards: Sequence[Shard], fold: Fold, windows: WindowSet, data: Data) -> Normaliser:
    """Fit to what the training role reads and to nothing else.

    Parameters
    ----------
    shards : sequence of Shard
        Those `windows` refers to.
    windows : WindowSet
        The training windows.

    Raises
    ------
    UserError
        A channel never changes in the training recordings, or for robust scaling in half of them; the sentence names it.

    Notes
    -----
    Where the role takes whole recordings their stored statistics merge exactly, without reading them again. A stretch of a
    recording, or a leaky fold, is measured over its windows. Robust scaling, (x - median) / (third - first quartile), reads the samples.
    """
    input = TrainingSignal.of(shards, fold, windows, data.input)
    target = TrainingSignal.of(shards, fold, windows.of_targets, data.target)
    return Normaliser(_fit(input, data.input_scaling), _fit(target, data.target_scaling))


def _fit(signal: TrainingSignal, kind: Scaling) -> ChannelScaling:
    statistics = signal.statistics()
    if kind == "robust":
        first, median, third = signal.quartiles(statistics)
        return _affine(median, third - first)
    return fit_scaling(statistics, kind, rounded=signal.shards[0].is_half(signal.signals.modality))


def fit_scaling(
    statistics: ChannelStatistics, kind: Literal["zscore", "minmax", "whiten", "common", "minmax_log1p"], rounded: bool = False
) -> ChannelScaling:
    """Fit one signal's scaling to statistics of channels that all vary; `rounded` says that its samples were stored as float16."""
    if kind == "whiten":
        return _whitening(statistics, _HALF_EIGENVALUE_FLOOR if rounded else _EIGENVALUE_FLOOR)
    if kind == "zscore":
        return _affine(statistics.mean, np.sqrt(statistics.variance))
    if kind == "common":
        return _affine(statistics.mean, np.full_like(statistics.mean, np.sqrt(statistics.variance.mean())))
    return _affine(statistics.min, statistics.max - statistics.min, log1p=kind == "minmax_log1p")


def _affine(shift_c: NDArray[np.float64], spread_c: NDArray[np.float64], log1p: bool = False) -> ChannelScaling:
    scale_c = 1 / spread_c
    return ChannelScaling(torch.from_numpy(-shift_c * scale_c), torch.from_numpy(scale_c), log1p=log1p)


def _whitening(statistics: ChannelStatistics, floor: float) -> ChannelScaling:
    """Scale channels by one number, then whiten: symmetric (ZCA), so that channels stay near themselves."""
    scale = 1 / np.sqrt(statistics.variance.mean())
    variances, directions = np.linalg.eigh(statistics.covariance * scale**2)
    kept = variances > floor * variances[-1]
    deviations, directions = np.sqrt(variances[kept]), directions[:, kept]
    mixing, unmixing = ((directions * gains) @ directions.T for gains in (1 / deviations, deviations))
    offset_c, scale_c = torch.from_numpy(-statistics.mean * scale), torch.full((len(statistics.mean),), float(scale))
    return ChannelScaling(offset_c, scale_c, torch.from_numpy(mixing), torch.from_numpy(unmixing))
