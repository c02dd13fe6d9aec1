"""Read channels.tsv: what the channels are, and which are bad."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from preprocessing.readers.bids.tables import UNSTATED, rows_of
from preprocessing.signals.channel_names import unique_names

# BIDS channel types that say what an input of the amplifier really recorded; others, as GSR or TRIG, are no brain either, whatever the
# file calls them. MEG types are left to the recording itself.
_TYPES = {"EEG": "eeg", "EOG": "eog", "HEOG": "eog", "VEOG": "eog", "ECG": "ecg", "RESP": "resp", "EMG": "emg", "MISC": "misc"}


@dataclass(frozen=True)
class ChannelTable:
    """What channels.tsv says.

    Attributes
    ----------
    types : dict
        MNE's type ('eeg', 'eog', 'ecg', 'resp', 'emg', 'misc') by channel name, where BIDS's has one.
    bad : tuple of str
        Channels whose status is bad.
    units : dict
        The unit of every row, as written, by channel name.
    """

    types: dict[str, str]
    bad: tuple[str, ...]
    units: dict[str, str] = field(default_factory=dict)

    def renamed(self, names: Mapping[str, str]) -> "ChannelTable":
        """Return the same of channels under other names, without those that have none."""
        types, units = ({names[name]: said for name, said in said_of.items() if name in names} for said_of in (self.types, self.units))
        return ChannelTable(types, tuple(names[name] for name in self.bad if name in names), units)


def parse_channels(text: str, uri: str) -> ChannelTable:
    """Read channels.tsv, which need not list every channel of the file.

    Raises
    ------
    UserError
        It is no such table; the sentence names the file.
    """
    listed = list(rows_of(text, uri, required=("name",)).values())
    rows = dict(zip(unique_names(row["name"] for row in listed), listed, strict=True))
    stated = {name: row.get("type", UNSTATED).upper() for name, row in rows.items()}
    types = {name: _TYPES.get(kind, "misc") for name, kind in stated.items() if kind != UNSTATED.upper() and not kind.startswith("MEG")}
    bad = tuple(name for name, row in rows.items() if row.get("status", UNSTATED).lower().startswith("bad"))
    return ChannelTable(types, bad, {name: row.get("units", row.get("unit", UNSTATED)) for name, row in rows.items()})
