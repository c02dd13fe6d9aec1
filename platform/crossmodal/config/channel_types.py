"""What is known of each type of channel or target: its unit, how large its signal is, and how people show it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ChannelTraits:
    """One type of channel or target.

    Attributes
    ----------
    unit : str
        Of stored samples: SI, 'percent', or 'arbitrary' where nobody defines one.
    magnitude : float
        Order of magnitude of its signal, in `unit`.
    title : str
        What several of them are called.
    shown_unit : str
        Symbol of the unit that people of the field read.
    shown_scale : float
        From `unit` to `shown_unit`.
    """

    unit: str
    magnitude: float
    title: str
    shown_unit: str
    shown_scale: float


CHANNEL_TYPES = {
    "eeg": ChannelTraits("V", 1e-5, "EEG electrodes", "µV", 1e6),
    "mag": ChannelTraits("T", 1e-13, "magnetometers", "fT", 1e15),
    "grad": ChannelTraits("T/m", 2e-12, "gradiometers", "fT/cm", 1e13),
    "eog": ChannelTraits("V", 1e-4, "EOG electrodes", "µV", 1e6),
    "ecg": ChannelTraits("V", 1e-3, "ECG electrodes", "mV", 1e3),
    "resp": ChannelTraits("arbitrary", 1.0, "respiratory belts", "a.u.", 1.0),
    "bold": ChannelTraits("percent", 1.0, "BOLD targets", "%", 1.0),
    "cortex": ChannelTraits("A m", 1e-8, "cortical regions", "nA m", 1e9),
}

# Of simulated EEG and MEG as models read it, SI: without the rest of the brain, signals are smaller than usual.
SIMULATED_UNITS = {"eeg": 1e-6, "mag": 3e-14, "grad": 6e-13}
