"""Scaling of source and target, fitted on training recordings alone."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crossmodal.config.data import Data
from crossmodal.datasets.channels import columns_of
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.statistics import ChannelStatistics, merge_all
from crossmodal.datasets.windows import WindowSet

# Directions with less than this share of the largest variance are not whitened: an average reference leaves one without any.
_EIGENVALUE_FLOOR = 1e-9

# The fitted minimum itself may come out this much below zero in float32.
_ROUNDING = 1e-6


class ChannelScaling(nn.Module):
    """An affine map of each channel, then a mixing of channels (whitening) or log1p where asked for.

    Values outside the fitted range are scaled like any other; log1p clips what lies below the fitted minimum and counts it.

    Attributes
    ----------
    offset_c, scale_c : float32 tensors, shape (C,)
        The affine part is `x * scale_c + offset_c`.
    mixing_cc, unmixing_cc : float32 tensors, shape (C, C), or None
        Whitening and its inverse on the whitened directions.
    clipped : int
        Values that log1p clipped so far.
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
        self.log1p = log1p
        self.clipped = 0

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """From SI units to a model's, shape (batch, C, time)."""
        return self.after_affine(x_bct * self.scale_c[:, None] + self.offset_c[:, None])

    def after_affine(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Do what follows the affine part, which the reader does while it copies."""
        if self.mixing_cc is not None:
            return self.mixing_cc @ x_bct
        if self.log1p:
            self.clipped += int((x_bct < -_ROUNDING).sum())
            return x_bct.clamp_min(0).log1p()
        return x_bct

    def inverse(self, x_bct: torch.Tensor) -> torch.Tensor:
        """From a model's units to SI, shape (batch, C, time), in the dtype given."""
        if self.unmixing_cc is not None:
            x_bct = self.unmixing_cc.to(x_bct.dtype) @ x_bct
        if self.log1p:
            x_bct = x_bct.expm1()
        return (x_bct - self.offset_c[:, None]) / self.scale_c[:, None]

    def to_plain(self) -> dict[str, Any]:
        """Everything as what JSON can hold."""
        tensors = {name: None if tensor is None else tensor.tolist() for name, tensor in self._buffers.items()}
        return {**tensors, "log1p": self.log1p}

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

    Notes
    -----
    Where the role takes whole recordings their stored statistics merge exactly, without reading them again. A stretch of a
    recording, or a leaky fold, is measured over its windows.
    """
    whole = fold.leaky is None and all(part.start_s is None and part.stop_s is None for part in fold.train)
    return Normaliser(
        *(
            _scaling(_merged(shards, windows, signals.modality, columns_of(shards[0], signals), whole), kind)
            for signals, kind in ((data.source, data.source_scaling), (data.target, data.target_scaling))
        )
    )


def _merged(shards: Sequence[Shard], windows: WindowSet, modality: str, columns: NDArray[np.int64], whole: bool) -> ChannelStatistics:
    read = np.unique(windows.shard_index)
    if whole:
        return merge_all((shards[index].statistics(modality).select(columns) for index in read), len(columns))
    return merge_all((_over_windows(shards[index], windows, index, modality, columns) for index in read), len(columns))


def _over_windows(shard: Shard, windows: WindowSet, index: int, modality: str, columns: NDArray[np.int64]) -> ChannelStatistics:
    """Measure the samples that windows cover, each once."""
    covered = np.zeros(shard.n_samples, dtype=bool)
    for start in windows.start[windows.shard_index == index]:
        covered[start : start + windows.n_times] = True
    return ChannelStatistics.of(np.hstack(list(shard.signal(modality).values()))[:, columns], covered)


def _scaling(statistics: ChannelStatistics, kind: Literal["zscore", "minmax", "whiten", "minmax_log1p"]) -> ChannelScaling:
    if kind == "whiten":
        return _whitening(statistics)
    if kind == "zscore":
        shift, spread = statistics.mean, np.sqrt(statistics.variance)
    else:
        shift, spread = statistics.min, statistics.max - statistics.min
    scale = 1 / np.where(spread > 0, spread, 1)
    return ChannelScaling(torch.from_numpy(-shift * scale), torch.from_numpy(scale), log1p=kind == "minmax_log1p")


def _whitening(statistics: ChannelStatistics) -> ChannelScaling:
    """Scale channels by one number, then whiten: symmetric (ZCA), so that channels stay near themselves."""
    scale = 1 / np.sqrt(statistics.variance.mean())
    variances, directions = np.linalg.eigh(statistics.covariance * scale**2)
    kept = variances > _EIGENVALUE_FLOOR * variances[-1]
    deviations, directions = np.sqrt(variances[kept]), directions[:, kept]
    mixing, unmixing = ((directions * gains) @ directions.T for gains in (1 / deviations, deviations))
    offset_c, scale_c = torch.from_numpy(-statistics.mean * scale), torch.full((len(statistics.mean),), float(scale))
    return ChannelScaling(offset_c, scale_c, torch.from_numpy(mixing), torch.from_numpy(unmixing))
