"""Scaling of source and target, fitted on training recordings alone."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crossmodal.config.data import Data
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.statistics import ChannelStatistics
from crossmodal.datasets.training_signal import TrainingSignal
from crossmodal.datasets.windows import WindowSet
from crossmodal.transforms.logarithms import Log1p

Scaling = Literal["zscore", "robust", "minmax", "whiten", "minmax_log1p"]

# Directions with less than this share of the largest variance are not whitened: an average reference leaves one without any.
_EIGENVALUE_FLOOR = 1e-9
# The same for samples rounded to float16, whose rounding alone puts up to 4e-8 of a channel's variance into every direction.
_HALF_EIGENVALUE_FLOOR = 1e-7


class ChannelScaling(nn.Module):
    """An affine map of each channel, then a mixing of channels (whitening) or log1p where asked for.

    Values outside the fitted range are scaled like any other; log1p clips what lies below the fitted minimum and counts it.

    Attributes
    ----------
    offset_c, scale_c : float32 tensors, shape (C,)
        The affine part is `x * scale_c + offset_c`.
    mixing_cc, unmixing_cc : float32 tensors, shape (C, C), or None
        Whitening and its inverse on the whitened directions.
    log1p : Log1p or None
    """

    offset_c: torch.Tensor
    scale_c: torch.Tensor
    mixing_cc: torch.Tensor | None
    unmixing_cc: torch.Tensor | None

    def __init__(
        self,
        offset_c: torch.Tensor,
        scale_c: torch.Tensor,
        mixing_cc: torch.Tensor | None = None,
        unmixing_cc: torch.Tensor | None = None,
        log1p: bool = False,
    ) -> None:
        super().__init__()
        self.register_buffer("offset_c", offset_c.float())
        self.register_buffer("scale_c", scale_c.float())
        self.register_buffer("mixing_cc", None if mixing_cc is None else mixing_cc.float())
        self.register_buffer("unmixing_cc", None if unmixing_cc is None else unmixing_cc.float())
        self.log1p = Log1p() if log1p else None

    @property
    def clipped(self) -> int:
        """Values that log1p clipped so far."""
        return self.log1p.clipped if self.log1p is not None else 0

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """From SI units to a model's, shape (batch, C, time)."""
        return self.after_affine(x_bct * self.scale_c[:, None] + self.offset_c[:, None])

    def after_affine(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Do what follows the affine part, which the reader does while it copies."""
        if self.mixing_cc is not None:
            return self.mixing_cc @ x_bct
        return x_bct if self.log1p is None else self.log1p(x_bct)

    def inverse(self, x_bct: torch.Tensor) -> torch.Tensor:
        """From a model's units to SI, shape (batch, C, time), in the dtype given."""
        if self.unmixing_cc is not None:
            x_bct = self.unmixing_cc.to(x_bct.dtype) @ x_bct
        if self.log1p is not None:
            x_bct = self.log1p.inverse(x_bct)
        return (x_bct - self.offset_c[:, None]) / self.scale_c[:, None]

    def to_plain(self) -> dict[str, Any]:
        """Everything as what JSON can hold."""
        tensors = {name: None if tensor is None else tensor.tolist() for name, tensor in self._buffers.items()}
        return {**tensors, "log1p": self.log1p is not None}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "ChannelScaling":
        """Undo `to_plain`."""
        arguments: dict[str, Any] = {name: torch.tensor(value) if isinstance(value, list) else value for name, value in plain.items()}
        return cls(**arguments)


class Normaliser(nn.Module):
    """Scaling of a fold's source and target."""

    def __init__(self, source: ChannelScaling, target: ChannelScaling) -> None:
        super().__init__()
        self.source = source
        self.target = target

    def to_plain(self) -> dict[str, Any]:
        """Everything as what JSON can hold."""
        return {"source": self.source.to_plain(), "target": self.target.to_plain()}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Normaliser":
        """Undo `to_plain`."""
        return cls(ChannelScaling.from_plain(plain["source"]), ChannelScaling.from_plain(plain["target"]))


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
    whole = fold.leaky is None and all(part.start_s is None and part.stop_s is None for part in fold.train)
    source = TrainingSignal(shards, windows, data.source, whole)
    target = TrainingSignal(shards, windows.of_targets, data.target, whole)
    return Normaliser(_fit(source, data.source_scaling), _fit(target, data.target_scaling))


def _fit(signal: TrainingSignal, kind: Scaling) -> ChannelScaling:
    statistics = signal.statistics()
    if kind == "robust":
        first, median, third = signal.quartiles(statistics)
        return _affine(median, third - first)
    return fit_scaling(statistics, kind, rounded=signal.shards[0].is_half(signal.signals.modality))


def fit_scaling(
    statistics: ChannelStatistics, kind: Literal["zscore", "minmax", "whiten", "minmax_log1p"], rounded: bool = False
) -> ChannelScaling:
    """Fit one signal's scaling to statistics of channels that all vary; `rounded` says that its samples were stored as float16."""
    if kind == "whiten":
        return _whitening(statistics, _HALF_EIGENVALUE_FLOOR if rounded else _EIGENVALUE_FLOOR)
    if kind == "zscore":
        return _affine(statistics.mean, np.sqrt(statistics.variance))
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
