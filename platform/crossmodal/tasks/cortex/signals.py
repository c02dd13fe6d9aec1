"""What a model of cortical activity reads and predicts, and in which units."""

import torch

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.config.cortex import CortexSimulation, PatchSimulation
from crossmodal.config.signal_spec import Cortex, SignalPair, SignalSpec
from crossmodal.physics.cortical_regions import CorticalRegions, cortical_regions
from crossmodal.physics.parcellation import packed_regions, regions_of
from crossmodal.tasks.cortex.heads import electrode_names
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

# A model's units are fitted to nothing, and bring signals to the order of one: without the rest of the brain, EEG is smaller than usual.
EEG_UNIT_V = 1e-6
MOMENT_UNIT_AM = CHANNEL_TYPES["cortex"].magnitude


def signal_pair(simulation: CortexSimulation | PatchSimulation, regions: CorticalRegions | None = None) -> SignalPair:
    """EEG of the simulation's electrodes, and the moments of regions on the same clock; without any named, of the platform's own."""
    clock = {"sfreq": simulation.sfreq, "n_times": simulation.n_times}
    electrodes, names = electrode_names(simulation.electrodes), (regions or cortical_regions()).names
    space = Cortex(regions=packed_regions(regions) if regions and regions is not cortical_regions() else None)
    return SignalPair(
        input=SignalSpec(names=electrodes, types=("eeg",) * len(electrodes), **clock),
        target=SignalSpec(names=names, types=("cortex",) * len(names), space=space, **clock),
    )


def regions_of_signal(target: SignalSpec) -> CorticalRegions:
    """Where the regions of a model's target lie."""
    assert isinstance(target.space, Cortex)
    return regions_of(target.space, target.names)


def normaliser(signals: SignalPair) -> Normaliser:
    """Between V and A m and the units of models."""
    return Normaliser(_fixed(signals.input.n_channels, EEG_UNIT_V), _fixed(signals.target.n_channels, MOMENT_UNIT_AM))


def _fixed(n_channels: int, unit: float) -> ChannelScaling:
    return ChannelScaling(torch.zeros(n_channels), torch.full((n_channels,), 1 / unit))
