"""What a model of cortical activity reads and predicts, and in which units."""

from collections.abc import Sequence

import torch

from crossmodal.config.channel_types import CHANNEL_TYPES, SIMULATED_UNITS
from crossmodal.config.cortex import CortexSimulation, PatchSimulation
from crossmodal.config.signal_spec import Cortex, SignalPair, SignalSpec
from crossmodal.physics.cortical_regions import CorticalRegions, cortical_regions
from crossmodal.physics.helmet import helmet_info
from crossmodal.physics.parcellation import packed_regions, regions_of
from crossmodal.tasks.cortex.heads import electrode_names
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

MOMENT_UNIT_AM = CHANNEL_TYPES["cortex"].magnitude


def signal_pair(simulation: CortexSimulation | PatchSimulation, regions: CorticalRegions | None = None) -> SignalPair:
    """What the simulation's sensors show, and the moments of regions on the same clock; without any named, of the platform's own."""
    clock = {"sfreq": simulation.sfreq, "n_times": simulation.n_times}
    sensors, names = sensors_of(simulation), (regions or cortical_regions()).names
    space = Cortex(regions=packed_regions(regions) if regions and regions is not cortical_regions() else None)
    return SignalPair(
        input=SignalSpec(names=tuple(sensors), types=tuple(sensors.values()), **clock),
        target=SignalSpec(names=names, types=("cortex",) * len(names), space=space, **clock),
    )


def sensors_of(simulation: CortexSimulation | PatchSimulation) -> dict[str, str]:
    """Types of the simulation's channels by name, in their order: electrodes, then magnetometers, then gradiometers."""
    electrodes = dict.fromkeys(electrode_names(simulation.electrodes), "eeg")
    if isinstance(simulation, CortexSimulation) or simulation.sensors == ("eeg",):
        return electrodes
    helmet = helmet_info(simulation.sensors, simulation.sfreq)
    in_helmet = dict(zip(helmet["ch_names"], helmet.get_channel_types(), strict=True))
    return electrodes | in_helmet if "eeg" in simulation.sensors else in_helmet


def regions_of_signal(target: SignalSpec) -> CorticalRegions:
    """Where the regions of a model's target lie."""
    assert isinstance(target.space, Cortex)
    return regions_of(target.space, target.names)


def normaliser(signals: SignalPair) -> Normaliser:
    """Between SI units and the units of models, which are fitted to nothing, and bring signals of each type to the order of one."""
    return Normaliser(input_scaling(signals.input.types), _fixed([MOMENT_UNIT_AM] * signals.target.n_channels))


def input_scaling(types: Sequence[str]) -> ChannelScaling:
    """The same of channels of some types."""
    return _fixed([SIMULATED_UNITS[kind] for kind in types])


def _fixed(unit_c: Sequence[float]) -> ChannelScaling:
    return ChannelScaling(torch.zeros(len(unit_c)), torch.tensor([1 / unit for unit in unit_c]))
