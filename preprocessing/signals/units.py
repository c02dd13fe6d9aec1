"""What the unit of a channel is, however it is spelled: a voltage, something else, or unknown."""

import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

# Types of MNE that are measured in volts, and those that a table or an experiment may give another type.
VOLTAGES = ("eeg", "eog", "ecg")
RETYPABLE = (*VOLTAGES, "emg", "misc")

_PREFIXES = {"": 1.0, "m": 1e-3, "milli": 1e-3, "u": 1e-6, "μ": 1e-6, "mc": 1e-6, "micro": 1e-6, "n": 1e-9, "nano": 1e-9}
# Headers of EDF have room for eight letters: "microvol".
_VOLTAGE = re.compile(rf"({'|'.join(_PREFIXES)})v(?:o|ol|olt|olts)?")
# The micro sign of Shift JIS, GBK, code page 437 and ISO 8859-7, read as Latin-1.
_MICRO_ELSEWHERE = ("\x83\xca", "¦Ì", "æ", "ì")
_SAYS_NOTHING = {
    *("", "n/a", "na", "n.a.", "none", "null", "nan", "unknown", "undefined", "unit", "units", "micro", "u", "μ", "a.u.", "au"),
    *("adu", "count", "counts", "bit", "bits", "lsb", "raw", "digital", "integer"),
}
# A lonely v, as in ".V", "MV" or "uV/bit": perhaps a voltage, nobody knows of which size.
_PERHAPS_VOLTAGE = re.compile(r"volt|(?<![a-z])[a-z]{0,2}v(?![a-z])")
_NAMES_A_UNIT = re.compile(r"[a-z%°ω]")


@dataclass(frozen=True)
class ChannelUnits:
    """What is known of the units of a recording's channels; those in none of these are volts as they are read.

    Attributes
    ----------
    volts : dict of str to float
        V that the number 1 of a channel stands for, by name, where channels.tsv alone tells.
    no_voltage : dict of str to str
        Units that are no voltages, by channel name.
    unknown : dict of str to str
        What was found instead of a unit, by channel name.
    disputed : dict of str to str
        What channels.tsv says, by name of channels of which the file says otherwise.
    """

    volts: Mapping[str, float] = field(default_factory=dict)
    no_voltage: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    disputed: Mapping[str, str] = field(default_factory=dict)


def volts_of(unit: str) -> float | None:
    """How many volts a unit is, as people spell it (uV, µV, UV, microvolt, mV, nV, V); None where it is no voltage, or may be several."""
    plain = _plain(unit)
    found = _VOLTAGE.fullmatch(plain)
    # Whoever writes MV means milli- or microvolts, not megavolts.
    if found is None or (found[1] == "m" and "M" in unit):
        return None
    return _PREFIXES[found[1]]


def is_no_voltage(unit: str) -> bool:
    """Tell whether a unit is stated, and surely no voltage: %, DegC, BPM, mmHg."""
    plain = _plain(unit)
    perhaps_one = _VOLTAGE.fullmatch(plain) or _PERHAPS_VOLTAGE.search(plain)
    return plain not in _SAYS_NOTHING and bool(_NAMES_A_UNIT.search(plain)) and not perhaps_one


def settle_units(written: Mapping[str, str], listed: Mapping[str, str]) -> ChannelUnits:
    """Settle the unit of each channel: the file's where it is one, else that of channels.tsv.

    Parameters
    ----------
    written : mapping of str to str
        What the file says, by channel name; numbers are read as volts where that is a voltage, and else as they are stored.
    listed : mapping of str to str
        What channels.tsv says, by channel name.
    """
    volts, no_voltage, unknown, disputed = dict[str, float](), dict[str, str](), dict[str, str](), dict[str, str]()
    for name, unit in written.items():
        other = listed.get(name, "")
        of_file, of_table = volts_of(unit), volts_of(other)
        if of_file is not None:
            if is_no_voltage(other) or of_table not in (None, of_file):
                disputed[name] = other
        elif is_no_voltage(unit):
            if of_table is None:
                no_voltage[name] = unit
            else:
                unknown[name] = f"'{unit}' in the file, '{other}' in channels.tsv"
        elif of_table is not None:
            volts[name] = of_table
        elif is_no_voltage(other):
            no_voltage[name] = other
        else:
            unknown[name] = " and ".join(sorted({f"'{text}'" for text in (unit, other) if text.strip()})) or "blank"
    return ChannelUnits(volts, no_voltage, unknown, disputed)


def _plain(unit: str) -> str:
    """The same without what differs between people and code pages, in small letters; every micro sign is the Greek letter."""
    with suppress(UnicodeError):
        # UTF-8 that was read as Latin-1.
        unit = unit.encode("latin-1").decode("utf-8")
    for micro in _MICRO_ELSEWHERE:
        unit = re.sub(f"^{micro}(?=[vV])", "μ", unit.strip())
    plain = unicodedata.normalize("NFKC", unit).casefold().strip(" \t\0()[]{}'\"")
    return re.sub(r"(?<=\w)[\s_-]+(?=v)", "", plain)
