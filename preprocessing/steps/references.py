"""Keep EOG and ECG beside the sensors: eyes and heart are found by them, and no model sees them."""

from collections.abc import Iterable, Sequence

import mne
import numpy as np
from mne.io import BaseRaw, RawArray
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.signals.spans import Span, continuous_pieces

# Fast enough for a heartbeat's shape, slow enough that components are fitted in seconds.
_FIT_RATE_HZ = 250.0
# Components are fitted without slow drifts, which would take them all; they are taken off the recording as it is.
_FIT_HIGHPASS_HZ = 1.0


def split_references(raw: BaseRaw, kinds: Iterable[str], called: str) -> RawArray | None:
    """Take EOG and ECG out of a recording.

    Parameters
    ----------
    raw : BaseRaw
        Loaded; loses its references in place.
    kinds : iterable of str
        'eog', 'ecg': each must be there and record something.
    called : str
        What sentences call the recording.

    Returns
    -------
    RawArray or None
        The references, V; None where none are asked for.

    Raises
    ------
    UserError
        One is missing, flat or NaN.
    """
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    names: list[str] = []
    for kind in kinds:
        of_kind = [name for name in raw.ch_names if types[name] == kind]
        if not of_kind:
            raise UserError(
                f"{called}: has no {kind.upper()} channel to find artifacts by; name one in recordings.channel_types, or leave {kind} out"
                " of the references of preprocessing.ica and ssp"
            )
        names += of_kind
    if not names:
        return None
    x_ct = raw.get_data(picks=names)
    for name, x_t in zip(names, x_ct, strict=True):
        if not np.isfinite(x_t).all() or np.ptp(x_t) == 0:
            raise UserError(
                f"{called}: {name} is flat or not finite, no artifact is found by it; leave it out (recordings.channel_types.{name}=misc)"
            )
    info = mne.pick_info(raw.info, [raw.ch_names.index(name) for name in names])
    raw.drop_channels(names)
    return _plain(x_ct, info)


def to_fit(raw: BaseRaw, picks: str, references: RawArray, bad_spans: Iterable[Span]) -> RawArray:
    """Copy what components are fitted to: channels of a modality with the references, without drifts, at a lower rate.

    Parameters
    ----------
    raw : BaseRaw
        Filtered.
    picks : str
        'eeg' or 'meg'.
    references : RawArray
        On the clock of `raw`.
    bad_spans : iterable of Span
        Annotated in the copy, so that no fit sees them.
    """
    indices = mne.pick_types(raw.info, eeg=picks == "eeg", meg=picks == "meg")
    copy = copy_channels(raw, [raw.ch_names[index] for index in indices])
    if (raw.info["highpass"] or 0.0) < _FIT_HIGHPASS_HZ:
        copy.filter(_FIT_HIGHPASS_HZ, None, n_jobs=1, verbose="error")
    beside = references.copy()
    if raw.info["sfreq"] > _FIT_RATE_HZ:
        for each in (copy, beside):
            each.resample(_FIT_RATE_HZ, n_jobs=1, verbose="error")
    copy.add_channels([beside], force_update_info=True)
    spans = list(bad_spans)
    copy.set_annotations(mne.Annotations([span.start_s for span in spans], [span.duration_s for span in spans], "BAD"))
    return copy


def copy_channels(raw: BaseRaw, names: Sequence[str]) -> RawArray:
    """Copy some channels as a recording that begins at 0 s, with the boundaries of acquisition, which no filter may cross."""
    copy = _plain(raw.get_data(picks=list(names)), mne.pick_info(raw.info, [raw.ch_names.index(name) for name in names]))
    edges_s = {edge_s for piece in continuous_pieces(raw) for edge_s in (piece.start_s, piece.stop_s)}
    inner_s = sorted(edge_s for edge_s in edges_s if 0 < edge_s < len(raw.times) / raw.info["sfreq"])
    copy.set_annotations(mne.Annotations(inner_s, 0.0, "EDGE boundary"))
    return copy


def _plain(x_ct: NDArray[np.float64], info: mne.Info) -> RawArray:
    """Make a recording that begins at 0 s, without date: annotations and channels then join whatever the file's clock was."""
    plain = mne.create_info(info["ch_names"], info["sfreq"], info.get_channel_types())
    for channel, known in zip(plain["chs"], info["chs"], strict=True):
        channel.update(loc=known["loc"], coil_type=known["coil_type"], coord_frame=known["coord_frame"])
    with plain._unlock():
        plain["dev_head_t"], plain["highpass"], plain["lowpass"] = info["dev_head_t"], info["highpass"], info["lowpass"]
    return mne.io.RawArray(x_ct, plain, verbose="error")
