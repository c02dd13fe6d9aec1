"""Match the names of a table's rows to those of a recording's channels."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import mne

from crossmodal.config import UserError

_KIND = re.compile(r"(?:eeg|eog|ecg|ekg|emg|poly?|seeg|ecog)[\s_:.-]+(?=.)")
# What a channel was recorded against, where that is no electrode of the scalp: C3-Pz is another signal than C3.
_REFERENCE = re.compile(r"(?<=.)[\s_:-]+(?:ref\d?|cle|le|lm|ar|av|ave|avg|avr|average|car|[am][12](?:[\s_+/-]?[am][12])?)$")
_NUMBER_OF_TWIN = re.compile(r"(?<=.)-\d$")
_ADVICE = "name channels as the recording does"
_Groups = dict[str, list[str]]


@dataclass(frozen=True)
class Matched:
    """Which row of a table is of which channel.

    Attributes
    ----------
    channels : dict of str to str
        The channel that a row is of, by the row's name.
    notes : tuple of str
        Sentences that the run should say.
    """

    channels: dict[str, str]
    notes: tuple[str, ...]


def match_rows(rows: Sequence[str], channels: Sequence[str], called: str) -> Matched:
    """Match by exact name, else by what is left without the usual dressings: case, spaces, "EEG C3-Ref", "C3-LE", "C3-A1", "Fc5.".

    Parameters
    ----------
    rows : sequence of str
        Names that a table lists, each once.
    channels : sequence of str
        Names of the recording's channels.
    called : str
        What sentences call the table.

    Raises
    ------
    UserError
        No row fits a channel, or a row fits several, or several rows one.
    """
    known = set(channels)
    found = {row: row for row in rows if row in known}
    dressed = dict[str, str]()
    for bare in (_joined, _undressed, _of_twins):
        taken = {**found, **dressed}
        left = [row for row in rows if row not in taken], [name for name in channels if name not in taken.values()]
        dressed |= _by_key(bare(left[0]), bare(left[1]), called)
    fitting = {**found, **dressed}
    unfit = [row for row in rows if row not in fitting]
    if unfit and not fitting:
        raise UserError(
            f"{called}: none of its {len(rows)} rows ({some_of(rows, 5)}) names a channel of the recording ({some_of(channels, 5)});"
            " correct the names, or remove the table"
        )
    notes = []
    if dressed:
        pairs = some_of(f"{row} as {name}" for row, name in dressed.items())
        notes.append(f"{called}: its rows were matched to channels of other names: {pairs}")
    if unfit:
        notes.append(f"{called}: {some_of(unfit)} name no channel of the recording")
    return Matched(fitting, tuple(notes))


def unique_names(names: Iterable[str]) -> list[str]:
    """Tell twins apart as MNE does: C3, C3 are C3-0, C3-1."""
    return list(mne.create_info(list(names), 1.0, verbose="error").ch_names)


def some_of(names: Iterable[str], most: int = 10) -> str:
    """Name channels in a sentence, the first ones of many."""
    listed = list(names)
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")


def _by_key(of_row: _Groups, of_channel: _Groups, called: str) -> dict[str, str]:
    """Channel by row, of those that are the same once bare."""
    for key in of_row.keys() & of_channel.keys():
        if len(of_row[key]) > 1:
            raise UserError(f"{called}: {' and '.join(of_row[key])} fit channel {of_channel[key][0]} alike; {_ADVICE}")
        if len(of_channel[key]) > 1:
            raise UserError(f"{called}: {of_row[key][0]} fits channels {' and '.join(of_channel[key])} alike; {_ADVICE}")
    return {names[0]: of_channel[key][0] for key, names in of_row.items() if key in of_channel}


def _joined(names: Iterable[str]) -> _Groups:
    return _grouped((_join(name), name) for name in names)


def _undressed(names: Iterable[str]) -> _Groups:
    return _grouped((_undress(name), name) for name in names)


def _of_twins(names: Collection[str]) -> _Groups:
    """Group twins under the name that they had before they were told apart."""
    stems = {name: name.rpartition("-")[0] for name in names if _NUMBER_OF_TWIN.search(name)}
    return _grouped((_undress(stems[name] if f"{stems.get(name)}-0" in names else name), name) for name in names)


def _grouped(pairs: Iterable[tuple[str, str]]) -> _Groups:
    groups = defaultdict[str, list[str]](list)
    for bare, name in pairs:
        groups[bare].append(name)
    return groups


def _join(name: str) -> str:
    return re.sub(r"[\s_]+|\.+$", "", name.strip().casefold())


def _undress(name: str) -> str:
    return _join(_REFERENCE.sub("", _KIND.sub("", name.strip().casefold(), count=1)))
