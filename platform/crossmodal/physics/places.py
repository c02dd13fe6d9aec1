"""Where sensors and heads of subjects are, as tensors that models read."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import mne
import numpy as np
import torch
from mne.io.constants import FIFF
from mne.transforms import apply_trans
from numpy.typing import NDArray

from crossmodal.config.signal_spec import SignalPair
from crossmodal.physics.geometry import farthest_points

# So many of a head's digitised points, spread evenly: enough for its size and form, and few enough for every window of a batch.
N_HEAD_POINTS = 64


@dataclass(frozen=True)
class Places:
    """Places in head coordinates, m, a row a window; NaN where nobody knows.

    Attributes
    ----------
    input_bc3, target_bs3 : Tensor, shape (batch, channels, 3)
        Of sensors.
    input_normal_bc3, target_normal_bs3 : Tensor, shape (batch, channels, 3)
        Unit vectors along the coils of magnetic sensors; NaN of electrodes.
    head_bp3 : Tensor, shape (batch, N_HEAD_POINTS, 3)
        Of the digitised head shape; NaN where fewer were digitised.
    """

    input_bc3: torch.Tensor
    target_bs3: torch.Tensor
    input_normal_bc3: torch.Tensor
    target_normal_bs3: torch.Tensor
    head_bp3: torch.Tensor

    def __len__(self) -> int:
        return len(self.input_bc3)

    def __getitem__(self, rows: torch.Tensor | slice) -> Self:
        """Places of some windows."""
        return type(self)(*(tensor[rows] for tensor in self.tensors().values()))

    def to(self, device: torch.device | str) -> Self:
        """The same on a device."""
        return type(self)(*(tensor.to(device) for tensor in self.tensors().values()))

    def repeated(self, n_windows: int) -> Self:
        """Those of one subject for several windows."""
        assert len(self) == 1
        return type(self)(*(tensor.expand(n_windows, -1, -1) for tensor in self.tensors().values()))

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def stacked(cls, subjects: Sequence["Places"]) -> "Places":
        """One row a subject."""
        return cls(*(torch.cat(tensors) for tensors in zip(*(each.tensors().values() for each in subjects), strict=True)))


def places_of(info: mne.Info, signals: SignalPair, target_info: mne.Info | None = None) -> Places:
    """Read the places of one subject, a single row.

    Parameters
    ----------
    info : mne.Info
        Of its recording, with the input's channels; MEG stands where `dev_head_t` says.
    signals : SignalPair
        Names the sensors. Targets that are no sensors of any info have no places.
    target_info : mne.Info, optional
        Describes the target's sensors where the recording has none, as in prediction.
    """
    inputs, targets = _sensors(info, signals.input.names), _sensors(target_info or info, signals.target.names)
    head = _head_points(info)
    arrays = (inputs[:, :3], targets[:, :3], inputs[:, 3:], targets[:, 3:], head)
    return Places(*(torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))[None] for array in arrays))


def unknown_places(signals: SignalPair) -> Places:
    """Places of a subject of whom nothing is known."""
    rows = (signals.input.n_channels, signals.target.n_channels)
    return Places(*(torch.full((1, n_rows, 3), torch.nan) for n_rows in (*rows, *rows, N_HEAD_POINTS)))


def _sensors(info: mne.Info, names: Sequence[str]) -> NDArray[np.float64]:
    """Place and coil normal of each channel, shape (n, 6)."""
    known = {channel["ch_name"]: channel for channel in info["chs"]}
    return np.array([_sensor(known[name], info) if name in known else np.full(6, np.nan) for name in names])


def _sensor(channel: mne.utils.BunchConst, info: mne.Info) -> NDArray[np.float64]:
    place_m, normal = channel["loc"][:3].astype(np.float64), channel["loc"][9:12].astype(np.float64)
    if channel["coord_frame"] == FIFF.FIFFV_COORD_DEVICE:
        if info["dev_head_t"] is None:
            return np.full(6, np.nan)
        to_head = info["dev_head_t"]["trans"]
        return np.concatenate([apply_trans(to_head, place_m), apply_trans(to_head, normal, move=False)])
    unknown = not np.isfinite(place_m).all() or not place_m.any()
    return np.concatenate([np.full(3, np.nan) if unknown else place_m, np.full(3, np.nan)])


def _head_points(info: mne.Info) -> NDArray[np.float64]:
    digitised = [point for point in info["dig"] or () if point["kind"] == FIFF.FIFFV_POINT_EXTRA]
    points_m = np.array([point["r"] for point in digitised if point["coord_frame"] == FIFF.FIFFV_COORD_HEAD], dtype=np.float64)
    chosen_m = np.full((N_HEAD_POINTS, 3), np.nan)
    if len(points_m):
        kept_m = points_m[farthest_points(points_m, min(len(points_m), N_HEAD_POINTS))]
        chosen_m[: len(kept_m)] = kept_m
    return chosen_m
