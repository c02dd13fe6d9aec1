"""Signals for models that are built without data."""

from crossmodal.config.signal_spec import SignalPair, SignalSpec


def sensor_pair(n_input: int, n_target: int, n_times: int, sfreq: float) -> SignalPair:
    """Electrodes to magnetometers, on one clock."""
    named = {"eeg": [f"EEG{number}" for number in range(n_input)], "mag": [f"MAG{number}" for number in range(n_target)]}
    input, target = (
        SignalSpec(names=tuple(names), types=(kind,) * len(names), sfreq=sfreq, n_times=n_times) for kind, names in named.items()
    )
    return SignalPair(input=input, target=target)
