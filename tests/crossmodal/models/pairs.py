"""Signals for models that are built without data."""

import numpy as np

from crossmodal.config.signal_spec import Cortex, Regions, SignalPair, SignalSpec, Voxels
from crossmodal.physics.cap import CAP
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.physics.places import Places, places_of
from crossmodal.physics.standard_cap import standard_cap

AFFINE = ((8.0, 0.0, 0.0, -16.0), (0.0, 8.0, 0.0, -16.0), (0.0, 0.0, 8.0, -16.0), (0.0, 0.0, 0.0, 1.0))


def sensor_pair(n_input: int, n_target: int, n_times: int, sfreq: float) -> SignalPair:
    """Electrodes to magnetometers, on one clock."""
    named = {"eeg": [f"EEG{number}" for number in range(n_input)], "mag": [f"MAG{number}" for number in range(n_target)]}
    input, target = (
        SignalSpec(names=tuple(names), types=(kind,) * len(names), sfreq=sfreq, n_times=n_times) for kind, names in named.items()
    )
    return SignalPair(input=input, target=target)


def volume_pair(n_input: int, n_target: int, n_times: int, sfreq: float, tr_s: float = 2.0) -> SignalPair:
    """Electrodes to the regions of a small atlas, a volume after each window."""
    input = sensor_pair(n_input, n_target, n_times, sfreq).input
    names = tuple(f"region{number}" for number in range(n_target))
    space = Regions(grid=(5, 5, 5), affine=AFFINE)
    target = SignalSpec(names=names, types=("bold",) * n_target, sfreq=1 / tr_s, n_times=1, space=space)
    return SignalPair(input=input, target=target)


def voxel_pair(n_input: int, mask: np.ndarray, n_times: int, sfreq: float, tr_s: float = 2.0) -> SignalPair:
    """Electrodes to the voxels of a mask, a volume after each window."""
    regions = volume_pair(n_input, int(mask.sum()), n_times, sfreq, tr_s)
    voxels = {"names": tuple(map(str, range(mask.sum()))), "space": Voxels.of(mask, AFFINE)}
    return SignalPair(input=regions.input, target=regions.target.model_copy(update=voxels))


def cortex_pair(n_input: int, n_times: int, sfreq: float) -> SignalPair:
    """Electrodes of a cap to the regions of the template's cortex, on one clock."""
    electrodes, regions = CAP[:: len(CAP) // n_input][:n_input], cortical_regions().names
    clock = {"sfreq": sfreq, "n_times": n_times}
    input = SignalSpec(names=electrodes, types=("eeg",) * n_input, **clock)
    return SignalPair(input=input, target=SignalSpec(names=regions, types=("cortex",) * len(regions), space=Cortex(), **clock))


def cap_places(pair: SignalPair, n_windows: int) -> Places:
    """Where the electrodes of `cortex_pair` stand on the template head, which nobody digitised."""
    return places_of(standard_cap(pair.input.names, pair.input.sfreq), pair).repeated(n_windows)
