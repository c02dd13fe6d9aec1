"""A preprocessed recording in memory, before it becomes a shard."""

from dataclasses import dataclass, field, replace
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray

from crossmodal.datasets.volumes import Volumes

# The signal that holds EOG, ECG and respiration, which no model reads.
PHYSIOLOGY = "physiology"
# Channels of a signal stand in this order, so that a type is a contiguous slice of columns; other types follow.
TYPE_ORDER = ("eeg", "mag", "grad", "eog", "ecg", "resp")


@dataclass(frozen=True)
class Signal:
    """Samples of one modality.

    Attributes
    ----------
    data_tc : float32 array, shape (T, C)
        Samples in SI units.
    names, types, units : tuple of str, length C
        As MNE names them ('eeg', 'mag', 'grad', 'eog', 'ecg', 'resp'); units as 'V', 'T', 'T/m', 'arbitrary'.
    positions_m : float array, shape (C, 3)
        Sensor positions in head coordinates, m; NaN where unknown.
    """

    modality: str
    data_tc: NDArray[np.float32]
    names: tuple[str, ...]
    types: tuple[str, ...]
    units: tuple[str, ...]
    positions_m: NDArray[np.floating]

    def ordered_by_type(self) -> "Signal":
        """Return the signal with its channels in the order of `TYPE_ORDER`, otherwise as recorded."""
        rank = {kind: position for position, kind in enumerate(TYPE_ORDER)}
        order = sorted(range(len(self.names)), key=lambda column: rank.get(self.types[column], len(rank)))
        if order == list(range(len(order))):
            return self
        return replace(
            self,
            data_tc=self.data_tc[:, order],
            names=tuple(self.names[column] for column in order),
            types=tuple(self.types[column] for column in order),
            units=tuple(self.units[column] for column in order),
            positions_m=np.asarray(self.positions_m)[order],
        )


@dataclass(frozen=True)
class Events:
    """What happened during a recording.

    Attributes
    ----------
    onset_sample : int64 array, shape (n,)
        Sample at which each event begins, counted from the shard's first.
    duration_s : float64 array, shape (n,)
    trial_type : tuple of str, length n
    """

    onset_sample: NDArray[np.int64]
    duration_s: NDArray[np.float64]
    trial_type: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """One preprocessed, continuous recording.

    Attributes
    ----------
    sfreq : float
        Sampling rate, Hz.
    signals : dict of str to Signal
        By modality, all with the same T samples.
    good : bool array, shape (T,)
        False in bad segments.
    info : mne.Info
        Describes at least the channels of all signals.
    provenance : dict
        What JSON can hold: source URI, its identity and checksum, steps with versions and settings.
    volumes : Volumes, optional
        BOLD recorded meanwhile.
    session : str
        On which day or occasion it was recorded; empty where the source tells none.
    figures : dict of str to bytes
        PNGs of what was done to it, by name.
    key : dict
        What JSON can hold: all that the shard's fingerprint is taken from.
    """

    subject: str
    run: str
    sfreq: float
    signals: dict[str, Signal]
    events: Events
    good: NDArray[np.bool_]
    info: mne.Info
    provenance: dict[str, Any]
    volumes: Volumes | None = None
    session: str = ""
    figures: dict[str, bytes] = field(default_factory=dict)
    key: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What sentences call this recording."""
        return f"sub-{self.subject} run {self.run}"
