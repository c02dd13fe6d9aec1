"""Project the directions of the mean blink and heartbeat out of each channel type (signal space projection).

A direction that explains little of the mean artifact is left where it is: where the artifact is weak, or independent components took it
off before, the mean is mostly brain.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from mne import Projection
from mne.io import BaseRaw, RawArray
from mne.preprocessing import compute_proj_ecg, compute_proj_eog

from crossmodal.config import UserError
from crossmodal.config.cleaning import Ssp
from preprocessing.signals.broken import cause_of
from preprocessing.signals.spans import Span
from preprocessing.steps.references import to_fit

VERSION = 2

_COMPUTE: dict[str, Callable[..., tuple[list[Projection] | None, Any]]] = {"eog": compute_proj_eog, "ecg": compute_proj_ecg}
_WHAT = {"eog": "blink", "ecg": "heartbeat"}


def project_artifacts(
    raw: BaseRaw, modalities: Sequence[str], references: RawArray, bad_spans: Iterable[Span], settings: Ssp, called: str
) -> list[dict[str, Any]]:
    """Project in place, and say so in the recording's info, as the sensors now span fewer dimensions.

    Parameters
    ----------
    raw : BaseRaw
        Loaded and filtered.
    modalities : sequence of str
        'eeg', 'meg'.
    references : RawArray
        EOG and ECG on the clock of `raw`.
    bad_spans : iterable of Span
        No artifact is taken from there.
    settings : Ssp
        How many directions a channel type loses to each reference.
    called : str
        What sentences call the recording.

    Returns
    -------
    list of dict
        'direction' (MNE's name of it) and 'explained_variance' of the mean artifact, of those that were projected out.

    Raises
    ------
    UserError
        There is no blink or heartbeat to average.

    Notes
    -----
    Source: Uusitalo and Ilmoniemi (1997), Med. Biol. Eng. Comput. 35:135.
    """
    spans = list(bad_spans)
    found: list[Projection] = []
    for modality in modalities:
        copy = to_fit(raw, modality, references, spans)
        for reference in settings.references:
            found += _directions(copy, reference, settings, called)
    for kind in dict.fromkeys(tuple(each["data"]["col_names"]) for each in found):
        _project(raw, [each for each in found if tuple(each["data"]["col_names"]) == kind])
    for each in found:
        each["active"] = True
    raw.info["projs"].extend(found)
    return [{"direction": each["desc"], "explained_variance": float(each["explained_var"])} for each in found]


def _directions(copy: RawArray, reference: str, settings: Ssp, called: str) -> list[Projection]:
    counts = {"n_eeg": settings.n_eeg, "n_mag": settings.n_mag, "n_grad": settings.n_grad}
    try:
        directions, _ = _COMPUTE[reference](copy, **counts, reject=None, no_proj=True, n_jobs=1, verbose="error")
    except (ValueError, RuntimeError) as error:
        raise _unfound(reference, called, cause_of(error)) from error
    if not directions:
        raise _unfound(reference, called, "none found")
    return [each for each in directions if float(each["explained_var"]) >= settings.explained_variance]


def _unfound(reference: str, called: str, cause: str) -> UserError:
    return UserError(f"{called}: has no {_WHAT[reference]} to average ({cause}); leave {reference} out of preprocessing.ssp.references")


def _project(raw: BaseRaw, directions: Sequence[Projection]) -> None:
    """Take the span of directions off their channels."""
    rows = [raw.ch_names.index(name) for name in directions[0]["data"]["col_names"]]
    basis_cd, _ = np.linalg.qr(np.vstack([each["data"]["data"] for each in directions]).T)
    raw._data[rows] -= basis_cd @ (basis_cd.T @ raw._data[rows])
