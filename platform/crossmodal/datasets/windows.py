"""Windows are slices of shards, chosen when data are loaded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.data import EpochWindows, Part, SlidingWindows, VolumeWindows, Windows
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.folds import Fold, Role
from crossmodal.datasets.shard import Shard

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class WindowSet:
    """Where windows lie.

    Attributes
    ----------
    shard_index : int64 array, shape (n,)
        Position of each window's shard among those it was made from.
    start : int64 array, shape (n,)
        First sample.
    n_times : int
        Samples a window.
    baseline : slice or None
        Samples of a window whose mean is subtracted from it.
    volume : int64 array, shape (n,), or None
        The volume that each window is to predict; None where the target is sampled like the input.
    """

    shard_index: NDArray[np.int64]
    start: NDArray[np.int64]
    n_times: int
    baseline: slice | None
    volume: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.start)

    def subset(self, chosen: NDArray[np.integer]) -> "WindowSet":
        """Keep some windows, in the order given."""
        volume = None if self.volume is None else self.volume[chosen]
        return WindowSet(self.shard_index[chosen], self.start[chosen], self.n_times, self.baseline, volume)

    @property
    def of_targets(self) -> "WindowSet":
        """Where the target of each window lies, in rows of its own file."""
        return self if self.volume is None else WindowSet(self.shard_index, self.volume, 1, None)


def make_windows(shards: Sequence[Shard], fold: Fold, role: Role, windows: Windows, seed: int) -> WindowSet:
    """Lay out a role's windows: whole inside its parts, no sample of them masked, nor the volume they are to predict.

    Parameters
    ----------
    shards : sequence of Shard
        All of one sampling rate.
    seed : int
        Deals the windows of a leaky fold out.

    Raises
    ------
    UserError
        No window fits, or a condition is not among the events; the sentence names it.
    """
    _check_conditions(shards, windows)
    indices, starts, volumes = [], [], []
    for index, shard in enumerate(shards):
        for part in fold.parts(role):
            if part.takes(shard.subject, shard.session, shard.run):
                found, of_found = _starts(shard, part, windows)
                starts.append(found)
                volumes.append(of_found)
                indices.append(np.full(len(found), index, dtype=np.int64))
    n_times, baseline = _shape(windows, shards[0].sfreq)
    volume = np.concatenate(volumes) if isinstance(windows, VolumeWindows) else None
    laid_out = WindowSet(np.concatenate(indices), np.concatenate(starts), n_times, baseline, volume)
    if fold.leaky:
        laid_out = laid_out.subset(_dealt(len(laid_out), fold, role, seed))
    if not len(laid_out):
        lacking = {"sliding": "no window", "epochs": "no event with a window around it", "volumes": "no volume with a window before it"}
        length_s = n_times / shards[0].sfreq
        raise UserError(
            f"fold {fold.name}: {lacking[windows.kind]} of {length_s:g} s without bad segments is in the {role} recordings; "
            "change data.windows"
        )
    return laid_out


def check_scan(entry: ShardEntry, windows: VolumeWindows) -> None:
    """Refuse a scan of fewer volumes than a window lasts: its subject would be missing wherever it is scored.

    Raises
    ------
    UserError
        The sentence names the recording.
    """
    assert entry.volumes
    n_volumes, length_s = entry.volumes.n_volumes, entry.volumes.n_volumes * entry.volumes.tr_s
    if length_s < windows.length_s:
        raise UserError(
            f"{entry.label}: its {n_volumes} volumes last {length_s:g} s, less than the window of {windows.length_s:g} s before each; leave"
            " it out of recordings or shorten data.windows.length_s"
        )


def _check_conditions(shards: Sequence[Shard], windows: Windows) -> None:
    if not isinstance(windows, EpochWindows) or windows.conditions is None:
        return
    present = sorted({condition for shard in shards for condition in shard.events.trial_type})
    for condition in windows.conditions:
        if condition not in present:
            raise UserError(f"data.windows.conditions: '{condition}' is not among the events; there are {', '.join(present) or 'none'}")


def _starts(shard: Shard, part: Part, windows: Windows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First samples of the windows of a part, and the volumes they are to predict where there are any."""
    n_times, _ = _shape(windows, shard.sfreq)
    first = round((part.start_s or 0.0) * shard.sfreq)
    stop = shard.n_samples if part.stop_s is None else min(round(part.stop_s * shard.sfreq), shard.n_samples)
    volumes = np.array([], dtype=np.int64)
    if isinstance(windows, SlidingWindows):
        starts = np.arange(first, stop - n_times + 1, max(round(windows.hop_s * shard.sfreq), 1), dtype=np.int64)
    elif isinstance(windows, EpochWindows):
        starts = np.sort(_onsets(shard, windows) + round(windows.tmin_s * shard.sfreq))
        starts = starts[(starts >= first) & (starts + n_times <= stop)]
    else:
        onset = np.round(shard.volumes.onset_s * shard.sfreq).astype(np.int64)
        starts = onset - round(windows.lag_s * shard.sfreq) - n_times
        inside = (np.minimum(starts, onset) >= first) & (np.maximum(starts + n_times - 1, onset) < stop)
        volumes = np.flatnonzero(inside & shard.volumes.good)
        starts = starts[volumes]
    bad_before = np.concatenate([[0], np.cumsum(~shard.good)])
    free = bad_before[starts + n_times] == bad_before[starts]
    if len(starts) and not free.all():
        level = logging.INFO if free.any() else logging.WARNING
        _LOG.log(level, "%s: %d of %d windows touch bad segments and are left out", shard.entry.label, np.sum(~free), len(free))
    return starts[free], volumes[free] if len(volumes) else volumes


def _onsets(shard: Shard, windows: EpochWindows) -> NDArray[np.int64]:
    conditions = windows.conditions or tuple(dict.fromkeys(shard.events.trial_type))
    return shard.events.onset_sample[np.isin(np.array(shard.events.trial_type, dtype=object), conditions)]


def _shape(windows: Windows, sfreq: float) -> tuple[int, slice | None]:
    """Samples a window, and which of them are its baseline."""
    if not isinstance(windows, EpochWindows):
        return max(round(windows.length_s * sfreq), 1), None
    n_times = round((windows.tmax_s - windows.tmin_s) * sfreq) + 1
    if windows.baseline_s is None:
        return n_times, None
    first, last = (round((edge - windows.tmin_s) * sfreq) for edge in windows.baseline_s)
    return n_times, slice(first, last + 1)


def _dealt(n_windows: int, fold: Fold, role: Role, seed: int) -> NDArray[np.integer]:
    assert fold.leaky
    shuffled = np.random.default_rng(seed).permutation(n_windows)
    n_test, n_validation = (round(share * n_windows) for share in (fold.leaky.test, fold.leaky.validation))
    shares = {"test": slice(0, n_test), "validation": slice(n_test, n_test + n_validation), "train": slice(n_test + n_validation, None)}
    return np.sort(shuffled[shares[role]])
