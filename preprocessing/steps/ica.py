"""Take eyes and heart off by independent components that follow EOG or ECG, fitted on each recording.

Each modality has components of its own. Fitted to EEG and MEG at once, what is taken off the EEG would depend on the MEG that a model is to
predict from it.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import mne
import numpy as np
from mne.io import BaseRaw, RawArray
from mne.preprocessing import ICA
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from crossmodal.config import UserError
from crossmodal.config.cleaning import Ica
from preprocessing.signals.broken import cause_of
from preprocessing.signals.spans import Span
from preprocessing.steps.references import to_fit

VERSION = 2

_MOST_ITERATIONS = 500
# Over few beats any component's phases agree: of two, all components would be the heart's.
_LEAST_BEATS = 30
_AT_ONCE_S = 10.0


@dataclass(frozen=True)
class Removed:
    """One component that was taken off.

    Attributes
    ----------
    modality, component : str, int
        Whose component, and its number there.
    reference : str
        The channel it follows.
    score : float
        Correlation with an EOG (1-10 Hz, absolute), or the cross-trial phase statistic with an ECG.
    names : tuple of str
        The sensors of the modality.
    pattern : float64 array, shape (C,)
        What each of them sees of a unit of the component.
    course_t : float64 array, shape (T,)
        Its first seconds, standardised.
    reference_t : float64 array, shape (T,)
        The same seconds of the reference, standardised.
    sfreq : float
        Of both, Hz.
    """

    modality: str
    component: int
    reference: str
    score: float
    names: tuple[str, ...]
    pattern: NDArray[np.float64]
    course_t: NDArray[np.float64]
    reference_t: NDArray[np.float64]
    sfreq: float


def remove_components(
    raw: BaseRaw, modalities: Sequence[str], references: RawArray, bad_spans: Iterable[Span], settings: Ica, called: str
) -> tuple[list[Removed], list[str]]:
    """Take components off in place.

    Parameters
    ----------
    raw : BaseRaw
        Loaded and filtered.
    modalities : sequence of str
        'eeg', 'meg': each is fitted by itself.
    references : RawArray
        EOG and ECG on the clock of `raw`.
    bad_spans : iterable of Span
        Left out of the fit; what is taken off is taken off there, too.
    settings : Ica
        What components are made of, and how closely one must follow.
    called : str
        What sentences call the recording.

    Returns
    -------
    removed : list of Removed
    notes : list of str
        Sentences that the run should say.

    Raises
    ------
    UserError
        The fit fails, or the ECG shows too few heartbeats.

    Notes
    -----
    Source: FastICA, Hyvarinen (1999), IEEE Trans. Neural Netw. 10:626, by `mne.preprocessing.ICA`; heartbeats by cross-trial phase
    statistics, Dammers et al. (2008), IEEE Trans. Biomed. Eng. 55:2353.
    """
    removed, notes = [], []
    spans = list(bad_spans)
    for modality in modalities:
        copy = to_fit(raw, modality, references, spans)
        ica = _fitted(copy, modality, settings, called)
        if ica.n_iter_ >= _MOST_ITERATIONS:
            notes.append(f"the independent components of its {modality.upper()} did not settle within {_MOST_ITERATIONS} iterations")
        found = _components_of(ica, copy, settings, called)
        removed += [_described(ica, copy, modality, component, *found[component]) for component in sorted(found)]
        notes.append(_told(modality, found))
        if found:
            take_off(ica, raw, sorted(found))
    return removed, notes


def take_off(ica: ICA, raw: BaseRaw, components: list[int]) -> None:
    """Take components off in place, a piece at a time: MNE holds several copies of what it works on.

    Parameters
    ----------
    ica : ICA
        Fitted.
    raw : BaseRaw
        Loaded.
    components : list of int
        Their numbers.
    """
    length = round(_AT_ONCE_S * raw.info["sfreq"])
    for start in range(0, len(raw.times), length):
        ica.apply(raw, exclude=components, start=start, stop=min(start + length, len(raw.times)), verbose="error")


def _fitted(copy: RawArray, modality: str, settings: Ica, called: str) -> ICA:
    ica = ICA(settings.explained_variance, method="fastica", rng=settings.seed, max_iter=_MOST_ITERATIONS)
    try:
        with warnings.catch_warnings():
            # The run says so itself.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return ica.fit(copy, picks=modality, verbose="error")
    except (ValueError, RuntimeError) as error:
        cause = cause_of(error)
        raise UserError(
            f"{called}: has no independent components of its {modality.upper()} ({cause}); leave preprocessing.ica out"
        ) from error


def _components_of(ica: ICA, copy: RawArray, settings: Ica, called: str) -> dict[int, tuple[str, float]]:
    """Name the reference each eye's or heart's component follows, and how closely; of several the closest."""
    found: dict[int, tuple[str, float]] = {}
    types = dict(zip(copy.ch_names, copy.get_channel_types(), strict=True))
    for name in (name for name, kind in types.items() if kind in settings.references):
        if types[name] == "eog":
            components, scores = ica.find_bads_eog(
                copy, ch_name=name, measure="correlation", threshold=settings.eog_correlation, verbose="error"
            )
        else:
            components, scores = _of_heart(ica, copy, name, called)
        for component in components:
            score = float(np.abs(scores[component]))
            if component not in found or score > found[component][1]:
                found[int(component)] = (name, score)
    return found


def _of_heart(ica: ICA, copy: RawArray, name: str, called: str) -> tuple[list[int], NDArray[np.float64]]:
    beats, *_ = mne.preprocessing.find_ecg_events(copy, ch_name=name, verbose="error")
    if len(beats) < _LEAST_BEATS:
        raise UserError(
            f"{called}: has {len(beats)} heartbeats in {name}, to tell the heart's component {_LEAST_BEATS} are needed; leave ecg out of"
            " preprocessing.ica.references"
        )
    components, scores = ica.find_bads_ecg(copy, ch_name=name, method="ctps", threshold="auto", verbose="error")
    return components, scores


def _described(ica: ICA, copy: RawArray, modality: str, component: int, reference: str, score: float) -> Removed:
    shown = slice(0, min(len(copy.times), round(10 * copy.info["sfreq"])))
    course_t = ica.get_sources(copy).get_data(picks=[component])[0, shown]
    reference_t = copy.get_data(picks=[reference])[0, shown]
    return Removed(
        modality=modality,
        component=component,
        reference=reference,
        score=score,
        names=tuple(ica.ch_names),
        pattern=ica.get_components()[:, component],
        course_t=_standardised(course_t),
        reference_t=_standardised(reference_t),
        sfreq=copy.info["sfreq"],
    )


def _standardised(x_t: NDArray[np.float64]) -> NDArray[np.float64]:
    return (x_t - x_t.mean()) / (x_t.std() or 1.0)


def _told(modality: str, found: dict[int, tuple[str, float]]) -> str:
    if not found:
        return f"no independent component of its {modality.upper()} follows eyes or heart"
    listing = ", ".join(f"{component} ({name}, {score:.2f})" for component, (name, score) in sorted(found.items()))
    return f"took independent components off its {modality.upper()}: {listing}"
