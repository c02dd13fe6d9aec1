"""What a model of cortical activity reads and predicts."""

from crossmodal.config.cortex import CortexSimulation
from crossmodal.config.signal_spec import Cortex, SignalPair, SignalSpec
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.tasks.cortex.heads import electrode_names


def signal_pair(simulation: CortexSimulation) -> SignalPair:
    """EEG of the simulation's electrodes, and the moments of the template's regions on the same clock."""
    clock = {"sfreq": simulation.sfreq, "n_times": simulation.n_times}
    electrodes, regions = electrode_names(simulation), cortical_regions().names
    return SignalPair(
        input=SignalSpec(names=electrodes, types=("eeg",) * len(electrodes), **clock),
        target=SignalSpec(names=regions, types=("cortex",) * len(regions), space=Cortex(), **clock),
    )
