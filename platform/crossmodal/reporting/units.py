"""Units that people of the field read: femtotesla and microvolts instead of SI."""

_SCALES = {"mag": (1e15, "fT"), "grad": (1e13, "fT/cm"), "eeg": (1e6, "µV")}
_TITLES = {"mag": "magnetometers", "grad": "gradiometers", "eeg": "EEG electrodes"}


def display_unit(channel_type: str) -> tuple[float, str]:
    """Factor from SI units to the displayed one, and its symbol."""
    return _SCALES[channel_type]


def sensor_title(channel_type: str) -> str:
    """Plural name of the sensors of a type."""
    return _TITLES[channel_type]
