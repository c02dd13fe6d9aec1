"""Scaling of source and target, fitted on training recordings alone."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.data import Data, Signals
from crossmodal.datasets.channels import blocks_of, columns_of
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.statistics import ChannelStatistics, merge_all
from crossmodal.datasets.windows import WindowSet

# Directions with less than this share of the largest variance are not whitened: an average reference leaves one without any.
_EIGENVALUE_FLOOR = 1e-9
# The same for samples rounded to float16, whose rounding alone puts up to 4e-8 of a channel's variance into every direction.
_HALF_EIGENVALUE_FLOOR = 1e-7

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

    Raises
    ------
    UserError
        A channel never changes in the training recordings; the sentence names it.

    Notes
    -----
    Where the role takes whole recordings their stored statistics merge exactly, without reading them again. A stretch of a
    recording, or a leaky fold, is measured over its windows.
    """
    whole = fold.leaky is None and all(part.start_s is None and part.stop_s is None for part in fold.train)
    source, target = (_training_statistics(shards, windows, signals, whole) for signals in (data.source, data.target))
    source_rounded, target_rounded = (shards[0].is_half(signals.modality) for signals in (data.source, data.target))
    return Normaliser(fit_scaling(source, data.source_scaling, source_rounded), fit_scaling(target, data.target_scaling, target_rounded))


def _training_statistics(shards: Sequence[Shard], windows: WindowSet, signals: Signals, whole: bool) -> ChannelStatistics:
    columns = columns_of(shards[0], signals)
    read = np.unique(windows.shard_index)
    if whole:
        measured = (shards[index].statistics(signals.modality).select(columns) for index in read)
    else:
        measured = (_over_windows(shards[index], windows.start[windows.shard_index == index], windows.n_times, signals) for index in read)
    merged = merge_all(measured, len(columns))
    flat = [shards[0].names(signals.modality)[column] for column in columns[merged.min == merged.max]]
    if flat:
        raise UserError(f"{', '.join(flat)} never change in the training recordings; leave them out of data.source or data.target")
    return merged


def _over_windows(shard: Shard, starts: NDArray[np.int64], n_times: int, signals: Signals) -> ChannelStatistics:
    """Measure the samples that windows cover, each once."""
    covered = np.zeros(shard.n_samples, dtype=bool)
    for start in starts:
        covered[start : start + n_times] = True
    parts = [shard.signal(signals.modality)[block.kind][:, block.inside] for block in blocks_of(shard, signals)]
    return ChannelStatistics.of(parts[0] if len(parts) == 1 else np.hstack(parts), covered)


def fit_scaling(
    statistics: ChannelStatistics, kind: Literal["zscore", "minmax", "whiten", "minmax_log1p"], rounded: bool = False
) -> ChannelScaling:
    """Fit one signal's scaling to statistics of channels that all vary; `rounded` says that its samples were stored as float16."""
    if kind == "whiten":
        return _whitening(statistics, _HALF_EIGENVALUE_FLOOR if rounded else _EIGENVALUE_FLOOR)
    if kind == "zscore":
        shift, spread = statistics.mean, np.sqrt(statistics.variance)
    else:
        shift, spread = statistics.min, statistics.max - statistics.min
    scale = 1 / spread
    return ChannelScaling(torch.from_numpy(-shift * scale), torch.from_numpy(scale), log1p=kind == "minmax_log1p")


def _whitening(statistics: ChannelStatistics, floor: float) -> ChannelScaling:
    """Scale channels by one number, then whiten: symmetric (ZCA), so that channels stay near themselves."""
    scale = 1 / np.sqrt(statistics.variance.mean())
    variances, directions = np.linalg.eigh(statistics.covariance * scale**2)
    kept = variances > floor * variances[-1]
    deviations, directions = np.sqrt(variances[kept]), directions[:, kept]
    mixing, unmixing = ((directions * gains) @ directions.T for gains in (1 / deviations, deviations))
    offset_c, scale_c = torch.from_numpy(-statistics.mean * scale), torch.full((len(statistics.mean),), float(scale))
    return ChannelScaling(offset_c, scale_c, torch.from_numpy(mixing), torch.from_numpy(unmixing))
