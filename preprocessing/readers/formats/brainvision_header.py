"""Headers of BrainVision, put so that MNE reads them right: it knows few spellings of units, and no twins."""

import re
from dataclasses import dataclass

from preprocessing.readers.text import lines_of
from preprocessing.signals.channel_names import unique_names
from preprocessing.signals.units import is_no_voltage, volts_of

_SECTION = re.compile(r"^\[Channel Infos\].*?(?=^\[|\Z)", re.MULTILINE | re.IGNORECASE | re.DOTALL)
# Ch<number>=<name>,<reference>,<resolution>,<unit>
_CHANNEL = re.compile(r"^Ch(\d+)[ \t]*=(.*)$", re.MULTILINE | re.IGNORECASE)
_ENCODING = re.compile(r"^Codepage=.*$", re.MULTILINE | re.IGNORECASE)
# Of a unit that is blank: BrainVision Core Data Format 1.0.
_DEFAULT = "µV"
_NOT_AVAILABLE = "n/a"
_AS_MNE_SPELLS = {1.0: "V", 1e-3: "mV", 1e-6: "µV", 1e-9: "nV"}


@dataclass(frozen=True)
class _Channel:
    name: str
    reference: str
    resolution: str
    unit: str


def header_units(text: str) -> list[str]:
    """Units of the channels as a header writes them, in order; microvolts where it writes none."""
    channels = _channels(text)
    return [channels[number].unit for number in sorted(channels)]


def mended_header(text: str) -> str:
    """The same header for UTF-8, with a name of its own and a unit that MNE knows for each channel.

    What is no voltage is 'n/a', which MNE takes as misc. A unit that says nothing certain is V: numbers stay as they are stored, and
    whoever asks for `header_units` knows that they are not volts.
    """
    text = _ENCODING.sub("Codepage=UTF-8", "\n".join(lines_of(text)))
    channels = _channels(text)
    names = dict(zip(channels, unique_names(channel.name for channel in channels.values()), strict=True))

    def mended(line: re.Match[str]) -> str:
        number = int(line[1])
        channel = channels[number]
        return f"Ch{number}={names[number]},{channel.reference},{channel.resolution},{_as_mne_spells(channel.unit)}"

    text = _SECTION.sub(lambda section: _CHANNEL.sub(mended, section[0]), text, count=1)
    for number, channel in channels.items():
        if names[number] != channel.name:
            # A table of the amplifier's settings further below, in which MNE looks for the name.
            row = re.compile(rf"^(\s*{number}\s+){re.escape(channel.name)}(?=\s)", re.MULTILINE)
            # A comma within a name is written as a backslash and 1.
            escaped = names[number].replace("\\", r"\\")
            text = row.sub(rf"\g<1>{escaped}", text)
    return text


def _channels(text: str) -> dict[int, _Channel]:
    section = _SECTION.search("\n".join(lines_of(text)))
    channels = {}
    for line in _CHANNEL.finditer(section[0] if section else ""):
        name, reference, resolution, unit = [cell.strip() for cell in f"{line[2]},,,".split(",")][:4]
        channels[int(line[1])] = _Channel(name, reference, resolution, unit or _DEFAULT)
    return channels


def _as_mne_spells(unit: str) -> str:
    volts = volts_of(unit)
    if volts is not None:
        return _AS_MNE_SPELLS[volts]
    return _NOT_AVAILABLE if is_no_voltage(unit) or unit.lower() == _NOT_AVAILABLE else "V"
